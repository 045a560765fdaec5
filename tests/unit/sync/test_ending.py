"""What stands in place of a deletion, by type: each row of docs/sync.md, con-5, and answers only as an error."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from adapter.sync.ending import withdrawn
from adapter.validation import validate

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "sync.md").read_text("utf-8")
WORDS = {
    "CarePlan": ("status", "revoked"), "ServiceRequest": ("status", "revoked"),
    "MedicationRequest": ("status", "cancelled"), "Goal": ("lifecycleStatus", "cancelled"),
    "CareTeam": ("status", "inactive"), "Questionnaire": ("status", "retired"), "Consent": ("status", "inactive"),
}  # fmt: skip
PEOPLE = {"subject": {"reference": "Patient/1"}}
WHOLE: dict[str, dict[str, Any]] = {
    "CarePlan": {**PEOPLE, "status": "active", "intent": "plan"},
    "ServiceRequest": {**PEOPLE, "status": "active", "intent": "order"},
    "MedicationRequest": {
        **PEOPLE, "status": "active", "intent": "order", "medicationCodeableConcept": {"text": "m"},
    },
    "Goal": {**PEOPLE, "lifecycleStatus": "active", "description": {"text": "g"}},
    "CareTeam": {**PEOPLE, "status": "active"},
    "Questionnaire": {"status": "active"},
    "Consent": {
        "status": "active", "scope": {"text": "s"}, "category": [{"text": "c"}], "policy": [{"uri": "http://p.example"}],
        "patient": {"reference": "Patient/1"},
    },
    "Patient": {"active": True},
    "Condition": {
        **PEOPLE, "code": {"text": "c"},
        "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]},
    },
    "QuestionnaireResponse": {"status": "completed"},
    "Observation": {"status": "final", "code": {"text": "o"}},
}  # fmt: skip


def whole(type_: str) -> dict[str, Any]:
    return {"resourceType": type_, "id": "1", **WHOLE[type_]}


def wrong(tree: Any) -> list[str]:
    return [issue.text for issue in validate(tree) if issue.is_error]


@pytest.mark.parametrize(("type_", "said"), WORDS.items())
def test_each_type_has_its_word(type_: str, said: tuple[str, str]) -> None:
    name, word = said
    done = withdrawn(whole(type_), as_error=False)
    assert done == {**whole(type_), name: word}
    assert wrong(done) == []


def test_people_and_conditions_are_no_more_active() -> None:
    assert withdrawn(whole("Patient"), as_error=False) == {**whole("Patient"), "active": False}
    done = withdrawn(whole("Condition"), as_error=False)
    assert done is not None
    assert done["clinicalStatus"]["coding"][0]["code"] == "inactive"
    assert wrong(done) == []


@pytest.mark.parametrize("type_", ["QuestionnaireResponse", "Observation"])
def test_answers_and_scores_are_withdrawn_only_as_an_error(type_: str) -> None:
    assert withdrawn(whole(type_), as_error=False) is None
    assert withdrawn(whole(type_), as_error=True) == {**whole(type_), "status": "entered-in-error"}


@pytest.mark.parametrize("type_", [name for name in WHOLE if name not in ("Patient", "Questionnaire")])
def test_an_error_is_said_in_a_way_that_is_valid(type_: str) -> None:
    done = withdrawn(whole(type_), as_error=True)
    assert done is not None
    assert "entered-in-error" in str(done)
    assert wrong(done) == []
    # con-5: a Condition that was entered in error has no clinical status.
    assert type_ != "Condition" or "clinicalStatus" not in done


@pytest.mark.parametrize("type_", ["Patient", "Questionnaire"])
def test_what_has_no_word_for_an_error_is_withdrawn(type_: str) -> None:
    assert withdrawn(whole(type_), as_error=True) == withdrawn(whole(type_), as_error=False)


def test_the_page_says_the_same_words() -> None:
    part = " ".join(PAGE.split("## Deletions")[1].split("##")[0].split())
    for type_, (_, word) in WORDS.items():
        if type_ != "ServiceRequest":
            assert re.search(rf"{type_}[^;]*`{word}`", part), type_
