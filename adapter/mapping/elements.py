"""Paths against what both sides may hold: FHIR's definitions and the schema of a record; the nearest name of a wrong one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from adapter.definitions import Definitions, Element, TypeFacts
from adapter.mapping.shapes import Shape


@dataclass(frozen=True, slots=True)
class Unknown:
    """A name that is not there: `at` is its number in the path, `holder` what was looked into, `near` the nearest name."""

    at: int
    name: str
    holder: str
    near: str = ""

    def __str__(self) -> str:
        return f"{self.holder} has no {self.name}" + (f"; did you mean {self.near}?" if self.near else ".")


def unknown_element(defs: Definitions, type_: str, names: Sequence[str]) -> Unknown | None:
    """The first name of a path that FHIR does not know; None where all is well, or the path leads into any resource."""
    facts = defs.type(type_)
    for number, name in enumerate(names):
        if name == "resourceType" and facts.kind == "resource":
            continue
        element = element_of(facts, name)
        if element is None:
            return Unknown(number, name, facts.name, _near(name, [*facts.elements, *facts.choices]))
        inner = facts_of(defs, element.content_ref or element.type)
        if inner is None or inner.name == "Resource":
            return None
        facts = inner
    return None


def facts_of(defs: Definitions, name: str) -> TypeFacts | None:
    """The facts of a type or of a part of one, None where the definitions do not have it."""
    try:
        return defs.type(name)
    except KeyError:
        return None


def element_of(facts: TypeFacts, name: str) -> Element | None:
    """An element by its name in JSON, by the base of a choice, or by the `_name` beside it."""
    plain = name.removeprefix("_")
    found = facts.elements.get(plain)
    if found is not None:
        return found
    return next((element for element in facts.elements.values() if element.choice == plain), None)


def unknown_field(shape: Shape, kind: str, names: Sequence[str]) -> Unknown | None:
    """The first name of a record path that its schema does not know."""
    holder = kind
    for number, name in enumerate(names):
        found = shape.at((name,))
        if found is None:
            return Unknown(number, name, holder, _near(name, shape.names()))
        shape, holder = (found.item() if found.type_ == "array" else found), f"{holder}.{name}"
    return None


def _near(name: str, known: Sequence[str]) -> str:
    return next(iter(get_close_matches(name, known, 1, 0.5)), "")
