"""Is it FHIR, and does it hold together? A validator compiled from the published definitions.

>>> from adapter.validation import validate
>>> [issue.message_id for issue in validate({"resourceType": "Goal", "lifecycleStatus": "active"}) if issue.is_error]
['element-missing', 'element-missing']

Tiers, each of which can be switched off by name: structure, invariants, bindings, references, questionnaire, profiles.
Messages: docs/validation-messages.md. https://hl7.org/fhir/R4/validation.html
"""

from adapter.validation.run import AS_REFERENCE, TIERS, Quirks
from adapter.validation.validator import Validator, validate

__all__ = ["AS_REFERENCE", "TIERS", "Quirks", "Validator", "second_opinion", "validate"]


def __getattr__(name: str) -> object:
    if name == "second_opinion":
        from adapter.validation.typed import second_opinion

        return second_opinion
    raise AttributeError(name)
