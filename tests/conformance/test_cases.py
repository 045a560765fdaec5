"""The reference's recorded verdicts on public cases: ours is the same, case by case.

What differs stands in DIFFERENT with its reason; anything else that differs fails.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapter import fhir_json
from adapter.errors import BadInput
from adapter.issues import Issue
from adapter.validation import AS_REFERENCE, Validator

pytestmark = pytest.mark.corpus
Tree = dict[str, Any]
SETTINGS = yaml.safe_load((Path(__file__).parent / "settings.yaml").read_text("utf-8"))
DIFFERENT = {
    "string-with-coding-async-qr": "A string against a value set of which only ISO 3166 is at hand: not told, by us.",
}


def cases(corpus: Path) -> list[Tree]:
    rows = json.loads((corpus / "validator-cases" / "cases.json").read_text("utf-8"))
    return [row for row in rows if row["offlineBaseR4"] and row["expectedJava"]]


def folder(corpus: Path, case: Tree) -> Path:
    place = corpus / str(case["dir"])
    return place if place.is_dir() else corpus / "validator-cases" / case["name"].replace("/", "_")


def verdict(corpus: Path, case: Tree) -> list[Issue]:
    """The errors that we find, under the case's settings."""
    place = folder(corpus, case)
    setting = SETTINGS.get(case["name"], {})
    supporting = [fhir_json.loads(path.read_bytes()) for path in place.rglob("supporting/**/*.json")]
    validator = Validator(quirks=replace(AS_REFERENCE, **setting.get("quirks", {})))
    if supporting:
        validator = validator.with_resources([row for row in supporting if "url" in row])
    try:
        found = validator.validate(fhir_json.loads((place / "resource.json").read_bytes()))
    except BadInput as error:
        found = list(error.issues)
    ignored = setting.get("ignore")
    return [each for each in found if each.is_error and not (ignored and f".{ignored}[" in each.expression)]


def test_our_verdict_is_the_recorded_one(corpus: Path) -> None:
    rows = cases(corpus)
    assert len(rows) >= 61
    differing = {
        row["name"]: [(each.expression, each.message_id) for each in verdict(corpus, row)]
        for row in rows
        if bool(verdict(corpus, row)) is not (row["expectedJava"]["errors"] > 0)
    }
    assert set(differing) == set(DIFFERENT), differing


def test_our_errors_stand_where_the_reference_puts_them(corpus: Path) -> None:
    """At least one place in common, in most cases; the reference's comments and slices in places are left out."""
    same, all_ = 0, 0
    for row in cases(corpus):
        ours = {each.expression for each in verdict(corpus, row)}
        theirs = {
            each["expression"] for each in row["expectedJava"]["issues"] if each["severity"] in ("error", "fatal")
        }
        if ours and theirs:
            all_ += 1
            same += bool(ours & theirs)
    assert same / all_ >= 0.8, (same, all_)
