"""The way back by hand, for input that is not to be trusted: a resource or Bundle → records, remainder and issues.

It does what the job asks of any converter in a hospital: resources that hang on one plan are its items, others are records
of their own; a foreign resource, or element without an id, is given one; what is absent or of a wrong shape harms nothing
else and is said; and the remainder gives back all that came.
"""

from __future__ import annotations

from typing import Any

from adapter.issues import Issue
from adapter.mapping.codecs import is_number
from adapter.mapping.scope import link_of
from bench.peers.by_hand import PERTAINS, WORDS
from bench.peers.careful_input import KINDS, LISTS, Input
from bench.peers.careful_reading import Reading
from bench.peers.careful_tables import (
    ACHIEVEMENT,
    ACTIVITY,
    GOAL,
    INTENTS,
    NOTE_AUTHOR,
    NOTE_TEXT,
    PLAN,
    PRIORITY,
    PROBLEM,
    QUANTITY,
    REQUEST_PRIORITY,
    REQUEST_STATUS,
    ROLE,
    TEAM,
)  # fmt: skip
from bench.peers.careful_values import contained_id, element_id, elements, first, is_of, party

Tree = dict[str, Any]


def from_fhir(tree: Tree) -> tuple[list[Tree], Tree, list[Issue]]:
    """A resource or Bundle of FHIR 4.0.1 → records, remainder, issues."""
    input_ = Input(tree)
    reader = Reader(input_)
    records = reader.records()
    return records, input_.remainder(), reader.issues + input_.unmapped()


