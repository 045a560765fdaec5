"""What a resource can be found by, and the search itself. https://hl7.org/fhir/R4/search.html"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_

from adapter.errors import DataError
from adapter.issues import Issue
from adapter.ports import Tree
from adapter.store.rows import instant
from adapter.store.tables import resource, resource_index

PARAMS = ("_id", "identifier", "patient", "subject", "_lastUpdated")
"""The parameters that are known; `patient` is a subject that is a Patient."""

_PREFIXES = ("eq", "ne", "gt", "ge", "lt", "le", "sa", "eb")
_MOMENT = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+ -]\d{2}:\d{2})?)?)?)?"
)


def index_rows(tree: Tree) -> Iterator[dict[str, Any]]:
    """The rows of resource_index for a resource."""
    head = {"type": tree["resourceType"], "id": tree["id"]}
    found = tree.get("identifier")
    for ordinal, row in enumerate(found if isinstance(found, list) else [found]):
        if isinstance(row, dict) and isinstance(row.get("value"), str):
            yield {
                **head,
                "param": "identifier",
                "ordinal": ordinal,
                "system": str(row.get("system", "")),
                "value": row["value"],
            }
    for ordinal, name in enumerate(("subject", "patient")):
        reference = tree.get(name)
        literal = reference.get("reference") if isinstance(reference, dict) else None
        if isinstance(literal, str) and "/" in literal:
            type_, _, id_ = literal.split("/_history/", maxsplit=1)[0].rpartition("/")
            yield {**head, "param": "subject", "ordinal": ordinal, "system": type_.rpartition("/")[2], "value": id_}


def conditions(type_: str, params: Sequence[tuple[str, str]]) -> list[ColumnElement[bool]]:
    """SQL conditions of a search. Raises DataError for a parameter or value that is not understood."""
    found: list[ColumnElement[bool]] = [resource.c.type == type_, resource.c.deleted.is_(False)]
    for name, value in params:
        if name == "_id":
            found.append(resource.c.id.in_(value.split(",")))
        elif name == "identifier":
            found.append(_any(_token(part) for part in value.split(",")))
        elif name in {"patient", "subject"}:
            found.append(_any(_reference(name, part) for part in value.split(",")))
        elif name == "_lastUpdated":
            found.append(_any(_moment(part) for part in value.split(",")))
        else:
            raise _refused(name, f"This cannot be searched by; known are {', '.join(PARAMS)}.")
    return found


def _any(parts: Iterator[ColumnElement[bool]]) -> ColumnElement[bool]:
    return or_(*parts)


def _indexed(*more: ColumnElement[bool]) -> ColumnElement[bool]:
    here = and_(resource_index.c.type == resource.c.type, resource_index.c.id == resource.c.id)
    return exists().where(here, *more)


def _token(text: str) -> ColumnElement[bool]:
    index = resource_index.c
    system, bar, value = text.partition("|")
    if not bar:
        return _indexed(index.param == "identifier", index.value == text)
    if not value:
        return _indexed(index.param == "identifier", index.system == system)
    return _indexed(index.param == "identifier", index.system == system, index.value == value)


def _reference(name: str, text: str) -> ColumnElement[bool]:
    index = resource_index.c
    head, _, id_ = text.rpartition("/")
    type_ = head.rpartition("/")[2] or ("Patient" if name == "patient" else "")
    more = [index.system == type_] if type_ else []
    return _indexed(index.param == "subject", index.value == id_, *more)


def _moment(text: str) -> ColumnElement[bool]:
    prefix, rest = (text[:2], text[2:]) if text[:2] in _PREFIXES else ("eq", text)
    low, high = moment_range(rest)
    at = resource.c.last_updated
    return {
        "eq": and_(at >= low, at < high),
        "ne": or_(at < low, at >= high),
        "ge": at >= low,
        "gt": at >= high,
        "sa": at >= high,
        "lt": at < low,
        "eb": at < low,
        "le": at < high,
    }[prefix]


def moment_range(text: str) -> tuple[str, str]:
    """The instants that a date or time of any precision covers: from the first, up to before the second."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise _refused("_lastUpdated", "This is no date or time of FHIR.")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        low = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0),
            int(((fraction or "") + "000000")[:6]), tzinfo=UTC,
        )  # fmt: skip
        low -= _offset(zone)
        high = _after(low, month, day, hour, second, fraction)
    except (ValueError, OverflowError):
        raise _refused("_lastUpdated", "This is no date or time of FHIR.") from None
    return instant(low), instant(high)


def _offset(zone: str | None) -> timedelta:
    if zone in {None, "Z"}:
        return timedelta()
    text = str(zone)
    size = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    # A plus that was not escaped arrives as a space.
    return -size if text[0] == "-" else size


def _after(low: datetime, month: Any, day: Any, hour: Any, second: Any, fraction: Any) -> datetime:
    if fraction is not None:
        return low + timedelta(milliseconds=1)
    if second is not None:
        return low + timedelta(seconds=1)
    if hour is not None:
        return low + timedelta(minutes=1)
    if day is not None:
        return low + timedelta(days=1)
    if month is not None:
        return low.replace(year=low.year + low.month // 12, month=low.month % 12 + 1)
    return low.replace(year=low.year + 1)


def _refused(name: str, text: str) -> DataError:
    issue = Issue("error", "not-supported", "search-parameter", text, expression=name)
    return DataError(text, issues=[issue], place=name)
