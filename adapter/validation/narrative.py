"""Narrative: well-formed XHTML of the allowed set, each element where it may stand, no script, nothing from outside.

https://hl7.org/fhir/R4/narrative.html#xhtml
"""

from __future__ import annotations

import re
from collections.abc import Callable
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
_GOOD_URL = re.compile(r"https?:[\w;?:@&=+$.,/%\-~#\[\]!'()*|]+").fullmatch
_SCHEME = re.compile(r"([a-z][a-z0-9+.\-]*):").match
_KNOWN = {f"{NAMESPACE} {name}": name for name in ELEMENTS}
_ALLOWED = {name: EVERYWHERE | frozenset(ATTRIBUTES.get(name, "").split()) for name in ELEMENTS}
_PARENTS = {name: frozenset(names.split()) for name, names in PARENTS.items()}
_CHILDREN = {name: frozenset(names.split()) for name, names in CHILDREN.items()}


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


class _Found:
    """What is found in a narrative: message ids of faults, what its links name, its own names."""

    __slots__ = ("faults", "links", "names")

    def __init__(self) -> None:
        self.faults: set[str] = set()
        self.links: set[str] = set()
        self.names: set[str] = set()

    def attributes(self, element: str, given: dict[str, str]) -> None:
        """The attributes of an element."""
        kinds = _KINDS[element]
        for key, value in given.items():
            kind = kinds.get(key)
            if kind is None:
                self.faults.add("narrative-outside" if key.startswith("on") else "narrative-attribute")
            elif kind == "name":
                self.names.add(value)
            elif kind == "link" and not _GOOD_URL(value):
                if value.startswith("#") and len(value) > 1:
                    self.links.add(value[1:])
                fault = link_fault(element, value)
                if fault:
                    self.faults.add(fault)


def _kind(element: str, attribute: str) -> str:
    if attribute in ("href", "src"):
        return "link"
    return "name" if attribute == "id" or (attribute == "name" and element == "a") else ""


_XML = "http://www.w3.org/XML/1998/namespace "
_KINDS = {
    element: {each.replace("xml:", _XML): _kind(element, each) for each in attributes}
    for element, attributes in _ALLOWED.items()
}


def _read(parser: expat.XMLParserType, found: _Found) -> Callable[[], bool]:
    """Sets the parser's handlers, closures over where it is; gives what tells whether anything was in it."""
    above: list[_State] = []
    state, full = _OUTSIDE, False

    def root(name: str, given: dict[str, str]) -> None:
        nonlocal state
        if name != f"{NAMESPACE} div":
            found.faults.add("narrative-root")
        parser.StartElementHandler = start
        above.append(state)
        state = _DIV
        if given:
            found.attributes("div", given)

    def start(name: str, given: dict[str, str]) -> None:
        nonlocal state, full
        above.append(state)
        step = state.steps.get(name) or state.enter(name)
        if step is None:
            if "narrative-root" not in found.faults:
                found.faults.add("narrative-element")
            return
        state, fits = step
        if not fits:
            found.faults.add("narrative-nesting")
        if given:
            full = full or state.name == "img"
            found.attributes(state.name, given)

    def end(_: str) -> None:
        nonlocal state
        state = above.pop()

    def text(data: str) -> None:
        nonlocal full
        if (not full or state.textless) and not data.isspace():
            full = True
            if state.textless:
                found.faults.add("narrative-nesting")

    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = root, end, text
    return lambda: full


def faults_of(div: str) -> tuple[list[str], set[str]]:
    """The message ids of what is wrong with a narrative, and the ids that its links name and itself does not have."""
    if "<!DOCTYPE" in div or "<!ENTITY" in div:
        return ["narrative-doctype"], set()
    parser = expat.ParserCreate(namespace_separator=" ")
    found = _Found()
    is_full = _read(parser, found)
    try:
        parser.Parse(div, True)
    except expat.ExpatError as error:
        return ["narrative-two-roots" if error.code == _JUNK else "narrative-not-xml"], set()
    except (UnicodeEncodeError, ValueError):
        return ["narrative-not-xml"], set()
    if not is_full() and "narrative-element" not in found.faults:
        found.faults.add("narrative-empty")
    return sorted(found.faults), found.links - found.names


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
