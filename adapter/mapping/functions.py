"""Two-way functions of one value (`via: NAME ARGUMENT`): a closed set, each with the law that it keeps.

For every value that `encode` takes, `decode(encode(v)) == v`, digit for digit; what is not of its form it does not take.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, Inexact, localcontext
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from adapter.errors import BadInput
from adapter.fhir_json import dumps, loads, same
from adapter.mapping import units
from adapter.mapping.codecs import Check, is_number, is_text
from adapter.mapping.registered import FunctionError, guarded, names, registered
from adapter.records.dates import is_date, is_datetime

if TYPE_CHECKING:
    from adapter.mapping.scope import Scope

Tree = dict[str, Any]
One = Callable[[Any], Any]
_NUMBER = re.compile(r"(?!-0(?:\.0*)?$)-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?")
_TOKEN = re.compile(r"YYYY|MM|DD|hh|mm|ss|ZZ|[^A-Za-z]")
_DIGITS = {"YYYY": r"(?P<Y>[0-9]{4})", "MM": r"(?P<M>[0-9]{2})", "DD": r"(?P<D>[0-9]{2})",
           "hh": r"(?P<h>[0-9]{2})", "mm": r"(?P<m>[0-9]{2})", "ss": r"(?P<s>[0-9]{2})",
           "ZZ": r"(?P<z>Z|[+-][0-9]{2}:[0-9]{2})"}  # fmt: skip
# What FHIR writes for the fields of a form, and for no others.
_SHAPES = {"Y": "{Y}", "YM": "{Y}-{M}", "YMD": "{Y}-{M}-{D}", "YMDhmsz": "{Y}-{M}-{D}T{h}:{m}:{s}{z}",
           "YMDhmz": "{Y}-{M}-{D}T{h}:{m}:00{z}"}  # fmt: skip
_FHIR = re.compile(
    r"(?P<Y>[0-9]{4})(?:-(?P<M>[0-9]{2})(?:-(?P<D>[0-9]{2})"
    r"(?:T(?P<h>[0-9]{2}):(?P<m>[0-9]{2}):(?P<s>[0-9]{2})(?P<z>Z|[+-][0-9]{2}:[0-9]{2}))?)?)?"
)


@dataclass(frozen=True, slots=True)
class Via:
    """A two-way function as a codec. `check` is that of the record's field; both ways None is "not of this form"."""

    name: str
    forward: One
    back: One
    check: Check

    def decode(self, value: Any, scope: Scope) -> Any:
        found = self.back(value)
        return found if found is not None and self.check(found) else None

    def encode(self, value: Any, old: Any, scope: Scope) -> Any:
        made = self.forward(value) if self.check(value) else None
        return made if made is not None and same(self.back(made), value) else None


def date(forms: str) -> tuple[One, One]:
    """Text of a form, `MM/DD/YYYY`, ↔ date or dateTime. Several with ` or ` between: the one with the same precision.

    `YYYY MM DD hh mm ss ZZ` are its parts; a form with hours ends in `ZZ` or, for a fixed offset, in ` as -05:00`.
    """
    rows = [_form(text) for text in forms.split(" or ")]

    def forward(value: Any) -> Any:
        for pattern, shape, zone, _ in rows:
            match = pattern.fullmatch(value) if type(value) is str else None
            made = shape.format(**{"z": zone, **match.groupdict()}) if match else ""
            if is_datetime(made):
                return made
        return None

    def back(value: Any) -> Any:
        match = _FHIR.fullmatch(value) if is_date(value) or is_datetime(value) else None
        parts = {key: text for key, text in match.groupdict().items() if text} if match else {}
        for _, shape, zone, written in rows:
            if parts and shape.format_map({**_GAPS, **parts, **({"z": zone} if zone else {})}) == value:
                return written.format(**parts)
        return None

    return forward, back


_GAPS = dict.fromkeys("YMDhmsz", "")


def _form(text: str) -> tuple[re.Pattern[str], str, str, str]:
    form, _, zone = text.strip().partition(" as ")
    tokens = _TOKEN.findall(form)
    keys = "".join(key for key, token in zip("YMDhmsz", _DIGITS, strict=True) if token in tokens)
    fields = keys + ("z" if zone else "")
    if "".join(tokens) != form or fields not in _SHAPES or sum(token in _DIGITS for token in tokens) != len(keys):
        raise FunctionError(f"expected a form of YYYY MM DD hh mm ss ZZ, not {text.strip()!r}")
    if zone and not re.fullmatch(r"Z|[+-][0-9]{2}:[0-9]{2}", zone):
        raise FunctionError(f"expected an offset like -05:00 behind as, not {zone!r}")
    pattern = "".join(_DIGITS.get(token, re.escape(token)) for token in tokens)
    names = dict(zip(_DIGITS, "YMDhmsz", strict=True))
    written = "".join(f"{{{names[token]}}}" if token in names else token for token in tokens)
    return re.compile(pattern), _SHAPES[fields], zone, written


def number(_: str) -> tuple[One, One]:
    """Text of digits ↔ a number, every digit kept: "1.50" ↔ 1.50."""

    def forward(value: Any) -> Any:
        if type(value) is not str or not _NUMBER.fullmatch(value):
            return None
        return Decimal(value) if "." in value else int(value)

    return forward, _said


