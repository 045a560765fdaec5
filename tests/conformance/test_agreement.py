"""Our verdicts beside those of the reference, recorded by `make oracle`: every corpus resource and a few thousand mutants.

The bounds are the contract's. Where a mutant has changed since, its recorded verdict counts no more: record again.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from adapter.validation import AS_REFERENCE, Validator
from tests.conformance.agreement import Agreement, issues_of
from tests.conformance.mutants import US_CORE, form, make
from tests.conformance.reference import recorded

pytestmark = pytest.mark.corpus
VERDICTS, RECALL, INVENTIONS, PLACES = 0.995, 0.99, 0.003, 0.95
PLAIN = Validator(quirks=AS_REFERENCE)
WITH_FORM = PLAIN.with_resources([form()])


@pytest.fixture(scope="module")
def mutants(corpus: Path) -> dict[str, Agreement]:
    """The agreement by suite."""
    if not US_CORE.exists():
        pytest.skip("the US Core package is not beside this checkout (../shared/packages)")
    found: dict[str, Agreement] = defaultdict(Agreement)
    for verdict in recorded("mutants"):
        mutant = make(verdict.name)
        assert mutant is not None, verdict.name
        assert mutant.mark == verdict.mark, f"{verdict.name} is another now: make oracle"
        validator = WITH_FORM if mutant.suite == "responses" else PLAIN
        found[mutant.suite].add(verdict.name, verdict.errors, validator.validate(mutant.tree))
    return found


@pytest.mark.parametrize("suite", ["base", "responses", "bundles", "us-core"])
def test_mutants_get_the_verdict_of_the_reference(mutants: dict[str, Agreement], suite: str) -> None:
    found = mutants[suite]
    assert found.verdicts >= VERDICTS, (str(found), found.apart)
    assert found.recall >= RECALL, str(found)
    assert found.inventions <= INVENTIONS, str(found)
    assert found.places >= PLACES, str(found)


def test_every_resource_of_the_corpus_gets_the_verdict_of_the_reference(corpus: Path) -> None:
    found, valid = Agreement(), Agreement()
    for verdict in recorded("corpus"):
        issues = issues_of(PLAIN, (corpus / verdict.name).read_bytes())
        found.add(verdict.name, verdict.errors, issues)
        if verdict.name.startswith("valid/"):
            valid.add(verdict.name, verdict.errors, issues)
    assert found.verdicts >= VERDICTS, (str(found), found.apart)
    assert found.places >= PLACES, str(found)
    assert valid.invented == 0, valid.apart
