"""The job of the mapping suite as a careful person writes it in Python: plain functions, tables as dictionaries."""

from __future__ import annotations

from typing import Any

from adapter.identity import IDENTIFIER_SYSTEM, NS, resource_id

Tree = dict[str, Any]
WORDS = f"{NS}/StructureDefinition/patient-words"
PERTAINS = "http://hl7.org/fhir/StructureDefinition/resource-pertainsToGoal"
SNOMED, NUCC = "http://snomed.info/sct", "http://nucc.org/provider-taxonomy"
ACHIEVEMENT = "http://terminology.hl7.org/CodeSystem/goal-achievement"
PRIORITY = "http://terminology.hl7.org/CodeSystem/goal-priority"
ACHIEVEMENTS = {code: (ACHIEVEMENT, code) for code in ("in-progress", "improving", "worsening", "achieved")}
PRIORITIES = {code: (PRIORITY, code) for code in ("high-priority", "medium-priority", "low-priority")}
ACTIVITIES = {
    "cbt": (SNOMED, "228557008"),
    "relapse-prevention-alcohol": (SNOMED, "720176005"),
    "peer-support": (SNOMED, "461481000124109"),
}
ROLES = {
    "psychiatrist": (SNOMED, "80584001"),
    "psychotherapist": (SNOMED, "224588003"),
    "peer-specialist": (NUCC, "175T00000X"),
}
BACK = [{pair: code for code, pair in table.items()} for table in (ACHIEVEMENTS, PRIORITIES, ACTIVITIES, ROLES)]
ACHIEVEMENTS_BACK, PRIORITIES_BACK, ACTIVITIES_BACK, ROLES_BACK = BACK