def text(_: str) -> tuple[One, One]:
    """A number ↔ the text of its digits: 1.50 ↔ "1.50"."""
    forward, back = number("")
    return back, forward


def _said(value: Any) -> Any:
    said = str(value) if is_number(value) else ""
    return said if _NUMBER.fullmatch(said) else None


def scale(factor: str) -> tuple[One, One]:
    """A number ↔ the number times a factor, exactly; what has no exact answer is not taken."""
    try:
        by = Decimal(factor)
    except ArithmeticError:
        by = Decimal(0)
    if not by.is_finite() or by <= 0:
        raise FunctionError(f"expected a factor above 0, not {factor!r}")
    return lambda value: _exact(value, by, divide=False), lambda value: _exact(value, by, divide=True)


def _exact(value: Any, by: Decimal, *, divide: bool) -> Any:
    if not is_number(value):
        return None
    with localcontext(prec=60) as context:
        whole = Decimal(value)
        found = whole / by if divide else whole * by
        return None if context.flags[Inexact] else _plain(found)


def _plain(found: Decimal | None) -> Any:
    """A whole number as such; of another every digit."""
    if found is None or not found.is_finite():
        return None
    exponent = found.as_tuple().exponent
    return int(found) if isinstance(exponent, int) and exponent >= 0 else found


def join(by: str) -> tuple[One, One]:
    """A list of texts ↔ one text with a separator between; a text that holds it is not taken."""
    separator = by.strip("'\"") if len(by) > 2 else by
    if not separator:
        raise FunctionError("expected a separator")

    def forward(value: Any) -> Any:
        whole = type(value) is list and bool(value) and all(is_text(row) and separator not in row for row in value)
        return separator.join(value) if whole else None

    def back(value: Any) -> Any:
        rows = value.split(separator) if type(value) is str else []
        return rows if rows and all(rows) else None

    return forward, back


def affix(form: str) -> tuple[One, One]:
    """Text ↔ the text with something before or behind it: `urn:x:{}`."""
    head, found, tail = form.partition("{}")
    if not found:
        raise FunctionError("expected a form with {} in it")

    def back(value: Any) -> Any:
        whole = type(value) is str and value.startswith(head) and value.endswith(tail)
        return value[len(head) : len(value) - len(tail)] or None if whole and len(value) >= len(head + tail) else None

    return lambda value: f"{head}{value}{tail}" if is_text(value) else None, back


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of one UCUM unit, or the text of its digits, ↔ a Quantity. https://hl7.org/fhir/R4/datatypes.html#Quantity

    A Quantity of another unit of the same kind is read where the answer is exact; ours is written.
    """

    unit: str
    check: Check

    def decode(self, value: Any, scope: Scope) -> Any:
        if type(value) is not dict or "comparator" in value or value.get("system") != units.SYSTEM:
            return None
        amount = Decimal(value["value"]) if is_number(value.get("value")) else None
        number_ = _plain(units.convert(amount, str(value.get("code")), self.unit)) if amount is not None else None
        return next((form for form in (number_, _said(number_)) if form is not None and self.check(form)), None)

    def encode(self, value: Any, old: Any, scope: Scope) -> Any:
        number_ = number("")[0](value) if type(value) is str else value
        if not self.check(value) or not is_number(number_):
            return None
        return {"value": number_, "unit": self.unit, "system": units.SYSTEM, "code": self.unit}


def json(_: str) -> tuple[One, One]:
    """Any value ↔ its JSON in a text, every digit kept: for what has no place of its own yet."""

    def back(value: Any) -> Any:
        try:
            return loads(value) if type(value) is str else None
        except BadInput:
            return None

    return lambda value: dumps(value).decode(), back


FUNCTIONS: dict[str, Callable[[str], tuple[One, One]]] = {
    "affix": affix,
    "date": date,
    "join": join,
    "json": json,
    "number": number,
    "scale": scale,
    "text": text,
}


def via(text: str, check: Check) -> Via:
    """The function that a pair names. Raises FunctionError where there is none of that name."""
    name, _, argument = text.partition(" ")
    maker = FUNCTIONS.get(name)
    if maker is not None:
        forward, back = maker(argument.strip())
        return Via(name, forward, back, check)
    brought = registered(name)
    if brought is not None:
        return Via(name, guarded(brought.forward), guarded(brought.back), check)
    near = next(iter(get_close_matches(name, [*FUNCTIONS, *names()], 1)), "")
    raise FunctionError(f"unknown function {name}", "function-unknown", near)


def flag(table: Mapping[str, str], typed: Callable[[str], Any], check: Check) -> Via:
    """A code of the record's for yes, one for no ↔ true and false: `{yes: "1", no: "2"}`."""
    if not table or not table.keys() <= {"yes", "no"}:
        raise FunctionError("expected flag as {yes: CODE, no: CODE}")
    back = {word == "yes": typed(code) for word, code in table.items()}
    forward = {code: flag_ for flag_, code in back.items()}
    if len(forward) != len(back):
        raise FunctionError("expected one code for yes and another for no")
    return Via("flag", forward.get, lambda value: back.get(value) if type(value) is bool else None, check)
