"""careplan pack test: a pack's examples both ways and the laws on them, as a site's CI runs it."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main
from tests.unit.cli.packing import HEAD, RULES, goal, make, write


def careplan(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["pack", "test", *map(str, words)])


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    made = make(tmp_path / "lakeside")
    done = careplan(made, "--accept")
    assert done.exit_code == 0, done.output
    return made


def fhir(pack: Path, case: str = "first") -> Path:
    return pack / "examples" / case / "fhir.json"


def test_an_example_without_an_expectation_is_told_how_to_get_one(tmp_path: Path) -> None:
    made = make(tmp_path / "lakeside")
    done = careplan(made)
    assert done.exit_code == 1
    assert "FAIL first: records → FHIR\n  There is no fhir.json yet; --accept writes it." in done.stdout
    again = careplan(made, "--accept")
    assert again.exit_code == 0
    assert "accepted: first/fhir.json" in again.stderr
    bundle = json.loads(fhir(made).read_text())
    assert bundle["entry"][0]["resource"]["priority"]["coding"][0]["code"] == "high-priority"


def test_a_good_pack_passes(pack: Path) -> None:
    done = careplan(pack, "--verbose")
    assert done.exit_code == 0
    assert "ok   first: FHIR → records" in done.stdout
    assert "ok   second: laws on records[1] (goal)" in done.stdout
    assert "lakeside: 2 examples" in done.stderr
    assert "0 failed" in done.stderr


def test_a_difference_is_shown_with_place_value_and_rule(pack: Path) -> None:
    tree = json.loads(fhir(pack).read_text())
    tree["entry"][0]["resource"]["target"][0]["dueDate"] = "2026-01-01"
    write(fhir(pack), tree)
    done = careplan(pack)
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    at = lines.index("  Bundle.entry[0].resource.target[0].dueDate  lakeside/maps/goal.yaml:15:9")
    assert lines[at + 1 : at + 3] == ['    - "2026-01-01"', '    + "2026-05-06"']
    back = lines.index("  records[0].target[0].due  lakeside/maps/goal.yaml:15:9")
    assert lines[back + 1 : back + 3] == ['    - "2026-05-06"', '    + "2026-01-01"']
    assert lines[0] == "FAIL first: records → FHIR"


def test_accept_shows_first_and_then_writes(pack: Path) -> None:
    write(pack / "examples" / "first" / "records.json", [goal(lifecycle="completed")])
    done = careplan(pack, "--accept")
    assert done.exit_code == 0
    assert '    - "active"\n    + "completed"' in done.stdout
    assert json.loads(fhir(pack).read_text())["entry"][0]["resource"]["lifecycleStatus"] == "completed"
    assert careplan(pack).stdout == ""


def test_one_case_alone(pack: Path) -> None:
    write(fhir(pack, "second"), {"resourceType": "Bundle", "type": "collection"})
    assert careplan(pack, "--case", "first").exit_code == 0
    assert careplan(pack, "--case", "second").exit_code == 1
    none = careplan(pack, "--case", "third")
    assert none.exit_code == 2
    assert "There is no example third. Known: first, second." in none.stderr


def test_junit_has_each_check(pack: Path, tmp_path: Path) -> None:
    write(fhir(pack), {"resourceType": "Bundle", "type": "collection"})
    report = tmp_path / "junit.xml"
    assert careplan(pack, "--junit", report).exit_code == 1
    suite = ET.parse(report).getroot()[0]
    cases = list(suite)
    failed = [case.get("name") for case in cases if case.find("failure") is not None]
    assert int(str(suite.get("tests"))) == len(cases)
    assert int(str(suite.get("failures"))) == len(failed)
    assert "records → FHIR" in failed
    assert {case.get("classname") for case in cases} >= {"lakeside.first", "lakeside.second"}


def test_what_is_not_valid_fhir_fails(tmp_path: Path) -> None:
    made = make(tmp_path / "lakeside", RULES.replace("  - {record: lifecycle, fhir: lifecycleStatus}\n", ""))
    done = careplan(made, "--accept")
    assert done.exit_code == 1
    assert "FAIL first: valid FHIR" in done.stdout
    assert "lifecycleStatus" in done.stdout


def test_a_field_that_does_not_come_back_breaks_a_law(tmp_path: Path) -> None:
    made = make(tmp_path / "lakeside", RULES.replace("fhir: dueDate}", "fhir: dueDate, one_way: a test}"))
    done = careplan(made, "--accept")
    assert done.exit_code == 1
    assert "FAIL first: FHIR → records\n  records[0].target[0].due" in done.stdout
    assert "PutGet: an edit comes back: change target[0].due" in done.stdout


def test_two_codes_that_become_one_do_not_come_back(tmp_path: Path) -> None:
    made = make(tmp_path / "lakeside")
    path = made / "conceptmaps" / "goal-priority.json"
    tree = json.loads(path.read_text())
    tree["group"][0]["element"][1]["target"] = []
    write(path, tree)
    done = careplan(made, "--accept", "--verbose")
    assert "ok   (codes): every code comes back" in done.stdout, "it goes out as ours"


def test_another_system_s_example_comes_back_unchanged(pack: Path) -> None:
    foreign = {
        "resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": "Sleep"},
        "subject": {"reference": "Patient/x"}, "note": [{"text": "theirs"}],
    }  # fmt: skip
    write(pack / "examples" / "theirs" / "fhir-in.json", foreign)
    assert "There is no records.json yet" in careplan(pack).stdout
    assert careplan(pack, "--accept").exit_code == 0
    records = json.loads((pack / "examples" / "theirs" / "records.json").read_text())
    assert [record["statement"] for record in records] == [{"text": "Sleep"}]
    assert "ok   theirs: GetPut: and back" in careplan(pack, "--verbose").stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "first/records.json:1:2"),
        (
            '{"kind": "goal", "id": "6e6f0bd2-3a6c-4a0e-8d0b-1c8a4f1f0001", "target": 7}',
            "FAIL first: records are records",
        ),
        ('[{"kind": "nothing"}]', "There is no such kind of record"),
        ("[7]", "A record is an object."),
    ],
)
def test_a_broken_example_is_a_failure_with_its_place(pack: Path, text: str, said: str) -> None:
    (pack / "examples" / "first" / "records.json").write_text(text)
    done = careplan(pack)
    assert done.exit_code == 1
    assert said in done.stdout
    assert "second" not in done.stdout


def test_a_pack_without_examples_says_so(pack: Path, tmp_path: Path) -> None:
    for case in (pack / "examples").iterdir():
        for file in case.iterdir():
            file.unlink()
    done = careplan(pack)
    assert done.exit_code == 0
    assert "there is no example yet in examples/" in done.stderr
    assert careplan(tmp_path / "none").exit_code == 2


def test_core_passes_its_own() -> None:
    done = careplan("core", "--no-laws")
    assert done.exit_code == 0, done.stdout
    assert int(done.stderr.split(":")[1].split()[0]) >= 16


def test_a_pack_for_r5_is_tried_in_r5_as_well(tmp_path: Path) -> None:
    rules = RULES + "  - {record: expressed_by, fhir: expressedBy, display: 'yes'}\n"
    made = make(tmp_path / "lakeside", rules, HEAD + "fhir: 4.0.1 5.0.0\n")
    record = json.loads((made / "examples" / "first" / "records.json").read_text())[0]
    write(made / "examples" / "first" / "records.json", [{**record, "expressed_by": "Ana"}])
    done = careplan(made, "--accept", "--no-laws")
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    at = lines.index("FAIL first: out, back and valid in FHIR 5.0.0")
    assert "Goal has no element expressedBy" in lines[at + 1]
    mended = rules.replace("display: 'yes'}", "display: 'yes', only: R4}")
    mended += "  - {record: expressed_by, fhir: source, display: 'yes', only: R5}\n"
    other = make(tmp_path / "mended" / "lakeside", mended, HEAD + "fhir: 4.0.1 5.0.0\n")
    write(other / "examples" / "first" / "records.json", [{**record, "expressed_by": "Ana"}])
    good = careplan(other, "--accept", "--no-laws", "--verbose")
    assert good.exit_code == 0, good.output
    assert "ok   first: out, back and valid in FHIR 5.0.0" in good.stdout
