"""Hypothesis without its habit of making each example out of the last one: most of a few hundred histories would be another
almost alike. It still makes small what fails. https://hypothesis.readthedocs.io/en/latest/extensions.html#alternative-backends
"""

from __future__ import annotations

from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider

AFRESH = "afresh"
AVAILABLE_PROVIDERS[AFRESH] = HypothesisProvider
