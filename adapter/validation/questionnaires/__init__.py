"""Tier 5: responses against their Questionnaires."""

from adapter.validation.questionnaires.responses import Responses

__all__ = ["Responses"]
