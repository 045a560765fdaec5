"""careplan validate: its options as a person or a CI job uses them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main
from tests.unit.exchange.stub import StubServer
from tests.unit.validation.test_packages import archive
from tests.unit.validation.test_profiles import profile
from tests.unit.validation.test_terminology import condition, outcome, snomed

SECRET = "Zacharias"
PLAN = f"""{{
  "resourceType": "CarePlan",
  "status": "activ",
  "intent": "plan",
  "subject": {{"reference": "Patient/1", "display": "{SECRET}"}},
  "text": {{"status": "generated", "div": "<div xmlns='http://www.w3.org/1999/xhtml'><script/></div>"}},
  "activity": [
    {{"detail": {{"status": "in-progress"}}, "reference": {{"display": "x"}}}}
  ]
}}
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    path.write_text(PLAN)
    return path


def run(*words: str | Path, status: int = 1, **env: str) -> Result:
    result = CliRunner().invoke(main, ["validate", *map(str, words)], env=env)
    assert result.exit_code == status, result.output
    return result


def test_sentences_with_line_and_column_and_no_value(plan: Path) -> None:
    lines = run(plan).output.split("\n")
    assert f"{plan}:3:13: error: The code is not in the required value set" in "\n".join(lines)
    assert any(line.startswith(f"{plan}:8:5: error: cpl-3") for line in lines)
    assert SECRET not in "\n".join(lines)
    assert '"activ"' not in "\n".join(lines)


def test_the_line_is_shown_at_a_terminal_only(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import adapter.cli.telling

    class Terminal:
        stdout = type("", (), {"isatty": lambda _self: True})()

    monkeypatch.setattr(adapter.cli.telling, "sys", Terminal)
    shown = run(plan).output
    assert '     3 |   "status": "activ",\n                     ^' in shown


def test_explain_names_the_rule(plan: Path) -> None:
    shown = run(plan, "--explain").output
    assert "by CarePlan.status in FHIR 4.0.1: code, 1..1, required binding to http://hl7.org/fhir/ValueSet/" in shown
    assert "by invariant cpl-3 of CarePlan.activity: detail.empty() or reference.empty()" in shown
    assert "https://hl7.org/fhir/R4/careplan-definitions.html#CarePlan.status" in shown


def test_explain_knows_the_resources_of_a_bundle(tmp_path: Path) -> None:
    resource = {
        "resourceType": "Goal",
        "lifecycleStatus": "none",
        "description": {"text": "x"},
        "subject": {"display": "p"},
    }
    file = tmp_path / "bundle.json"
    entry = {"fullUrl": "http://h/Goal/1", "resource": {**resource, "id": "1"}}
    file.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [entry]}))
    assert "by Goal.lifecycleStatus in FHIR 4.0.1: code, 1..1, required binding" in run(file, "--explain").output


@pytest.mark.parametrize(
    ("tier", "gone"),
    [
        ("narrative", "narrative-element"),
        ("invariants", "invariant-failed"),
        ("bindings", "binding-required"),
    ],
)
def test_a_tier_is_left_out(plan: Path, tier: str, gone: str) -> None:
    assert gone in run(plan).output
    assert gone not in run(plan, "--without", tier).output


def test_no_such_tier_is_an_error_of_the_call(plan: Path) -> None:
    run(plan, "--without", "everything", status=2)


def test_sarif(plan: Path, tmp_path: Path) -> None:
    log = json.loads(run("--format", "sarif", plan).stdout)
    [one] = log["runs"]
    rules = [rule["id"] for rule in one["tool"]["driver"]["rules"]]
    [found] = [row for row in one["results"] if row["ruleId"] == "binding-required"]
    [location] = found["locations"]
    assert rules[found["ruleIndex"]] == "binding-required"
    assert location["physicalLocation"]["region"] == {"startLine": 3, "startColumn": 13}
    assert location["logicalLocations"] == [{"fullyQualifiedName": "CarePlan.status"}]
    assert found["level"] == "error"
    assert SECRET not in json.dumps(log)


