"""Rows by which a resource is found. https://hl7.org/fhir/R4/search.html

A row is (param, low, value): for a token its system and code, for a reference its type and id (a canonical: version and
URL), for a date the instants from `low` to before `value`, for a string the text as written and as it is compared.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from adapter.definitions.search_parameters import SearchParameter, search_parameters
from adapter.ports import Tree, instant
from adapter.store.vault import Vault

Pair = tuple[str, str]
# A `code` does not say its system: whatever system is asked for may be its own.
ANY = "*"
EARLIEST, LATEST = "0000", "9999-12-31T23:59:59.999Z~"
_MOMENT = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+ -]\d{2}:\d{2})?)?)?)?"
)
HIDDEN_DATES = frozenset({"birthdate", "death-date"})
_NAME_PARTS = ("text", "family", "given", "prefix", "suffix")
_ADDRESS_PARTS = ("text", "line", "city", "district", "state", "postalCode", "country")
LONGEST = 400
_LONGEST_MOMENT = 40


class IndexRow(NamedTuple):
    """A row of resource_index, in the order of its columns."""

    type: str
    id: str
    param: str
    ordinal: int
    system: str
    value: str


def index_rows(tree: Tree, vault: Vault) -> Iterator[IndexRow]:
    """The rows of resource_index for a resource; what has not the shape of its kind has none."""
    type_, id_ = tree["resourceType"], tree["id"]
    for name, parameter in search_parameters(type_).items():
        for ordinal, pair in enumerate(_pairs(tree, parameter)):
            yield IndexRow(type_, id_, name, ordinal, *(_hidden(parameter, pair, vault) if vault else pair))


def _hidden(parameter: SearchParameter, pair: Pair, vault: Vault) -> Pair:
    """What says something of a person is kept as a hash where the store is sealed. Ids and systems are no such thing."""
    if parameter.kind == "token":
        return pair[0], vault.hashed(pair[1])
    if parameter.kind == "string" or parameter.name in HIDDEN_DATES:
        return vault.hashed(pair[0]), vault.hashed(pair[1])
    return pair


def _pairs(tree: Tree, parameter: SearchParameter) -> dict[Pair, None]:
    read, found = _KINDS[parameter.kind], dict[Pair, None]()
    for path in parameter.paths:
        # Most of what a type can be found by, a resource does not say.
        if path[0] not in tree:
            continue
        for value in _values(tree, path):
            for pair in read(value):
                if _fits(parameter, value, pair):
                    found[pair[0][:LONGEST], pair[1][:LONGEST]] = None
    return found


def _fits(parameter: SearchParameter, value: Any, pair: Pair) -> bool:
    if parameter.patients_only:
        return pair[0] == "Patient"
    if parameter.name in {"phone", "email"}:
        return isinstance(value, dict) and value.get("system") == parameter.name
    return True


def _values(tree: Tree, path: tuple[str, ...]) -> list[Any]:
    """What stands at a path, out of all lists; at `item` what is in items as well."""
    found: list[Any] = [tree]
    for name in path:
        found = level = _below(found, name)
        while level and name == "item":
            level = _below(level, name)
            found = found + level
    return found


def _below(nodes: list[Any], name: str) -> list[Any]:
    return _flat([node[name] for node in nodes if type(node) is dict and name in node])


def _flat(nodes: list[Any]) -> list[Any]:
    found: list[Any] = []
    for node in nodes:
        if type(node) is list:
            found += _flat(node)
        else:
            found.append(node)
    return found


def _tokens(value: Any) -> Iterator[Pair]:
    if isinstance(value, bool):
        yield "", "true" if value else "false"
    elif isinstance(value, str):
        yield ANY, value
    elif isinstance(value, dict) and isinstance(value.get("coding"), list):
        for coding in value["coding"]:
            yield from _tokens(coding)
    elif isinstance(value, dict):
        code = value.get("code", value.get("value"))
        # A telephone number's `system` is its kind and no part of what is looked for.
        system = value.get("system") if "rank" not in value and value.get("system") not in {"phone", "email"} else ""
        if isinstance(code, str):
            yield (system if isinstance(system, str) else ""), code


def _references(value: Any) -> Iterator[Pair]:
    literal = value.get("reference") if isinstance(value, dict) else value
    if not isinstance(literal, str) or literal.startswith("#"):
        return
    if isinstance(value, str):
        url, _, version = value.partition("|")
        yield version, url
        return
    head, _, id_ = literal.split("/_history/", maxsplit=1)[0].rpartition("/")
    if head:
        yield head.rpartition("/")[2], id_


def _uris(value: Any) -> Iterator[Pair]:
    if isinstance(value, str):
        yield "", value


def _strings(value: Any) -> Iterator[Pair]:
    if isinstance(value, str):
        yield value, folded(value)
    elif isinstance(value, dict):
        for part in dict.fromkeys((*_NAME_PARTS, *_ADDRESS_PARTS)):
            found = value.get(part)
            for text in found if isinstance(found, list) else [found]:
                if isinstance(text, str):
                    yield text, folded(text)


def _dates(value: Any) -> Iterator[Pair]:
    if isinstance(value, str):
        if (found := moment_range(value)) is not None:
            yield found
    elif isinstance(value, dict) and isinstance(value.get("event"), list):
        for event in value["event"]:
            yield from _dates(event)
    elif isinstance(value, dict):
        repeat = value.get("repeat")
        bounds = repeat.get("boundsPeriod") if isinstance(repeat, dict) else None
        period = bounds if isinstance(bounds, dict) else value
        start, end = period.get("start"), period.get("end")
        low = moment_range(start) if isinstance(start, str) else None
        high = moment_range(end) if isinstance(end, str) else None
        if low is not None or high is not None:
            yield (low[0] if low else EARLIEST), (high[1] if high else LATEST)


_KINDS: dict[str, Callable[[Any], Iterator[Pair]]] = {
    "token": _tokens, "reference": _references, "uri": _uris, "string": _strings, "date": _dates,
}  # fmt: skip


def folded(text: str) -> str:
    """A text as strings are compared: without case and accents. https://hl7.org/fhir/R4/search.html#string"""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def moment_range(text: str) -> Pair | None:
    """The instants that a date or time of any precision covers: from the first, up to before the second; None where it
    is none.
    """
    return _moment_range(text) if len(text) <= _LONGEST_MOMENT else None


# Dates come again and again.
@lru_cache(maxsize=4096)
def _moment_range(text: str) -> Pair | None:
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        low = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0),
            int(((fraction or "") + "000000")[:6]), tzinfo=UTC,
        )  # fmt: skip
        low -= _offset(zone)
        return instant(low), instant(_after(low, month, day, hour, second, fraction))
    except (ValueError, OverflowError):
        return None


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
