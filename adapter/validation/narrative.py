"""Narrative: well-formed XHTML of the allowed set, no script, nothing from outside.

https://hl7.org/fhir/R4/narrative.html#xhtml
"""

from __future__ import annotations

from html.entities import name2codepoint
from xml.parsers import expat

NAMESPACE = "http://www.w3.org/1999/xhtml"
ELEMENTS = frozenset(
    [
        "p",
        "br",
        "div",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "a",
        "span",
        "b",
        "em",
        "i",
        "strong",
        "small",
        "big",
        "tt",
        "dfn",
        "q",
        "var",
        "abbr",
        "acronym",
        "cite",
        "blockquote",
        "hr",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "pre",
        "table",
        "caption",
        "colgroup",
        "col",
        "thead",
        "tfoot",
        "tbody",
        "tr",
        "th",
        "td",
        "code",
        "samp",
        "img",
        "map",
        "area",
        "sub",
        "sup",
        "bdo",
        "ins",
        "del",
        "kbd",
        "address",
        "u",
        "s",
        "center",
        "style",
    ]
)
EVERYWHERE = frozenset(
    ["title", "style", "class", "id", "xml:lang", "lang", "dir", "accesskey", "tabindex", "idref", "xmlns"]
)
ATTRIBUTES = {
    "a": "href name charset type hreflang rel rev shape coords target",
    "img": "src longdesc height width usemap ismap alt border align",
    "q": "cite",
    "blockquote": "cite",
    "ins": "cite datetime",
    "del": "cite datetime",
    "table": "summary width border frame rules cellspacing cellpadding align bgcolor",
    "td": "abbr axis headers scope rowspan colspan align valign width height nowrap bgcolor",
    "th": "abbr axis headers scope rowspan colspan align valign width height nowrap bgcolor",
    "tr": "align valign bgcolor",
    "col": "span width align valign",
    "colgroup": "span width align valign",
    "map": "name",
    "area": "shape coords href nohref alt",
    "ol": "type start",
    "ul": "type",
    "li": "value type",
    "br": "clear",
    "hr": "align size width noshade",
    "p": "align",
    "div": "align",
    "h1": "align",
    "h2": "align",
    "h3": "align",
    "caption": "align",
    "pre": "width space",
    "thead": "align valign",
    "tbody": "align valign",
    "tfoot": "align valign",
}
# As the parser names them, with their namespace.
_ALLOWED = {f"{NAMESPACE} {name}": EVERYWHERE | frozenset(ATTRIBUTES.get(name, "").split()) for name in ELEMENTS}
_IMAGE = f"{NAMESPACE} img"


class _Reader:
    """What the parser meets. Handlers that have seen enough take themselves out."""

    def __init__(self, parser: expat.XMLParserType) -> None:
        self.parser = parser
        self.faults: set[str] = set()
        self.full = False
        self.links: set[str] = set()
        self.names: set[str] = set()
        parser.UseForeignDTD(True)
        parser.StartElementHandler = self.root
        parser.CharacterDataHandler = self.text
        parser.SkippedEntityHandler = self.entity

    def root(self, name: str, attributes: dict[str, str]) -> None:
        if name != f"{NAMESPACE} div":
            self.faults.add("narrative-root")
        self.parser.StartElementHandler = self.start
        self.start(name, attributes)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        allowed = _ALLOWED.get(name)
        if allowed is None:
            if "narrative-root" not in self.faults:
                self.faults.add("narrative-element")
            return
        if name == _IMAGE:
            self.full = True
        if attributes:
            self._attributes(allowed, attributes)

    def _attributes(self, allowed: frozenset[str], attributes: dict[str, str]) -> None:
        for name, value in attributes.items():
            plain = "xml:lang" if name == "http://www.w3.org/XML/1998/namespace lang" else name
            if plain not in allowed:
                self.faults.add("narrative-outside" if plain.startswith("on") else "narrative-attribute")
            elif plain in ("href", "src"):
                self._link(value)
            elif plain in ("id", "name"):
                self.names.add(value)

    def _link(self, value: str) -> None:
        lowered = value.strip().lower()
        if lowered.startswith(("javascript:", "vbscript:")):
            self.faults.add("narrative-outside")
        elif value.startswith("#") and len(value) > 1:
            self.links.add(value[1:])

    def text(self, data: str) -> None:
        if not data.isspace():
            self.full = True
            self.parser.CharacterDataHandler = None

    def entity(self, name: str, is_parameter: bool) -> None:
        if name not in name2codepoint:
            self.faults.add("narrative-not-xml")
        elif not is_parameter:
            self.full = True


def faults_of(div: str, ids: frozenset[str] = frozenset()) -> list[str]:
    """The message ids of what is wrong with a narrative; `ids` are those of contained resources, which links may name."""
    if "<!DOCTYPE" in div or "<!ENTITY" in div:
        return ["narrative-not-xml"]
    parser = expat.ParserCreate(namespace_separator=" ")
    reader = _Reader(parser)
    try:
        parser.Parse(div, True)
    except (expat.ExpatError, UnicodeEncodeError, ValueError):
        return ["narrative-not-xml"]
    if not reader.full and "narrative-element" not in reader.faults:
        reader.faults.add("narrative-empty")
    if reader.links - reader.names - ids:
        reader.faults.add("narrative-link")
    return sorted(reader.faults)
