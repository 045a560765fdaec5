"""Rows by which a resource is found. https://hl7.org/fhir/R4/search.html

A row is (param, low, value): for a token its system and code, for a reference its type and id (a canonical: version and
URL), for a date the instants from `low` to before `value`, for a string the text as written and as it is compared.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from adapter.definitions.search_parameters import SearchParameter, search_parameters
from adapter.ports import Tree, instant
from adapter.store.vault import Vault

Pair = tuple[str, str]
Reader = Callable[[Any], list[Pair]]
# A `code` does not say its system: whatever system is asked for may be its own.
ANY = "*"
EARLIEST, LATEST = "0000", "9999-12-31T23:59:59.999Z~"
_MOMENT = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+ -]\d{2}:\d{2})?)?)?)?"
)
HIDDEN_DATES = frozenset({"birthdate", "death-date"})
# Of a HumanName and of an Address.
_PARTS = (
    "text", "family", "given", "prefix", "suffix", "line", "city", "district", "state", "postalCode", "country",
)  # fmt: skip
# Found by what a ContactPoint's `system` says that it is.
_BY_SYSTEM = frozenset({"phone", "email"})
LONGEST = 400
_LONGEST_MOMENT = 40


# The columns of resource_index, in their order: a resource has a dozen rows, so that they are plain tuples.
COLUMNS = ("type", "id", "param", "ordinal", "system", "value")
IndexRow = tuple[str, str, str, int, str, str]


def index_rows(tree: Tree, vault: Vault) -> list[IndexRow]:
    """The rows of resource_index for a resource; what has not the shape of its kind has none."""
    type_, id_ = tree["resourceType"], tree["id"]
    rows: list[IndexRow] = []
    for parameter, first, pairs in _asked(type_):
        # Most of what a type can be found by, a resource does not say.
        if first and first not in tree:
            continue
        for ordinal, pair in enumerate(pairs(tree)):
            system, value = _hidden(parameter, pair, vault) if vault else pair
            rows.append((type_, id_, parameter.name, ordinal, system, value))
    return rows


@lru_cache(maxsize=64)
def _asked(type_: str) -> list[tuple[SearchParameter, str, Callable[[Tree], Iterable[Pair]]]]:
    """What a type can be found by, the element at which its one path begins (empty where there are several), and how it is
    read.
    """
    return [
        (parameter, parameter.paths[0][0] if len(parameter.paths) == 1 else "", _pairs(parameter))
        for parameter in search_parameters(type_).values()
    ]


def _hidden(parameter: SearchParameter, pair: Pair, vault: Vault) -> Pair:
    """What says something of a person is kept as a hash where the store is sealed. Ids and systems are no such thing."""
    if parameter.kind == "token":
        return pair[0], vault.hashed(pair[1])
    if parameter.kind == "string" or parameter.name in HIDDEN_DATES:
        return vault.hashed(pair[0]), vault.hashed(pair[1])
    return pair


def _pairs(parameter: SearchParameter) -> Callable[[Tree], Iterable[Pair]]:
    """How a resource is read by a parameter, made once for each."""
    read, paths = _reader(parameter), parameter.paths
    (name, *rest), *others = paths

    def at_once(tree: Tree) -> Iterable[Pair]:
        value = tree[name]
        if type(value) is not list:
            return _bounded(read(value))
        found: list[Pair] = []
        for one in _flat(value):
            found += read(one)
        return _bounded(found)

    def along(tree: Tree) -> Iterable[Pair]:
        found: list[Pair] = []
        for path in paths:
            for value in _values(tree, path) if path[0] in tree else ():
                found += read(value)
        return _bounded(found)

    # Items stand in items.
    return along if rest or others or name == "item" else at_once


def _reader(parameter: SearchParameter) -> Reader:
    """How one value is read."""
    read, name = _KINDS[parameter.kind], parameter.name
    if name in _BY_SYSTEM:
        return lambda value: read(value) if type(value) is dict and value.get("system") == name else []
    if parameter.patients_only:
        return lambda value: [pair for pair in read(value) if pair[0] == "Patient"]
    return read


def _bounded(found: list[Pair]) -> Iterable[Pair]:
    """Each once, and no longer than what is kept."""
    for system, value in found:
        if len(system) > LONGEST or len(value) > LONGEST:
            return dict.fromkeys([(system[:LONGEST], value[:LONGEST]) for system, value in found])
    return found if len(found) < 2 else dict.fromkeys(found)


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
    found: list[Any] = []
    for node in nodes:
        if type(node) is dict and name in node:
            value = node[name]
            if type(value) is list:
                found += _flat(value)
            else:
                found.append(value)
    return found


def _flat(nodes: list[Any]) -> list[Any]:
    if list not in map(type, nodes):
        return nodes
    found: list[Any] = []
    for node in nodes:
        found += _flat(node) if type(node) is list else [node]
    return found


def _tokens(value: Any) -> list[Pair]:
    kind = type(value)
    if kind is dict:
        coding = value.get("coding")
        if type(coding) is list:
            return [pair for one in coding for pair in _tokens(one)]
        code = value.get("code", value.get("value"))
        if type(code) is not str:
            return []
        system = value.get("system")
        # A telephone number's `system` is its kind and no part of what is looked for.
        plain = type(system) is str and "rank" not in value and system not in _BY_SYSTEM
        return [(system if plain else "", code)]
    if kind is str:
        return [(ANY, value)]
    return [("", "true" if value else "false")] if kind is bool else []


def _references(value: Any) -> list[Pair]:
    literal = value.get("reference") if type(value) is dict else value
    if type(literal) is not str or literal.startswith("#"):
        return []
    if value is literal:
        url, _, version = literal.partition("|")
        return [(version, url)]
    head, _, id_ = literal.partition("/_history/")[0].rpartition("/")
    return [(head.rpartition("/")[2], id_)] if head else []


def _uris(value: Any) -> list[Pair]:
    return [("", value)] if type(value) is str else []


def _strings(value: Any) -> list[Pair]:
    if type(value) is str:
        return [(value, folded(value))]
    found: list[Pair] = []
    for part in _PARTS if type(value) is dict else ():
        if part in value:
            texts = value[part]
            found += [(text, folded(text)) for text in (texts if type(texts) is list else [texts]) if type(text) is str]
    return found


def _dates(value: Any) -> list[Pair]:
    if type(value) is str:
        found = moment_range(value)
        return [found] if found is not None else []
    if type(value) is not dict:
        return []
    if type(value.get("event")) is list:
        return [pair for event in value["event"] for pair in _dates(event)]
    repeat = value.get("repeat")
    bounds = repeat.get("boundsPeriod") if type(repeat) is dict else None
    period = bounds if type(bounds) is dict else value
    start, end = period.get("start"), period.get("end")
    low = moment_range(start) if type(start) is str else None
    high = moment_range(end) if type(end) is str else None
    if low is None and high is None:
        return []
    return [(low[0] if low else EARLIEST, high[1] if high else LATEST)]


_KINDS: dict[str, Reader] = {
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