class Reader(Reading):
    """The records of one input."""

    def records(self) -> list[Tree]:
        """Every record, in the order of the input."""
        records = []
        for index, type_ in enumerate(self.input.types):
            if type_ in KINDS and index not in self.input.owners:
                resource, record = self.input.resources[index], {"kind": KINDS[type_], "id": self.input.ids[index]}
                self.plan, self.at = index, resource
                self._read(type_, resource, record)
                records.append(record)
        return records

    def _read(self, type_: str, tree: Tree, record: Tree) -> None:
        if type_ == "Goal":
            self._goal(tree, record)
        elif type_ == "ServiceRequest":
            self._request(tree, record)
        elif type_ == "CareTeam":
            self._team(tree, record)
        else:
            self._care_plan(tree, record)

    def _care_plan(self, tree: Tree, record: Tree) -> None:
        self._copied(tree, record, PLAN, "CarePlan")
        self._subject(tree, record, "CarePlan")
        self._period(tree, record, "CarePlan.period")
        self._moment(tree, record, "created", "created", "CarePlan")
        self._party(tree, record, "author", "author", "CarePlan")
        for (element, at, type_), name in zip(LISTS, ("care_team", "goals", "interventions"), strict=True):
            items = self._items(tree.get(element), at, type_)
            if items:
                record[name] = items
        problems = self._problems(tree.get("addresses"))
        if problems:
            record["problems"] = problems
        notes = elements(tree.get("note"), self._note)
        if notes:
            record["notes"] = notes

    def _items(self, rows: Any, at: str, type_: str) -> list[Tree]:
        items: dict[str, Tree] = {}
        for row in rows if type(rows) is list else ():
            reference = row.get(at) if at and type(row) is dict else row
            item = self._item(reference, type_) if type(reference) is dict else None
            if item is not None:
                items.setdefault(item["id"], item)
        return list(items.values())

    def _item(self, reference: Tree, type_: str) -> Tree | None:
        literal = reference.get("reference")
        if type(literal) is str and literal[:1] == "#":
            inner = self._contained(literal)
            if inner is not None and inner.get("resourceType") == type_:
                return self._part(type_, inner, contained_id(inner, self.input.ids[self.plan]))
        index = self.input.named(literal)
        if index is None:
            link = link_of(reference, "none")
            return {"id": link[1]} if link is not None else None
        if self.input.owners.get(index) == self.plan and self.input.types[index] == type_:
            outer, self.at = self.at, self.input.resources[index]
            item = self._part(type_, self.at, self.input.ids[index])
            self.at = outer
            return item
        return {"id": self.input.ids[index]}

    def _part(self, type_: str, resource: Tree, id_: str) -> Tree:
        item = {"id": id_}
        self._read(type_, resource, item)
        item.pop("patient", None)
        return item

    def _problems(self, rows: Any) -> list[Tree]:
        found, seen = [], dict[Any, int]()
        for row in rows if type(rows) is list else ():
            if type(row) is dict:
                linked = self._link(row, "Condition")
                if linked is not None and ("id", linked) not in seen:
                    seen["id", linked] = 1
                    problem = {"id": linked}
                else:
                    problem = {"id": element_id(row, seen)}
                self._copied(row, problem, PROBLEM, "CarePlan")
                if len(problem) > 1 or linked:
                    found.append(problem)
        return found

    def _note(self, tree: Tree, note: Tree) -> None:
        self._copied(tree, note, NOTE_AUTHOR, "CarePlan")
        self._moment(tree, note, "time", "time", "CarePlan")
        self._copied(tree, note, NOTE_TEXT, "CarePlan")

    def _team(self, tree: Tree, record: Tree) -> None:
        self._copied(tree, record, TEAM, "CareTeam")
        self._subject(tree, record, "CareTeam")
        self._period(tree, record, "CareTeam.period")
        members = elements(tree.get("participant"), self._member)
        if members:
            record["members"] = members

    def _member(self, tree: Tree, member: Tree) -> None:
        roles = tree.get("role")
        if type(roles) is list and len(roles) == 1 and roles[0] is not None:
            self._concept(roles[0], member, "role", ROLE, "CareTeam.role[!]")
        self._party(tree, member, "member", "name", "CareTeam")
        self._party(tree, member, "onBehalfOf", "organization", "CareTeam")

    def _goal(self, tree: Tree, record: Tree) -> None:
        extension = first(tree.get("extension"), WORDS)
        words = extension.get("valueString") if extension is not None else None
        if words is not None:
            if type(words) is str and words:
                record["patient_words"] = words
            else:
                self._foreign(words, "Goal.extension[url=$ext/patient-words].valueString")
        self._copied(tree, record, GOAL, "Goal")
        for element, name, codes in (
            ("achievementStatus", "achievement", ACHIEVEMENT),
            ("priority", "priority", PRIORITY),
            ("description", "statement", None),
        ):
            value = tree.get(element)
            if value is not None:
                self._concept(value, record, name, codes, f"Goal.{element}")
        self._subject(tree, record, "Goal")
        self._day(tree, record, "startDate", "start", "Goal")
        targets = elements(tree.get("target"), self._target_of)
        if targets:
            record["target"] = targets
        self._day(tree, record, "statusDate", "status_date", "Goal")
        self._party(tree, record, "expressedBy", "expressed_by", "Goal")
        problems = self._all_related(tree.get("addresses"), "Condition")
        if problems:
            record["problems"] = problems

    def _target_of(self, tree: Tree, target: Tree) -> None:
        measure = tree.get("measure")
        if measure is not None:
            self._concept(measure, target, "measure", None, "Goal.measure")
        value = tree.get("detailQuantity")
        if type(value) is dict:
            quantity: Tree = {}
            number = value.get("value")
            if number is not None:
                if is_number(number):
                    quantity["value"] = number
                else:
                    self._foreign(number, "Goal.detailQuantity.value")
            self._copied(value, quantity, QUANTITY, "Goal.detailQuantity")
            if quantity:
                target["detail"] = {"quantity": quantity}
        self._day(tree, target, "dueDate", "due", "Goal")

    def _request(self, tree: Tree, record: Tree) -> None:
        rows = tree.get("extension")
        goals = [row.get("valueReference") for row in rows if is_of(row, PERTAINS)] if type(rows) is list else []
        related = self._all_related(goals, "Goal")
        if related:
            record["goals"] = related
        self._copied(tree, record, REQUEST_STATUS, "ServiceRequest")
        intent = tree.get("intent")
        if intent is not None and intent != "plan":
            if type(intent) is str and intent in INTENTS:
                record["intent"] = intent
            else:
                self._foreign(intent, "ServiceRequest.intent")
        self._copied(tree, record, REQUEST_PRIORITY, "ServiceRequest")
        activity = tree.get("code")
        if activity is not None:
            self._concept(activity, record, "activity", ACTIVITY, "ServiceRequest.code")
        self._subject(tree, record, "ServiceRequest")
        self._schedule(tree.get("occurrenceTiming"), record)
        self._moment(tree, record, "authoredOn", "authored", "ServiceRequest")
        performers = tree.get("performer")
        names = [party(row) for row in performers] if type(performers) is list else []
        if names and any(name is not None for name in names):
            record["performers"] = [name for name in names if name is not None]
        self._reason(tree.get("reasonCode"), record)
        problems = self._all_related(tree.get("reasonReference"), "Condition")
        if problems:
            record["problems"] = problems

    def _schedule(self, timing: Any, record: Tree) -> None:
        code = timing.get("code") if type(timing) is dict else None
        text = code.get("text") if type(code) is dict else None
        if text is not None:
            if type(text) is str and text:
                record["schedule"] = {"text": text}
            else:
                self._foreign(text, "ServiceRequest.occurrenceTiming.code.text")

    def _reason(self, rows: Any, record: Tree) -> None:
        row = rows[0] if type(rows) is list and len(rows) == 1 else None
        text = row.get("text") if type(row) is dict else None
        if text is not None:
            if type(text) is str and text:
                record["reason"] = text
            else:
                self._foreign(text, "ServiceRequest.reasonCode[!].text")
