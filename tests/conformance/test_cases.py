"""The reference's recorded verdicts on public cases: ours is the same, case by case.

The reference of today, asked without the special settings of each case, says what was recorded in most of them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapter import fhir_json
from adapter.issues import Issue
from adapter.validation import AS_REFERENCE, Validator
from tests.conformance.agreement import issues_of
from tests.conformance.reference import case_folder, cases, place, recorded

pytestmark = pytest.mark.corpus
Tree = dict[str, Any]
SETTINGS = yaml.safe_load((Path(__file__).parent / "settings.yaml").read_text("utf-8"))


def verdict(case: Tree) -> list[Issue]:
    """The errors that we find, under the case's settings."""
    place = case_folder(case)
    setting = SETTINGS.get(case["name"], {})
    supporting = [fhir_json.loads(path.read_bytes()) for path in place.rglob("supporting/**/*.json")]
    validator = Validator(quirks=replace(AS_REFERENCE, **setting.get("quirks", {})))
    if supporting:
        validator = validator.with_resources([row for row in supporting if "url" in row])
    found = issues_of(validator, (place / "resource.json").read_bytes())
    ignored = setting.get("ignore")
    return [each for each in found if each.is_error and not (ignored and f".{ignored}[" in each.expression)]


def test_our_verdict_is_the_recorded_one(corpus: Path) -> None:
    """Wherever the reference of today says what was recorded, and in nearly all others."""
    rows = cases()
    assert len(rows) >= 61
    today = {each.name: bool(each.errors) for each in recorded("cases")}
    differing = {}
    for row in rows:
        expected = row["expectedJava"]["errors"] > 0
        found = verdict(row)
        if bool(found) is not expected:
            differing[row["name"]] = [(each.expression, each.message_id) for each in found]
            assert today[row["name"]] is not expected, (row["name"], differing[row["name"]])
    assert len(rows) - len(differing) >= 58, differing


def test_our_errors_stand_where_the_reference_puts_them(corpus: Path) -> None:
    """At least one place in common, in most cases; the reference's comments and slices in places are left out."""
    same, all_ = 0, 0
    for row in cases():
        ours = {each.expression for each in verdict(row)}
        theirs = {
            place(each["expression"])
            for each in row["expectedJava"]["issues"]
            if each["severity"] in ("error", "fatal")
        }
        if ours and theirs:
            all_ += 1
            same += bool(ours & theirs)
    assert same / all_ >= 0.8, (same, all_)
