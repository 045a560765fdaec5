"""Every row of the table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adapter.sync.plan import decide

SIDES = ("absent", "same", "changed", "deleted")


@pytest.mark.parametrize(
    ("local", "remote", "verb"),
    [
        ("same", "same", "nothing"),
        ("changed", "same", "push"),
        ("same", "changed", "pull"),
        ("changed", "changed", "merge"),
        ("deleted", "same", "withdraw"),
        ("deleted", "changed", "conflict"),
        ("changed", "deleted", "conflict"),
        ("same", "deleted", "gone"),
        ("deleted", "deleted", "close"),
        ("changed", "absent", "create"),
        ("absent", "changed", "adopt"),
    ],
)
def test_the_table(local: str, remote: str, verb: str) -> None:
    assert decide(local, remote).verb == verb  # type: ignore[arg-type]


@pytest.mark.parametrize("state", ["waiting", "linked", "refused", "conflict", "gone", "closed"])
@pytest.mark.parametrize("remote", SIDES)
@pytest.mark.parametrize("local", SIDES)
def test_there_is_an_answer_with_a_reason_for_everything(local: str, remote: str, state: str) -> None:
    action = decide(local, remote, state)  # type: ignore[arg-type]
    assert action.verb
    assert action.reason


@pytest.mark.parametrize("state", ["conflict", "gone", "closed"])
@pytest.mark.parametrize("remote", SIDES)
@pytest.mark.parametrize("local", SIDES)
def test_what_waits_for_a_person_writes_on_neither_side(local: str, remote: str, state: str) -> None:
    assert decide(local, remote, state).verb in {"nothing", "conflict"}  # type: ignore[arg-type]


def test_gone_and_back_again_is_a_conflict() -> None:
    assert decide("same", "same", "gone").verb == "conflict"
    assert decide("same", "deleted", "gone").verb == "nothing"


WORDS = {
    "nothing": "nothing", "push": "push", "pull": "pull", "merged": "merge", "withdrawn": "withdraw", "conflict": "conflict",
    "kept": "gone", "closed": "close", "conditional": "create", "taken": "adopt",
}  # fmt: skip
PAGE = (Path(__file__).resolve().parents[3] / "docs" / "sync.md").read_text("utf-8")


def rows() -> list[tuple[str, str, str]]:
    table = PAGE.split("| here | there | then |")[1].split("\n\n")[0]
    return re.findall(r"^\| (\S+) \| ([^|]+) \| (\w+)", table, re.MULTILINE)


@pytest.mark.parametrize(("here", "there", "then"), rows())
def test_each_row_of_the_page_is_what_is_decided(here: str, there: str, then: str) -> None:
    if here == "`gone`":
        assert {decide(local, "changed", "gone").verb for local in ("same", "changed")} == {WORDS[then]}  # type: ignore[arg-type]
        return
    sides = {"new": "changed", "\u2013": "absent"}
    assert decide(sides.get(here, here), sides.get(there, there)).verb == WORDS[then]  # type: ignore[arg-type]


def test_the_page_has_every_row() -> None:
    assert len(rows()) == 12
    assert {then for *_, then in rows()} == set(WORDS)
