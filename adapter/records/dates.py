"""Dates and times as FHIR writes them, checked against the calendar and kept as text.

https://hl7.org/fhir/R4/datatypes.html#date, #dateTime, #instant, #time
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from decimal import Decimal
from typing import Any

_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))",
    re.ASCII,
)
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(\.\d+)?")
_ZONE = re.compile(r"Z|([+-])(0\d|1[0-4]):([0-5]\d)")
_DAY = 10


def is_date(value: Any) -> bool:
    """A year, a month or a day that the calendar has."""
    if type(value) is str and len(value) == _DAY and value.isascii() and value[4] == "-" == value[7]:
        # A whole day, nearly every time: the library's parser knows the calendar.
        try:
            date.fromisoformat(value)
        except ValueError:
            return False
        return True
    match = _DATE.fullmatch(value) if type(value) is str and value.isascii() else None
    if match is None:
        return False
    year, month, day = (int(part) if part else None for part in match.groups())
    if not year or month is None:
        return bool(year)
    return 1 <= month <= 12 and (day is None or 1 <= day <= monthrange(year, month)[1])


def is_time(value: Any) -> bool:
    """A time of day to the second, with any fraction and no zone."""
    return type(value) is str and value.isascii() and _TIME.fullmatch(value) is not None


def is_datetime(value: Any) -> bool:
    """A date, or a day with a time and a zone."""
    return is_instant(value) if type(value) is str and len(value) > _DAY else is_date(value)


def is_instant(value: Any) -> bool:
    """A day with a time and a zone."""
    return type(value) is str and _INSTANT.fullmatch(value) is not None and is_date(value[:_DAY])


def is_before(one: str, other: str) -> bool:
    """Whether a dateTime surely lies before another: by the clock where both have one, else by what both state."""
    if "T" in one and "T" in other:
        return _seconds(one) < _seconds(other)
    length = min(len(one), len(other), _DAY)
    return one[:length] < other[:length]


def _seconds(instant: str) -> Decimal:
    time = _TIME.match(instant, _DAY + 1)
    zone = _ZONE.fullmatch(instant, time.end()) if time else None
    if time is None or zone is None:
        raise ValueError("not an instant")
    hours, minutes, seconds, fraction = time.groups()
    clock = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    offset = (int(zone[2]) * 3600 + int(zone[3]) * 60) * (-1 if zone[1] == "-" else 1) if zone[1] else 0
    day = date.fromisoformat(instant[:_DAY]).toordinal()
    return Decimal(day * 86_400 + clock - offset) + Decimal(f"0{fraction or ''}")
