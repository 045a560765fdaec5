"""The way back of the mapping suite's job, by hand: a Bundle → its plan."""

from __future__ import annotations

from typing import Any

from adapter.identity import IDENTIFIER_SYSTEM
from bench.peers.by_hand import (
    ACHIEVEMENTS_BACK,
    ACTIVITIES_BACK,
    PERTAINS,
    PRIORITIES_BACK,
    ROLES_BACK,
    WORDS,
)

Tree = dict[str, Any]
Codes = dict[tuple[str, str], str]


def from_fhir(bundle: Tree) -> Tree:
    """A Bundle with one CarePlan → the plan."""
    named = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
    tree = next(resource for resource in named.values() if resource["resourceType"] == "CarePlan")
    plan: Tree = {"kind": "plan", "id": _own_id(tree)}
    for name in ("title", "status", "intent", "description"):
        if name in tree:
            plan[name] = tree[name]
    if "subject" in tree:
        plan["patient"] = _id_of(tree["subject"], named)
    if "period" in tree:
        plan["period"] = dict(tree["period"])
    if "created" in tree:
        plan["created"] = tree["created"]
    if "author" in tree:
        plan["author"] = tree["author"]["display"]
    if "careTeam" in tree:
        plan["care_team"] = [_team(named[row["reference"]]) for row in tree["careTeam"]]
    if "goal" in tree:
        plan["goals"] = [_goal(named[row["reference"]], named) for row in tree["goal"]]
    if "activity" in tree:
        plan["interventions"] = [_request(named[row["reference"]["reference"]], named) for row in tree["activity"]]
    if "addresses" in tree:
        plan["problems"] = [_problem(row, named) for row in tree["addresses"]]
    if "note" in tree:
        plan["notes"] = [_note(note) for note in tree["note"]]
    return plan


def _own_id(resource: Tree) -> str:
    for identifier in resource["identifier"]:
        if identifier.get("system") == IDENTIFIER_SYSTEM:
            return identifier["value"]  # type: ignore[no-any-return]
    raise ValueError("a resource without our identifier")


def _id_of(reference: Tree, named: dict[str, Tree]) -> str:
    if "reference" in reference:
        return _own_id(named[reference["reference"]])
    return reference["identifier"]["value"]  # type: ignore[no-any-return]


def _concept(tree: Tree, table: Codes) -> Tree:
    concept: Tree = {}
    if "coding" in tree:
        coding = tree["coding"][0]
        code = table.get((coding["system"], coding["code"]))
        concept = (
            {"code": code} if code else {key: coding[key] for key in ("system", "code", "display") if key in coding}
        )
    if "text" in tree:
        concept["text"] = tree["text"]
    return concept


def _problem(reference: Tree, named: dict[str, Tree]) -> Tree:
    problem = {"id": _id_of(reference, named)}
    if "display" in reference:
        problem["text"] = reference["display"]
    return problem


def _note(tree: Tree) -> Tree:
    note = {"id": tree["id"]}
    for element, name in (("authorString", "author"), ("time", "time"), ("text", "text")):
        if element in tree:
            note[name] = tree[element]
    return note


def _team(tree: Tree) -> Tree:
    team: Tree = {"id": _own_id(tree)}
    for name in ("status", "name"):
        if name in tree:
            team[name] = tree[name]
    if "period" in tree:
        team["period"] = dict(tree["period"])
    if "participant" in tree:
        team["members"] = [_member(row) for row in tree["participant"]]
    return team


def _member(tree: Tree) -> Tree:
    member: Tree = {"id": tree["id"]}
    if "role" in tree:
        member["role"] = _concept(tree["role"][0], ROLES_BACK)
    if "member" in tree:
        member["name"] = tree["member"]["display"]
    if "onBehalfOf" in tree:
        member["organization"] = tree["onBehalfOf"]["display"]
    return member


def _goal(tree: Tree, named: dict[str, Tree]) -> Tree:
    goal: Tree = {"id": _own_id(tree)}
    for extension in tree.get("extension", ()):
        if extension["url"] == WORDS:
            goal["patient_words"] = extension["valueString"]
    if "lifecycleStatus" in tree:
        goal["lifecycle"] = tree["lifecycleStatus"]
    if "achievementStatus" in tree:
        goal["achievement"] = _concept(tree["achievementStatus"], ACHIEVEMENTS_BACK)
    if "priority" in tree:
        goal["priority"] = _concept(tree["priority"], PRIORITIES_BACK)
    if "description" in tree:
        goal["statement"] = _concept(tree["description"], {})
    if "startDate" in tree:
        goal["start"] = tree["startDate"]
    if "target" in tree:
        goal["target"] = [_target(row) for row in tree["target"]]
    if "statusDate" in tree:
        goal["status_date"] = tree["statusDate"]
    if "expressedBy" in tree:
        goal["expressed_by"] = tree["expressedBy"]["display"]
    if "addresses" in tree:
        goal["problems"] = [_id_of(row, named) for row in tree["addresses"]]
    return goal


def _target(tree: Tree) -> Tree:
    target: Tree = {"id": tree["id"]}
    if "measure" in tree:
        target["measure"] = _concept(tree["measure"], {})
    if "detailQuantity" in tree:
        target["detail"] = {"quantity": dict(tree["detailQuantity"])}
    if "dueDate" in tree:
        target["due"] = tree["dueDate"]
    return target


def _request(tree: Tree, named: dict[str, Tree]) -> Tree:
    request: Tree = {"id": _own_id(tree)}
    goals = [
        _id_of(extension["valueReference"], named)
        for extension in tree.get("extension", ())
        if extension["url"] == PERTAINS
    ]
    if goals:
        request["goals"] = goals
    for element, name in (("status", "status"), ("priority", "priority"), ("authoredOn", "authored")):
        if element in tree:
            request[name] = tree[element]
    if tree.get("intent") != "plan":
        request["intent"] = tree["intent"]
    if "code" in tree:
        request["activity"] = _concept(tree["code"], ACTIVITIES_BACK)
    if "occurrenceTiming" in tree:
        request["schedule"] = {"text": tree["occurrenceTiming"]["code"]["text"]}
    if "performer" in tree:
        request["performers"] = [row["display"] for row in tree["performer"]]
    if "reasonCode" in tree:
        request["reason"] = tree["reasonCode"][0]["text"]
    if "reasonReference" in tree:
        request["problems"] = [_id_of(row, named) for row in tree["reasonReference"]]
    return request
