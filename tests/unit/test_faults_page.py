"""docs/sync.md tells each of the forty-one faults, and the tests that it names are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "sync.md").read_text("utf-8")


def test_every_fault_is_told_once_and_its_tests_exist() -> None:
    page = PAGE.split("## Faults")[1].split("## Bad input")[0]
    rows = re.findall(r"^\| (\d+) \|.*\| ([^|]+) \|$", page, re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 42))
    named = {name for _, tests in rows for name in re.findall(r"`([\w/]+\.py)`", tests)}
    assert [name for name in sorted(named) if not (ROOT / "tests" / name).is_file()] == []


def test_everything_about_bad_input_names_tests_that_exist() -> None:
    rows = re.findall(r"^\| (.+) \| (.+) \| (`.+`) \|$", PAGE.split("## Bad input")[1], re.MULTILINE)
    assert len(rows) > 20
    named = {name for *_, tests in rows for name in re.findall(r"`([\w/]+\.py)`", tests)}
    assert [name for name in sorted(named) if not (ROOT / "tests" / name).is_file()] == []


def test_the_faults_of_the_real_server_have_a_test_by_their_number() -> None:
    text = "".join(path.read_text("utf-8") for path in sorted((ROOT / "tests" / "sync").glob("test_*.py")))
    spans = re.findall(r"def test_faults?_(\d+)(?:_(?:to|and)_(\d+))?", text)
    shown = {number for first, last in spans for number in range(int(first), int(last or first) + 1)}
    # 30 and 32 are told of a scripted authorization server, 40 of real workers.
    assert set(range(1, 42)) - shown == {30, 32, 40}
