"""careplan pack coverage: both sides by definition and by data, for people, programs and CI."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main

FIXTURES = Path(__file__).resolve().parent.parent.parent.parent / "fixtures"
GOAL = {
    "resourceType": "Goal",
    "lifecycleStatus": "active",
    "description": {"text": "Walk"},
    "subject": {"reference": "Patient/p"},
    "identifier": [{"period": {"start": "2026"}}],
}


def careplan(*words: str | Path, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["pack", "coverage", *map(str, words)], input=stdin)


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    done = careplan("core", "--format", "json")
    assert done.exit_code == 0, done.stderr
    tree: dict[str, Any] = json.loads(done.stdout)
    return tree


def of(found: dict[str, Any], side: str, path: str) -> dict[str, Any]:
    (row,) = [row for row in found[side] if row["path"] == path]
    return dict(row)


def test_each_element_has_its_way(found: dict[str, Any]) -> None:
    due = of(found, "fhir", "Goal.target.dueDate")
    assert (due["status"], due["owner"]) == ("both", "Goal")
    assert due["rules"][0].startswith("core/maps/goal.yaml:")
    text = of(found, "fhir", "Goal.text")
    assert (text["status"], text["reason"]) == ("one-way", "made from the record: narrative")
    assert of(found, "fhir", "Goal.identifier.period")["status"] == "remainder"


def test_what_is_demanded_is_marked_and_stands_first(found: dict[str, Any]) -> None:
    assert of(found, "fhir", "Goal.lifecycleStatus")["must_support"]
    assert of(found, "fhir", "Goal.description")["required"]
    goals = [row for row in found["fhir"] if row["owner"] == "Goal"]
    marks = ["must_support" in row for row in goals]
    assert marks == sorted(marks, reverse=True)


def test_of_a_choice_one_type_is_enough(found: dict[str, Any]) -> None:
    assert "must_support" not in of(found, "fhir", "MedicationRequest.medicationReference")
    assert of(found, "fhir", "MedicationRequest.medicationCodeableConcept")["must_support"]


def test_what_a_rule_selects_by_is_covered(found: dict[str, Any]) -> None:
    assert of(found, "fhir", "Condition.onsetAge.system")["status"] == "both"
    assert of(found, "fhir", "Condition.onsetAge.comparator")["status"] == "remainder"


def test_the_records_of_core_are_covered_whole(found: dict[str, Any]) -> None:
    assert [row["path"] for row in found["records"] if row["status"] == "never"] == []
    assert found["totals"]["records"]["share"] == 1


def test_a_field_without_a_rule_never_goes_out(tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    (tmp_path / "pack.yaml").write_text("name: odd\nversion: 1.0.0\n")
    rules = "  - {record: lifecycle, fhir: lifecycleStatus}\n  - {record: start, fhir: startDate, one_way: a test}\n"
    (tmp_path / "maps" / "goal.yaml").write_text(f"map: goal\nrecord: goal\nresource: Goal\nrules:\n{rules}")
    done = careplan(tmp_path, "--format", "json", "--fail-under", "50")
    assert done.exit_code == 1
    tree = json.loads(done.stdout)
    assert of(tree, "records", "statement")["status"] == "never"
    assert of(tree, "records", "start") | {"rules": []} == {
        "owner": "goal", "path": "start", "status": "one-way", "reason": "a test", "rules": [],
    }  # fmt: skip
    assert "is covered, less than 50 %" in done.stderr


def test_data_is_counted_leaf_by_leaf(tmp_path: Path) -> None:
    file = tmp_path / "goals.ndjson"
    file.write_text(f"{json.dumps(GOAL)}\nno json\n\n{json.dumps(GOAL)}\n")
    data = json.loads(careplan("--data", file, "--format", "json").stdout)["data"]
    assert (data["documents"], data["refused"]) == (3, 1)
    assert data["types"] == {"Goal": {"leaves": 8, "back": 6, "share": 0.75}}
    assert data["left"] == [{"path": "Goal.identifier.period.start", "left": 2, "of": 2}]
    file.write_text(f"{json.dumps(GOAL)}\n")
    assert careplan("--data", file, "--fail-under", "75").exit_code == 0
    assert careplan("--data", file, "--fail-under", "76").exit_code == 1


def test_data_that_cannot_be_converted_never_passes(tmp_path: Path) -> None:
    """A file of another encoding would else be covered whole: none of its leaves is left."""
    file = tmp_path / "goals.ndjson"
    file.write_bytes(json.dumps(GOAL).encode("utf-16") + b"\n\xff\n")
    done = careplan("--data", file, "--fail-under", "75")
    assert done.exit_code == 1
    assert "2 documents could not be converted and are in no share" in done.stderr


def test_records_count_too_and_give_all_back() -> None:
    done = careplan("--data", FIXTURES / "dual-diagnosis" / "records.json", "--format", "json", "--fail-under", "100")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["data"]["share"] == 1


def test_codes_without_a_map_are_counted() -> None:
    coded = {
        "resourceType": "Condition",
        "code": {"coding": [{"system": "http://x.test", "code": "z"}]},
        "subject": {"reference": "Patient/p"},
    }
    done = careplan("--data", "-", "--format", "json", stdin=f"{json.dumps(coded)}\n{json.dumps(coded)}\n")
    assert json.loads(done.stdout)["data"]["codes"] == [
        {"code_map": "disorders", "code": "http://x.test|z", "count": 2}
    ]


def test_for_people_the_gaps_are_listed() -> None:
    lines = careplan("core").stdout.splitlines()
    assert lines[0] == "core 1.0.0"
    assert "    ~ Goal.identifier.period" in lines
    assert not any("dueDate" in line for line in lines)
    assert any("↔ Goal.target.dueDate" in line for line in careplan("core", "--all").stdout.splitlines())


def test_the_page_stands_alone_and_is_the_same_each_time(tmp_path: Path) -> None:
    one, two = tmp_path / "one.html", tmp_path / "two.html"
    assert careplan("core", "--html", one).exit_code == 0
    careplan("core", "--html", two)
    text = one.read_text()
    assert text == two.read_text()
    tags: list[str] = []
    links: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append(tag)
            links.extend(str(value) for name, value in attrs if name in ("src", "href"))

    Reader().feed(text)
    assert "script" in tags
    assert all(link.startswith("#") for link in links)
    assert "Goal.target.dueDate" in text


def test_what_cannot_be_read_or_written_is_a_wrong_call(tmp_path: Path) -> None:
    assert careplan("nowhere").exit_code == 2
    assert careplan("core", "--data", tmp_path / "none.ndjson").exit_code == 2
    assert careplan("core", "--html", tmp_path / "no" / "where.html").exit_code == 2
    assert careplan("core", "--fail-under", "many").exit_code == 2
