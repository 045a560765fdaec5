"""The fields that records are made of: marshmallow fields that check a value and hand it on exactly as it came.

Each leaf also knows its JSON Schema (`fragment`), which says what may stand in it (`adapter.records.values`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from marshmallow import ValidationError, fields

from adapter.fhir_json import Tree
from adapter.records.faults import EMPTY, Fault
from adapter.records.nested import MESSAGES, Either, Many, One
from adapter.records.values import ITEM_ID, TYPES, test_of

if TYPE_CHECKING:
    from adapter.records.base import Base

__all__ = [
    "Either", "Leaf", "Many", "One", "choice", "constant", "date", "datetime", "decimal", "extra", "flag", "instant", "integer",
    "item_id", "items", "text", "texts", "time", "uuid", "uuids",
]  # fmt: skip


class Leaf(fields.Field[Any]):
    """A value without parts. `fragment` says what may stand here, `wrong` is the fault of what may not."""

    default_error_messages = MESSAGES

    def __init__(
        self,
        fragment: Tree,
        wrong: Fault,
        *,
        required: bool = False,
        default: str | bool | None = None,
    ) -> None:
        super().__init__(required=required)
        self.fits = test_of(fragment)
        self.fragment = {**fragment, "default": default} if default is not None else fragment
        self.wrong = wrong
        self.default = default

    def fault(self, value: Any) -> Fault | None:
        """What is wrong with a value, or None."""
        if self.fits(value):
            return None
        if value in ("", [], {}):
            return EMPTY
        wanted = self.fragment["type"]
        return self.wrong if type(value) in TYPES[wanted] else _NOT[wanted]

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> Any:
        fault = self.fault(value)
        if fault is not None:
            raise ValidationError([fault])
        return value


_NOT = {
    name: Fault("structure", "record-type", f"{words} is expected here.")
    for name, words in {
        "string": "A text",
        "boolean": "true or false",
        "integer": "A whole number, written without a decimal point,",
        "number": "A number",
        "object": "An object",
    }.items()
}


def _wrong(message_id: str, text: str, code: str = "value") -> Fault:
    return Fault(code, message_id, text)


_DATE = _wrong("record-date", "Not a date of the calendar: YYYY, YYYY-MM or YYYY-MM-DD is expected.")
_DATETIME = _wrong(
    "record-date", "Not a dateTime of the calendar: a date, or a day with time to the second and zone, is expected."
)
_INSTANT = _wrong("record-date", "Not an instant of the calendar: a day with time to the second and zone is expected.")
_TIME = _wrong("record-time", "Not a time of day: hh:mm:ss is expected.")
_UUID = _wrong("record-uuid", "Not a UUID in lower case.")
_ID = _wrong("record-item-id", "An id has 1 to 64 characters and no space.")


def text(*, required: bool = False) -> Leaf:
    """A string with something in it."""
    return Leaf({"type": "string", "minLength": 1}, EMPTY, required=required)


def date(*, required: bool = False) -> Leaf:
    """A FHIR date."""
    return Leaf({"type": "string", "format": "fhir-date"}, _DATE, required=required)


def datetime(*, required: bool = False) -> Leaf:
    """A FHIR dateTime."""
    return Leaf({"type": "string", "format": "fhir-datetime"}, _DATETIME, required=required)


def instant(*, required: bool = False) -> Leaf:
    """A FHIR instant."""
    return Leaf({"type": "string", "format": "fhir-instant"}, _INSTANT, required=required)


def time(*, required: bool = False) -> Leaf:
    """A FHIR time."""
    return Leaf({"type": "string", "format": "fhir-time"}, _TIME, required=required)


def uuid(*, required: bool = False) -> Leaf:
    """A UUID in its canonical form."""
    return Leaf({"type": "string", "format": "uuid"}, _UUID, required=required)


def item_id(*, required: bool = False) -> Leaf:
    """The id of a list item."""
    return Leaf({"type": "string", "pattern": ITEM_ID}, _ID, required=required)


def choice(*codes: str, required: bool = False, default: str | None = None) -> Leaf:
    """One of a closed list of codes."""
    wrong = _wrong("record-code", f"Not one of: {', '.join(codes)}.", "code-invalid")

    return Leaf({"type": "string", "enum": list(codes)}, wrong, required=required, default=default)


def constant(code: str) -> Leaf:
    """This one code."""
    wrong = _wrong("record-code", f"Must be: {code}.", "code-invalid")
    return Leaf({"type": "string", "const": code}, wrong, required=True)


def flag(*, required: bool = False, default: bool | None = None) -> Leaf:
    """True or false; a value equal to the default is not in the normal form."""
    return Leaf({"type": "boolean"}, EMPTY, required=required, default=default)


def integer(minimum: int | None = None, maximum: int | None = None, *, required: bool = False) -> Leaf:
    """A whole number within bounds (both inclusive)."""
    return _number("integer", minimum, maximum, required=required)


def decimal(minimum: int | None = None, maximum: int | None = None, *, required: bool = False) -> Leaf:
    """An int or a Decimal within bounds (both inclusive), with its digits as they came."""
    return _number("number", minimum, maximum, required=required)


def _number(type_: str, minimum: int | None, maximum: int | None, *, required: bool) -> Leaf:
    bounds = {"minimum": minimum, "maximum": maximum}
    known = {name: bound for name, bound in bounds.items() if bound is not None}
    words = " and ".join(f"{name} {bound}" for name, bound in known.items())
    wrong = _wrong("record-range", f"A number out of bounds: {words}." if words else "A finite number is expected.")

    return Leaf({"type": type_, **known}, wrong, required=required)


def extra() -> Leaf:
    """What packs declare beside our fields: an object of objects by pack name, any JSON inside."""
    some = {"type": "object", "minProperties": 1}
    fragment = {**some, "additionalProperties": some}
    return Leaf(fragment, _wrong("record-type", "An object for each pack is expected here.", "structure"))


def items(
    target: Callable[[], type[Base]] | type[Base],
    *,
    ids: bool = True,
    required: bool = False,
    default: list[Any] | None = None,
) -> Many:
    """A list of objects; with `ids` (as shipped) their ids must differ."""
    return Many(One(target), ids=ids, required=required, default=default)


def texts() -> Many:
    """A list of texts."""
    return Many(text())


def uuids() -> Many:
    """A list of UUIDs, each once."""
    return Many(uuid(), ids=True)
