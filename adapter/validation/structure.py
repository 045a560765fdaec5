"""Tier 1: a type's definition compiled to a table of closures, one for each property name that JSON may hold.

https://hl7.org/fhir/R4/json.html

Each closure takes (value, the object that holds it, the run). A fault's place grows from the inside outwards, so that a
clean resource builds no paths at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any

from adapter.definitions import Definitions, Element, TypeFacts
from adapter.validation.primitives import SHAPES
from adapter.validation.run import Run, Tree

Handler = Callable[[Any, Tree, Run], None]
Rule = Callable[[Any, Run], None]
RulesOfType = Callable[[TypeFacts], Iterable[Rule]]
RulesOfElement = Callable[[str, Element], Iterable[Rule]]
Enter = Callable[[Tree, Run], None]


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
        elif name not in self.defs.resource_types:
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
        kept = run.root, run.resource, run.contained, run.base, run.env
        run.root = run.resource = value
        run.contained, run.base, run.env = {}, run.bases.get(id(value), ""), None
        self.enter(value, run)
        self.check_resource(value, run)
        run.root, run.resource, run.contained, run.base, run.env = kept


class Node:
    """One type, ready to check its values."""

    __slots__ = ("_ready", "library", "name", "required", "rules", "table")

    def __init__(self, library: Library, name: str) -> None:
        self.library = library
        self.name = name
        self.table: dict[str, Handler] = {}
        self.required: frozenset[str] = frozenset()
        self.rules: tuple[Rule, ...] = ()
        self._ready = False

    def build(self) -> None:
        """Compiles the table; done twice it gives the same, so threads need no lock."""
        facts = self.library.defs.type(self.name)
        table: dict[str, Handler] = {}
        for element in facts.elements.values():
            owner = self.name
            table[element.name] = _handler(self.library, owner, element, facts)
            if element.type in SHAPES:
                table["_" + element.name] = _sibling(self.library, owner, element, facts)
        if facts.kind == "resource":
            table["resourceType"] = _nothing
        self.required = frozenset(e.name for e in facts.elements.values() if e.min and not e.choice) | frozenset(
            e.choice + "[x]" for e in facts.elements.values() if e.min and e.choice
        )
        self.rules = tuple(self.library.of_type(facts))
        self.table = table
        self._ready = True

    def check(self, value: Any, run: Run) -> None:
        """Notes every fault of one value."""
        if type(value) is not dict:
            run.add("element-null" if value is None else "element-not-object", type=self.name)
            return
        if not self._ready:
            self.build()
        if not value or (len(value) == 1 and "id" in value):
            run.add("object-empty")
            return
        find = self.table.get
        for key, child in value.items():
            handler = find(key)
            if handler is None:
                self._unknown(key, run)
            else:
                handler(child, value, run)
        if self.required and not self.required <= value.keys():
            self._missing(value, run)
        for rule in self.rules:
            rule(value, run)

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
            if name.endswith("[x]"):
                names = self.library.defs.type(self.name).choices[name[:-3]]
                if any(each in value or "_" + each in value for each in names):
                    continue
            elif "_" + name in value:
                continue
            run.add("element-missing", name=name, type=self.name)


def _nothing(value: Any, node: Tree, run: Run) -> None:
    """Checked elsewhere."""


def step_of(element: Element) -> str:
    """How a place names an element: `.status`, and of a choice `.value.ofType(Quantity)`."""
    return f".{element.choice}.ofType({element.type})" if element.choice else f".{element.name}"


def _handler(library: Library, owner: str, element: Element, facts: TypeFacts) -> Handler:
    rules = tuple(library.of_element(owner, element))
    if element.type in SHAPES:
        check = _primitive_list if element.is_list else _primitive
        handler = check(element, SHAPES[element.type], rules)
    else:
        single: Rule = library.node(element.type).check
        if element.type == "Resource":
            single = library.check_contained if element.name == "contained" else library.check_inner
        if rules:
            single = _all_of(single, rules)
        handler = _many(element, single) if element.is_list else _one(element, single)
    if element.choice:
        names = frozenset(facts.choices[element.choice]) - {element.name}
        return _choice(element, names | {"_" + name for name in names}, handler)
    return handler


def _all_of(first: Rule, rules: tuple[Rule, ...]) -> Rule:
    def check(value: Any, run: Run) -> None:
        first(value, run)
        if type(value) is dict:
            for rule in rules:
                rule(value, run)

    return check


def _choice(element: Element, others: frozenset[str], handler: Handler) -> Handler:
    def check(value: Any, node: Tree, run: Run) -> None:
        if not others.isdisjoint(node):
            mine = (element.name, "_" + element.name)
            first = next(key for key in node if key in others or key in mine)
            if first in mine:
                run.add("choice-twice", name=element.choice + "[x]")
        handler(value, node, run)

    return check


def _primitive(element: Element, shape: Callable[[Any], str], rules: tuple[Rule, ...]) -> Handler:
    step, name = step_of(element), element.name

    def check(value: Any, node: Tree, run: Run) -> None:
        fault = shape(value)
        if not fault:
            if rules:
                for rule in rules:
                    run.below(step, rule, value, run)
        elif type(value) is list:
            run.add("element-is-list", step, name=name)
        elif value is None:
            run.add("element-null", step)
        else:
            run.add(fault, step)

    return check


def _primitive_list(element: Element, shape: Callable[[Any], str], rules: tuple[Rule, ...]) -> Handler:
    step, name, most = step_of(element), element.name, element.max

    def check(value: Any, node: Tree, run: Run) -> None:
        if type(value) is not list:
            run.add("element-not-list", step, name=name)
            return
        if not value:
            run.add("array-empty", step)
        if most is not None and len(value) > most:
            run.add("element-too-many", step, name=name, max=str(most))
        for index, item in enumerate(value):
            fault = shape(item)
            if not fault:
                for rule in rules:
                    run.below(f"{step}[{index}]", rule, item, run)
            elif item is not None:
                run.add(fault, f"{step}[{index}]")
            elif not _has_extension(node.get("_" + name), index):
                run.add("element-null", f"{step}[{index}]")

    return check


def _has_extension(siblings: Any, index: int) -> bool:
    return isinstance(siblings, list) and index < len(siblings) and bool(siblings[index])


def _one(element: Element, single: Rule) -> Handler:
    step, name = step_of(element), element.name

    def check(value: Any, node: Tree, run: Run) -> None:
        if type(value) is list:
            run.add("element-is-list", step, name=name)
            return
        since = len(run.out)
        single(value, run)
        if len(run.out) > since:
            run.prefix(since, step)

    return check


def _many(element: Element, single: Rule) -> Handler:
    step, name, most = step_of(element), element.name, element.max

    def check(value: Any, node: Tree, run: Run) -> None:
        if type(value) is not list:
            run.add("element-not-list", step, name=name)
            return
        if not value:
            run.add("array-empty", step)
        if most is not None and len(value) > most:
            run.add("element-too-many", step, name=name, max=str(most))
        out = run.out
        since = len(out)
        for index, item in enumerate(value):
            single(item, run)
            if len(out) > since:
                run.prefix(since, f"{step}[{index}]")
                since = len(out)

    return check


def _sibling(library: Library, owner: str, element: Element, facts: TypeFacts) -> Handler:
    """The property `_name`: id and extensions of a primitive. https://hl7.org/fhir/R4/json.html#primitive"""
    step, name, is_list = step_of(element), element.name, element.is_list
    extensions = _extension_rules(library, owner, element)

    def one(value: Any, run: Run) -> None:
        if type(value) is not dict:
            run.add("element-not-object", type="Element")
        elif not value:
            run.add("object-empty")
        else:
            for key, child in value.items():
                handler = extensions.get(key)
                if handler is None:
                    run.add("element-unknown", type="Element", name="this name", nearest="")
                else:
                    handler(child, value, run)

    def check(value: Any, node: Tree, run: Run) -> None:
        if (type(value) is list) is not is_list:
            run.add("sibling-list", step, name=name)
        elif not is_list:
            run.below(step, one, value, run)
        else:
            beside = node.get(name)
            if not value:
                run.add("array-empty", step)
            if type(beside) is list and len(beside) != len(value):
                run.add("sibling-longer", step, name=name)
            count = len(beside) if type(beside) is list else 0
            for index, item in enumerate(value):
                if item is not None:
                    run.below(f"{step}[{index}]", one, item, run)
                elif index >= count:
                    run.add("element-null", f"{step}[{index}]")

    if not element.choice:
        return check
    names = frozenset(facts.choices[element.choice]) - {name}
    return _choice(element, names | {"_" + each for each in names}, check)


def _extension_rules(library: Library, owner: str, element: Element) -> dict[str, Handler]:
    inside = library.defs.type("Element").elements
    where = TypeFacts(f"{owner}.{element.choice or element.name}", "part", "", False, inside)
    return {
        name: _handler(library, where.name, each, where) for name, each in inside.items() if name in ("id", "extension")
    }