def to_fhir(plan: Tree) -> Tree:
    """A plan → a Bundle of its CarePlan, CareTeams, Goals and ServiceRequests."""
    patient = _held("Patient", plan["patient"])
    urls: dict[str, str] = {}
    inner = [_team(plan, team, patient, urls) for team in plan.get("care_team", ())]
    inner += [_goal(plan, goal, patient, urls) for goal in plan.get("goals", ())]
    inner += [_request(plan, request, patient, urls) for request in plan.get("interventions", ())]
    entries = [_entry(_plan(plan, patient, urls)), *map(_entry, inner)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _entry(resource: Tree) -> Tree:
    return {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}


def _head(type_: str, plan: Tree, record_id: str, part: str = "") -> Tree:
    return {
        "resourceType": type_,
        "id": resource_id("plan", plan["id"], part),
        "identifier": [{"system": IDENTIFIER_SYSTEM, "value": record_id}],
    }


def _held(type_: str, record_id: str) -> Tree:
    return {"type": type_, "identifier": {"system": IDENTIFIER_SYSTEM, "value": record_id}}


def _copied(source: Tree, target: Tree, names: dict[str, str]) -> None:
    for name, element in names.items():
        if name in source:
            target[element] = source[name]


def _concept(concept: Tree, table: dict[str, tuple[str, str]]) -> Tree:
    tree: Tree = {}
    if "system" in concept:
        tree["coding"] = [{key: concept[key] for key in ("system", "code", "display") if key in concept}]
    elif "code" in concept:
        system, code = table[concept["code"]]
        tree["coding"] = [{"system": system, "code": code}]
    if "text" in concept:
        tree["text"] = concept["text"]
    return tree


def _plan(plan: Tree, patient: Tree, urls: dict[str, str]) -> Tree:
    tree = _head("CarePlan", plan, plan["id"])
    _copied(plan, tree, {"title": "title", "status": "status", "intent": "intent", "description": "description"})
    tree["subject"] = dict(patient)
    if "period" in plan:
        tree["period"] = dict(plan["period"])
    if "created" in plan:
        tree["created"] = plan["created"]
    if "author" in plan:
        tree["author"] = {"display": plan["author"]}
    if "care_team" in plan:
        tree["careTeam"] = [{"reference": urls[team["id"]]} for team in plan["care_team"]]
    if "goals" in plan:
        tree["goal"] = [{"reference": urls[goal["id"]]} for goal in plan["goals"]]
    if "interventions" in plan:
        tree["activity"] = [{"reference": {"reference": urls[row["id"]]}} for row in plan["interventions"]]
    if "problems" in plan:
        tree["addresses"] = [_problem(row) for row in plan["problems"]]
    if "notes" in plan:
        tree["note"] = [_note(note) for note in plan["notes"]]
    return tree


def _problem(problem: Tree) -> Tree:
    tree = _held("Condition", problem["id"])
    if "text" in problem:
        tree["display"] = problem["text"]
    return tree


def _note(note: Tree) -> Tree:
    tree: Tree = {}
    _copied(note, tree, {"author": "authorString", "time": "time", "text": "text", "id": "id"})
    return tree


def _part(type_: str, plan: Tree, item: Tree, urls: dict[str, str]) -> Tree:
    tree = _head(type_, plan, item["id"], f"{type_}/{item['id']}")
    urls[item["id"]] = f"urn:uuid:{tree['id']}"
    return tree


def _team(plan: Tree, team: Tree, patient: Tree, urls: dict[str, str]) -> Tree:
    tree = _part("CareTeam", plan, team, urls)
    _copied(team, tree, {"status": "status", "name": "name"})
    tree["subject"] = dict(patient)
    if "period" in team:
        tree["period"] = dict(team["period"])
    if "members" in team:
        tree["participant"] = [_member(member) for member in team["members"]]
    return tree


def _member(member: Tree) -> Tree:
    tree: Tree = {}
    if "role" in member:
        tree["role"] = [_concept(member["role"], ROLES)]
    if "name" in member:
        tree["member"] = {"display": member["name"]}
    if "organization" in member:
        tree["onBehalfOf"] = {"display": member["organization"]}
    tree["id"] = member["id"]
    return tree


def _goal(plan: Tree, goal: Tree, patient: Tree, urls: dict[str, str]) -> Tree:
    tree = _part("Goal", plan, goal, urls)
    if "patient_words" in goal:
        tree["extension"] = [{"url": WORDS, "valueString": goal["patient_words"]}]
    if "lifecycle" in goal:
        tree["lifecycleStatus"] = goal["lifecycle"]
    if "achievement" in goal:
        tree["achievementStatus"] = _concept(goal["achievement"], ACHIEVEMENTS)
    if "priority" in goal:
        tree["priority"] = _concept(goal["priority"], PRIORITIES)
    if "statement" in goal:
        tree["description"] = _concept(goal["statement"], {})
    tree["subject"] = dict(patient)
    if "start" in goal:
        tree["startDate"] = goal["start"]
    if "target" in goal:
        tree["target"] = [_target(target) for target in goal["target"]]
    if "status_date" in goal:
        tree["statusDate"] = goal["status_date"]
    if "expressed_by" in goal:
        tree["expressedBy"] = {"display": goal["expressed_by"]}
    if "problems" in goal:
        tree["addresses"] = [_held("Condition", problem) for problem in goal["problems"]]
    return tree


def _target(target: Tree) -> Tree:
    tree: Tree = {}
    if "measure" in target:
        tree["measure"] = _concept(target["measure"], {})
    quantity = target.get("detail", {}).get("quantity")
    if quantity is not None:
        tree["detailQuantity"] = dict(quantity)
    if "due" in target:
        tree["dueDate"] = target["due"]
    tree["id"] = target["id"]
    return tree


def _request(plan: Tree, request: Tree, patient: Tree, urls: dict[str, str]) -> Tree:
    tree = _part("ServiceRequest", plan, request, urls)
    if "goals" in request:
        tree["extension"] = [
            {"url": PERTAINS, "valueReference": {"reference": urls[goal]} if goal in urls else _held("Goal", goal)}
            for goal in request["goals"]
        ]
    if "status" in request:
        tree["status"] = request["status"]
    tree["intent"] = request.get("intent", "plan")
    if "priority" in request:
        tree["priority"] = request["priority"]
    if "activity" in request:
        tree["code"] = _concept(request["activity"], ACTIVITIES)
    tree["subject"] = dict(patient)
    if "text" in request.get("schedule", {}):
        tree["occurrenceTiming"] = {"code": {"text": request["schedule"]["text"]}}
    if "authored" in request:
        tree["authoredOn"] = request["authored"]
    if "performers" in request:
        tree["performer"] = [{"display": name} for name in request["performers"]]
    if "reason" in request:
        tree["reasonCode"] = [{"text": request["reason"]}]
    if "problems" in request:
        tree["reasonReference"] = [_held("Condition", problem) for problem in request["problems"]]
    return tree