def test_junit(plan: Path, tmp_path: Path) -> None:
    good = tmp_path / "good.json"
    good.write_text('{"resourceType": "Patient"}')
    suites = ET.fromstring(run("--format", "junit", plan, good).stdout)
    assert suites.attrib["tests"] == "2"
    assert suites.attrib["failures"] == "1"
    cases = suites.findall("./testsuite/testcase")
    assert [case.find("failure") is not None for case in cases] == [True, False]
    assert "cpl-3" in str(cases[0].findtext("failure"))


def test_forms_of_documents_are_none_of_lines() -> None:
    result = CliRunner().invoke(main, ["validate", "--ndjson", "--format", "sarif"], input=b"{}")
    assert result.exit_code == 2


@pytest.mark.parametrize("way", ["option", "setting"])
def test_a_package(tmp_path: Path, way: str) -> None:
    rule = profile({"id": "Patient.birthDate", "min": 1})
    path = archive(tmp_path / "p.tgz", {"package/StructureDefinition-a.json": rule})
    file = tmp_path / "patient.json"
    file.write_text('{"resourceType": "Patient"}')
    words: list[Any] = [file, "--profile", rule["url"]]
    if way == "option":
        assert "profile-min" in run(*words, "--package", path).output
    else:
        assert "profile-min" in run(*words, CAREPLAN_PACKAGES=str(path)).output
    assert "profile-unknown" in run(*words, status=0).output


def test_a_bad_package_is_refused_by_name(tmp_path: Path) -> None:
    path = archive(tmp_path / "evil.tgz", {"../../etc/passwd": {}})
    result = run("--package", path, "/dev/null", status=2)
    assert "evil.tgz" in result.output


def test_a_terminology_server_and_a_remote_one(tmp_path: Path) -> None:
    file = tmp_path / "condition.json"
    file.write_text(json.dumps(condition("999")))
    with StubServer(snomed) as server:
        assert "code-unknown" in run("--terminology", server.base, file).output
    with StubServer(outcome) as server:
        assert "server-said" in run("--remote", server.base, file).output
    with StubServer(lambda connection: connection.send(503)) as server:
        shown = run("--remote", server.base, "--terminology", server.base, file, status=0).output
        assert "remote-unavailable" in shown
        assert "terminology-unavailable" in shown


def test_nothing_goes_to_a_server_elsewhere_unless_it_is_synthetic(tmp_path: Path) -> None:
    file = tmp_path / "condition.json"
    file.write_text(json.dumps(condition("34840004")))
    shown = run("--remote", "https://fhir.example.org/r4", file, status=0).output
    assert "remote-refused" in shown
    assert run("--remote", "nonsense://x", file, status=2).exit_code == 2


def test_a_wrong_display_is_an_error_where_that_is_wanted(tmp_path: Path) -> None:
    system = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    tree = {
        "resourceType": "Condition",
        "subject": {"display": "p"},
        "clinicalStatus": {"coding": [{"system": system, "code": "active", "display": "Wrong"}]},
    }
    file = tmp_path / "condition.json"
    file.write_text(json.dumps(tree))
    assert "warning: The display" in run(file, status=0).output
    assert "error: The display" in run(file, "--display", "error").output


def test_help_has_examples() -> None:
    shown = run("--help", status=0).output
    assert "Examples:" in shown
    for option in ("--package", "--without", "--explain", "--terminology", "--remote", "--format"):
        assert option in shown


def test_the_verdict_of_the_reference_where_it_is_another(tmp_path: Path) -> None:
    path = tmp_path / "patient.json"
    path.write_text(json.dumps({"resourceType": "Patient", "identifier": [{"system": "urn:oid:1.2.3", "value": "x"}]}))
    run(path, status=0)
    assert "primitive-oid-short" in run("--as-reference", path).stdout
