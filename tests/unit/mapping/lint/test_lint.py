"""Every message of lint, each by a pack that has that fault at a known place; and how findings are allowed and ordered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapter.errors import Finding
from adapter.mapping.functions import FUNCTIONS
from adapter.mapping.lint.messages import MESSAGES, ORDER
from adapter.mapping.lint.sides import VIA
from adapter.packs import available
from adapter.services.lint import lint

PACK = """\
name: odd
version: 1.0.0
prefixes:
  ext: https://odd.example/StructureDefinition
  cs: https://odd.example/CodeSystem
  uscore: http://hl7.org/fhir/us/core/StructureDefinition
"""
GOAL = "map: goal\nrecord: goal\nresource: Goal\nrules:\n"
PLAN = "map: plan\nrecord: plan\nresource: CarePlan\nrules:\n"
PATIENT = "map: patient\nrecord: patient\nresource: Patient\nrules:\n"
RELATED = "http://hl7.org/fhir/StructureDefinition/condition-related"


def extension(name: str, context: str, *parts: str, type_: str = "string", most: str = "1") -> dict[str, Any]:
    rows: list[dict[str, Any]] = [{"id": "Extension", "path": "Extension", "min": 0, "max": most}]
    for part in parts:
        rows += [
            {"id": f"Extension.extension:{part}", "path": "Extension.extension", "sliceName": part, "min": 0, "max": "*"},
            {"id": f"Extension.extension:{part}.url", "path": "Extension.extension.url", "fixedUri": part},
            {"id": f"Extension.extension:{part}.value[x]", "path": "Extension.extension.value[x]", "type": [{"code": type_}]},
        ]  # fmt: skip
    if not parts:
        rows.append({"id": "Extension.value[x]", "path": "Extension.value[x]", "type": [{"code": type_}]})
    return {
        "resourceType": "StructureDefinition",
        "url": f"https://odd.example/StructureDefinition/{name}",
        "kind": "complex-type",
        "type": "Extension",
        "derivation": "constraint",
        "context": [{"type": "element", "expression": context}],
        "snapshot": {"element": rows},
    }


def concept_map(*targets: dict[str, Any] | str, **group: Any) -> dict[str, Any]:
    """A map of the codes a, b, … to these targets of one published system."""
    elements = [
        {
            "code": code,
            "target": [target if isinstance(target, dict) else {"code": target, "equivalence": "equivalent"}],
        }
        for code, target in zip("abcdef", targets, strict=False)
    ]
    rows = [{"target": "http://loinc.org", "element": elements, **group}]
    return {"resourceType": "ConceptMap", "url": "https://odd.example/ConceptMap/m", "group": rows}


def made(folder: Path, files: dict[str, Any]) -> Path:
    place = folder / "odd"
    for name, content in {"pack.yaml": PACK, **files}.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
    return place


def goal(*rules: str) -> dict[str, Any]:
    return {"maps/goal.yaml": GOAL + "".join(f"  - {rule}\n" for rule in rules)}


def patient(*rules: str) -> dict[str, Any]:
    return {"maps/patient.yaml": PATIENT + "".join(f"  - {rule}\n" for rule in rules)}


WORDS = {"structuredefinitions/words.json": extension("words", "Goal")}
PARTS = {"structuredefinitions/parts.json": extension("parts", "Goal", "one", "two")}
MEASURE = "{record: statement, fhir: description, concept: m}"
ANSWER = "map: part\nrecord: assessment\nat: instruments\nresource: QuestionnaireResponse\nrules: []\n"
KINDS = "kinds:\n  row: {schema: schemas/row.json, id: key}\n"
ROWS = json.dumps(
    {"properties": {"no": {}, "rows": {"type": "array", "items": {"properties": {"name": {}, "value": {}}}}}}
)
SELECTING = "map: row\nrecord: row\nresource: Patient\nrules:\n  - {record: 'rows[name=a].value', fhir: language}\n"

# message id → (files, where it is told)
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "file-unreadable": ({"maps/goal.yaml/x": ""}, "maps/goal.yaml:1:1"),
    "file-outside": ({}, "maps/link.yaml:1:1"),
    "file-too-large": ({"maps/goal.yaml": "#" + "x" * 1_100_000}, "maps/goal.yaml:1:1"),
    "yaml-encoding": ({"maps/goal.yaml": b"map: goal\nrecord: \xff\n"}, "maps/goal.yaml:2:1"),
    "yaml-syntax": ({"maps/goal.yaml": "map: [goal\n"}, "maps/goal.yaml:2:1"),
    "yaml-alias": ({"maps/goal.yaml": "map: &a goal\nrecord: *a\n"}, "maps/goal.yaml:1:6"),
    "yaml-tag": ({"maps/goal.yaml": "map: !!python/object:os.system goal\n"}, "maps/goal.yaml:1:6"),
    "yaml-too-deep": ({"maps/goal.yaml": "map: " + "[" * 80 + "]" * 80}, "maps/goal.yaml:1:65"),
    "yaml-key": ({"maps/goal.yaml": "? [a]\n: b\n"}, "maps/goal.yaml:1:3"),
    "yaml-key-twice": ({"maps/goal.yaml": "map: goal\nmap: goal\n"}, "maps/goal.yaml:2:1"),
    "file-shape": ({"maps/goal.yaml": "- a\n"}, "maps/goal.yaml:1:1"),
    "head-key": ({"pack.yaml": PACK + "colour: red\n"}, "pack.yaml:7:1"),
    "head-value": ({"pack.yaml": PACK.replace("1.0.0", "one")}, "pack.yaml:2:10"),
    "resource-not-json": ({"valuesets/v.json": "{"}, "valuesets/v.json:1:2"),
    "resource-type": ({"valuesets/v.json": {"resourceType": "Goal"}}, "valuesets/v.json:1:1"),
    "resource-url": ({"valuesets/v.json": {"resourceType": "ValueSet"}}, "valuesets/v.json:1:1"),
    "resource-version": ({"questionnaires/q.json": {"resourceType": "Questionnaire", "url": "x"}}, "questionnaires/q.json:1:1"),
    "resource-twice": ({f"valuesets/{n}.json": {"resourceType": "ValueSet", "url": "x"} for n in "ab"}, "valuesets/b.json:1:1"),
    "definition": ({"structuredefinitions/x.json": {**extension("x", "Goal"), "snapshot": 1}}, "structuredefinitions/x.json:1:1"),
    "keyword-unknown": (goal("{recrod: lifecycle, fhir: lifecycleStatus}"), "maps/goal.yaml:5:6"),
    "keyword-value": (goal("{record: [lifecycle], fhir: lifecycleStatus}"), "maps/goal.yaml:5:6"),
    "keyword-missing": ({"maps/goal.yaml": "map: goal\nrecord: goal\nresource: Goal\n"}, "maps/goal.yaml:1:1"),
    "keyword-idle": (goal("{record: lifecycle, fhir: lifecycleStatus, wrap: coding}"), "maps/goal.yaml:5:48"),
    "rule-shape": (goal("lifecycle"), "maps/goal.yaml:5:5"),
    "rule-path-missing": (goal("{record: lifecycle}"), "maps/goal.yaml:5:6"),
    "path-syntax": (goal("{record: lifecycle, fhir: 'a[0]'}"), "maps/goal.yaml:5:25"),
    "function-argument": (goal("{record: start, fhir: startDate, via: date MM/DD/YY}"), "maps/goal.yaml:5:38"),
    "unit-unknown": (goal("{record: start, fhir: startDate, quantity: furlong}"), "maps/goal.yaml:5:38"),
    "rule-wrapped": (goal("{record: start, either: [{fhir: startDate}]}"), "maps/goal.yaml:5:21"),
    "rule-rows": (
        {"pack.yaml": PACK + KINDS.replace("key", "no"), "schemas/row.json": ROWS, "maps/row.yaml": SELECTING},
        "maps/row.yaml:5:6",
    ),
    "kind-id": ({"pack.yaml": PACK + KINDS, "schemas/row.json": '{"properties": {"no": {}}}'}, "pack.yaml:8:3"),
    "kind-schema": ({"pack.yaml": PACK + KINDS}, "pack.yaml:8:3"),
    "function-unknown": (goal("{derive: narrativ, fhir: text, names: [start]}"), "maps/goal.yaml:5:6"),
    "map-unknown": ({"maps/plan.yaml": PLAN + "  - {record: goals, fhir: goal, parts: [gaol]}\n"}, "maps/plan.yaml:5:33"),
    "group-unknown": (goal("{record: notes, fhir: note, items: nots}"), "maps/goal.yaml:5:33"),
    "group-loop": ({"maps/goal.yaml": GOAL.replace("rules", "groups:\n  g:\n    - {record: a, fhir: b, object: g}\nrules") + "  - {record: detail, fhir: target, object: g}\n"}, "maps/goal.yaml:6:28"),
    "release-unknown": (goal("{record: start, fhir: startDate, only: R7}"), "maps/goal.yaml:5:38"),
    "conceptmap-unknown": (goal("{record: achievement, fhir: achievementStatus, concept: m}"), "maps/goal.yaml:5:52"),
    "template": ({"maps/part.yaml": ANSWER.replace("[]", '\n  - {template: "x/{name}/{name}", fhir: questionnaire}')}, "maps/part.yaml:6:6"),
    "conceptmap-shape": ({"conceptmaps/m.json": {**concept_map(), "group": {}}}, "conceptmaps/m.json:4:11"),
    "conceptmap-sources": ({"conceptmaps/m.json": {**concept_map(), "group": [{"source": "x"}, {"source": "y"}]}}, "conceptmaps/m.json:8:3"),
    "conceptmap-cycle": ({"conceptmaps/m.json": concept_map("1", target="https://odd.example/CodeSystem/m")}, "conceptmaps/m.json:5:3"),
    "conceptmap-unmapped": ({"conceptmaps/m.json": concept_map(unmapped={"mode": "fixed"})}, "conceptmaps/m.json:5:3"),
    "conceptmap-code-missing": ({"conceptmaps/m.json": concept_map(element=[{}])}, "conceptmaps/m.json:8:5"),
    "conceptmap-equivalence": ({"conceptmaps/m.json": concept_map({"code": "1", "equivalence": "alike"})}, "conceptmaps/m.json:11:7"),
    "conceptmap-target-missing": ({"conceptmaps/m.json": concept_map({"equivalence": "equal"})}, "conceptmaps/m.json:11:7"),
    "conceptmap-depends": ({"conceptmaps/m.json": concept_map({"code": "1", "equivalence": "equal", "product": []})}, "conceptmaps/m.json:11:7"),
    "conceptmap-contradiction": ({"conceptmaps/m.json": concept_map(element=[{"code": "a", "target": [{"code": "1", "equivalence": "equal"}, {"equivalence": "unmatched"}]}])}, "conceptmaps/m.json:15:7"),
    "conceptmap-target-twice": ({"conceptmaps/m.json": concept_map(element=[{"code": "a", "target": [{"code": "1", "equivalence": "equal"}] * 2}])}, "conceptmaps/m.json:15:7"),
    "conceptmap-preferences": ({"conceptmaps/m.json": concept_map(*[{"code": "1", "equivalence": "equal", "extension": [{"url": "https://careplan-adapter.org/fhir/StructureDefinition/preferred", "valueBoolean": True}]}] * 2)}, "conceptmaps/m.json:26:7"),
    "record-kind": ({"maps/goal.yaml": GOAL.replace("record: goal", "record: gaol") + "  []\n"}, "maps/goal.yaml:2:1"),
    "record-path": (goal("{record: lifecycel, fhir: lifecycleStatus}"), "maps/goal.yaml:5:6"),
    "resource-unknown": ({"maps/goal.yaml": GOAL.replace("Goal", "Gaol") + "  []\n"}, "maps/goal.yaml:3:1"),
    "fhir-path-unknown": (goal("{record: lifecycle, fhir: lifecycleStats}"), "maps/goal.yaml:5:25"),
    "fhir-path-list": (goal("{record: start, fhir: target.dueDate}"), "maps/goal.yaml:5:21"),
    "fhir-path-single": (goal('{record: start, fhir: "startDate[!]"}'), "maps/goal.yaml:5:21"),
    "selector-never": (patient('{record: language, fhir: "telecom[system=pigeon].value"}'), "maps/patient.yaml:5:24"),
    "extension-unknown": (goal('{record: patient_words, fhir: "extension[url=$ext/no].valueString"}'), "maps/goal.yaml:5:29"),
    "extension-part-unknown": ({**PARTS, **goal('{record: patient_words, fhir: "extension[url=$ext/parts].extension[url=three].valueString"}')}, "maps/goal.yaml:5:29"),
    "extension-context": (goal(f'{{record: patient_words, fhir: "extension[url={RELATED}].valueReference.display"}}'), "maps/goal.yaml:5:29"),
    "extension-value": ({**WORDS, **goal('{record: patient_words, fhir: "extension[url=$ext/words].valueDate"}')}, "maps/goal.yaml:5:29"),
    "profile-unknown": (goal("{set: [$uscore/us-core-gaol], fhir: meta.profile}"), "maps/goal.yaml:5:6"),
    "profile-type": (goal("{set: [$uscore/us-core-patient], fhir: meta.profile}"), "maps/goal.yaml:5:6"),
    "list-single": (goal("{record: expressed_by, fhir: note}"), "maps/goal.yaml:5:28"),
    "type-differs": (goal("{record: start, fhir: statusReason}"), "maps/goal.yaml:5:21"),
    "reference-target": (goal("{record: patient, fhir: subject, link: Goal}"), "maps/goal.yaml:5:38"),
    "not-invertible": (goal("{record: lifecycle, fhir: lifecycleStatus, values: {active: active, planned: active}}"), "maps/goal.yaml:5:73"),
    "fhir-twice": (goal("{record: start, fhir: startDate}", "{record: status_date, fhir: startDate}"), "maps/goal.yaml:6:27"),
    "record-twice": (goal("{record: start, fhir: startDate}", "{record: start, fhir: statusDate}"), "maps/goal.yaml:6:6"),
    "rule-never": ({"maps/goal.yaml": GOAL.replace("rules", "when: {lifecycle: nearly}\nrules") + "  []\n"}, "maps/goal.yaml:4:1"),
    "map-unused": ({"maps/part.yaml": ANSWER}, "maps/part.yaml:3:1"),
    "group-unused": ({"maps/goal.yaml": GOAL.replace("rules", "groups:\n  note: []\nrules") + "  []\n"}, "maps/goal.yaml:5:3"),
    "code-not-ours": (goal("{record: lifecycle, fhir: lifecycleStatus, values: {nearly: active}}"), "maps/goal.yaml:5:57"),
    "code-outside": (goal("{record: lifecycle, fhir: lifecycleStatus, values: {active: nearly}}"), "maps/goal.yaml:5:48"),
    "code-untranslated": ({"conceptmaps/m.json": concept_map("1"), "maps/x.yaml": "map: x\nrecord: diagnosis\nresource: Condition\nrules:\n  - {record: course, fhir: clinicalStatus, choice: m, wrap: concept}\n"}, "maps/x.yaml:5:44"),
    "code-unread": (goal("{record: lifecycle, fhir: lifecycleStatus, values: {active: active}}"), "maps/goal.yaml:5:48"),
    "code-ambiguous": ({"conceptmaps/m.json": concept_map("1", "1")}, "conceptmaps/m.json:11:7"),
    "element-unfilled": (goal(MEASURE.replace("m}", "none}")), "maps/goal.yaml:3:1"),
    "profile-unfilled": (patient("{set: [$uscore/us-core-patient], fhir: meta.profile}"), "maps/patient.yaml:3:1"),
    "record-uncarried": (goal("{record: start, fhir: startDate}"), "maps/goal.yaml:2:1"),
    "file-ignored": ({"map/goal.yaml": GOAL}, "map/goal.yaml:1:1"),
    "allow-reason": (goal("{record: start, fhir: startDate} # lint: allow code-unread"), "maps/goal.yaml:5:37"),
    "allow-unused": (goal("{record: start, fhir: startDate} # lint: allow code-unread: not so"), "maps/goal.yaml:5:37"),
}  # fmt: skip


def findings(place: Path) -> list[Finding]:
    return lint(str(place))


@pytest.mark.parametrize("id_", CASES)
def test_each_message_is_told_at_its_place(id_: str, tmp_path: Path) -> None:
    files, spot = CASES[id_]
    place = made(tmp_path, files)
    if id_ == "file-outside":
        (tmp_path / "other.yaml").write_text(GOAL)
        (place / "maps").mkdir()
        (place / "maps" / "link.yaml").symlink_to(tmp_path / "other.yaml")
    found = [row for row in findings(place) if row.id == id_]
    found = [row for row in findings(place) if row.id == id_]
    assert f"odd/{spot}" in {f"{row.file}:{row.line}:{row.column}" for row in found}
    assert {row.severity for row in found} == {MESSAGES[id_].severity}


def test_what_each_function_gives_is_known() -> None:
    assert VIA.keys() == FUNCTIONS.keys()


def test_a_function_gives_a_value_of_its_type(tmp_path: Path) -> None:
    found = findings(made(tmp_path, goal("{record: start, fhir: statusReason, via: date YYYY-MM-DD}")))
    assert "Goal.statusReason is string: date gives date or dateTime" in {row.text for row in found}


def test_a_field_has_one_owner_among_the_resources_of_a_record(tmp_path: Path) -> None:
    files = {
        **goal("{fhir: subject, companion: other, apart: 'yes'}", "{record: start, fhir: startDate}"),
        "maps/other.yaml": PATIENT.replace("patient", "goal") + "  - {record: start, fhir: birthDate}\n",
    }
    spots = {(row.file, row.line, row.text) for row in findings(made(tmp_path, files)) if row.id == "record-twice"}
    assert spots == {("odd/maps/other.yaml", 5, "start has a rule in goal.yaml already: expected one owner")}


def test_every_message_has_its_case() -> None:
    assert CASES.keys() == MESSAGES.keys()


@pytest.mark.parametrize("name", available())
def test_the_packs_that_come_with_the_adapter_are_clean(name: str) -> None:
    assert [str(row) for row in lint(name)] == []


def test_first_things_come_first(tmp_path: Path) -> None:
    rules = ("{record: start, fhir: statusReason}", "{record: nope, fhir: startDate}", "{recrod: x, fhir: y}")
    place = made(tmp_path, {**goal(*rules), "maps/a.yaml": "- no\n"})
    ranks = [ORDER[row.id] for row in findings(place)]
    assert ranks == sorted(ranks)
    assert [row.id for row in findings(place)][:2] == ["file-shape", "keyword-unknown"]


@pytest.mark.parametrize(
    "text",
    [
        "{values}  # lint: allow code-unread: we know only this one",
        "{values}\n# lint: allow code-unread: too late",
    ],
)
def test_an_allowance_stands_on_the_line(text: str, tmp_path: Path) -> None:
    rule = "  - {record: lifecycle, fhir: lifecycleStatus, values: {active: active}}"
    place = made(tmp_path, {"maps/goal.yaml": GOAL + text.replace("{values}", rule) + "\n"})
    told = {row.id for row in findings(place)}
    assert ("code-unread" in told) is ("too late" in text)
    assert ("allow-unused" in told) is ("too late" in text)


def test_an_allowance_above_the_first_key_is_for_the_file(tmp_path: Path) -> None:
    text = "# lint: allow record-uncarried: a goal in one field\n" + GOAL + "  - {record: start, fhir: startDate}\n"
    told = {row.id for row in findings(made(tmp_path, {"maps/goal.yaml": text}))}
    assert "record-uncarried" not in told
    assert "element-unfilled" in told


def test_a_file_without_comments_is_allowed_for_in_the_head(tmp_path: Path) -> None:
    head = PACK + "# lint: allow code-ambiguous in conceptmaps/m.json: two words of ours for one\n"
    place = made(tmp_path, {"pack.yaml": head, "conceptmaps/m.json": concept_map("1", "1")})
    assert [row.id for row in findings(place)] == []


def test_a_thousand_faults_are_all_told(tmp_path: Path) -> None:
    rules = [f"{{record: nope{number}, fhir: startDat}}" for number in range(1000)]
    found = findings(made(tmp_path, goal(*rules)))
    assert sum(row.id == "record-path" for row in found) == 1000
    assert sum(row.id == "fhir-path-unknown" for row in found) == 1000


def test_faults_of_what_is_extended_are_told_there_and_not_here(tmp_path: Path) -> None:
    made(tmp_path, goal("{record: nope, fhir: startDate}"))
    site = tmp_path / "site"
    site.mkdir()
    (site / "pack.yaml").write_text("name: site\nversion: 1.0.0\nextends: odd\n")
    assert findings(site) == []
