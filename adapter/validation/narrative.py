"""Narrative: well-formed XHTML of the allowed set, each element where it may stand, no script, nothing from outside.

https://hl7.org/fhir/R4/narrative.html#xhtml
"""

from __future__ import annotations

import re
from xml.parsers import expat

NAMESPACE = "http://www.w3.org/1999/xhtml"
ELEMENTS = frozenset(
    "p br div h1 h2 h3 h4 h5 h6 a span b em i strong small big tt dfn q var abbr acronym cite blockquote hr address bdo"
    " kbd sub sup ul ol li dl dt dd pre table caption colgroup col thead tr tfoot tbody th td code samp img map area".split()
)
EVERYWHERE = frozenset(
    "title style class id lang xml:lang dir accesskey tabindex xml:space xmlns"
    " span width align valign char charoff abbr axis headers scope rowspan colspan".split()
)
ATTRIBUTES = {
    "a": "href name charset type hreflang rel rev shape coords",
    "img": "src border alt longdesc height width usemap ismap",
    "map": "name",
    "area": "shape coords href nohref alt",
    "table": "summary width border frame rules cellspacing cellpadding",
    "blockquote": "cite",
    "q": "cite",
    "pre": "space",
    "td": "nowrap",
}
# What stands only in some parents, and what takes only some children (and no text).
PARENTS = {
    "tr": "table thead tfoot tbody",
    "tbody": "table",
    "thead": "table",
    "tfoot": "table",
    "caption": "table",
    "colgroup": "table",
    "col": "colgroup table",
    "th": "tr thead tfoot",
    "td": "tr thead tfoot",
    "li": "ul ol",
    "dd": "dl",
    "dt": "dl",
}
CHILDREN = {
    "table": "tbody tr caption thead tfoot col colgroup",
    "tr": "td th",
    "tbody": "tr",
    "thead": "tr",
    "tfoot": "tr",
    "ul": "li",
    "ol": "li",
    "dl": "dd dt",
    "map": "area",
    "br": "",
    "img": "",
    "hr": "",
    "area": "",
}
INLINE = frozenset("a b em i strong small big sub sup code tt dfn q var abbr acronym cite bdo kbd samp".split())
# Within these there is no block; within a paragraph neither another one nor a quotation.
TEXTUAL = INLINE | frozenset("p h1 h2 h3 h4 h5 h6 pre address span caption dd dt".split())
BLOCKS = frozenset("div pre table ul ol".split())
PARAGRAPHS = frozenset("div blockquote table ol ul p".split())
TEXTLESS = frozenset(CHILDREN) - {"br", "img", "hr", "area"}
_BAD_IN_URL = re.compile(r"[^\w;?:@&=+$.,/%\-~#\[\]!'()*|]").search
_SCHEME = re.compile(r"([a-z][a-z0-9+.\-]*):").match
_KNOWN = {f"{NAMESPACE} {name}": name for name in ELEMENTS}
_ALLOWED = {name: EVERYWHERE | frozenset(ATTRIBUTES.get(name, "").split()) for name in ELEMENTS}
_PARENTS = {name: frozenset(names.split()) for name, names in PARENTS.items()}
_CHILDREN = {name: frozenset(names.split()) for name, names in CHILDREN.items()}
_LANGUAGE = "http://www.w3.org/XML/1998/namespace "


