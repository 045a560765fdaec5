"""Every pack that comes with the adapter passes its own test: examples both ways, and the laws on each field of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from adapter.bootstrap import validator
from adapter.packs import available
from adapter.services.knowledge import Knowledge
from adapter.services.testing.cases import Case, cases
from adapter.services.testing.laws import totality
from adapter.services.testing.run import Tester as Round
from adapter.services.testing.run import shown

KNOWN = {name: Knowledge.of(name) for name in available()}
CASES = [(name, case) for name, known in KNOWN.items() for case in cases(known.pack.examples)]
# Of core's examples, which have much in common, those that have most fields; tests/laws draws what no example has.
CORE_LAWS = {"dual-diagnosis", "nested-form", "relapse-after-remission"}


@cache
def validate(pack: str) -> Any:
    return validator(pack=pack).validate


@pytest.mark.parametrize(("pack", "case"), CASES, ids=[f"{name}-{case.name}" for name, case in CASES])
def test_an_example_holds(pack: str, case: Case) -> None:
    tester = Round(KNOWN[pack], validate(pack), laws=pack != "core" or case.name in CORE_LAWS)
    failed = [outcome for outcome in tester.run([case]) if not outcome.passed]
    assert not failed, "\n".join(line for outcome in failed for line in shown(outcome))


@pytest.mark.parametrize("pack", KNOWN)
def test_every_code_comes_back(pack: str) -> None:
    assert list(totality(KNOWN[pack])) == []
