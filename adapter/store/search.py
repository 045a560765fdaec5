"""A search as SQL conditions. https://hl7.org/fhir/R4/search.html

Known are the parameters of `adapter.definitions.search_parameters`, `_id`, `_lastUpdated`, the modifiers `:not`,
`:missing`, `:exact`, `:contains`, `:Type`, and one step along a reference (`patient.identifier`, `subject:Patient.name`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from sqlalchemy import ColumnElement, and_, exists, not_, or_, select

from adapter.definitions.search_parameters import SearchParameter, search_parameters
from adapter.errors import DataError
from adapter.issues import Issue
from adapter.store.indexing import ANY, HIDDEN_DATES, folded, moment_range
from adapter.store.tables import resource, resource_index
from adapter.store.vault import Vault

Condition = ColumnElement[bool]
Make = Callable[[str, Vault], Condition]

_PREFIXES = ("eq", "ne", "gt", "ge", "lt", "le", "sa", "eb")
_AGAINST = str.maketrans({"%": r"\%", "_": r"\_", "\\": r"\\"})
_COMMA, _BAR = re.compile(r"(?<!\\),"), re.compile(r"(?<!\\)\|")


def conditions(type_: str, params: Sequence[tuple[str, str]], vault: Vault) -> list[Condition]:
    """SQL conditions of a search. Raises DataError for a parameter, modifier or value that is not understood."""
    found: list[Condition] = [resource.c.type == type_, resource.c.deleted.is_(False)]
    for name, value in params:
        found.append(_condition(type_, name, value, vault))
    return found


def _condition(type_: str, asked: str, value: str, vault: Vault) -> Condition:
    name, _, modifier = asked.partition(":")
    if name == "_id" and not modifier:
        return resource.c.id.in_(_COMMA.split(value))
    if name == "_lastUpdated" and not modifier:
        return or_(*(_date(part, resource.c.last_updated, resource.c.last_updated) for part in _COMMA.split(value)))
    if "." in asked:
        return _chained(type_, asked, value, vault)
    parameter = search_parameters(type_).get(name)
    if parameter is None:
        raise refused(asked, "This cannot be searched by.")
    if modifier == "missing":
        return _missing(parameter, asked, value)
    parts = [_indexed(parameter, _one(parameter, modifier, part, vault)) for part in _COMMA.split(value)]
    return not_(or_(*parts)) if modifier == "not" and parameter.kind == "token" else or_(*parts)


def _indexed(parameter: SearchParameter, *more: Condition) -> Condition:
    index = resource_index.c
    here = and_(index.type == resource.c.type, index.id == resource.c.id, index.param == parameter.name)
    return exists().where(here, *more)


def _missing(parameter: SearchParameter, asked: str, value: str) -> Condition:
    if value not in {"true", "false"}:
        raise refused(asked, "Expected true or false.")
    return not_(_indexed(parameter)) if value == "true" else _indexed(parameter)


def _one(parameter: SearchParameter, modifier: str, text: str, vault: Vault) -> Condition:
    try:
        if vault and parameter.name in HIDDEN_DATES:
            return _hidden_date(text, vault)
        return _KINDS[parameter.kind, modifier](text, vault)
    except KeyError:
        if parameter.kind == "reference" and modifier.isalpha():
            return _reference(f"{modifier}/{text.rpartition('/')[2]}", vault)
        raise refused(f"{parameter.name}:{modifier}", "This modifier is not known here.") from None


def _plain(text: str) -> str:
    return re.sub(r"\\([,|$\\])", r"\1", text)


def _token(text: str, vault: Vault) -> Condition:
    index = resource_index.c
    system, *rest = _BAR.split(text, maxsplit=1)
    if not rest:
        return index.value == vault.hashed(_plain(text))
    if not rest[0]:
        return index.system == _plain(system)
    systems = [_plain(system), ANY] if system else [""]
    return and_(index.system.in_(systems), index.value == vault.hashed(_plain(rest[0])))


def _reference(text: str, vault: Vault) -> Condition:
    index = resource_index.c
    if "://" in text or text.startswith("urn:"):
        url, _, version = text.partition("|")
        named = index.value == url
        whole = and_(named, index.system == version) if version else named
        type_, _, id_ = url.rpartition("/")
        return or_(whole, and_(index.system == type_.rpartition("/")[2], index.value == id_))
    head, _, id_ = text.rpartition("/")
    type_ = head.rpartition("/")[2]
    named = index.value == id_
    return and_(named, index.system == type_) if type_ else named


def _string(text: str, vault: Vault) -> Condition:
    if vault:
        # Of a sealed store only whole names can be found.
        return resource_index.c.value == vault.hashed(folded(_plain(text)))
    return resource_index.c.value.like(folded(_plain(text)).translate(_AGAINST) + "%", escape="\\")


def _contains(text: str, vault: Vault) -> Condition:
    if vault:
        raise refused(":contains", "This store is sealed at rest: only whole texts can be found.")
    return resource_index.c.value.like("%" + folded(_plain(text)).translate(_AGAINST) + "%", escape="\\")


def _exact(text: str, vault: Vault) -> Condition:
    return resource_index.c.system == vault.hashed(_plain(text))


def _uri(text: str, vault: Vault) -> Condition:
    return resource_index.c.value == text


def _below(text: str, vault: Vault) -> Condition:
    return resource_index.c.value.like(text.translate(_AGAINST) + "%", escape="\\")


def _range(text: str, vault: Vault) -> Condition:
    return _date(text, resource_index.c.system, resource_index.c.value)


def _hidden_date(text: str, vault: Vault) -> Condition:
    prefix, rest = (text[:2], text[2:]) if text[:2] in _PREFIXES else ("eq", text)
    found = moment_range(rest)
    if found is None or prefix != "eq":
        raise refused("date", "This store is sealed at rest: such a date can only be asked for as it is written.")
    return and_(resource_index.c.system == vault.hashed(found[0]), resource_index.c.value == vault.hashed(found[1]))


def _date(text: str, start: ColumnElement[str], end: ColumnElement[str]) -> Condition:
    """A date of a resource lies from `start` to before `end`; one instant is its own end.

    https://hl7.org/fhir/R4/search.html#prefix
    """
    prefix, rest = (text[:2], text[2:]) if text[:2] in _PREFIXES else ("eq", text)
    found = moment_range(rest)
    if found is None:
        raise refused("date", "This is no date or time of FHIR.")
    low, high = found
    inside = and_(start >= low, start < high, end <= high)
    return {
        "eq": inside,
        "ne": not_(inside),
        "ge": or_(end > high, start >= low),
        "gt": end > high if start is not end else start >= high,
        "sa": start >= high,
        "lt": start < low,
        "eb": end <= low if start is not end else end < low,
        "le": or_(start < low, inside) if start is not end else start < high,
    }[prefix]


_KINDS: dict[tuple[str, str], Make] = {
    ("token", ""): _token, ("token", "not"): _token, ("reference", ""): _reference, ("date", ""): _range,
    ("string", ""): _string, ("string", "contains"): _contains, ("string", "exact"): _exact,
    ("uri", ""): _uri, ("uri", "below"): _below,
}  # fmt: skip


def _chained(type_: str, asked: str, value: str, vault: Vault) -> Condition:
    """`subject:Patient.identifier` or `patient.identifier`: resources whose reference leads to one that matches."""
    head, _, rest = asked.partition(".")
    name, _, target = head.partition(":")
    target = target or ("Patient" if name == "patient" else "")
    parameter = search_parameters(type_).get(name)
    if parameter is None or parameter.kind != "reference" or not target or "." in rest:
        raise refused(asked, "One step along a reference, with its type, is understood: subject:Patient.identifier.")
    inner = search_parameters(target).get(rest.partition(":")[0])
    if inner is None:
        raise refused(asked, "This cannot be searched by.")
    index = resource_index.alias()
    there = resource_index.c
    match = or_(*(_one(inner, rest.partition(":")[2], part, vault) for part in _COMMA.split(value)))
    found = select(there.id).where(there.type == target, there.param == inner.name, match)
    here = and_(index.c.type == resource.c.type, index.c.id == resource.c.id, index.c.param == parameter.name)
    return exists().where(here, index.c.system == target, index.c.value.in_(found))


def refused(name: str, text: str) -> DataError:
    """The error of a search that is not understood."""
    issue = Issue("error", "not-supported", "search-parameter", text, expression=name)
    return DataError(text, issues=[issue], place=name)
