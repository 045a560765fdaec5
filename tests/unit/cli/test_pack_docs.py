"""careplan pack docs: the sheet of a pack, for clinicians to read and for CI to hold."""

from __future__ import annotations

import csv
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main
from tests.unit.cli.packing import RULES, goal, make, write


def careplan(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["pack", "docs", *map(str, words)])


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sheets")
    done = careplan("core", "-o", folder)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines() == [str(folder / "core.html"), str(folder / "core.csv")]
    return folder


def rows(folder: Path, name: str = "core") -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO((folder / f"{name}.csv").read_text("utf-8"))))


def row(folder: Path, record: str, kind: str) -> dict[str, str]:
    return next(row for row in rows(folder) if row["record"] == record and row["kind"] == kind)


def test_a_question_stands_beside_its_field_and_element(core: Path) -> None:
    found = row(core, "substances[].age_first_use", "assessment")
    assert found["question"] == "Age at first use, in years"
    assert found["linkId"] == "substances.age-first-use"
    assert found["fhir"].endswith("item[linkId=substances.age-first-use].answer[!].valueInteger")
    assert found["direction"] == "both ways"
    assert found["rule"].startswith("core/maps/intake.yaml:")


def test_codes_direction_reason_and_an_example_are_told(core: Path) -> None:
    severity = row(core, "severity", "diagnosis")
    assert severity["codes"] == "mild = Mild; moderate = Moderate; severe = Severe"
    assert severity["example_record"].startswith('{"code":"')
    narrative = next(row for row in rows(core) if row["fhir"] == "Goal.text")
    assert (narrative["direction"], narrative["reason"]) == ("to FHIR only", "made from the record: narrative")


def test_many_rules_have_an_example(core: Path) -> None:
    # Much of core is there for what others write, and the fixtures are our own records.
    both = [row for row in rows(core) if row["direction"] == "both ways"]
    assert sum(bool(row["example_record"]) for row in both) > len(both) / 3


def test_the_page_has_every_section_and_needs_no_network(core: Path) -> None:
    text = (core / "core.html").read_text("utf-8")
    ids: set[str] = set()
    links: list[str] = []
    stack: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = dict(attrs)
            if given.get("id"):
                ids.add(str(given["id"]))
            links.extend(str(given[name]) for name in ("href", "src") if name in given)
            if tag not in ("meta", "input", "br"):
                stack.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert stack.pop() == tag

    Reader().feed(text)
    assert stack == []
    assert {"map-goal", "codes-severity", "form-intake", "extensions", "examples"} <= ids
    assert {link.removeprefix("#") for link in links} <= ids
    assert "default-src 'none'" in text


def test_the_same_pack_gives_the_same_bytes(core: Path, tmp_path: Path) -> None:
    assert careplan("core", "-o", tmp_path).exit_code == 0
    assert (tmp_path / "core.html").read_bytes() == (core / "core.html").read_bytes()
    assert careplan("core", "-o", tmp_path, "--check").exit_code == 0


def test_a_stale_sheet_is_found(tmp_path: Path) -> None:
    assert careplan("core", "-o", tmp_path, "--check").exit_code == 1
    careplan("core", "-o", tmp_path)
    path = tmp_path / "core.csv"
    path.write_text(path.read_text("utf-8").replace("Age at first use", "Age"), "utf-8")
    done = careplan("core", "-o", tmp_path, "--check")
    assert done.exit_code == 1
    assert "core.csv is not what the pack says now" in done.stderr
    assert "core.html" not in done.stderr


def test_what_a_site_writes_is_text_and_no_markup(tmp_path: Path) -> None:
    pack = make(
        tmp_path / "lakeside", RULES.replace("fhir: dueDate}", 'fhir: dueDate, one_way: "<script>=1</script>"}')
    )
    write(pack / "examples" / "first" / "records.json", [goal(statement={"text": "=1+1 <b>"})])
    done = careplan(pack, "-o", tmp_path / "out")
    assert done.exit_code == 0
    text = (tmp_path / "out" / "lakeside.html").read_text()
    assert "<script>=1" not in text
    assert "&lt;script&gt;=1&lt;/script&gt;" in text
    assert "Lakeside Centre" in text
    assert not any(cell.startswith("=") for row in rows(tmp_path / "out", "lakeside") for cell in row.values())


def test_what_cannot_be_written_is_a_wrong_call(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert careplan("core", "-o", tmp_path / "file").exit_code == 2
    assert careplan("nowhere", "-o", tmp_path).exit_code == 2
