"""What stands in place of a deletion: FHIR's own word for "no longer meant", by type. Pure."""

from __future__ import annotations

from typing import Any

from adapter.fhir_json import Tree, same

_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
INACTIVE = {"coding": [{"system": _CLINICAL, "code": "inactive"}]}
IN_ERROR = {"coding": [{"system": _VERIFICATION, "code": "entered-in-error"}]}
# FHIR's own word for "no longer meant", by type.
WITHDRAWN: dict[str, tuple[str, Any]] = {
    "CarePlan": ("status", "revoked"),
    "ServiceRequest": ("status", "revoked"),
    "MedicationRequest": ("status", "cancelled"),
    "Goal": ("lifecycleStatus", "cancelled"),
    "CareTeam": ("status", "inactive"),
    "Questionnaire": ("status", "retired"),
    "Consent": ("status", "inactive"),
    "Patient": ("active", False),
    "Condition": ("clinicalStatus", INACTIVE),
}
# What is in flight while a withdrawal is: what it leaves there is known by its form.
WITHDRAWAL = "withdrawal"
# Its word for "was never true", said only where a person says so.
_ERROR_STATUS = (
    "CarePlan",
    "ServiceRequest",
    "MedicationRequest",
    "CareTeam",
    "QuestionnaireResponse",
    "Observation",
    "Consent",
)


def withdrawn(tree: Tree, *, as_error: bool) -> Tree | None:
    """A resource as it is left there; None where nothing is said of it (answers and scores, unless they were an error)."""
    type_ = str(tree["resourceType"])
    if as_error and type_ in _ERROR_STATUS:
        return {**tree, "status": "entered-in-error"}
    if as_error and type_ == "Goal":
        return {**tree, "lifecycleStatus": "entered-in-error"}
    if as_error and type_ == "Condition":
        # con-5: what was never true has no clinical status.
        rest = {name: value for name, value in tree.items() if name != "clinicalStatus"}
        return {**rest, "verificationStatus": IN_ERROR}
    if type_ not in WITHDRAWN:
        return None
    name, value = WITHDRAWN[type_]
    return {**tree, name: value}


def is_withdrawal(ending: str, known: Tree, theirs: Tree) -> bool:
    """Whether theirs is our withdrawal of what we knew, whose answer was lost."""
    ours_gone = withdrawn(known, as_error=ending == "error")
    return ours_gone is not None and same(ours_gone, theirs)
