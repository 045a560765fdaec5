"""glom: both directions as specs."""

from __future__ import annotations

from typing import Any

from glom import SKIP, Coalesce, S, T, glom

SYSTEM = "https://careplan-adapter.org/fhir/identifier"
WORDS = "https://careplan-adapter.org/fhir/StructureDefinition/patient-words"
PERTAINS = "http://hl7.org/fhir/StructureDefinition/resource-pertainsToGoal"
SNOMED, NUCC = "http://snomed.info/sct", "http://nucc.org/provider-taxonomy"
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
GOAL_CODES = "http://terminology.hl7.org/CodeSystem/goal-"


def maybe(*spec: Any) -> Any:
    """A value where it is there; else its key is left out."""
    return Coalesce(spec if len(spec) > 1 else spec[0], default=SKIP)


def held(type_: str) -> Any:
    """An id → a Reference by identifier."""
    return lambda id_: {"type": type_, "identifier": {"system": SYSTEM, "value": id_}}


def concept(tree: Any) -> Any:
    """A concept of the record → CodeableConcept."""
    made: Any = {"coding": [{key: tree[key] for key in ("system", "code", "display") if key in tree}]}
    if not made["coding"][0]:
        del made["coding"]
    return {**made, "text": tree["text"]} if "text" in tree else made


def coded(table: dict[str, tuple[str, str]]) -> Any:
    """Our code → CodeableConcept."""
    return lambda code: {"coding": [dict(zip(("system", "code"), table[code], strict=True))]}


def goal_code(name: str) -> Any:
    """A code of a goal → CodeableConcept."""
    return lambda code: {"coding": [{"system": GOAL_CODES + name, "code": code}]}


def head(type_: str) -> Any:
    """What every resource begins with."""
    return {
        "resourceType": lambda _: type_,
        "id": "fhirId",
        "identifier": ("id", lambda id_: [{"system": SYSTEM, "value": id_}]),
    }


def url(item: Any) -> Any:
    """An item → a Reference to its resource."""
    return {"reference": f"urn:uuid:{item['fhirId']}"}


DISPLAY = {"display": T}
PATIENT = S.patient
PLAN = {
    **head("CarePlan"),
    **{name: maybe(name) for name in ("title", "status", "intent", "description", "period", "created")},
    "subject": PATIENT,
    "author": maybe("author", DISPLAY),
    "careTeam": maybe("care_team", [url]),
    "goal": maybe("goals", [url]),
    "activity": maybe("interventions", [(url, {"reference": T})]),
    "addresses": maybe(
        "problems",
        [lambda row: {**held("Condition")(row["id"]), **({"display": row["text"]} if "text" in row else {})}],
    ),
    "note": maybe(
        "notes", [{"authorString": maybe("author"), "time": maybe("time"), "text": maybe("text"), "id": "id"}]
    ),
}
TEAM = {
    **head("CareTeam"),
    **{name: maybe(name) for name in ("status", "name", "period")},
    "subject": PATIENT,
    "participant": maybe(
        "members",
        [
            {
                "role": maybe("role.code", coded(ROLES), lambda made: [made]),
                "member": maybe("name", DISPLAY),
                "onBehalfOf": maybe("organization", DISPLAY),
                "id": "id",
            }
        ],
    ),
}
GOAL = {
    **head("Goal"),
    "extension": maybe("patient_words", lambda text: [{"url": WORDS, "valueString": text}]),
    "lifecycleStatus": maybe("lifecycle"),
    "achievementStatus": maybe("achievement.code", goal_code("achievement")),
    "priority": maybe("priority.code", goal_code("priority")),
    "description": maybe("statement", concept),
    "subject": PATIENT,
    "startDate": maybe("start"),
    "target": maybe(
        "target",
        [
            {
                "measure": maybe("measure", concept),
                "detailQuantity": maybe("detail.quantity"),
                "dueDate": maybe("due"),
                "id": "id",
            }
        ],
    ),
    "statusDate": maybe("status_date"),
    "expressedBy": maybe("expressed_by", DISPLAY),
    "addresses": maybe("problems", [held("Condition")]),
}
REQUEST = {
    **head("ServiceRequest"),
    "extension": maybe("goals"),
    "status": maybe("status"),
    "intent": Coalesce("intent", default="plan"),
    "priority": maybe("priority"),
    "code": maybe("activity.code", coded(ACTIVITIES)),
    "subject": PATIENT,
    "occurrenceTiming": maybe("schedule.text", {"code": {"text": T}}),
    "authoredOn": maybe("authored"),
    "performer": maybe("performers", [DISPLAY]),
    "reasonCode": maybe("reason", lambda text: [{"text": text}]),
    "reasonReference": maybe("problems", [held("Condition")]),
}


