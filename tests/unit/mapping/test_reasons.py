"""Why an element or a field is what it is, in the words that `careplan explain` says."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from adapter.services.explain import explain
from adapter.services.knowledge import Knowledge

Tree = dict[str, Any]
ID = "6e6f0bd2-3a6c-4a0e-8d0b-1c8a4f1f0001"
GOAL: Tree = {"resourceType": "Goal", "id": "g", "lifecycleStatus": "active", "description": {"text": "Sleep"}}
PLAN: Tree = {
    "resourceType": "CarePlan",
    "id": "p",
    "status": "active",
    "intent": "plan",
    "goal": [{"reference": "Goal/g", "type": "Goal", "x": 1}],
    "activity": [{"detail": {"status": "in-progress", "kind": "ServiceRequest", "code": {"text": "Walk"}}}],
    "note": [{"text": "n", "authorReference": {"reference": "Patient/1"}}],
    "extension": [
        {
            "url": "https://careplan-adapter.org/fhir/StructureDefinition/relapse-prevention",
            "extension": [{"url": "trigger", "valueString": "Noise"}],
        }
    ],
    "instantiatesUri": 5,
    "created": "2026",
    "category": [{"text": "a"}],
}
_ASSESSMENT: Tree = {"kind": "assessment", "id": ID, "status": "completed", "questionnaire": "https://x.test|1"}
INTAKE: Tree = {**_ASSESSMENT, "substances": [{"route": {"code": "oral"}}]}
SCORED: Tree = {**_ASSESSMENT, "instruments": [{"id": ID, "name": "phq-9", "total": 1}]}
VISIT: Tree = {"resourceType": "Encounter", "id": "e", "status": "planned"}
CARRIED = "it is carried as remainder, and comes back as it was"
AGE = "Condition.onsetAge(system=$ucum,code=a,unit:=years).value"
BARE: Tree = {"resourceType": "CarePlan", "id": "p"}
OURS_SYSTEM = "https://careplan-adapter.org/fhir/identifier"
OURS: Tree = {
    **GOAL,
    "identifier": [{"system": OURS_SYSTEM, "value": ID}],
    "subject": {"reference": "Patient/9", "identifier": {"system": OURS_SYSTEM, "value": ID}},
    "note": [{"text": "x", "identifier": {"value": ID}}],
}
REQUEST: Tree = {"resourceType": "ServiceRequest", "id": "s", "status": "active", "intent": "order"}
DETAIL = "Condition.evidence.detail[!]"
EVIDENCE: Tree = {
    "resourceType": "Condition",
    "evidence": [{"type": "x", "code": [{"text": "a"}], "detail": [{"reference": "Goal/1"}, {"reference": "Goal/2"}]}],
}
EMPTY: Tree = {
    "kind": "plan",
    "id": ID,
    "status": "active",
    "intent": "plan",
    "goals": [],
    "contributors": [],
    "problems": [],
}
# A row of numbered columns with a code that the pack does not have.
NUMBERED: Tree = {
    "kind": "intake",
    "client_no": "C-31007",
    "last_name": "Roe",
    "sex": "F",
    "intake_dt": "01/02/2026",
    "sub1_name": "ALC",
    "sub1_years": "2",
    "sub1_role": "zz",
}


def bundle(*resources: Tree) -> Tree:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": row} for row in resources]}


known = cache(Knowledge.of)


@pytest.mark.parametrize(
    ("pack", "tree", "path", "status", "text", "rule"),
    [
        (
            "core",
            INTAKE,
            "substances",
            "holds",
            "Nothing of it is on the other side: ask for its fields one by one.",
            "",
        ),
        (
            "core",
            {
                "kind": "plan",
                "id": ID,
                "status": "active",
                "intent": "plan",
                "goals": [{"id": ID, "lifecycle": "active", "priority": {"code": "zz"}}],
            },
            "goals[0].priority",
            "not-written",
            "The code is not one of this pack's. The value is not one that FHIR can say here; it was left out.",
            "Goal.priority",
        ),
        (
            "core",
            {"resourceType": "CarePlan", "id": "p", "extension": [{"url": "https://x.test", "valueString": "x"}]},
            "/extension/0/valueString",
            "not-selected",
            "The rule for CarePlan.extension[url=$ext/change-reason].valueString does not take this one: it reads only what its selector or its map asks for; it is carried as remainder, and comes back as it was.",
            "CarePlan.extension[url=$ext/change-reason].valueString",
        ),
        (
            "core",
            {
                "resourceType": "QuestionnaireResponse",
                "status": "completed",
                "questionnaire": "https://careplan-adapter.org/fhir/Questionnaire/intake|1.0.0",
                "item": [
                    {
                        "linkId": "substances",
                        "item": [
                            {"linkId": "substances.age-first-use", "answer": [{"valueInteger": 1}, {"valueInteger": 2}]}
                        ],
                    }
                ],
            },
            "/item/0/item/0/answer/0/valueInteger",
            "not-selected",
            "The rule for QuestionnaireResponse.item[linkId=substances].item[linkId=substances.age-first-use].answer[!].valueInteger does not take this one: it reads the only element of the list, and here it cannot; it is carried as remainder, and comes back as it was.",
            "QuestionnaireResponse.item[linkId=substances].item[linkId=substances.age-first-use].answer[!].valueInteger",
        ),
        ("core", PLAN, "/resourceType", "identity", "The type says which map reads the resource.", ""),
        (
            "core",
            PLAN,
            "/id",
            "identity",
            "Ids are made of what a thing is (kind, record, part), or kept as they came.",
            "",
        ),
        (
            "core",
            PLAN,
            "/extension/0/url",
            "selector",
            "A rule knows the element by it, and writes it when it makes one.",
            "CarePlan.extension[url=$ext/relapse-prevention].extension[url=trigger]",
        ),
        (
            "core",
            PLAN,
            "/extension/0/extension/0/url",
            "mapped",
            "Both ways.",
            "CarePlan.extension[url=$ext/relapse-prevention].extension[url=trigger]",
        ),
        (
            "core",
            PLAN,
            "/activity/0/detail/kind",
            "default",
            "This is what FHIR has where the record leaves the field out.",
            "CarePlan.activity.detail.kind",
        ),
        ("core", PLAN, "/activity/0/detail/status", "mapped", "Both ways.", "CarePlan.activity.detail.status"),
        (
            "core",
            PLAN,
            "/instantiatesUri",
            "not-selected",
            "The rule for CarePlan.instantiatesUri does not take this one: it is carried as remainder, and comes back as it was.",
            "CarePlan.instantiatesUri",
        ),
        ("core", PLAN, "/category/0/text", "mapped", "Both ways.", "CarePlan.category"),
        (
            "core",
            PLAN,
            "/goal/0/x",
            "remainder",
            "No rule of this pack owns it: it is carried as remainder, and comes back as it was.",
            "",
        ),
        (
            "core",
            PLAN,
            "/goal/0/reference",
            "mapped",
            "It names the record or resource of this item: the item's id is known by it.",
            "CarePlan.goal",
        ),
        (
            "core",
            PLAN,
            "/goal/0/type",
            "mapped",
            "It names the record or resource of this item: the item's id is known by it.",
            "CarePlan.goal",
        ),
        (
            "core",
            bundle(PLAN, GOAL, VISIT),
            "/entry/0/resource/goal/0/reference",
            "mapped",
            "It names the record or resource of this item: the item's id is known by it.",
            "CarePlan.goal",
        ),
        (
            "core",
            bundle(PLAN, GOAL, VISIT),
            "/entry/0/resource/goal/0/type",
            "mapped",
            "It names the record or resource of this item: the item's id is known by it.",
            "CarePlan.goal",
        ),
        (
            "core",
            bundle(PLAN, GOAL, VISIT),
            "/entry/0/resource/goal/0/x",
            "remainder",
            "No rule of this pack owns it: it is carried as remainder, and comes back as it was.",
            "",
        ),
        (
            "core",
            bundle(PLAN, GOAL, VISIT),
            "/entry/1/resource",
            "holds",
            "No rule owns it as a whole: the rules of what it holds do.",
            "",
        ),
        (
            "core",
            bundle(PLAN, GOAL, VISIT),
            "/entry/0/resource",
            "holds",
            "No rule owns it as a whole: the rules of what it holds do.",
            "",
        ),
        (
            "core",
            bundle(PLAN, GOAL, VISIT),
            "/entry/2/resource",
            "type-not-mapped",
            "No map of this pack is for Encounter: it is carried as remainder, and comes back as it was.",
            "",
        ),
        (
            "core",
            bundle(PLAN, GOAL, VISIT),
            "/entry/2/resource/status",
            "type-not-mapped",
            "No map of this pack is for Encounter: it is carried as remainder, and comes back as it was.",
            "",
        ),
        (
            "core",
            bundle(PLAN, GOAL, VISIT),
            "/entry/2",
            "bundle",
            "It is of the Bundle itself: the shape of the input is kept, no rule is asked.",
            "",
        ),
        (
            "core",
            bundle(PLAN, GOAL, VISIT),
            "/type",
            "bundle",
            "It is of the Bundle itself: the shape of the input is kept, no rule is asked.",
            "",
        ),
        ("core", PLAN, "/note/0/authorReference/reference", "mapped", "Both ways.", "CarePlan.note.authorReference"),
        (
            "core",
            {**GOAL, "identifier": [{"system": "https://careplan-adapter.org/fhir/identifier", "value": ID}]},
            "/identifier/0",
            "identity",
            "Our identifier: its value is the id of the record.",
            "",
        ),
        (
            "core",
            {
                **GOAL,
                "identifier": [
                    {"system": "https://careplan-adapter.org/fhir/identifier", "value": ID},
                    {"system": "urn:x", "value": "1"},
                ],
            },
            "/identifier/1/value",
            "mapped",
            "Both ways.",
            "Goal.identifier.value",
        ),
        (
            "core",
            {**GOAL, "note": [{"id": "n1", "text": "x"}]},
            "/note/0/id",
            "identity",
            "The id of the item, written down only where the one made of its content would differ.",
            "",
        ),
        (
            "core",
            {**GOAL, "statusReason": 5},
            "/statusReason",
            "not-understood",
            "The rule is for it, but the value is none that the record can hold: it is carried as remainder, and comes back as it was.",
            "Goal.statusReason",
        ),
        (
            "core",
            {**GOAL, "priority": {"coding": [{"system": "x"}]}},
            "/priority",
            "not-understood",
            "The rule is for it, but the value is none that the record can hold: it is carried as remainder, and comes back as it was.",
            "Goal.priority",
        ),
        (
            "core",
            {
                "resourceType": "QuestionnaireResponse",
                "status": "completed",
                "questionnaire": "https://x.test|1",
                "item": [
                    {"linkId": "substances", "item": [{"linkId": "substances.route", "answer": [{"valueString": "x"}]}]}
                ],
            },
            "/item/0/item/0/answer/0/valueString",
            "mapped",
            "Both ways.",
            "QuestionnaireResponse.item.answer.valueString",
        ),
        (
            "core",
            {"kind": "goal", "id": ID, "lifecycle": "active", "extra": 1},
            "extra",
            "no-rule",
            "No rule of this pack maps this field: it does not go out.",
            "",
        ),
        (
            "core",
            {"kind": "goal", "id": ID, "lifecycle": "active"},
            "kind",
            "identity",
            "The kind says which map writes the record.",
            "",
        ),
        (
            "core",
            {"kind": "goal", "id": ID, "lifecycle": "active"},
            "target",
            "absent",
            "The record does not have it. The rule at core/maps/goal.yaml:18:5 reads it from Goal.target, and 34 more for what it holds.",
            "Goal.target",
        ),
        (
            "core",
            {"kind": "goal", "id": ID, "lifecycle": "active"},
            "statement",
            "absent",
            "The record does not have it. The rule at core/maps/goal.yaml:14:5 reads it from Goal.description.",
            "Goal.description",
        ),
        (
            "core",
            INTAKE,
            "substances[0].route",
            "not-selected",
            "Its rule is in the map intake, which is not for a record like this one.",
            "QuestionnaireResponse.item[linkId=substances].item[linkId=substances.route].answer[!].valueCoding",
        ),
        (
            "core",
            SCORED,
            "instruments[0].name",
            "mapped",
            "Both ways.",
            "QuestionnaireResponse.questionnaire",
        ),
        (
            "core",
            SCORED,
            "Observation.valueInteger",
            "mapped",
            "Both ways.",
            "Observation.valueInteger",
        ),
        (
            "intake-flat",
            {
                "kind": "intake",
                "client_no": "C-31007",
                "last_name": "Roe",
                "sex": "F",
                "intake_dt": "01/02/2026",
                "housing": "zz",
            },
            "housing",
            "not-written",
            "The code is not one of this pack's. The value is not one that FHIR can say here; it was left out.",
            "QuestionnaireResponse.item[linkId=social].item[linkId=social.housing].answer[!].valueCoding",
        ),
        (
            "intake-flat",
            {"kind": "intake", "client_no": "C-31007", "last_name": "Roe", "sex": "F", "intake_dt": "01/02/2026"},
            "QuestionnaireResponse.subject",
            "mapped",
            "It leads to a second resource, which holds further fields of the same item.",
            "QuestionnaireResponse.subject",
        ),
        (
            "intake-flat",
            {
                "resourceType": "Patient",
                "id": "x",
                "multipleBirthInteger": 1,
                "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "xx"}]}}],
            },
            "/multipleBirthInteger",
            "type-not-mapped",
            "No map of this pack is for a Patient like this one: it is carried as remainder, and comes back as it was. The packs core, ecare, intake-eav and plan-problems have rules for it.",
            "",
        ),
        (
            "intake-flat",
            {"resourceType": "CarePlan", "id": "x", "title": "a"},
            "/title",
            "type-not-mapped",
            "No map of this pack is for CarePlan: it is carried as remainder, and comes back as it was. The packs core, ecare and plan-problems have rules for it.",
            "",
        ),
        (
            "intake-flat",
            {"resourceType": "Condition", "id": "x", "severity": {"text": "a"}},
            "/severity/text",
            "type-not-mapped",
            "No map of this pack is for a Condition like this one: it is carried as remainder, and comes back as it was. The packs core, ecare and plan-problems have rules for it.",
            "",
        ),
        (
            "core",
            {**GOAL, "extension": [{"url": "urn:x", "valueInteger": 1}]},
            "/extension/0/valueInteger",
            "remainder",
            f"No rule of this pack owns it: {CARRIED}. The pack ecare has a rule for it.",
            "",
        ),
        (
            "intake-flat",
            {"resourceType": "Observation", "status": "final"},
            "/status",
            "type-not-mapped",
            f"No map of this pack is for Observation: {CARRIED}. The packs core and ecare have rules for it.",
            "",
        ),
        (
            "core",
            {
                "resourceType": "Consent",
                "status": "active",
                "provision": {"provision": [{"type": "deny", "actor": [{"role": {"text": "x"}}]}]},
            },
            "/provision/provision/0/actor/0/role",
            "mapped",
            "Both ways.",
            "Consent.provision.provision.actor.role",
        ),
        ("core", BARE, "", "mapped", "It is the main resource of a record of the kind plan.", ""),
        (
            "core",
            bundle({**BARE, "goal": [{"reference": "Goal/g"}]}, {"resourceType": "Goal", "id": "g"}),
            "/entry/1/resource",
            "mapped",
            "It is part of a record of the kind plan.",
            "",
        ),
        ("core", VISIT, "", "type-not-mapped", f"No map of this pack is for Encounter: {CARRIED}.", ""),
        (
            "core",
            {"resourceType": "List", "entry": [{"item": {"reference": "Patient/1"}}]},
            "/entry/0/item/reference",
            "type-not-mapped",
            f"No map of this pack is for List: {CARRIED}.",
            "",
        ),
        (
            "core",
            {**BARE, "addresses": [{"reference": "Condition/1"}]},
            "/addresses/0/reference",
            "mapped",
            "It names the record or resource of this item: the item's id is known by it.",
            "CarePlan.addresses",
        ),
        (
            "core",
            bundle({**BARE, "activity": [{"reference": {"reference": "ServiceRequest/s"}}]}, REQUEST),
            "/entry/0/resource/activity/0/reference/reference",
            "mapped",
            "It names the record or resource of this item: the item's id is known by it.",
            "CarePlan.activity",
        ),
        (
            "core",
            EVIDENCE,
            "/evidence/0/detail/0/reference",
            "not-selected",
            f"The rule for {DETAIL} does not take this one: it reads the only element of the list, and here it cannot; {CARRIED}.",
            DETAIL,
        ),
        ("core", EVIDENCE, "/evidence/0/type", "remainder", f"No rule of this pack owns it: {CARRIED}.", ""),
        (
            "core",
            {**PLAN, "activity": [{"detail": {"status": "in-progress", "kind": "Walk"}}]},
            "/activity/0/detail/kind",
            "not-understood",
            f"The rule is for it, but the value is not in the table of the rule: {CARRIED}.",
            "CarePlan.activity.detail.kind",
        ),
        (
            "core",
            {"resourceType": "Condition", "clinicalStatus": {"coding": [{"system": "urn:x", "code": "a"}]}},
            "/clinicalStatus",
            "not-understood",
            f"The rule is for it, but the value is not in course: {CARRIED}.",
            "Condition.clinicalStatus",
        ),
        (
            "core",
            {"resourceType": "Condition", "onsetAge": {"value": 5}},
            "/onsetAge/value",
            "not-selected",
            f"The rule for {AGE} does not take this one: it reads only what its selector or its map asks for; {CARRIED}.",
            AGE,
        ),
        ("core", EMPTY, "goals", "not-written", "The rule makes nothing of it.", "CarePlan.goal"),
        ("core", EMPTY, "contributors", "not-written", "The rule makes nothing of it.", "CarePlan.contributor"),
        ("core", EMPTY, "problems", "not-written", "The rule makes nothing of it.", "CarePlan.addresses"),
        (
            "core",
            {**_ASSESSMENT, "instruments": [{"id": ID, "version": "2", "total": 1}]},
            "instruments[0].version",
            "not-written",
            "The value is not one that FHIR can say here; it was left out.",
            "QuestionnaireResponse.questionnaire",
        ),
        ("core", OURS, "/identifier/0/system", "identity", "Our identifier: its value is the id of the record.", ""),
        ("core", OURS, "/identifier/0/value", "identity", "Our identifier: its value is the id of the record.", ""),
        ("core", OURS, "/subject/identifier/system", "mapped", "Both ways.", "Goal.subject"),
        ("core", OURS, "/note/0/identifier/value", "remainder", f"No rule of this pack owns it: {CARRIED}.", ""),
        (
            "core",
            {**GOAL, "identifier": [{"system": "urn:y", "value": "4"}]},
            "/identifier/0",
            "mapped",
            "Both ways.",
            "Goal.identifier",
        ),
        (
            "core",
            {"kind": "goal", "id": ID, "lifecycle": "active", "target": []},
            "target",
            "not-written",
            "The rule makes nothing of it.",
            "Goal.target",
        ),
        (
            "core",
            {"kind": "goal", "id": ID, "lifecycle": "active", "target": [{}]},
            "target",
            "mapped",
            "Written, but not read back.",
            "Goal.target",
        ),
        (
            "core",
            SCORED,
            "Observation.effectiveDateTime",
            "absent",
            "It is not in the Bundle that is made. Its rule is one-way: the answers have it.",
            "Observation.effectiveDateTime",
        ),
        (
            "intake-flat",
            NUMBERED,
            "sub1_role",
            "not-written",
            "The rule makes nothing of it.",
            "QuestionnaireResponse.item[linkId=substances].item[linkId=substances.role].answer[!].valueCoding",
        ),
        (
            "intake-flat",
            NUMBERED,
            "QuestionnaireResponse.item.where(linkId='substances').item.where(linkId='substances.role')",
            "absent",
            "It is not in the Bundle that is made. The rule at intake-flat/maps/intake.yaml:30:9 writes it from sub#_*[].role.",
            "QuestionnaireResponse.item[linkId=substances].item[linkId=substances.role].answer[!].valueCoding",
        ),
    ],
)
def test_each_answer_says_what_it_is_why_and_by_which_rule(
    pack: str, tree: Tree, path: str, status: str, text: str, rule: str
) -> None:
    found = explain(known(pack), tree, path)
    assert (found["status"], found["text"], (found["rule"] or {"fhir": ""})["fhir"]) == (status, text, rule)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Knowledge:
    """A pack that leaves most of a goal out, tells one field in the narrative alone, and writes one that it does not read."""
    folder = tmp_path_factory.mktemp("pack")
    (folder / "maps").mkdir()
    (folder / "pack.yaml").write_text("name: small\nversion: 1.0.0\n")
    rules = {
        "goal": (
            "{derive: narrative, fhir: text, names: [lifecycle, achievement]}",
            "{record: lifecycle, fhir: lifecycleStatus}",
            "{record: start, fhir: startDate, one_way: a test}",
        ),
        "plan": ("{record: patient, fhir: subject, link: Patient}", "{record: status, fhir: status}"),
    }
    for kind, type_ in (("goal", "Goal"), ("plan", "CarePlan")):
        rows = "".join(f"  - {rule}\n" for rule in rules[kind])
        (folder / "maps" / f"{kind}.yaml").write_text(f"map: {kind}\nrecord: {kind}\nresource: {type_}\nrules:\n{rows}")
    return Knowledge.of(str(folder))


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("start", "one-way", "Written and never read: a test."),
        ("achievement", "no-rule", "No rule of this pack maps this field: it does not go out."),
        ("patient", "no-rule", "No rule of this pack maps this field: it does not go out."),
        ("lifecycle", "mapped", "Both ways."),
    ],
)
def test_only_rules_that_are_for_a_field_of_this_kind_answer_for_it(
    small: Knowledge, path: str, status: str, text: str
) -> None:
    goal = {
        "kind": "goal", "id": ID, "patient": ID, "lifecycle": "active", "start": "2026-01-01",
        "achievement": {"code": "achieved"},
    }  # fmt: skip
    found = explain(small, goal, path)
    assert (found["status"], found["text"]) == (status, text)
