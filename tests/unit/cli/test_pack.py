"""careplan pack as another program calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from adapter.cli import main

PACK = "name: odd\nversion: 1.0.0\n"


def careplan(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_a_clean_pack_is_silent() -> None:
    done = careplan("pack", "lint", "core")
    assert (done.exit_code, done.stdout) == (0, "")


def test_faults_have_their_place(tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    (tmp_path / "pack.yaml").write_text(PACK)
    (tmp_path / "maps" / "goal.yaml").write_text(
        "record: goal\nresource: Goal\nrules:\n  - {recrod: lifecycle, fhir: lifecycleStatus}\n"
    )
    done = careplan("pack", "lint", tmp_path)
    assert done.exit_code == 1
    assert "maps/goal.yaml:4:6: error: unknown keyword recrod; did you mean record?" in done.stdout


def test_a_pack_that_is_not_there_is_a_wrong_call() -> None:
    done = careplan("pack", "lint", "nowhere")
    assert done.exit_code == 2
    assert "There is no pack nowhere." in done.stderr


def _odd(folder: Path, *rules: str) -> Path:
    (folder / "maps").mkdir()
    (folder / "pack.yaml").write_text(PACK)
    rows = "".join(f"  - {rule}\n" for rule in rules)
    (folder / "maps" / "goal.yaml").write_text(f"record: goal\nresource: Goal\nrules:\n{rows}")
    return folder


def test_findings_as_json_say_what_to_do(tmp_path: Path) -> None:
    done = careplan("pack", "lint", "--format", "json", _odd(tmp_path, "{recrod: lifecycle, fhir: lifecycleStatus}"))
    (row, *_) = json.loads(done.stdout)["findings"]
    assert row == {
        "file": f"{tmp_path.name}/maps/goal.yaml",
        "line": 4,
        "column": 6,
        "severity": "error",
        "id": "keyword-unknown",
        "text": "unknown keyword recrod",
        "near": "record",
        "remedy": "Use a keyword of docs/mapping.md.",
    }


def test_findings_as_annotations_are_escaped(tmp_path: Path) -> None:
    done = careplan("pack", "lint", "--format", "github", _odd(tmp_path, "{recrod: lifecycle, fhir: lifecycleStatus}"))
    assert done.stdout.splitlines()[0] == (
        f"::error file={tmp_path.name}/maps/goal.yaml,line=4,col=6,title=keyword-unknown"
        "::unknown keyword recrod; did you mean record? Use a keyword of docs/mapping.md."
    )


def test_findings_as_sarif(tmp_path: Path) -> None:
    done = careplan("pack", "lint", "--format", "sarif", _odd(tmp_path, "{record: nope, fhir: nope}"))
    log = json.loads(done.stdout)
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert log["version"] == "2.1.0"
    assert {"record-path", "fhir-path-unknown"} <= set(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning")
        region = result["locations"][0]["physicalLocation"]["region"]
        assert region["startLine"] >= 1
        assert region["startColumn"] >= 1


TEXT = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
RULE = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "shortDescription": TEXT,
        "help": TEXT,
        "defaultConfiguration": {"type": "object", "properties": {"level": LEVEL}, "additionalProperties": False},
    },
    "required": ["id"],
    "additionalProperties": False,
}
REGION = {
    "type": "object",
    "properties": {name: {"type": "integer", "minimum": 1} for name in ("startLine", "startColumn")},
    "additionalProperties": False,
}
PLACE = {
    "type": "object",
    "properties": {
        "artifactLocation": {"type": "object", "properties": {"uri": {"type": "string", "format": "uri-reference"}}, "additionalProperties": False},
        "region": REGION,
    },
    "additionalProperties": False,
}  # fmt: skip
RESULT = {
    "type": "object",
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": -1},
        "level": LEVEL,
        "message": TEXT,
        "locations": {"type": "array", "items": {"type": "object", "properties": {"physicalLocation": PLACE}, "additionalProperties": False}},
    },
    "required": ["message"],
    "additionalProperties": False,
}  # fmt: skip
DRIVER = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "version": {"type": "string"}, "rules": {"type": "array", "items": RULE, "uniqueItems": True}},
    "required": ["name"],
    "additionalProperties": False,
}  # fmt: skip
RUN = {
    "type": "object",
    "properties": {
        "tool": {"type": "object", "properties": {"driver": DRIVER}, "required": ["driver"], "additionalProperties": False},
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "results": {"type": "array", "items": RESULT},
    },
    "required": ["tool"],
    "additionalProperties": False,
}  # fmt: skip
# What the specification says of the properties that we write.
SARIF = {
    "type": "object",
    "properties": {"$schema": {"type": "string"}, "version": {"const": "2.1.0"}, "runs": {"type": "array", "items": RUN}},
    "required": ["version", "runs"],
    "additionalProperties": False,
}  # fmt: skip


@pytest.mark.parametrize("pack", ["core", "odd"])
def test_sarif_has_the_shape_of_its_specification(tmp_path: Path, pack: str) -> None:
    place = _odd(tmp_path, "{record: nope, fhir: nope}", "- x") if pack == "odd" else pack
    log = json.loads(careplan("pack", "lint", "--format", "sarif", place).stdout)
    assert [error.message for error in Draft202012Validator(SARIF).iter_errors(log)] == []
    assert bool(log["runs"][0]["results"]) is (pack == "odd")


def test_a_pack_beside_the_current_folder_is_named_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "site").mkdir()
    _odd(tmp_path / "site", "{record: nope, fhir: startDate}")
    monkeypatch.chdir(tmp_path / "here")
    assert "../site/maps/goal.yaml:4:6: error" in careplan("pack", "lint", "../site").stdout


def test_warnings_count_where_strict(tmp_path: Path) -> None:
    head = "# lint: allow record-uncarried: one field\n# lint: allow element-unfilled: one field\n"
    place = _odd(tmp_path, "{record: lifecycle, fhir: lifecycleStatus, values: {active: active}}")
    (tmp_path / "maps" / "goal.yaml").write_text(head + (tmp_path / "maps" / "goal.yaml").read_text())
    assert careplan("pack", "lint", place).exit_code == 0
    done = careplan("pack", "lint", "--strict", place)
    assert done.exit_code == 1
    assert "[code-unread]" in done.stdout


def test_the_pack_of_the_current_folder_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(_odd(tmp_path, "{record: nope, fhir: startDate}"))
    assert "maps/goal.yaml:4:6: error: the record has no nope" in careplan("pack", "lint").stdout


def test_fmt_writes_one_form_once(tmp_path: Path) -> None:
    path = _odd(tmp_path, "{fhir: startDate,   record: start}") / "maps" / "goal.yaml"
    before = path.read_text()
    done = careplan("pack", "fmt", "--check", tmp_path)
    assert (done.exit_code, done.stdout) == (1, f"{tmp_path.name}/maps/goal.yaml\n")
    assert path.read_text() == before
    assert careplan("pack", "fmt", tmp_path).exit_code == 0
    assert path.read_text().endswith("  - {record: start, fhir: startDate}\n")
    assert careplan("pack", "fmt", "--check", tmp_path).exit_code == 0
    assert sorted(each.name for each in path.parent.iterdir()) == ["goal.yaml"]


def test_fmt_leaves_what_it_cannot_read_and_does_the_rest(tmp_path: Path) -> None:
    place = _odd(tmp_path, "{fhir: startDate, record: start}")
    (place / "maps" / "a.yaml").write_text("map: [\n")
    done = careplan("pack", "fmt", place)
    assert done.exit_code == 2
    assert "maps/a.yaml:2:1: not YAML" in done.stderr
    assert "{record: start, fhir: startDate}" in (place / "maps" / "goal.yaml").read_text()


def test_the_schema_of_mapping_files() -> None:
    assert json.loads(careplan("schema", "mapping").stdout)["title"] == "Mapping file"