def to_fhir(plan: Any) -> Any:
    """A plan → its Bundle."""
    urls = {goal["id"]: f"urn:uuid:{goal['fhirId']}" for goal in plan.get("goals", ())}
    scope = {"patient": held("Patient")(plan["patient"])}
    resources = [glom(plan, PLAN, scope=scope)]
    for name, spec in (("care_team", TEAM), ("goals", GOAL), ("interventions", REQUEST)):
        resources += glom(plan.get(name, []), [spec], scope=scope)
    for resource in resources:
        if resource["resourceType"] == "ServiceRequest" and "extension" in resource:
            resource["extension"] = [
                {"url": PERTAINS, "valueReference": {"reference": urls[id_]}} for id_ in resource["extension"]
            ]
    entries = [{"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


OWN = ("identifier", lambda rows: next(row["value"] for row in rows if row["system"] == SYSTEM))
ACTIVITIES_BACK = {pair: code for code, pair in ACTIVITIES.items()}
ROLES_BACK = {pair: code for code, pair in ROLES.items()}


def concept_back(tree: Any) -> Any:
    """A CodeableConcept → concept of the record."""
    made = dict(tree["coding"][0]) if "coding" in tree else {}
    return {**made, "text": tree["text"]} if "text" in tree else made


def back(table: dict[tuple[str, str], str]) -> Any:
    """A Coding → our code."""
    return lambda coding: {"code": table[coding["system"], coding["code"]]}


def from_fhir(bundle: Any) -> Any:
    """A Bundle → its plan."""
    named = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}

    def id_of(reference: Any) -> Any:
        if "reference" in reference:
            return glom(named[reference["reference"]], OWN)
        return reference["identifier"]["value"]

    tree = next(resource for resource in named.values() if resource["resourceType"] == "CarePlan")
    return glom(tree, _plan(named, id_of))


def _plan(named: Any, id_of: Any) -> Any:
    there = lambda reference: named[reference]  # noqa: E731 - a step of a spec
    same = {name: maybe(name) for name in ("status", "period")}
    member = {
        "id": "id",
        "role": maybe("role.0.coding.0", back(ROLES_BACK)),
        "name": maybe("member.display"),
        "organization": maybe("onBehalfOf.display"),
    }
    target = {
        "id": "id",
        "measure": maybe("measure", concept_back),
        "detail": maybe("detailQuantity", {"quantity": T}),
        "due": maybe("dueDate"),
    }
    goal = {
        "id": OWN,
        "patient_words": maybe("extension.0.valueString"),
        "lifecycle": maybe("lifecycleStatus"),
        "achievement": maybe("achievementStatus.coding.0.code", {"code": T}),
        "priority": maybe("priority.coding.0.code", {"code": T}),
        "statement": maybe("description", concept_back),
        "start": maybe("startDate"),
        "target": maybe("target", [target]),
        "status_date": maybe("statusDate"),
        "expressed_by": maybe("expressedBy.display"),
        "problems": maybe("addresses", [id_of]),
    }
    request = {
        "id": OWN,
        "goals": maybe("extension", ["valueReference"], [id_of]),
        "status": maybe("status"),
        "intent": Coalesce("intent", skip="plan", default=SKIP),
        "priority": maybe("priority"),
        "activity": maybe("code.coding.0", back(ACTIVITIES_BACK)),
        "schedule": maybe("occurrenceTiming.code.text", {"text": T}),
        "authored": maybe("authoredOn"),
        "performers": maybe("performer", ["display"]),
        "reason": maybe("reasonCode.0.text"),
        "problems": maybe("reasonReference", [id_of]),
    }
    return {
        "kind": lambda _: "plan",
        "id": OWN,
        **{name: maybe(name) for name in ("title", "status", "intent", "description", "period", "created")},
        "patient": maybe("subject", id_of),
        "author": maybe("author.display"),
        "care_team": maybe(
            "careTeam",
            ["reference"],
            [there],
            [{"id": OWN, **same, "name": maybe("name"), "members": ("participant", [member])}],
        ),
        "goals": maybe("goal", ["reference"], [there], [goal]),
        "interventions": maybe("activity", ["reference.reference"], [there], [request]),
        "problems": maybe("addresses", [{"id": id_of, "text": maybe("display")}]),
        "notes": maybe(
            "note", [{"id": "id", "author": maybe("authorString"), "time": maybe("time"), "text": maybe("text")}]
        ),
    }
