from __future__ import annotations

from typing import Any

import pytest

Tree = dict[str, Any]


@pytest.fixture
def plan() -> Tree:
    """A CarePlan without a fault."""
    return {
        "resourceType": "CarePlan",
        "id": "one",
        "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>A plan</p></div>'},
        "contained": [{"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"}}],
        "status": "active",
        "intent": "plan",
        "subject": {"reference": "Patient/p"},
        "period": {"start": "2024-01-01", "end": "2024-06-30"},
        "addresses": [{"reference": "#c"}],
        "supportingInfo": [{"reference": "#c"}],
        "activity": [
            {"detail": {"status": "in-progress", "scheduledString": "weekly"}},
            {"reference": {"reference": "ServiceRequest/s"}},
        ],
    }


@pytest.fixture
def condition() -> Tree:
    """A Condition without a fault."""
    system = "http://terminology.hl7.org/CodeSystem/condition-"
    return {
        "resourceType": "Condition",
        "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">A problem</div>'},
        "clinicalStatus": {"coding": [{"system": system + "clinical", "code": "active"}]},
        "verificationStatus": {"coding": [{"system": system + "ver-status", "code": "confirmed"}]},
        "code": {"text": "x"},
        "subject": {"reference": "Patient/p"},
        "onsetDateTime": "2020-02-29",
    }
