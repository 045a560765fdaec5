"""docs/sync.md tells each of the forty-one faults, and the tests that it names are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_every_fault_is_told_once_and_its_tests_exist() -> None:
    page = (ROOT / "docs" / "sync.md").read_text("utf-8").split("## Faults")[1]
    rows = re.findall(r"^\| (\d+) \|.*\| ([^|]+) \|$", page, re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 42))
    for number, tests in rows:
        for name in re.findall(r"`([\w/]+)`", tests):
            place = ROOT / "tests" / ("unit" if "/" in name else "sync") / f"{name}.py"
            assert place.is_file(), place
            text = place.read_text("utf-8")
            if "/" not in name and name not in ("test_kills", "test_workers"):
                spans = [
                    range(int(a), int(b or a) + 1)
                    for a, b in re.findall(r"def test_faults?_(\d+)(?:_(?:to|and)_(\d+))?", text)
                ]
                assert any(int(number) in span for span in spans), (number, name)
