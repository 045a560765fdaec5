"""The job by hand, for input that is not to be trusted: a plan → a Bundle, and what is wrong with the plan.

What a good Python developer writes for a hospital: plain functions and dictionaries; a value that FHIR cannot say is left
out and said, a code that is not known is said and not guessed, and nothing fails for being absent. As with ours, lists are
lists and items have ids: the schema of the record has seen to that. What both share is no mapping: ids, the calendar, JSON,
and what a foreign reference names.
"""

from __future__ import annotations

from typing import Any

from adapter.issues import Issue
from adapter.mapping.codecs import is_number
from bench.peers.by_hand import PERTAINS, WORDS
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
from bench.peers.careful_writing import Writing, held, party, related

Tree = dict[str, Any]
EMPTY: Tree = {}


def to_fhir(plan: Tree) -> tuple[Tree, list[Issue]]:
    """A plan → a Bundle of its CarePlan, CareTeams, Goals and ServiceRequests, and what could not be written."""
    writer = Writer(plan)
    return writer.bundle(), writer.issues


class Writer(Writing):
    """One plan on its way out."""

    def __init__(self, plan: Tree) -> None:
        super().__init__(plan)
        self.urls: dict[str, str] = {}

    def bundle(self) -> Tree:
        """The Bundle: the plan's own resource first."""
        plan = self.plan
        main = self._head("CarePlan", plan["id"], "")
        inner: list[Tree] = []
        tree = self._plan(main, inner)
        entries = [{"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource} for resource in (tree, *inner)]
        return {"resourceType": "Bundle", "type": "collection", "entry": entries}

    def _plan(self, tree: Tree, inner: list[Tree]) -> Tree:
        plan = self.plan
        self._copied(plan, tree, PLAN, "CarePlan")
        self._subject(tree, "CarePlan")
        self._period(plan, tree, "CarePlan.period")
        self._moment(plan, tree, "created", "created", "CarePlan")
        self._party(plan, tree, "author", "author", "CarePlan")
        for name, element, type_, make in (
            ("care_team", "careTeam", "CareTeam", self._team),
            ("goals", "goal", "Goal", self._goal),
            ("interventions", "activity", "ServiceRequest", self._request),
        ):
            references = [self._part(type_, item, make, inner) for item in plan.get(name) or ()]
            if references:
                tree[element] = references if element != "activity" else [{"reference": row} for row in references]
        problems = plan.get("problems")
        if problems:
            tree["addresses"] = [self._problem(row) for row in problems]
        notes = plan.get("notes")
        if notes:
            tree["note"] = [self._note(row) for row in notes]
        return tree

    def _part(self, type_: str, item: Tree, make: Any, inner: list[Tree]) -> Tree:
        """The reference to an item, whose resource is made where the plan says more of it than its id."""
        id_ = item["id"]
        if len(item) == 1:
            return held(type_, id_)
        tree = self._head(type_, id_, f"{type_}/{id_}")
        url = f"urn:uuid:{tree['id']}"
        if type_ == "Goal":
            self.urls[id_] = url
        inner.append(tree)
        make(item, tree)
        return {"reference": url}

    def _problem(self, problem: Tree) -> Tree:
        tree = held("Condition", problem["id"])
        self._copied(problem, tree, PROBLEM, "CarePlan")
        return tree

    def _note(self, note: Tree) -> Tree:
        tree: Tree = {}
        self._copied(note, tree, NOTE_AUTHOR, "CarePlan")
        self._moment(note, tree, "time", "time", "CarePlan")
        self._copied(note, tree, NOTE_TEXT, "CarePlan")
        tree["id"] = note["id"]
        return tree

    def _team(self, team: Tree, tree: Tree) -> None:
        self._copied(team, tree, TEAM, "CareTeam")
        self._subject(tree, "CareTeam")
        self._period(team, tree, "CareTeam.period")
        members = team.get("members")
        if members:
            tree["participant"] = [self._member(member) for member in members]

    def _member(self, member: Tree) -> Tree:
        tree: Tree = {}
        role = member.get("role")
        if role is not None:
            concept = self._concept(role, ROLE, "CareTeam.role[!]")
            if concept is not None:
                tree["role"] = [concept]
        self._party(member, tree, "name", "member", "CareTeam")
        self._party(member, tree, "organization", "onBehalfOf", "CareTeam")
        tree["id"] = member["id"]
        return tree

    def _goal(self, goal: Tree, tree: Tree) -> None:
        words = goal.get("patient_words")
        if words is not None:
            if type(words) is str and words:
                tree["extension"] = [{"url": WORDS, "valueString": words}]
            else:
                self._left_out("Goal.extension[url=$ext/patient-words].valueString")
        self._copied(goal, tree, GOAL, "Goal")
        for name, element, codes in (
            ("achievement", "achievementStatus", ACHIEVEMENT),
            ("priority", "priority", PRIORITY),
            ("statement", "description", None),
        ):
            value = goal.get(name)
            if value is not None:
                concept = self._concept(value, codes, f"Goal.{element}")
                if concept is not None:
                    tree[element] = concept
        self._subject(tree, "Goal")
        self._day(goal, tree, "start", "startDate", "Goal")
        targets = goal.get("target")
        if targets:
            tree["target"] = [self._target(target) for target in targets]
        self._day(goal, tree, "status_date", "statusDate", "Goal")
        self._party(goal, tree, "expressed_by", "expressedBy", "Goal")
        problems = goal.get("problems")
        if problems:
            tree["addresses"] = [related("Condition", row) for row in problems]

    def _target(self, target: Tree) -> Tree:
        tree: Tree = {}
        measure = target.get("measure")
        if measure is not None:
            concept = self._concept(measure, None, "Goal.measure")
            if concept is not None:
                tree["measure"] = concept
        quantity = (target.get("detail") or EMPTY).get("quantity")
        if quantity:
            self._quantity(quantity, tree)
        self._day(target, tree, "due", "dueDate", "Goal")
        tree["id"] = target["id"]
        return tree

    def _quantity(self, quantity: Tree, tree: Tree) -> None:
        made: Tree = {}
        value = quantity.get("value")
        if value is not None:
            if is_number(value):
                made["value"] = value
            else:
                self._left_out("Goal.detailQuantity.value")
        self._copied(quantity, made, QUANTITY, "Goal.detailQuantity")
        if made:
            tree["detailQuantity"] = made

    def _request(self, request: Tree, tree: Tree) -> None:
        goals = request.get("goals")
        if goals:
            tree["extension"] = [{"url": PERTAINS, "valueReference": self._goal_of(row)} for row in goals]
        self._copied(request, tree, REQUEST_STATUS, "ServiceRequest")
        intent = request.get("intent", "plan")
        if type(intent) is str and intent in INTENTS:
            tree["intent"] = intent
        else:
            self._left_out("ServiceRequest.intent")
        self._copied(request, tree, REQUEST_PRIORITY, "ServiceRequest")
        activity = request.get("activity")
        if activity is not None:
            concept = self._concept(activity, ACTIVITY, "ServiceRequest.code")
            if concept is not None:
                tree["code"] = concept
        self._subject(tree, "ServiceRequest")
        text = (request.get("schedule") or EMPTY).get("text")
        if text is not None:
            if type(text) is str and text:
                tree["occurrenceTiming"] = {"code": {"text": text}}
            else:
                self._left_out("ServiceRequest.occurrenceTiming.code.text")
        self._moment(request, tree, "authored", "authoredOn", "ServiceRequest")
        performers = request.get("performers")
        if performers:
            tree["performer"] = [party(row) for row in performers]
        reason = request.get("reason")
        if reason is not None:
            if type(reason) is str and reason:
                tree["reasonCode"] = [{"text": reason}]
            else:
                self._left_out("ServiceRequest.reasonCode[!].text")
        problems = request.get("problems")
        if problems:
            tree["reasonReference"] = [related("Condition", row) for row in problems]

    def _goal_of(self, goal: Any) -> Tree:
        url = self.urls.get(goal) if type(goal) is str else None
        return {"reference": url} if url is not None else related("Goal", goal)
