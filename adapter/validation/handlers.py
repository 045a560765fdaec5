"""The closures that a type's table is made of: one for each way in which an element may stand in JSON.

https://hl7.org/fhir/R4/json.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adapter.definitions import Element
from adapter.validation.run import Run, Tree

Handler = Callable[[Any, Tree, Run], None]
Rule = Callable[[Any, Run], None]
BLANK = frozenset({"primitive-blank", "primitive-only-blanks"})
"""Faults of a value that other rules still speak of."""


def step_of(element: Element) -> str:
    """How a place names an element: `.status`, and of a choice `.value.ofType(Quantity)`."""
    return f".{element.choice}.ofType({element.type})" if element.choice else f".{element.name}"


def all_of(first: Rule, rules: tuple[Rule, ...]) -> Rule:
    """A check of a type and then the rules of an element."""

    def check(value: Any, run: Run) -> None:
        first(value, run)
        if type(value) is dict:
            for rule in rules:
                rule(value, run)

    return check


def choice(element: Element, others: frozenset[str], handler: Handler) -> Handler:
    """One type of a choice: the others may not be there. The first one that is there says so."""

    def check(value: Any, node: Tree, run: Run) -> None:
        if not others.isdisjoint(node):
            mine = (element.name, "_" + element.name)
            first = next(key for key in node if key in others or key in mine)
            if first in mine:
                run.add("choice-twice", name=element.choice + "[x]")
        handler(value, node, run)

    return check


def primitive(element: Element, shape: Callable[[Any], str], rules: tuple[Rule, ...]) -> Handler:
    """A primitive that does not repeat."""
    step, name = step_of(element), element.name

    def check(value: Any, node: Tree, run: Run) -> None:
        fault = shape(value)
        if not fault or fault in BLANK:
            if fault:
                run.add(fault, step)
            for rule in rules:
                run.below(step, rule, value, run)
        elif type(value) is list:
            run.add("element-is-list", step, name=name)
        elif value is None:
            run.add("element-null", step)
        else:
            run.add(fault, step)

    return check


def primitive_list(element: Element, shape: Callable[[Any], str], rules: tuple[Rule, ...]) -> Handler:
    """A list of primitives; null where an extension stands in its place.

    https://hl7.org/fhir/R4/json.html#primitive
    """
    step, name, most = step_of(element), element.name, element.max

    def check(value: Any, node: Tree, run: Run) -> None:
        if type(value) is not list:
            run.add("element-not-list", step, name=name)
            return
        if not value:
            run.add("array-empty-primitive", step)
        if most is not None and len(value) > most:
            run.add("element-too-many", step, name=name, max=str(most))
        for index, item in enumerate(value):
            fault = shape(item)
            if not fault or fault in BLANK:
                if fault:
                    run.add(fault, f"{step}[{index}]")
                for rule in rules:
                    run.below(f"{step}[{index}]", rule, item, run)
            elif item is not None:
                run.add(fault, f"{step}[{index}]")
            elif not _has_extension(node.get("_" + name), index):
                run.add("element-null", f"{step}[{index}]")

    return check


def _has_extension(siblings: Any, index: int) -> bool:
    return isinstance(siblings, list) and index < len(siblings) and bool(siblings[index])


def one(element: Element, single: Rule) -> Handler:
    """An object that does not repeat."""
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


def many(element: Element, single: Rule) -> Handler:
    """A list of objects."""
    step, name, least, most = step_of(element), element.name, element.min, element.max

    def check(value: Any, node: Tree, run: Run) -> None:
        if type(value) is not list:
            run.add("element-not-list", step, name=name)
            return
        if not value:
            run.add("array-empty", step)
        elif len(value) < least:
            run.add("element-too-few", step, name=name, min=str(least))
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


def sibling(element: Element, table: Mapping[str, Handler]) -> Handler:
    """The property `_name`: id and extensions of a primitive, by `table`. https://hl7.org/fhir/R4/json.html#primitive"""
    step, name, is_list = step_of(element), element.name, element.is_list
    required = element.binding.value_set if element.binding and element.binding.strength == "required" else ""

    def one(value: Any, run: Run) -> None:
        if type(value) is not dict:
            run.add("element-not-object", type="Element")
        elif not value:
            run.add("object-empty")
        else:
            for key, child in value.items():
                handler = table.get(key)
                if handler is None:
                    run.add("element-unknown", type="Element", name="this name", nearest="")
                else:
                    handler(child, value, run)

    def check(value: Any, node: Tree, run: Run) -> None:
        if (type(value) is list) is not is_list:
            run.add("sibling-list", step, name=name)
        elif not is_list:
            run.below(step, one, value, run)
            if required and name not in node:
                run.add("binding-no-value", step, value_set=required)
        else:
            beside = node.get(name)
            if not value:
                run.add("array-empty", step)
            if type(beside) is list and len(beside) != len(value):
                run.add("sibling-longer", step, name=name)
            values = beside if type(beside) is list else []
            count = len(values)
            for index, item in enumerate(value):
                if item is not None:
                    run.below(f"{step}[{index}]", one, item, run)
                    if required and (index >= count or values[index] is None):
                        run.add("binding-no-value", f"{step}[{index}]", value_set=required)
                elif index >= count:
                    run.add("element-null", f"{step}[{index}]")

    return check
