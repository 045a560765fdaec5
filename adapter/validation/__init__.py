"""Is it FHIR, and does it hold together? A validator compiled from the published definitions.

>>> from adapter.validation import validate
>>> [issue.message_id for issue in validate({"resourceType": "Goal", "lifecycleStatus": "active"}) if issue.is_error]
['element-missing', 'element-missing']

Tiers, each of which can be switched off by name: structure, invariants, bindings, references, questionnaire, profiles.
Messages: docs/validation-messages.md. https://hl7.org/fhir/R4/validation.html
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapter.validation.run import AS_REFERENCE, TIERS, Quirks
    from adapter.validation.typed import second_opinion
    from adapter.validation.validator import Validator, validate

__all__ = ["AS_REFERENCE", "TIERS", "Quirks", "Validator", "second_opinion", "validate"]
_MODULES = {
    "AS_REFERENCE": "run",
    "TIERS": "run",
    "Quirks": "run",
    "Validator": "validator",
    "second_opinion": "typed",
    "validate": "validator",
}


def __getattr__(name: str) -> object:
    # Loaded when asked for: whoever needs one small file of this room does not wait for FHIRPath.
    if name in _MODULES:
        return getattr(import_module(f"adapter.validation.{_MODULES[name]}"), name)
    raise AttributeError(name)
