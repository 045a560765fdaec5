"""Tier 1: a type's definition compiled to a table of closures, one for each property name that JSON may hold.

https://hl7.org/fhir/R4/json.html

Each closure takes (value, the object that holds it, the run). A fault's place grows from the inside outwards, so that a
clean resource builds no paths at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from difflib import get_close_matches
from typing import Any

from adapter.definitions import Definitions, Element, TypeFacts
from adapter.validation.handlers import Handler, Rule, all_of, choice, many, one, primitive, primitive_list, sibling
from adapter.validation.primitives import SHAPES, Shape
from adapter.validation.run import Run, Tree
from adapter.validation.specialised import Work, specialise

RulesOfType = Callable[[TypeFacts], Iterable[Rule]]
RulesOfElement = Callable[[str, Element], Iterable[Rule]]
Enter = Callable[[Tree, Run], None]
OFTEN, MOST = 4, 256
"""How often an order of properties comes before a checker is made for it, and how many of them a type may have."""


class Library:
    """The compiled types of one version. Each is compiled on first use; then it never changes.

    `of_type` gives the rules over each value of a type, `of_element` those over each value of an element; `enter` is
    called once for each resource that stands by itself, before it is checked.
    """

    def __init__(self, defs: Definitions, of_type: RulesOfType, of_element: RulesOfElement, enter: Enter) -> None:
        self.defs = defs
        self.enter = enter
        self.of_type = of_type
        self.of_element = of_element
        self.resource_types = defs.resource_types
        self._nodes: dict[str, Node] = {}

    def node(self, name: str) -> Node:
        """The checker of a type or of a part of one."""
        if name not in self._nodes:
            self._nodes.setdefault(name, Node(self, name))
        return self._nodes[name]

    def check_resource(self, value: Any, run: Run) -> None:
        """A resource of any type, standing where FHIR allows one."""
        if type(value) is not dict:
            run.add("resource-not-object")
            return
        name = value.get("resourceType")
        if type(name) is not str:
            run.add("resource-type-missing")
        elif name not in self.resource_types:
            run.add("resource-type-unknown", version=self.defs.version)
        else:
            self.node(name).check(value, run)

    def check_contained(self, value: Any, run: Run) -> None:
        """A contained resource: %resource is itself, %rootResource its container."""
        before, env = run.resource, run.env
        run.resource, run.env = value, None
        self.check_resource(value, run)
        run.resource, run.env = before, env

    def check_inner(self, value: Any, run: Run) -> None:
        """A resource that stands by itself inside another: an entry of a Bundle, a parameter."""
        if type(value) is not dict:
            run.add("resource-not-object")
            return
        kept = run.root, run.resource, run.contained, run.full_url, run.env, run.named
        run.root = run.resource = value
        run.contained, run.env, run.named = {}, None, set()
        run.full_url = run.bundle.urls.get(id(value)) if run.bundle else None
        self.enter(value, run)
        self.check_resource(value, run)
        run.root, run.resource, run.contained, run.full_url, run.env, run.named = kept


class Node:
    """One type, ready to check its values."""

    __slots__ = (
        "_met",
        "_ready",
        "choices",
        "element_rules",
        "elements",
        "known",
        "library",
        "name",
        "required",
        "rules",
        "shapes",
        "table",
    )

    def __init__(self, library: Library, name: str) -> None:
        self.library = library
        self.name = name
        self.table: dict[str, Handler] = {}
        self.shapes: dict[str, Shape] = {}
        self.required: frozenset[str] = frozenset()
        self.rules: tuple[Rule, ...] = ()
        self.elements: Mapping[str, Element] = {}
        self.element_rules: dict[str, tuple[Rule, ...]] = {}
        self.choices: dict[str, tuple[str, ...]] = {}
        self.known: dict[tuple[str, ...], Work] = {}
        self._met: dict[tuple[str, ...], int] = {}
        self._ready = False

    def build(self) -> None:
        """Compiles the table; done twice it gives the same, so threads need no lock."""
        facts = self.library.defs.type(self.name)
        table: dict[str, Handler] = {}
        rules = {name: tuple(self.library.of_element(self.name, each)) for name, each in facts.elements.items()}
        for element in facts.elements.values():
            owner = self.name
            table[element.name] = _handler(self.library, rules[element.name], element, facts)
            if element.type in SHAPES:
                beside = sibling(element, _extension_rules(self.library, owner, element))
                table["_" + element.name] = _one_of_choice(element, facts, beside)
        if facts.kind == "resource":
            table["resourceType"] = _nothing
        self.required = frozenset(e.name for e in facts.elements.values() if e.min and not e.choice) | frozenset(
            e.choice + "[x]" for e in facts.elements.values() if e.min and e.choice
        )
        self.rules = tuple(self.library.of_type(facts))
        self.shapes = {
            each.name: SHAPES[each.type]
            for each in facts.elements.values()
            if each.type in SHAPES and not each.is_list and not each.choice and not rules[each.name]
        }
        self.elements, self.element_rules, self.choices = facts.elements, rules, facts.choices
        self.table = table
        self._ready = True

    def check(self, value: Any, run: Run) -> None:
        """Notes every fault of one value."""
        if type(value) is not dict:
            run.add("element-null" if value is None else "element-not-object", type=self.name)
            return
        keys = tuple(value)
        work = self.known.get(keys)
        if work is None:
            work = self._meet(keys)
        work(value, run)

    def _meet(self, keys: tuple[str, ...]) -> Work:
        """The checker for an order of properties that has none yet: made once it has come a few times."""
        if not self._ready:
            self.build()
        times = self._met.get(keys, 0) + 1
        if times < OFTEN or len(self.known) >= MOST:
            if len(self._met) >= MOST:
                self._met.clear()
            self._met[keys] = times
            return self.walk
        made = specialise(self, keys) or self.walk
        self.known[keys] = made
        return made

    def walk(self, value: Tree, run: Run) -> None:
        """The general check of an object, property by property."""
        if not value or (len(value) == 1 and "id" in value):
            run.add("object-empty")
            return
        find, shape_of = self.table.get, self.shapes.get
        for key, child in value.items():
            # Most properties are primitives without rules of their own, and right.
            shape = shape_of(key)
            if shape is not None and not shape(child):
                continue
            handler = find(key)
            if handler is None:
                self._unknown(key, run)
            else:
                handler(child, value, run)
        if self.required and not self.required <= value.keys():
            self._missing(value, run)
        for rule in self.rules:
            rule(value, run)

    def lacks(self, keys: AbstractSet[str]) -> bool:
        """Whether an object with these properties misses one that is required."""
        return any(not self._stands(name, keys) for name in self.required)

    def _stands(self, name: str, keys: AbstractSet[str]) -> bool:
        names = self.choices[name[:-3]] if name.endswith("[x]") else (name,)
        return any(each in keys or "_" + each in keys for each in names)

    def has_choice_twice(self, keys: AbstractSet[str]) -> bool:
        """Whether an object with these properties has a choice in two types."""
        return any(sum(each in keys or "_" + each in keys for each in names) > 1 for names in self.choices.values())

    def _unknown(self, key: str, run: Run) -> None:
        plain = key.removeprefix("_")
        if key != plain and plain in self.table:
            run.add("sibling-not-primitive", name=plain)
            return
        near = get_close_matches(key, self.table, 1) if len(key) < 80 else []
        hint = f" Is {near[0]} meant?" if near else ""
        shown = key if key.isascii() and key.isidentifier() and len(key) <= 64 else "this name"
        run.add("element-unknown", type=self.name, name=shown, nearest=hint)

    def _missing(self, value: Tree, run: Run) -> None:
        for name in sorted(self.required - value.keys()):
            if not self._stands(name, value.keys()):
                run.add("element-missing", name=name, type=self.name)


def _nothing(value: Any, node: Tree, run: Run) -> None:
    """Checked elsewhere."""


def _handler(library: Library, rules: tuple[Rule, ...], element: Element, facts: TypeFacts) -> Handler:
    if element.type in SHAPES:
        make = primitive_list if element.is_list else primitive
        handler = make(element, SHAPES[element.type], rules)
    else:
        single: Rule = library.node(element.type).check
        if element.type == "Resource":
            single = library.check_contained if element.name == "contained" else library.check_inner
        if rules:
            single = all_of(single, rules)
        handler = many(element, single) if element.is_list else one(element, single)
    return _one_of_choice(element, facts, handler)


def _one_of_choice(element: Element, facts: TypeFacts, handler: Handler) -> Handler:
    if not element.choice:
        return handler
    names = frozenset(facts.choices[element.choice]) - {element.name}
    return choice(element, names | {"_" + name for name in names}, handler)


def _extension_rules(library: Library, owner: str, element: Element) -> dict[str, Handler]:
    inside = library.defs.type("Element").elements
    where = TypeFacts(f"{owner}.{element.choice or element.name}", "part", "", False, inside)
    return {
        name: _handler(library, tuple(library.of_element(where.name, each)), each, where)
        for name, each in inside.items()
        if name in ("id", "extension")
    }
