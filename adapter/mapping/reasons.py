"""Why something is not on the other side: no rule, a rule that did not take it, one way, not there, not known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from adapter.identity import IDENTIFIER_SYSTEM
from adapter.mapping.paths import get
from adapter.mapping.places import Place, names
from adapter.mapping.scope import own_identifier
from adapter.mapping.steps import at, written
from adapter.mapping.table import Row
from adapter.mapping.trace import Traced, Visit, names_of, path_of
from adapter.records.kinds import ENVELOPE

Tree = dict[str, Any]
Reason = tuple[str, str]
Told = tuple[str, str, Row | None]
CARRIED = "it is carried as remainder, and comes back as it was"


@dataclass(frozen=True, slots=True)
class Reasons:
    """The rules of a pack as rows, asked why. `elsewhere` names the other packs that have a rule for (type, FHIR path)."""

    rows: Sequence[Row]
    elsewhere: Callable[[str, str], list[str]]

    def row(self, visit: Visit) -> Row:
        """The row of the rule of a visit: of those that a group gives, the one at this depth."""
        found = [row for row in self.rows if row.source == visit.source]
        here = ".".join(names(visit.at.fhir[_resource_length(visit.at.fhir) :]))
        prefix = f"{visit.at.map.type_}.{here}" if here else visit.at.map.type_
        path = path_of(visit.rule)
        full = ".".join([prefix, *(step.name for step in (*path.steps, path.last))]) if path is not None else prefix
        return next((row for row in found if row.fhir == full), found[0])

    def of_visit(self, visit: Visit, row: Row, element: Any = None) -> Reason:
        """What a rule that looked at an element made of it."""
        if row.reason:
            return "one-way", f"Written and never read: {row.reason}."
        if row.keyword == "companion":
            return "mapped", "It leads to a second resource, which holds further fields of the same item."
        if visit.ours or visit.fhir is None:
            return "mapped", "Both ways."
        if visit.second:
            return "not-selected", f"Another place, which the rule reads first, gives the field: {CARRIED}."
        default = (row.keys or {}).get("default")
        if default is not None and element == default:
            return "default", "This is what FHIR has where the record leaves the field out."
        where = {"choice": f"not in {row.code_map}", "values": "not in the table of the rule"}.get(row.keyword)
        return (
            "not-understood",
            f"The rule is for it, but the value is {where or 'none that the record can hold'}: {CARRIED}.",
        )

    def element(self, place: Place, value: Any, traced: Traced, owner: Visit | None = None) -> Told:
        """An element that no rule took."""
        length = _resource_length(place)
        index = next(
            (i for i in range(len(traced.analysis.input.resources)) if traced.resource_at(i) == place[:length]), None
        )
        if index is None:
            return "bundle", "It is of the Bundle itself: the shape of the input is kept, no rule is asked.", None
        type_ = traced.analysis.types[index]
        inside = place[length:]
        known = _identity(inside, value, traced.analysis.input.resources[index]) or self._selected(place, traced)
        if known is not None:
            return known
        if not inside:
            return self._resource(index, type_, traced)
        if owner is not None and _names_item(place, owner, self.row(owner)):
            text = "It names the record or resource of this item: the item's id is known by it."
            return "mapped", text, self.row(owner)
        if traced.analysis.readers[index] is None:
            return self._unmapped(type_)
        return self._no_rule(type_, inside)

    def _unmapped(self, type_: str) -> Told:
        """A resource that no map reads; where one reads others of its type, it asks for what this one has not."""
        which = f"a {type_} like this one" if any(row.type_ == type_ for row in self.rows) else type_
        return "type-not-mapped", f"No map of this pack is for {which}: {CARRIED}.{self._others(type_, '')}", None

    def _no_rule(self, type_: str, inside: Place) -> Told:
        path = ".".join((type_, *names(inside)))
        near = [
            row for row in self.rows if row.fhir == path or (not row.structural and path.startswith(f"{row.fhir}."))
        ]
        near = [row for row in near if not row.reason]
        if near:
            row = max(near, key=lambda row: len(row.fhir))
            return (
                "not-selected",
                f"The rule for {row.selector} does not take this one: {_condition(row)}{CARRIED}.",
                row,
            )
        return "remainder", f"No rule of this pack owns it: {CARRIED}.{self._others(type_, path)}", None

    def _others(self, type_: str, path: str) -> str:
        packs = self.elsewhere(type_, path)
        if len(packs) < 2:
            return f" The pack {packs[0]} has a rule for it." if packs else ""
        return f" The packs {', '.join(packs[:-1])} and {packs[-1]} have rules for it."

    def _selected(self, place: Place, traced: Traced) -> Told | None:
        """Whether it is what a rule selects by, or what an element is made with."""
        for visit in traced.visits:
            path = path_of(visit.rule)
            if visit.fhir is None or path is None or visit.fhir[: len(place) - 1] != place[:-1]:
                continue
            steps = (*path.steps, path.last)
            if any(place[-1] == key for step in steps for key, _ in step.keys + step.made):
                return "selector", "A rule knows the element by it, and writes it when it makes one.", self.row(visit)
        return None

    def _resource(self, index: int, type_: str, traced: Traced) -> Told:
        if traced.analysis.readers[index] is None and index not in traced.analysis.owners:
            return self._unmapped(type_)
        owner = next(owned for owned in traced.records if index in owned.parts.values())
        text = "part of a record" if owned_part(owner.parts, index) else "the main resource of a record"
        return "mapped", f"It is {text} of the kind {owner.record['kind']}.", None

    def record_field(self, place: Place, traced: Traced, given: Tree) -> Told:
        """A field that no rule wrote, of those that rules may be for; `given` is the record as the user has it."""
        visits = [visit for visit in traced.visits if self._is_for(visit, place)]
        if visits:
            # A rule for an item is for its fields too, where no rule of the item is.
            visit = max(visits, key=lambda visit: len(visit.at.ours))
            row = self.row(visit)
            return *self.not_written(visit, row, given), row
        path = _listed(place[1:])
        mine = [row for row in self.rows if row.kind == given["kind"] and row.keyword != "derive"]
        if any(name.startswith((f"{path}.", f"{path}[]")) for row in mine for name in row.records):
            return "holds", "Nothing of it is on the other side: ask for its fields one by one.", None
        rows = [row for row in mine if row.takes(path)]
        followed = {visit.source for visit in traced.visits if visit.at.ours[0] == place[0]}
        asked = [row for row in rows if row.source in followed]
        if asked:
            # Behind a wrapper, where places are others than the record's.
            return "not-written", "The rule makes nothing of it.", max(asked, key=lambda row: len(row.fhir))
        if rows:
            text = f"Its rule is in the map {rows[0].map}, which is not for a record like this one."
            return "not-selected", text, rows[0]
        return "no-rule", "No rule of this pack maps this field: it does not go out.", None

    def _is_for(self, visit: Visit, place: Place) -> bool:
        at = visit.at.ours
        rest = names(place[len(at) :])
        return place[: len(at)] == at and any(rest[: len(name)] == name for name in names_of(visit.rule))

    def not_written(self, visit: Visit, row: Row, given: Tree) -> Reason:
        """Why a rule wrote nothing, where the record has a value for it."""
        if row.reason:
            return "one-way", f"Written and never read: {row.reason}."
        item = _object(given, visit)
        if all(get(item, names_) is None for names_ in names_of(visit.rule)):
            return "absent", "The record does not have it."
        made, issues = written(visit, item)
        if made is not None:
            return "mapped", "Written, but not read back."
        return "not-written", " ".join(issue.text for issue in issues) or "The rule makes nothing of it."


def _object(given: Tree, visit: Visit) -> Any:
    """The object that a rule works on, as the user has it; where a wrapper stands between, as it was read."""
    try:
        found = at(given, visit.at.ours[1:])
    except (IndexError, KeyError, TypeError):
        return visit.at.item
    return found if isinstance(found, dict) else visit.at.item


def owned_part(parts: dict[str, int], index: int) -> bool:
    """Whether a resource is a part of its record, not the main one."""
    return parts.get("") != index


def _names_item(place: Place, owner: Visit, row: Row) -> bool:
    """Whether it is of the Reference by which a rule knows an item: its element, or what stands `at` a place in that."""
    keys = row.keys or {}
    reference = (*(owner.fhir or ()), *filter(None, [keys.get("at")]))
    return ("parts" in keys or "link" in keys) and place in ((*reference, "reference"), (*reference, "type"))


def _resource_length(place: Place) -> int:
    """How many steps of a place lead to the resource that it is in."""
    return 3 if place[:1] == ("entry",) and place[2:3] == ("resource",) else 0


def _identity(inside: Place, value: Any, resource: Tree) -> Told | None:
    if inside == ("resourceType",):
        return "identity", "The type says which map reads the resource.", None
    if inside == ("id",):
        return "identity", "Ids are made of what a thing is (kind, record, part), or kept as they came.", None
    own = own_identifier(resource)
    within = value.values() if type(value) is dict else (value,)
    if inside[:1] == ("identifier",) and own is not None and (IDENTIFIER_SYSTEM in within or own in within):
        return "identity", "Our identifier: its value is the id of the record.", None
    if inside[-1:] == ("id",):
        return "identity", "The id of the item, written down only where the one made of its content would differ.", None
    return None


def fixed(inside: Place) -> Told | None:
    """What is said of kind, ids and the fields of the store, which no rule maps."""
    if inside == ("kind",):
        return "identity", "The kind says which map writes the record.", None
    if inside[-1:] == ("id",):
        return "identity", "The id goes out as identifier, and the ids of the resources are made of it.", None
    if inside and inside[0] in ENVELOPE:
        return "envelope", "It belongs to the store, and is never mapped.", None
    return None


def _condition(row: Row) -> str:
    if "[!]" in row.selector:
        return "it reads the only element of the list, and here it cannot; "
    return "it reads only what its selector or its map asks for; " if "[" in row.selector or "(" in row.selector else ""


def _listed(place: Place) -> str:
    """A place of a record as rows have it: `[]` for each index."""
    text = ""
    for step in place:
        text += "[]" if isinstance(step, int) else f".{step}" if text else step
    return text
