"""Whether a value may stand in a field: the test that the field's JSON Schema asks for.

A schema of JSON cannot say more of a value than is tested here, nor less: one is made from the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from adapter.fhir_json import Tree
from adapter.identity import is_uuid
from adapter.records import dates

Test = Callable[[Any], bool]
ITEM_ID = r"^\S{1,64}$"
_ITEM_ID = re.compile(r"\S{1,64}")
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, Decimal),
    "object": (dict,),
}
_FORMATS: dict[str, Test] = {
    "fhir-date": dates.is_date,
    "fhir-datetime": dates.is_datetime,
    "fhir-instant": dates.is_instant,
    "fhir-time": dates.is_time,
    "uuid": is_uuid,
}


def test_of(fragment: Tree) -> Test:
    """The test of a leaf, from its JSON Schema. Raises KeyError for a type or format that no field has."""
    type_ = fragment["type"]
    if type_ == "object":
        return _is_extra
    if type_ == "boolean":
        return _is_flag
    if type_ != "string":
        return _number(TYPES[type_], fragment.get("minimum"), fragment.get("maximum"))
    if "format" in fragment:
        return _FORMATS[fragment["format"]]
    if "pattern" in fragment:
        return _is_item_id
    codes = fragment.get("enum") or ([fragment["const"]] if "const" in fragment else None)
    return _is_text if codes is None else _choice(frozenset(codes))


def _is_text(value: Any) -> bool:
    return type(value) is str and value != ""


def _is_item_id(value: Any) -> bool:
    return type(value) is str and _ITEM_ID.fullmatch(value) is not None


def _is_flag(value: Any) -> bool:
    return type(value) is bool


def _is_extra(value: Any) -> bool:
    """What packs declare beside our fields: an object of objects by pack name, any JSON inside."""
    return type(value) is dict and value != {} and all(type(inner) is dict and inner for inner in value.values())


def _choice(codes: frozenset[str]) -> Test:
    return lambda value: type(value) is str and value in codes


def _number(types: tuple[type, ...], minimum: int | None, maximum: int | None) -> Test:
    def test(value: Any) -> bool:
        if type(value) not in types or (type(value) is Decimal and not value.is_finite()):
            return False
        return (minimum is None or value >= minimum) and (maximum is None or value <= maximum)

    return test
