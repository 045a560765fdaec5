"""Issues and their OperationOutcome, both ways; errors say what, where and what next."""

from __future__ import annotations

import pytest

from adapter import errors
from adapter.identity import content_id, foreign_record_id, is_uuid, resource_id
from adapter.issues import Issue, from_operation_outcome, has_errors, to_operation_outcome


def test_an_outcome_holds_place_and_message_id() -> None:
    issue = Issue(
        "error", "invalid", "x-y", "Not so.", expression="CarePlan.status", line=3, column=9, source="a.yaml:4"
    )
    row = to_operation_outcome([issue])["issue"][0]
    assert row["expression"] == ["CarePlan.status"]
    assert row["location"] == ["line 3, column 9"]
    assert row["details"]["coding"][0]["code"] == "x-y"
    assert row["diagnostics"] == "rule a.yaml:4"


def test_an_outcome_without_issues_says_so() -> None:
    rows = to_operation_outcome([])["issue"]
    assert [row["severity"] for row in rows] == ["information"]


def test_a_servers_free_text_is_not_taken_over() -> None:
    tree = {
        "issue": [{"severity": "error", "code": "value", "diagnostics": "Jane Doe", "expression": ["Patient.name"]}]
    }
    found = from_operation_outcome(tree)
    assert [(issue.severity, issue.code, issue.expression) for issue in found] == [("error", "value", "Patient.name")]
    assert "Jane" not in found[0].text


@pytest.mark.parametrize("tree", [None, 5, {}, {"issue": 5}, {"issue": [5]}, {"issue": [{"severity": 5, "code": []}]}])
def test_a_broken_outcome_does_no_harm(tree: object) -> None:
    assert all(issue.severity == "error" for issue in from_operation_outcome(tree))


@pytest.mark.parametrize(("severity", "bad"), [("fatal", True), ("error", True), ("warning", False)])
def test_errors_are_fatal_and_error(severity: str, bad: bool) -> None:
    assert has_errors([Issue(severity, "x", "y", "z")]) is bad  # type: ignore[arg-type]


def test_a_place_is_as_exact_as_known() -> None:
    issue = Issue("error", "x", "y", "z", pointer="/a", file="f.json", line=2)
    assert issue.place == "f.json:2 /a"


def test_exit_codes_follow_the_tree() -> None:
    codes = {cls.__name__: cls.exit_code for cls in (errors.UsageError, errors.BadInput, errors.Refused)}
    assert codes == {"UsageError": 2, "BadInput": 1, "Refused": 1}
    assert errors.UnknownOutcome("x").exit_code == 3


def test_every_error_is_drawn_in_the_tree() -> None:
    names = [name for name, cls in vars(errors).items() if isinstance(cls, type) and issubclass(cls, Exception)]
    assert all(name in (errors.__doc__ or "") for name in names)


def test_a_message_has_place_and_remedy() -> None:
    assert str(errors.UsageError("Wrong.", place="a:1", remedy="Do this.")) == "a:1: Wrong. Do this."


def test_ids_never_change() -> None:
    assert resource_id("plan", "x") == "5d4d8c0e-f3c5-5441-ac9b-24bdb2884e16"
    assert is_uuid(foreign_record_id("none", "Goal", "1"))
    assert foreign_record_id("", "Goal", "1") == foreign_record_id("none", "Goal", "1")
    assert content_id(b"{}", 0) != content_id(b"{}", 1)
    assert not is_uuid("5D4D8C0E-F3C5-5441-AC9B-24BDB2884E16")
