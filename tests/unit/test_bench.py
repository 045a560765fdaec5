"""The shape of what a measurement writes; the figures themselves are judged by `make bench`."""

from __future__ import annotations

import pytest

from bench import __main__ as bench


def test_a_row_holds_what_was_measured_and_whether_it_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "SECONDS", 0.001)
    monkeypatch.setattr(bench, "ROUNDS", 3)
    found = bench.row("json", "read", lambda: None, {"slow": lambda: sum(range(5_000))}, limit=1.0, goal=2.0, per=10)
    assert set(found) == {"suite", "name", "unit", "ours", "peers", "limit", "goal", "ratio", "met"}
    assert set(found["peers"]) == {"slow"}
    assert found["ratio"] == round(found["ours"] / found["peers"]["slow"], 2)
    assert found["met"] is True


def test_only_cases_that_are_valid_are_measured() -> None:
    cases, bundles = bench.valid_cases()
    assert len(cases) == len(bundles) >= 10
    assert all(bundle["resourceType"] == "Bundle" for bundle in bundles)


def test_a_suite_that_does_not_exist_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "sideways"])
    assert bench.main() == 2
    assert "json, mapping, validation" in capsys.readouterr().err
