"""Why an element of FHIR or a field of a record is what it is: its rule, the place on the other side, the way between.

Answers are plain trees (`careplan explain --json` prints them): `status`, `text`, `rule`, `other`, `steps`, `inside`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from adapter.mapping.places import Place, written
from adapter.mapping.reasons import Reasons
from adapter.mapping.steps import at, codes, comes_back, how
from adapter.mapping.steps import written as made_by
from adapter.mapping.table import Row
from adapter.mapping.trace import Traced, Visit

Tree = dict[str, Any]
INSIDE = 200


@dataclass(slots=True)
class Explainer:
    """One input, followed. `ours` gives the place of each of its records in the document that the user has or gets."""

    traced: Traced
    reasons: Reasons
    fhir: Tree
    ours: list[Place]
    concept_maps: dict[str, Tree] = field(default_factory=dict)

    # -- the FHIR side

    def element(self, place: Place) -> Tree:
        """An element that is there."""
        value = at(self.fhir, place)
        owner = self._nearest(place)
        if owner is None:
            inside = [visit for visit in self.traced.visits if _inside(visit.fhir, place)]
            if inside:
                return self._holds(self.fhir_path(place), value, inside, of_fhir=True)
            return self._answer(self.fhir_path(place), *self.reasons.element(place, value, self.traced))
        if owner.fhir == place and not self._is_leaf(owner):
            inside = [visit for visit in self.traced.visits if _inside(visit.fhir, place) and visit.fhir != place]
            return self._of_rule(owner, self.fhir_path(place)) | {"inside": self._inner(inside, of_fhir=True)}
        if owner.fhir != place and not self._is_leaf(owner):
            inside = [visit for visit in self.traced.visits if _inside(visit.fhir, place)]
            if inside:
                return self._holds(self.fhir_path(place), value, inside, of_fhir=True)
            return self._answer(self.fhir_path(place), *self.reasons.element(place, value, self.traced, owner))
        return self._of_leaf(owner, place, value)

    def _of_leaf(self, owner: Visit, place: Place, value: Any) -> Tree:
        answer = self._of_rule(owner, self.fhir_path(place))
        inner = place[len(owner.fhir or ()) :]
        if not inner or type(value) in (dict, list) or answer["status"] != "mapped":
            return answer
        made = made_by(owner, self._item(owner))[0]
        if comes_back(value, inner, made):
            return answer
        text = "The rule owns the element, and the record has no place for this part of it: it is carried as remainder."
        return answer | {"status": "remainder", "text": text, "other": []}

    def _nearest(self, place: Place) -> Visit | None:
        """The visit whose element is the place, or the nearest one around it; the one that gave something first."""
        around = [visit for visit in self.traced.visits if visit.fhir is not None and _inside(place, visit.fhir)]
        if not around:
            return None
        longest = max(len(visit.fhir or ()) for visit in around)
        found = [visit for visit in around if len(visit.fhir or ()) == longest]
        return next((visit for visit in found if visit.ours), found[0])

    # -- the record's side

    def record_field(self, place: Place, value: Any, given: Tree) -> Tree:
        """A field that is there; `place` has the number of the record in front, `given` is that record as the user has it."""
        around = [visit for visit in self.traced.visits if any(_inside(place, ours) for ours in visit.ours)]
        exact = sorted((visit for visit in around if place in visit.ours), key=self._is_leaf, reverse=True)
        path = self.our_path(place)
        inside = [visit for visit in self.traced.visits if any(_inside(ours, place) for ours in visit.ours)]
        if exact:
            answer = self._of_rule(exact[0], path)
            answer["other"] = list(
                dict.fromkeys(self.fhir_path(visit.fhir) for visit in exact if visit.fhir is not None)
            )
            inner = [visit for visit in inside if visit not in exact]
            return answer | ({"inside": self._inner(inner, of_fhir=False)} if not self._is_leaf(exact[0]) else {})
        if inside:
            return self._holds(path, value, inside, of_fhir=False)
        leaves = [visit for visit in around if self._is_leaf(visit)]
        if leaves:
            return self._of_rule(leaves[0], path)
        return self._answer(path, *self.reasons.record_field(place, self.traced, given))

    # -- answers

    def _of_rule(self, visit: Visit, path: str) -> Tree:
        row = self.reasons.row(visit)
        element = at(self.fhir, visit.fhir) if visit.fhir is not None else None
        status, text = self.reasons.of_visit(visit, row, element)
        if status == "mapped" and row.code_map and any(_is_foreign(self._item_at(place)) for place in visit.ours):
            text = f"Both ways. {row.code_map} has no such code: the record keeps it as the foreign code that it is."
        answer = self._answer(path, status, text, row)
        answer["other"] = self._other(visit, path)
        if self._is_leaf(visit):
            answer["steps"] = self._steps(visit, row)
        return answer

    def _other(self, visit: Visit, path: str) -> list[str]:
        ours = [self.our_path(place) for place in visit.ours]
        there = [self.fhir_path(visit.fhir)] if visit.fhir is not None else []
        return there if path in ours or not path[:1].isupper() else ours

    def _steps(self, visit: Visit, row: Row) -> Tree:
        item = self._item(visit)
        element = at(self.fhir, visit.fhir) if visit.fhir is not None else None
        made, _ = made_by(visit, item) if visit.ours else (None, [])
        ours = [{"at": self.our_path(place), "value": self._item_at(place)} for place in visit.ours]
        there = [{"at": self.fhir_path(visit.fhir), "value": element}] if element is not None else []
        read = [*there, {"by": how(row), "codes": codes(row, element, self.concept_maps)}, *ours]
        if not ours:
            return {"from_fhir": read} if not row.reason else {"to_fhir": read[::-1]}
        again = {"by": how(row), "codes": codes(row, made, self.concept_maps)}
        return {"from_fhir": read, "to_fhir": [*ours, again, {"at": row.selector, "value": made}]}

    def _holds(self, path: str, value: Any, inside: list[Visit], *, of_fhir: bool) -> Tree:
        text = "No rule owns it as a whole: the rules of what it holds do."
        return self._answer(path, "holds", text) | {"inside": self._inner(inside, of_fhir=of_fhir)}

    def _inner(self, visits: Iterable[Visit], *, of_fhir: bool) -> list[Tree]:
        rows = []
        for visit in visits:
            there, ours = self.fhir_path(visit.fhir), [self.our_path(place) for place in visit.ours]
            pair = (there, ours) if of_fhir else (", ".join(ours), [there])
            rows.append({"path": pair[0], "other": pair[1], "rule": visit.source})
        return rows[:INSIDE]

    def _answer(self, path: str, status: str, text: str, row: Row | None = None) -> Tree:
        return {"place": path, "status": status, "text": text, "rule": rule_tree(row), "other": []}

    def _is_leaf(self, visit: Visit) -> bool:
        return not self.reasons.row(visit).structural

    def _item(self, visit: Visit) -> Tree:
        record = self.traced.records[int(visit.at.ours[0])].record
        inherited = {"patient": record["patient"]} if "patient" in record else {}
        return {**inherited, **visit.at.item}

    def _item_at(self, place: Place) -> Any:
        return at(self.traced.records[int(place[0])].record, place[1:])

    def fhir_path(self, place: Place | None) -> str:
        """A place of the input as FHIRPath."""
        return written(place or (), self.fhir["resourceType"])

    def our_path(self, place: Place) -> str:
        """A place of a record, in the document that the user has or gets."""
        return written((*self.ours[int(place[0])], *place[1:]))


def _is_foreign(value: Any) -> bool:
    return isinstance(value, dict) and "system" in value


def _inside(place: Place | None, outer: Place) -> bool:
    return place is not None and place[: len(outer)] == outer


def rule_tree(row: Row | None) -> Tree | None:
    """A rule as a tree of its place and its two paths."""
    if row is None:
        return None
    tree = {
        "file": row.file, "line": row.line, "column": row.column, "map": row.map, "keyword": row.keyword,
        "record": list(row.records), "fhir": row.selector, "how": how(row),
    }  # fmt: skip
    if row.code_map:
        tree["code_map"] = row.code_map
    if row.reason:
        tree["one_way"] = row.reason
    return tree
