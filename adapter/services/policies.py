"""Whether a server's policies are about elements that FHIR has: one that is about none would never decide anything."""

from __future__ import annotations

from collections.abc import Iterable

from adapter.errors import UsageError


def check_fields(fields: Iterable[str]) -> None:
    """Fields as policies name them: `*`, a resource type, or a path as JSON has it. Raises UsageError."""
    from adapter.definitions import definitions

    for field in fields:
        type_, *steps = field.split(".")
        known = definitions().resource_types
        if type_ == "*":
            continue
        if type_ not in known:
            raise _none(field, type_, "", known)
        _check_steps(field, type_, steps)


def _check_steps(field: str, type_: str, steps: list[str]) -> None:
    from adapter.definitions import definitions

    way = type_
    for step in steps:
        if type_ == "Resource":
            # What is contained may be of any type.
            return
        facts = definitions().type(type_)
        elements = {} if facts.kind == "primitive" else facts.elements
        if step not in elements:
            # A choice is called otherwise for each of its types.
            raise _none(field, step, f"{way}.", facts.choices.get(step, elements))
        type_, way = elements[step].type, f"{way}.{step}"


def _none(field: str, word: str, way: str, known: Iterable[str]) -> UsageError:
    from adapter.mapping.choosing import nearest

    near = nearest(word, known)
    meant = f"Did you mean {way}{near}?" if near else "A path is written as JSON has it, such as Goal.startDate."
    return UsageError(f"FHIR R4 has no element {field}.", place="--policy", remedy=meant)
