"""The shapes of primitive values: type in JSON, pattern, range, and dates that exist.

https://hl7.org/fhir/R4/datatypes.html#primitive
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from decimal import Decimal
from typing import Any

# What is right at a glance: days that every month has. All else the shapes decide.
_COMMON_DAY = r"[12][0-9]{3}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|1[0-9]|2[0-8])"
is_common_date = re.compile(_COMMON_DAY + ")?)?").fullmatch
is_common_moment = re.compile(
    _COMMON_DAY
    + r"(?:T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]))?)?)?"
).fullmatch
is_plain_uri = re.compile(r"https?://[^\s]+").fullmatch
Shape = Callable[[Any], str]
"""A value in, the message id of its fault out; empty where it has none."""

is_id = _ID = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch
is_code = _CODE = re.compile(r"[^\s]+( [^\s]+)*").fullmatch
_OID = re.compile(r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+").fullmatch
_UUID = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
_DATE = re.compile(r"([0-9]{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12][0-9]|3[01]))?)?").fullmatch
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_DATE_TIME = re.compile(
    r"([0-9]{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12][0-9]|3[01])(?:T" + _CLOCK + _ZONE + r")?)?)?"
).fullmatch
_INSTANT = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T" + _CLOCK + _ZONE).fullmatch
_TIME = re.compile(_CLOCK).fullmatch
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?").fullmatch
_INTEGER64 = re.compile(r"0|-?[1-9][0-9]{0,18}").fullmatch
_SPACE = re.compile(r"\s").search
_BLANKS = str.maketrans("", "", " \t\r\n")
LONGEST = 1024 * 1024


def string(value: Any) -> str:
    """`string` and `markdown`: at least one character, which should not be blank; at most 1 MB."""
    if type(value) is not str:
        return "primitive-not-string"
    if not value:
        return "primitive-empty"
    if value.isspace():
        return "primitive-blank"
    return "primitive-too-long" if len(value) > LONGEST else ""


def _unmatched(value: str, message_id: str) -> str:
    if not value:
        return "primitive-empty"
    return "primitive-only-blanks" if value.isspace() else message_id


def _matching(match: Callable[[str], Any], message_id: str) -> Shape:
    def shape(value: Any) -> str:
        if type(value) is not str:
            return "primitive-not-string"
        if match(value):
            return ""
        return _unmatched(value, message_id)

    return shape


def _dated(match: Callable[[str], re.Match[str] | None], message_id: str) -> Shape:
    def shape(value: Any) -> str:
        if type(value) is not str:
            return "primitive-not-string"
        found = match(value)
        if found is None:
            return _unmatched(value, message_id)
        year, month, day = found.groups()
        if year == "0000":
            return message_id
        if day and day > "28" and int(day) > monthrange(int(year), int(month))[1]:
            return "primitive-date-does-not-exist"
        return ""

    return shape


def uri(value: Any) -> str:
    """`uri` and `url`: no blanks; `urn:uuid:` and `urn:oid:` well-formed."""
    if type(value) is not str:
        return "primitive-not-string"
    if not value:
        return "primitive-empty"
    if _SPACE(value):
        return _unmatched(value, "primitive-uri")
    if value.startswith("urn:uuid:") and not _UUID(value.partition("#")[0]):
        return "primitive-uuid"
    if value.startswith("urn:oid:"):
        if not _OID(value):
            return "primitive-oid"
        # Roots this short are no namespaces, except those of 1.3 (organisations).
        return "" if value.rfind(".") >= 12 or value.startswith("urn:oid:1.3") else "primitive-oid-short"
    return "primitive-uri-scheme" if value.startswith(("oid:", "uuid:")) else ""


def canonical(value: Any) -> str:
    """`canonical`: absolute, or a fragment. https://hl7.org/fhir/R4/references.html#canonical"""
    fault = uri(value)
    if fault or value.startswith("#") or ":" in value.partition("|")[0]:
        return fault
    return "primitive-canonical-relative"


def base64_binary(value: Any) -> str:
    """Base64, blanks allowed."""
    if type(value) is not str:
        return "primitive-not-string"
    if not value:
        return "primitive-empty"
    return "" if _BASE64(value) or _BASE64(value.translate(_BLANKS)) else "primitive-base64"


def boolean(value: Any) -> str:
    """True or false, not their names."""
    return "" if value is True or value is False else "primitive-not-boolean"


def decimal(value: Any) -> str:
    """A JSON number."""
    kind = type(value)
    if kind is int or (kind is Decimal and value.is_finite()):
        return ""
    return "primitive-not-number"


def _integer(low: int, message_id: str) -> Shape:
    def shape(value: Any) -> str:
        if type(value) is int:
            return "" if low <= value <= 2147483647 else message_id
        if type(value) is Decimal:
            return message_id if value or value.as_tuple().exponent else ""
        return "primitive-not-number"

    return shape


def integer64(value: Any) -> str:
    """R5's `integer64`: a JSON string of a whole number of 64 bits. https://hl7.org/fhir/R5/json.html#primitive"""
    if type(value) is not str:
        return "primitive-not-string"
    fits = _INTEGER64(value) and -(2**63) <= int(value) < 2**63
    return "" if fits else "primitive-integer64"


SHAPES: dict[str, Shape] = {
    "string": string,
    "markdown": string,
    "xhtml": string,
    "id": _matching(_ID, "primitive-id"),
    "code": _matching(_CODE, "primitive-code"),
    "uri": uri,
    "url": uri,
    "canonical": canonical,
    "oid": _matching(_OID, "primitive-oid"),
    "uuid": _matching(_UUID, "primitive-uuid"),
    "date": _dated(_DATE, "primitive-date"),
    "dateTime": _dated(_DATE_TIME, "primitive-date-time"),
    "instant": _dated(_INSTANT, "primitive-instant"),
    "time": _matching(_TIME, "primitive-time"),
    "base64Binary": base64_binary,
    "boolean": boolean,
    "decimal": decimal,
    "integer": _integer(-2147483648, "primitive-integer"),
    "integer64": integer64,
    "unsignedInt": _integer(0, "primitive-unsigned-int"),
    "positiveInt": _integer(1, "primitive-positive-int"),
}