class _Reader:
    """What the parser meets. `open` holds the names of the elements that are open, outermost first."""

    def __init__(self, parser: expat.XMLParserType) -> None:
        self.parser = parser
        self.faults: set[str] = set()
        self.full = False
        self.links: set[str] = set()
        self.names: set[str] = set()
        self.open: list[str] = []
        parser.StartElementHandler = self.root
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.text

    def root(self, name: str, attributes: dict[str, str]) -> None:
        """The outermost element: a div of XHTML."""
        if name != f"{NAMESPACE} div":
            self.faults.add("narrative-root")
        self.parser.StartElementHandler = self.start
        self.open.append("div")
        if attributes:
            self._attributes("div", attributes)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Any other element."""
        plain = _KNOWN.get(name)
        if plain is None:
            if "narrative-root" not in self.faults:
                self.faults.add("narrative-element")
            self.open.append("")
            return
        self._place(plain)
        self.open.append(plain)
        if plain == "img":
            self.full = True
        if attributes:
            self._attributes(plain, attributes)

    def _place(self, name: str) -> None:
        """Whether an element may stand where it does."""
        above = self.open
        parent = above[-1]
        if (name in _PARENTS and parent not in _PARENTS[name]) or name not in _CHILDREN.get(parent, ELEMENTS):
            self.faults.add("narrative-nesting")
        elif name in BLOCKS or name in PARAGRAPHS:
            if (name in BLOCKS and not TEXTUAL.isdisjoint(above)) or (name in PARAGRAPHS and "p" in above):
                self.faults.add("narrative-nesting")
        elif name in INLINE and name in above:
            self.faults.add("narrative-nesting")

    def _attributes(self, name: str, attributes: dict[str, str]) -> None:
        allowed = _ALLOWED[name]
        for key, value in attributes.items():
            plain = "xml:" + key[len(_LANGUAGE) :] if key.startswith(_LANGUAGE) else key
            if plain not in allowed:
                self.faults.add("narrative-outside" if plain.startswith("on") else "narrative-attribute")
            elif plain in ("href", "src"):
                self._link(name, value)
            elif plain == "id" or (plain == "name" and name == "a"):
                self.names.add(value)

    def _link(self, name: str, value: str) -> None:
        scheme = _SCHEME(value)
        if value.startswith("#"):
            if len(value) > 1:
                self.links.add(value[1:])
        elif scheme and scheme.group(1) in ("javascript", "vbscript"):
            self.faults.add("narrative-outside")
        elif name == "a" and scheme and scheme.group(1) in ("urn", "cid"):
            self.faults.add("narrative-url")
        if name in ("a", "img") and (not value or (not value.startswith("data:") and _BAD_IN_URL(value))):
            self.faults.add("narrative-url")

    def end(self, name: str) -> None:
        """The end of an element."""
        self.open.pop()

    def text(self, data: str) -> None:
        """Text between elements."""
        if not data.isspace():
            self.full = True
            if self.open[-1] in TEXTLESS:
                self.faults.add("narrative-nesting")


def faults_of(div: str) -> tuple[list[str], set[str]]:
    """The message ids of what is wrong with a narrative, and the ids that its links name and itself does not have."""
    if "<!DOCTYPE" in div or "<!ENTITY" in div:
        return ["narrative-doctype"], set()
    parser = expat.ParserCreate(namespace_separator=" ")
    reader = _Reader(parser)
    try:
        parser.Parse(div, True)
    except expat.ExpatError as error:
        return ["narrative-two-roots" if error.code == _JUNK else "narrative-not-xml"], set()
    except (UnicodeEncodeError, ValueError):
        return ["narrative-not-xml"], set()
    if not reader.full and "narrative-element" not in reader.faults:
        reader.faults.add("narrative-empty")
    return sorted(reader.faults), reader.links - reader.names


_JUNK = expat.errors.codes[expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT]


def targets_in(tree: object) -> set[str]:
    """Every id in a resource or Bundle that a link of a narrative may lead to: of elements and within narratives."""
    found: set[str] = set()
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            for key, value in node.items():
                if key == "id" and isinstance(value, str):
                    found.add(value)
                elif key == "div" and isinstance(value, str):
                    found.update(_TARGET(value))
                elif isinstance(value, (dict, list)):
                    todo.append(value)
        elif isinstance(node, list):
            todo.extend(node)
    return found


_TARGET = re.compile(r"""\s(?:id|name)\s*=\s*["']([^"']*)["']""").findall
