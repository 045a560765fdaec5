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


class _State:
    """Where in a narrative the parser is: the innermost element, and what its ancestors forbid.

    `steps` are the states inside the elements that have opened here before, by name, and whether they may: there are as
    many states as the elements can be nested in ways that matter, and each is made once.
    """

    __slots__ = ("inline", "name", "paragraph", "steps", "textless", "textual")

    def __init__(self, name: str, textual: bool, paragraph: bool, inline: frozenset[str]) -> None:
        self.name = name
        self.textual = textual
        self.paragraph = paragraph
        self.inline = inline
        self.textless = name in TEXTLESS
        self.steps: dict[str, tuple[_State, bool]] = {}

    def enter(self, raw: str) -> tuple[_State, bool] | None:
        """The state inside an element that opens here, and whether it may; None where there is no such element."""
        name = _KNOWN.get(raw)
        if name is None:
            return None
        fits = name in _CHILDREN.get(self.name, ELEMENTS) and self.name in _PARENTS.get(name, (self.name,))
        if self.textual and name in BLOCKS:
            fits = False
        if (self.paragraph and name in PARAGRAPHS) or name in self.inline:
            fits = False
        inline = self.inline | {name} if name in INLINE else self.inline
        key = (name, self.textual or name in TEXTUAL, self.paragraph or name == "p", inline)
        inside = _states.get(key) or _states.setdefault(key, _State(*key))
        self.steps[raw] = inside, fits
        return inside, fits


_states: dict[tuple[str, bool, bool, frozenset[str]], _State] = {}
_OUTSIDE = _State("", False, False, frozenset())
_DIV = _State("div", False, False, frozenset())


def link_fault(name: str, value: str) -> str:
    """The message id of what is wrong with a link of an element; empty where nothing is."""
    scheme = _SCHEME(value)
    if scheme and scheme.group(1) in ("javascript", "vbscript"):
        return "narrative-outside"
    if name not in ("a", "img"):
        return ""
    if name == "a" and scheme and scheme.group(1) in ("urn", "cid"):
        return "narrative-url"
    return "" if value and (value.startswith("data:") or not _BAD_IN_URL(value)) else "narrative-url"


class _Reader:
    """What the parser meets. `above` holds the states outside the present one, outermost first."""

    def __init__(self, parser: expat.XMLParserType) -> None:
        self.parser = parser
        self.faults: set[str] = set()
        self.full = False
        self.links: set[str] = set()
        self.names: set[str] = set()
        self.state = _OUTSIDE
        self.above: list[_State] = []
        parser.buffer_text = True
        parser.StartElementHandler = self.root
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.text

    def root(self, name: str, attributes: dict[str, str]) -> None:
        """The outermost element: a div of XHTML."""
        if name != f"{NAMESPACE} div":
            self.faults.add("narrative-root")
        self.parser.StartElementHandler = self.start
        self.above.append(self.state)
        self.state = _DIV
        if attributes:
            self._attributes("div", attributes)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Any other element."""
        state = self.state
        self.above.append(state)
        found = state.steps.get(name) or state.enter(name)
        if found is None:
            if "narrative-root" not in self.faults:
                self.faults.add("narrative-element")
            return
        self.state, fits = found
        if not fits:
            self.faults.add("narrative-nesting")
        if self.state.name == "img":
            self.full = True
        if attributes:
            self._attributes(self.state.name, attributes)

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
        if value.startswith("#") and len(value) > 1:
            self.links.add(value[1:])
        fault = link_fault(name, value)
        if fault:
            self.faults.add(fault)

    def end(self, name: str) -> None:
        """The end of an element."""
        self.state = self.above.pop()

    def text(self, data: str) -> None:
        """Text between elements."""
        if (not self.full or self.state.textless) and not data.isspace():
            self.full = True
            if self.state.textless:
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
