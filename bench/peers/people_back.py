"""The resources of the sync suite's people back to their records, by hand, as who writes it for one provider does.

What is given was checked by a model, so that its shape is trusted; what is absent is left out. It needs nothing of ours, so
that it runs with the peers' own packages. `refs` gives the id of the record that a literal reference leads to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Tree = dict[str, Any]
Refs = Mapping[str, str]
NS = "https://careplan-adapter.org/fhir"
OWN = f"{NS}/identifier"
RELATED = "http://hl7.org/fhir/StructureDefinition/condition-related"
CONTROLLED = f"{NS}/StructureDefinition/in-controlled-environment"
WORDS = f"{NS}/StructureDefinition/patient-words"
SNOMED = "http://snomed.info/sct"
CODES = {
    (SNOMED, "66590003"): "alcohol-dependence",
    (SNOMED, "370143000"): "major-depressive-disorder",
    (SNOMED, "255604002"): "mild",
    (SNOMED, "6736007"): "moderate",
    (SNOMED, "24484000"): "severe",
    ("http://terminology.hl7.org/CodeSystem/goal-category", "behavioral"): "behavioural",
    **{("http://terminology.hl7.org/CodeSystem/goal-achievement", code): code for code in ("in-progress", "achieved")},
    **{("http://terminology.hl7.org/CodeSystem/goal-priority", f"{code}-priority"): f"{code}-priority"
       for code in ("high", "medium", "low")},
}  # fmt: skip


def own_id(tree: Tree) -> str | None:
    """The value of the provider's own identifier."""
    for row in tree.get("identifier", ()):
        if row.get("system") == OWN:
            return str(row["value"])
    return None


def _led_to(reference: Tree, refs: Refs) -> str:
    literal = reference.get("reference", "")
    # What is not there is named by its identifier, or else as they name it.
    return refs.get(literal) or str(reference.get("identifier", {}).get("value", literal))


def _copied(tree: Tree, record: Tree, **names: str) -> Tree:
    for name, element in names.items():
        if element in tree:
            record[name] = tree[element]
    return record


def _concept(tree: Tree) -> Tree:
    found: Tree = {}
    rows = tree.get("coding", ())
    if rows:
        head = rows[0]
        code = CODES.get((head.get("system"), head.get("code")))
        found = {"code": code} if code else _copied(head, {}, system="system", code="code", display="display")
    return _copied(tree, found, text="text")


def _note(tree: Tree) -> Tree:
    return _copied(tree, {}, id="id", text="text", author="authorString", time="time")


def patient(tree: Tree, id_: str, _: Refs) -> Tree:
    """A Patient."""
    record: Tree = {"kind": "patient", "id": id_}
    record["identifiers"] = [_identifier(row) for row in tree["identifier"] if row.get("system") != OWN]
    record["names"] = [
        _copied(row, {}, id="id", use="use", text="text", family="family", given="given", prefix="prefix")
        for row in tree.get("name", ())
    ]
    _copied(tree, record, birth_date="birthDate", gender="gender", active="active")
    record["telecom"] = [_telecom(row) for row in tree.get("telecom", ())]
    record["addresses"] = [_address(row) for row in tree.get("address", ())]
    if "communication" in tree:
        record["language"] = _concept(tree["communication"][0]["language"])
    if "maritalStatus" in tree:
        record["marital_status"] = _concept(tree["maritalStatus"])
    record["contacts"] = [_contact(row) for row in tree.get("contact", ())]
    return record


def _identifier(row: Tree) -> Tree:
    found = _copied(row, {}, id="id", system="system", value="value", use="use")
    if "type" in row:
        found["type"] = _concept(row["type"])
    return found


def _telecom(row: Tree) -> Tree:
    return _copied(row, {}, id="id", system="system", value="value", use="use", rank="rank")


def _address(row: Tree) -> Tree:
    return _copied(
        row, {}, id="id", use="use", type="type", line="line", city="city", district="district", state="state",
        postal_code="postalCode", country="country", period="period",
    )  # fmt: skip


