"""What the samples of a field have in common: its type, its parts, the form of its texts.

What no two sides of FHIR hold alike (a list in a list, a number here and a text there) is `odd`: it travels whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from adapter.mapping.functions import FUNCTIONS
from adapter.mapping.paths import is_name
from adapter.records.dates import is_date, is_datetime
from adapter.services.scaffold.hints import NO_NUMBERS, plain

Tree = dict[str, Any]
DEEPEST = 8
LARGEST = 2**31
_FORMS = ("MM/DD/YYYY", "DD/MM/YYYY", "DD.MM.YYYY", "YYYY/MM/DD")
_NUMBER = re.compile(r"-?\d{1,9}(\.\d{1,9})?")


@dataclass(slots=True)
class Field:
    """`type_` is object, boolean, integer, decimal, date, dateTime, text or odd; `many` a list of such.

    `via` is the two-way function of its texts, `values` the texts that were seen, `todo` what a person has to decide.
    """

    type_: str
    many: bool = False
    parts: dict[str, Field] = field(default_factory=dict)
    via: str = ""
    values: tuple[str, ...] = ()
    todo: str = ""


def look(values: list[Any], *, texts_only: bool = False, depth: int = 0) -> Field:
    """The field that holds these values, none of which is empty."""
    kinds = {type(value) for value in values}
    if kinds == {list}:
        inner = [item for value in values for item in value]
        found = look(inner, texts_only=texts_only, depth=depth + 1)
        if found.many or found.type_ == "odd":
            return odd("a list that holds lists, or values of several types")
        found.many = True
        return found
    if kinds == {dict}:
        return _object(values, texts_only, depth)
    if kinds == {bool}:
        return Field("boolean")
    if kinds <= {int, Decimal}:
        whole = kinds == {int} and all(-LARGEST <= value < LARGEST for value in values)
        return Field("integer" if whole else "decimal")
    if kinds == {str}:
        return _text(values, texts_only)
    return odd("values of several types")


def odd(why: str) -> Field:
    """A field that travels whole, as JSON in a text."""
    return Field("odd", todo=f"{why}: it travels whole, as JSON in a text; give its parts a place")


def _object(values: list[Tree], texts_only: bool, depth: int) -> Field:
    names = list(dict.fromkeys(name for value in values for name in value))
    if depth > DEEPEST:
        return odd("it nests deeply")
    if not all(is_name(name) for name in names):
        return odd("names that are no names of a path")
    parts = {}
    for name in names:
        # What only looks like a number is none: it would lose its form the day that somebody writes a dash.
        numbers = texts_only and plain(name) not in NO_NUMBERS
        parts[name] = look([value[name] for value in values if name in value], texts_only=numbers, depth=depth + 1)
    return Field("object", parts=parts)


def _text(values: list[str], texts_only: bool) -> Field:
    seen = tuple(dict.fromkeys(values))
    if all("-" in value and is_date(value) for value in seen):
        return Field("date", values=seen)
    if all("T" in value and is_datetime(value) for value in seen):
        return Field("dateTime", values=seen)
    forms = [form for form in _FORMS if _takes(f"date {form}", seen)]
    if len(forms) == 1:
        return Field("date", via=f"date {forms[0]}", values=seen)
    if forms:
        return Field("text", values=seen, todo=f"a date, as {' or '.join(forms)}? via: date {forms[0]} says which")
    if texts_only and all(_NUMBER.fullmatch(value) for value in seen) and _takes("number", seen):
        return Field("decimal" if any("." in value for value in seen) else "integer", via="number", values=seen)
    return Field("text", values=seen)


def _takes(via: str, values: tuple[str, ...]) -> bool:
    name, _, argument = via.partition(" ")
    forward, back = FUNCTIONS[name](argument)
    return all((made := forward(value)) is not None and back(made) == value for value in values)


def schema_of(found: Field) -> Tree:
    """A JSON Schema of the field. https://json-schema.org/draft/2020-12"""
    if found.many:
        return {"type": "array", "items": _one(found)}
    return _one(found)


def _one(found: Field) -> Tree:
    if found.type_ == "object":
        parts = {name: schema_of(part) for name, part in found.parts.items()}
        return {"type": "object", "properties": parts, "additionalProperties": False}
    if found.type_ == "odd":
        return {"description": "Anything: the samples have values of several shapes."}
    if found.via == "values":
        return {"type": "string", "enum": list(found.values)}
    if found.via:
        pattern = (
            r"-?\d+(\.\d+)?" if found.via == "number" else re.sub("[YMD]", r"\\d", found.via.removeprefix("date "))
        )
        return {"type": "string", "pattern": f"^{pattern}$"}
    if found.type_ == "text":
        return {"type": "string"}
    if found.type_ in ("date", "dateTime"):
        return {"type": "string", "format": f"fhir-{found.type_.lower()}"}
    return {"type": {"decimal": "number"}.get(found.type_, found.type_)}
