"""A FHIR search as the face understands it. https://hl7.org/fhir/R4/search.html"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from adapter.errors import BadInput, UsageError
from adapter.issues import Issue

PARAMETERS: Mapping[str, str] = {
    "_id": "token",
    "_lastUpdated": "date",
    "identifier": "token",
    "patient": "reference",
    "subject": "reference",
}
SORTS = ("_lastUpdated", "-_lastUpdated", "_id", "-_id")
COUNT, MOST = 50, 500
_RESULT = frozenset({"_count", "_sort", "_summary", "_total", "_format", "_pretty", "_page"})
_INSTANT = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?")
_PREFIX = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb)?(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Token:
    """`system|code`; a system that is None stands for any, "" for none."""

    system: str | None
    value: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A bound on `meta.lastUpdated`: from `low` (inclusive) up to `high` (exclusive); None is open."""

    low: datetime | None = None
    high: datetime | None = None
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; each field holds alternatives, None where it does not matter."""

    type_: str
    ids: frozenset[str] | None = None
    identifiers: tuple[tuple[Token, ...], ...] = ()
    patients: tuple[frozenset[str], ...] = ()
    updated: tuple[Moment, ...] = ()
    sort: str = "_id"
    count: int = COUNT
    after: tuple[str, str] | None = None
    only_count: bool = False
    ignored: tuple[str, ...] = field(default=())


def parse(type_: str, params: Iterable[tuple[str, str]], *, lenient: bool = False) -> Search:
    """The search of a query. Raises BadInput for a parameter or value that is not understood; `lenient` leaves it out."""
    ids: frozenset[str] | None = None
    tokens: list[tuple[Token, ...]] = []
    patients: list[frozenset[str]] = []
    updated: list[Moment] = []
    ignored: list[str] = []
    result: dict[str, str] = {}
    for name, value in params:
        if name in _RESULT:
            result[name] = value
        elif name == "_id":
            found = frozenset(_alternatives(value))
            ids = found if ids is None else ids & found
        elif name == "identifier":
            tokens.append(tuple(_token(part) for part in _alternatives(value)))
        elif name in ("patient", "subject", "patient:Patient", "subject:Patient") and has_patient(type_):
            patients.append(frozenset(_patient(part) for part in _alternatives(value)))
        elif name == "_lastUpdated":
            updated.append(moment(value))
        elif lenient:
            ignored.append(name)
        else:
            raise refused("This server does not know one of the search parameters.", "search-parameter-unknown")
    return Search(
        type_, ids, tuple(tokens), tuple(patients), tuple(updated),
        sort=_sort(result.get("_sort")), count=_count(result.get("_count")), after=_after(result.get("_page")),
        only_count=result.get("_summary") == "count", ignored=tuple(ignored),
    )  # fmt: skip


def has_patient(type_: str) -> bool:
    """Whether resources of a type speak of a patient."""
    return type_ not in ("Patient", "Questionnaire")


def refused(text: str, message_id: str = "search-value-invalid") -> BadInput:
    """The error of a search that is not understood."""
    return BadInput(text, issues=[Issue("error", "invalid", message_id, text)])


def _alternatives(value: str) -> list[str]:
    parts = [part.replace("\\,", ",").replace("\\|", "|") for part in re.split(r"(?<!\\),", value) if part]
    if not parts:
        raise refused("A search parameter has no value.")
    return parts


def _token(part: str) -> Token:
    system, bar, value = part.partition("|")
    return Token(system, value) if bar else Token(None, part)


def _patient(part: str) -> str:
    return part.rpartition("/")[2]


def _count(text: str | None) -> int:
    if text is None:
        return COUNT
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise refused("_count is a whole number.")
    return min(int(text), MOST)


def _sort(text: str | None) -> str:
    if text is None:
        return "_id"
    if text not in SORTS:
        raise refused(f"_sort is one of {', '.join(SORTS)}.")
    return text


def page_token(key: str, id_: str) -> str:
    """What `_page` holds: the sort key and id of the last row of the page before."""
    return base64.urlsafe_b64encode(f"{key} {id_}".encode()).decode().rstrip("=")


def _after(token: str | None) -> tuple[str, str] | None:
    if token is None:
        return None
    try:
        key, blank, id_ = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().partition(" ")
    except (binascii.Error, ValueError):
        blank = ""
    if not blank:
        raise refused("The link to this page is not one of this server's.")
    return key, id_


def moment(text: str) -> Moment:
    """The bound that a prefixed date means, at the precision that it is written in. Raises BadInput."""
    match = _PREFIX.fullmatch(text)
    prefix, value = (match[1] or "eq", match[2]) if match else ("eq", text)
    low, high = span(value)
    if prefix == "ne":
        return Moment(low, high, outside=True)
    if prefix in ("gt", "sa"):
        return Moment(low=high)
    if prefix == "ge":
        return Moment(low=low)
    if prefix in ("lt", "eb"):
        return Moment(high=low)
    if prefix == "le":
        return Moment(high=high)
    return Moment(low, high)


def span(text: str) -> tuple[datetime, datetime]:
    """The first instant that a date or dateTime means, and the first after it; without a zone in UTC. Raises BadInput."""
    # A plus that nobody escaped arrives as a blank.
    match = _INSTANT.fullmatch(text.replace(" ", "+"))
    try:
        if match is None:
            raise ValueError
        year, month, day, hour, minute, second, fraction, zone = match.groups()
        micros = f"{fraction or '.'}000000"[1:7]
        whole = f"{year}-{month or '01'}-{day or '01'}T{hour or '00'}:{minute or '00'}:{second or '00'}.{micros}"
        low = datetime.fromisoformat(whole + (zone or "+00:00").replace("Z", "+00:00")).astimezone(UTC)
        return low, _next(low, month, day, hour, second, fraction)
    except (ValueError, OverflowError):
        raise refused("A date of the search is not a date.") from None


def _next(low: datetime, *given: str | None) -> datetime:
    month, day, hour, second, fraction = given
    if fraction:
        return low + timedelta(microseconds=10 ** (6 - min(len(fraction) - 1, 6)))
    if second:
        return low + timedelta(seconds=1)
    if hour:
        return low + timedelta(minutes=1)
    if day:
        return low + timedelta(days=1)
    if month:
        return low.replace(year=low.year + low.month // 12, month=low.month % 12 + 1)
    return low.replace(year=low.year + 1)


def condition(query: str) -> Sequence[tuple[str, str]]:
    """The parameters of an If-None-Exist or `ifNoneExist`, which may be written in three ways. Raises UsageError."""
    from urllib.parse import parse_qsl

    text = query.rpartition("?")[2]
    found = parse_qsl(text, keep_blank_values=True)
    if not found or not all(value for _, value in found):
        raise UsageError("The condition of a conditional create names nothing.")
    return found
