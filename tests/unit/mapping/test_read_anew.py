"""Every pack read and compiled anew, without what was kept of it before, gives what its examples say."""

from __future__ import annotations

import pytest

from adapter import mapping, packs
from tests.unit.mapping.test_by_rules import RELEASES, examples, known, there_and_back


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("pack", packs.available())
def test_a_pack_that_is_read_anew_holds(pack: str, release: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREPLAN_CACHE", "off")
    found = known(pack, release, fresh=True)
    mapping.forget()
    for case in examples(pack):
        there_and_back(found, case)
