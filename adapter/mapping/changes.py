"""What differs between two versions of a pack, rule by rule and code by code, and what that means for what is out there.

`compatible`: what was sent stays right, and is read as before. `re-send`: the same records give other FHIR now. `breaks`:
what was sent by the first version is not read as it was by the second.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapter.mapping.table import Row
from adapter.packs import Pack

Tree = dict[str, Any]
COMPATIBLE, RESEND, BREAKS = CLASSES = ("compatible", "re-send", "breaks")
# What stands elsewhere in a change, or says nothing of what the rule does.
_NOT_COMPARED = frozenset({"record", "fhir", "items", "inline", "beside", "notes", "also", "inherit"})
# What only the making of an element knows.
_ONLY_WRITTEN = frozenset({"set", "names", "unless", "derive"})


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `what` is rule, code, form or prefix; `act` what was done; `rules` where, in the first and second."""

    what: str
    act: str
    class_: str
    text: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a pack, as rows."""

    pack: Pack
    rows: Sequence[Row]


def changes(one: Version, two: Version) -> list[Change]:
    """Every change from the first version to the second, the gravest first."""
    found = [
        *_rules(one, two),
        *_tables(one.pack, two.pack),
        *_codes_of_systems(one.pack, two.pack),
        *_forms(one.pack, two.pack),
    ]
    return sorted(found, key=lambda change: -CLASSES.index(change.class_))


def gravest(found: Iterable[Change]) -> str:
    """The gravest class of several changes, compatible where there is none."""
    return max((change.class_ for change in found), key=CLASSES.index, default=COMPATIBLE)


# -- rules


def _rules(one: Version, two: Version) -> Iterator[Change]:
    old, new = _keyed(one), _keyed(two)
    for key in old.keys() & new.keys():
        yield from _changed(old[key], new[key])
    gone = [row for key, row in old.items() if key not in new]
    came = [row for key, row in new.items() if key not in old]
    moved: list[Row] = []
    for row in gone:
        match = _moved(row, came, moved)
        if match is None:
            yield _removed(row)
        else:
            moved.append(match)
            yield _pathed(row, match)
    yield from (_added(row) for row in came if row not in moved)


Key = tuple[str, tuple[str, ...], str]


def _keyed(version: Version) -> dict[Key, Row]:
    return {(row.map, row.records, _full(row.selector, version.pack.prefixes)): row for row in version.rows}


def _full(selector: str, prefixes: Mapping[str, str]) -> str:
    return re.sub(r"\$([a-z][a-z0-9]*)", lambda match: prefixes.get(match[1], match[0]), selector)


def _moved(row: Row, came: Sequence[Row], taken: Sequence[Row]) -> Row | None:
    """The rule that took its place: of the same fields, else of the same element."""
    free = [other for other in came if other not in taken and other.map == row.map]
    fields = [other for other in free if row.records and other.records == row.records]
    elements = [other for other in free if row.fhir == other.fhir and "[" not in row.selector]
    return next(iter(fields or elements), None)


def _pathed(row: Row, other: Row) -> Change:
    text = f"{_named(row)} is now {_named(other)}"
    class_ = RESEND if row.reason and other.reason else BREAKS
    return Change("rule", "re-pathed", class_, text, (row.source, other.source))


def _removed(row: Row) -> Change:
    class_ = RESEND if row.reason else BREAKS
    return Change("rule", "removed", class_, _named(row), (row.source,))


def _added(row: Row) -> Change:
    """What a new rule sends was not in the records before, unless it is made of nothing or of what is there."""
    return Change("rule", "added", RESEND if row.reason else COMPATIBLE, _named(row), (row.source,))


def _changed(old: Row, new: Row) -> Iterator[Change]:
    before, after = (
        {key: value for key, value in (row.keys or {}).items() if key not in _NOT_COMPARED} for row in (old, new)
    )
    differ = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    if differ:
        words = ", ".join(f"{key}: {before.get(key, 'none')} → {after.get(key, 'none')}" for key in differ)
        text = f"{_named(new)} ({words})"
        yield Change("rule", "changed", _gravity(differ, before, after), text, (old.source, new.source))


def _gravity(differ: list[str], before: Tree, after: Tree) -> str:
    if differ == ["one_way"]:
        return RESEND if "one_way" in before and "one_way" in after else COMPATIBLE if "one_way" in before else BREAKS
    if differ == ["values"] and before["values"].items() <= after.get("values", {}).items():
        return COMPATIBLE
    return RESEND if set(differ) <= _ONLY_WRITTEN else BREAKS


def _named(row: Row) -> str:
    fields = ", ".join(row.records)
    return f"{row.kind}.{fields} ↔ {row.selector}" if fields else row.selector


# -- codes


def _tables(one: Pack, two: Pack) -> Iterator[Change]:
    for name in dict.fromkeys([*one.concept_maps, *two.concept_maps]):
        old, new = (dict(_targets(pack.concept_maps.get(name, {}))) for pack in (one, two))
        readers = {target: code for code, targets in new.items() for target in targets}
        for code in old.keys() - new.keys():
            yield Change("code", "removed", BREAKS, f"{name}: {code}")
        for code in new.keys() - old.keys():
            yield Change("code", "added", COMPATIBLE, f"{name}: {code}")
        for code in sorted(old.keys() & new.keys()):
            if old[code] != new[code]:
                yield _target(name, code, old[code], new[code], readers)


Targets = dict[tuple[str, str], str]


def _target(name: str, code: str, old: Targets, new: Targets, readers: Mapping[tuple[str, str], str]) -> Change:
    lost = [target for target in old if target not in new]
    strange = [target for target in lost if readers.get(target) != code]
    words = f"{_codings(old)} → {_codings(new)}"
    if strange or any(old[target] != new[target] for target in old.keys() & new.keys()):
        return Change("code", "changed", BREAKS, f"{name}: {code}: {words}")
    first = [next(iter(side), None) for side in (_first(old), _first(new))]
    return Change("code", "changed", COMPATIBLE if first[0] == first[1] else RESEND, f"{name}: {code}: {words}")


def _first(targets: Targets) -> list[tuple[tuple[str, str], ...]]:
    """What is written of a code: the first target of each system."""
    firsts: dict[str, tuple[str, str]] = {}
    for target in targets:
        firsts.setdefault(target[0], target)
    return [tuple(firsts.values())]


def _codings(targets: Targets) -> str:
    return " ".join(f"{system}|{code} ({relation})" for (system, code), relation in targets.items()) or "none"


def _targets(concept_map: Tree) -> Iterator[tuple[str, Targets]]:
    found: dict[str, Targets] = {}
    for group in concept_map.get("group", []):
        for element in group.get("element", []):
            row = found.setdefault(element["code"], {})
            for target in element.get("target", []):
                if "code" in target:
                    row[str(group.get("target")), target["code"]] = str(target.get("equivalence", ""))
    yield from found.items()


def _codes_of_systems(one: Pack, two: Pack) -> Iterator[Change]:
    for name in dict.fromkeys([*one.code_systems, *two.code_systems]):
        if name in one.concept_maps and name in two.concept_maps:
            continue
        old, new = (_concepts(pack.code_systems.get(name, {})) for pack in (one, two))
        yield from (Change("code", "removed", BREAKS, f"{name}: {code}") for code in old if code not in new)
        yield from (Change("code", "added", COMPATIBLE, f"{name}: {code}") for code in new if code not in old)


def _concepts(code_system: Tree) -> list[str]:
    return [concept["code"] for concept in code_system.get("concept", [])]


def _forms(one: Pack, two: Pack) -> Iterator[Change]:
    old, new = one.questionnaires, two.questionnaires
    yield from (Change("form", "removed", BREAKS, name) for name in old if name not in new)
    yield from (Change("form", "added", COMPATIBLE, name) for name in new if name not in old)
    changed = [name for name in old if name in new and old[name] != new[name]]
    yield from (Change("form", "changed under the same version", BREAKS, name) for name in changed)
