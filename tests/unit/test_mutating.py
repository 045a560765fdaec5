"""The switches that mutation testing puts into a module: without one on it does what it did, with one on it has that fault."""

from __future__ import annotations

import builtins
from typing import Any

import pytest

from tools.mutants import ENGINE, ROOT, file_of, suite_of, told_before
from tools.mutating import SWITCH, Mutant, mutate

SOURCE = '''
"""Docs."""
LIMIT = 3

def small(n, rows=()):
    """Docs."""
    found = []
    for row in rows:
        if row is None:
            continue
        found.append(row)
    return n < LIMIT and not found
'''


def made(on: int, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], list[Mutant]]:
    monkeypatch.setattr(builtins, SWITCH, lambda number: number == on, raising=False)
    tree, mutants = mutate(SOURCE, "x.py")
    names: dict[str, Any] = {}
    exec(compile(tree, "x.py", "exec"), names)
    return names, mutants


def number(mutants: list[Mutant], now: str) -> int:
    (found,) = [mutant.number for mutant in mutants if mutant.now == now]
    return found


def test_without_a_fault_it_does_what_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    names, mutants = made(0, monkeypatch)
    assert names["small"](2)
    assert not names["small"](3)
    assert not names["small"](2, [1])
    assert names["small"](2, [None])
    assert names["small"].__doc__ == "Docs."
    assert {mutant.function for mutant in mutants} == {"small"}
    assert len({mutant.key for mutant in mutants}) == len(mutants)


@pytest.mark.parametrize(
    ("now", "given", "wanted"),
    [
        ("n <= LIMIT", (3,), True),
        ("n < LIMIT or not found", (2, [1]), True),
        ("row is not None", (2, [1]), True),
        ("break", (2, [None, 1]), True),
        ("pass", (2, [1]), True),
        ("return None", (2,), None),
    ],
)
def test_with_a_fault_it_has_it(now: str, given: Any, wanted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, mutants = made(0, monkeypatch)
    names, _ = made(number(mutants, now), monkeypatch)
    assert names["small"](*given) is wanted


PAGE = """# Mutants that survive

| module | mutants | killed | survivors |
| --- | --- | --- | --- |
| fast | 4 | 75.0% | 1 (0 with a reason) |
| fast.items | 10 | 100.0% | 0 (0 with a reason) |

## fast

- `generate: 1 → 2`: no reason yet: a test is missing

## maps

- `x: 1 → 2`: why
"""


def test_what_was_not_run_here_stays_on_the_page() -> None:
    block = "## fast\n\n- `generate: 1 → 2`: no reason yet: a test is missing"
    assert told_before("fast", PAGE) == ("| fast | 4 | 75.0% | 1 (0 with a reason) |", block)
    assert told_before("fast.items", PAGE) == ("| fast.items | 10 | 100.0% | 0 (0 with a reason) |", "")
    assert told_before("rules", PAGE) == ("| rules | not run | | |", "")


def test_each_module_of_the_engine_is_a_file_that_has_tests() -> None:
    for name in ENGINE:
        assert file_of(name).is_file()
        for deep in (False, True):
            assert all((ROOT / test.partition("::")[0]).exists() for test in suite_of(name, deep=deep))
    folders = {path.stem for path in (ROOT / "adapter/mapping/fast").glob("*.py")} - {"__init__"}
    assert {f"fast.{name}" for name in folders} <= set(ENGINE)