def _contact(row: Tree) -> Tree:
    found = {"id": row["id"], "name": row["name"]["text"]}
    found["relationship"] = [_concept(one) for one in row.get("relationship", ())]
    found["telecom"] = [_telecom(one) for one in row.get("telecom", ())]
    return found


def diagnosis(tree: Tree, id_: str, refs: Refs) -> Tree:
    """A Condition."""
    record: Tree = {"kind": "diagnosis", "id": id_, "patient": _led_to(tree["subject"], refs)}
    record["disorder"] = _concept(tree["code"])
    if "severity" in tree:
        record["severity"] = _concept(tree["severity"])
    for name, element in (("course", "clinicalStatus"), ("verification", "verificationStatus")):
        if element in tree:
            record[name] = tree[element]["coding"][0]["code"]
    if "onsetAge" in tree:
        record["onset"] = {"age": tree["onsetAge"]["value"]}
    elif "onsetString" in tree:
        record["onset"] = {"text": tree["onsetString"]}
    _copied(tree, record, recorded="recordedDate")
    if "recorder" in tree:
        record["recorder"] = tree["recorder"]["display"]
    for extension in tree.get("extension", ()):
        if extension["url"] == RELATED:
            record.setdefault("related", []).append(_led_to(extension["valueReference"], refs))
        elif extension["url"] == CONTROLLED:
            record["in_controlled_environment"] = extension["valueBoolean"]
    if "note" in tree:
        record["notes"] = [_note(row) for row in tree["note"]]
    return record


def goal(tree: Tree, id_: str, refs: Refs) -> Tree:
    """A Goal, which is a part of its plan's record."""
    record: Tree = {"id": id_}
    record["statement"] = _concept(tree["description"])
    for extension in tree.get("extension", ()):
        if extension["url"] == WORDS:
            record["patient_words"] = extension["valueString"]
    for name, element in (("priority", "priority"), ("achievement", "achievementStatus")):
        if element in tree:
            record[name] = _concept(tree[element])
    _copied(tree, record, lifecycle="lifecycleStatus", start="startDate", status_date="statusDate")
    _copied(tree, record, status_reason="statusReason")
    record["category"] = [_concept(row) for row in tree.get("category", ())]
    record["target"] = [_target(row) for row in tree.get("target", ())]
    if "expressedBy" in tree:
        record["expressed_by"] = tree["expressedBy"]["display"]
    record["problems"] = [_led_to(row, refs) for row in tree.get("addresses", ())]
    record["notes"] = [_note(row) for row in tree.get("note", ())]
    return record


def _target(tree: Tree) -> Tree:
    target = _copied(tree, {"id": tree["id"]}, due="dueDate")
    if "measure" in tree:
        target["measure"] = _concept(tree["measure"])
    if "detailInteger" in tree:
        target["detail"] = {"integer": tree["detailInteger"]}
    elif "detailRange" in tree:
        target["detail"] = {"range": tree["detailRange"]}
    return target


def plan(tree: Tree, id_: str, refs: Refs, goals: Mapping[str, Tree]) -> Tree:
    """A CarePlan with its Goals, which `goals` gives by their literal references."""
    record: Tree = {"kind": "plan", "id": id_, "patient": _led_to(tree["subject"], refs)}
    _copied(tree, record, status="status", intent="intent", title="title", description="description")
    _copied(tree, record, period="period", created="created")
    if "author" in tree:
        record["author"] = tree["author"]["display"]
    record["problems"] = [_copied(row, {"id": _led_to(row, refs)}, text="display") for row in tree.get("addresses", ())]
    record["goals"] = [goals[row["reference"]] for row in tree.get("goal", ())]
    return record


Back = Callable[[Tree, str, Refs], Tree]
BACK: dict[str, Back] = {"Patient": patient, "Condition": diagnosis, "Goal": goal}
"""All but the plan, in the order in which they refer to each other."""
