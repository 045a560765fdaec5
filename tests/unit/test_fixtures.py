"""Every case under fixtures/, both ways: what is expected is what comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapter import mapping
from adapter.fhir_json import loads, same
from adapter.records import ENVELOPE, check
from tests import fixtures_update
from tests.fixtures_update import FHIR, FHIR_IN, ISSUES, RECORDS, cases, clinical_issues, is_foreign
from tests.laws.foreign import differing

MAPPER = mapping.load("core")
CASES = cases()
OURS = [case for case in CASES if not is_foreign(case)]
FOREIGN = [case for case in CASES if is_foreign(case)]
WANTED = {
    "dual-diagnosis",
    "pain-pills-to-heroin",
    "heroin-through-parents",
    "alcohol-depression",
    "opioid-ptsd-buprenorphine",
    "stimulant-adhd",
    "relapse-after-remission",
    "declined-option",
    "plan-without-psychiatrist",
    "unfinished-phq9",
    "foreign-activity-detail",
    "foreign-unmapped-bundle",
    "decimals-trailing-zeros",
    "plan-revision",
    "nested-form",
    "several-sites",
}


def _name(case: Path) -> str:
    return case.name


every_case = pytest.mark.parametrize("case", CASES, ids=_name)
our_case = pytest.mark.parametrize("case", OURS, ids=_name)
foreign_case = pytest.mark.parametrize("case", FOREIGN, ids=_name)


def _read(case: Path, name: str) -> Any:
    return loads((case / name).read_bytes())


def _assert_same(found: Any, expected: Any) -> None:
    assert same(found, expected), f"differ at {sorted(differing(found, expected))}"


def _content(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in record.items() if key not in ENVELOPE} for record in records]


def test_the_promised_cases_are_there() -> None:
    assert {case.name for case in CASES} >= WANTED


@every_case
def test_why_starts_with_one_sentence(case: Path) -> None:
    first, blank, *rest = (case / "why.md").read_text("utf-8").splitlines()
    assert first.endswith((".", ":", "?")) or ": " in first
    assert 40 < len(first) < 200
    assert blank == ""
    assert len(rest) > 3


@our_case
def test_records_are_synthetic_and_pass_the_check(case: Path) -> None:
    for record in _read(case, RECORDS):
        assert record["origin"] == "synthetic"
        assert check(record) == []


@our_case
def test_records_give_the_expected_fhir(case: Path) -> None:
    found = MAPPER.to_fhir(_read(case, RECORDS))
    # A code that nobody has published as it is goes out as the nearest, and that is said.
    assert {issue.message_id for issue in found.issues} <= {"code-near"}
    _assert_same(found.tree, _read(case, FHIR))


@our_case
def test_the_expected_fhir_gives_the_records(case: Path) -> None:
    bundle = _read(case, FHIR)
    read = MAPPER.from_fhir(bundle)
    _assert_same(read.records, _content(_read(case, RECORDS)))
    assert read.issues == []
    _assert_same(MAPPER.to_fhir(read.records, read.remainder).tree, bundle)


@our_case
def test_an_envelope_does_not_go_out(case: Path) -> None:
    bundle = MAPPER.to_fhir([{**record, "revision": 7, "pack": "core"} for record in _read(case, RECORDS)]).tree
    _assert_same(bundle, _read(case, FHIR))


@foreign_case
def test_foreign_input_gives_the_expected_records_and_comes_back(case: Path) -> None:
    tree = _read(case, FHIR_IN)
    read = MAPPER.from_fhir(tree)
    _assert_same(read.records, _read(case, RECORDS))
    _assert_same(MAPPER.to_fhir(read.records, read.remainder).tree, tree)
    for record in read.records:
        assert check(record) == []


@every_case
def test_the_rules_say_what_is_expected(case: Path) -> None:
    assert clinical_issues(_read(case, RECORDS)) == _read(case, ISSUES)


@our_case
def test_every_text_of_a_record_is_in_its_fhir(case: Path) -> None:
    """No value is dropped, or hidden in a narrative only."""
    said = set(_leaves(_read(case, FHIR)))
    for record in _content(_read(case, RECORDS)):
        missing = [leaf for leaf in _texts(record) if leaf not in said]
        assert not missing, missing


def _leaves(node: Any) -> Any:
    if isinstance(node, dict):
        for key, value in node.items():
            if key != "div":
                yield from _leaves(value)
    elif isinstance(node, list):
        for value in node:
            yield from _leaves(value)
    elif isinstance(node, str):
        yield node


def _texts(node: Any) -> list[str]:
    """Texts with a space in them: those are nobody's codes, so they must stand somewhere as they are."""
    return [leaf for leaf in _leaves(node) if " " in leaf]


def test_the_update_command_finds_nothing_to_change(capsys: pytest.CaptureFixture[str]) -> None:
    assert fixtures_update.main(["dual-diagnosis"]) == 0
    assert capsys.readouterr().out == ""
