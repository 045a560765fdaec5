"""The shape of what a measurement writes; the figures themselves are judged by `make bench`."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import __main__ as bench
from bench import frame, inputs, report, suites

KEYS = {"suite", "name", "unit", "ours", "peers", "limit", "goal", "ratio", "met"}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "SECONDS", 0.001)
    monkeypatch.setattr(frame, "ROUNDS", 3)


def test_a_row_holds_what_was_measured_and_whether_it_is_enough() -> None:
    found = frame.row("json", "read", lambda: None, {"slow": lambda: sum(range(5_000))}, frame.Bar(1.0, 2.0), per=10)
    assert set(found) == KEYS
    assert set(found["peers"]) == {"slow"}
    assert found["ratio"] == pytest.approx(found["ours"] / found["peers"]["slow"], rel=0.01)
    assert found["met"] is True


def test_less_is_better_where_it_is_a_cost() -> None:
    found = frame.cost("start", "compile", 150.0, {"allowed": 300.0}, frame.Bar(unit="ms"))
    assert set(found) == KEYS
    assert (found["ratio"], found["met"]) == (2.0, True)
    assert frame.cost("start", "compile", 301.0, {"allowed": 300.0}, frame.Bar(unit="ms"))["met"] is True
    assert frame.cost("start", "compile", 330.0, {"allowed": 300.0}, frame.Bar(unit="ms"))["met"] is False


def test_only_cases_that_are_valid_are_measured() -> None:
    cases, bundles = inputs.valid_cases()
    assert len(cases) == len(bundles) >= 10
    assert all(bundle["resourceType"] == "Bundle" for bundle in bundles)


def test_every_suite_says_what_it_measures() -> None:
    for name in suites.names():
        suite = suites.suite(name)
        assert suite.about.endswith(".")
        assert callable(suite.run)


def test_a_suite_that_does_not_exist_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "sideways"])
    assert bench.main() == 2
    assert "json, mapping" in capsys.readouterr().err


def test_the_page_keeps_the_sections_that_were_not_measured(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    row = frame.cost("a", "x", 1.0, {"allowed": 2.0}, frame.Bar(unit="ms"))
    report.write_page({"a": report.section("a", "One.", [row], []), "b": report.section("b", "Two.", [row], [])}, page)
    first = page.read_text("utf-8")
    report.write_page({"b": report.section("b", "Three.", [row], ["a note"])}, page)
    assert "One." in page.read_text("utf-8")
    assert "Two." not in page.read_text("utf-8")
    assert "- a note" in page.read_text("utf-8")
    report.write_page({"b": report.section("b", "Two.", [row], [])}, page)
    assert page.read_text("utf-8") == first
