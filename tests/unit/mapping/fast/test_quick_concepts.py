"""Concepts with a memory give what concepts give, and ask but once what a code leads to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from adapter.mapping.concepts import Concept
from adapter.mapping.fast import concepts as module
from adapter.mapping.fast.concepts import QuickConcept
from adapter.mapping.scope import RelativeRefs, Scope
from tests.unit.mapping.fast.odd_maps import CODED, CODINGS, OURS, TABLE, THEIRS

Tree = dict[str, Any]


@dataclass
class Listening:
    """A concept that counts how often it is asked."""

    concept: Concept
    asked: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.concept, name)

    def decode(self, *arguments: Any) -> Any:
        """As the concept."""
        self.asked.append("decode")
        return self.concept.decode(*arguments)

    def encode(self, *arguments: Any) -> Any:
        """As the concept."""
        self.asked.append("encode")
        return self.concept.encode(*arguments)


def made(table: Any = TABLE) -> tuple[QuickConcept, Listening]:
    listening = Listening(Concept(table, OURS))
    return QuickConcept(listening), listening  # type: ignore[arg-type]


def scope() -> Scope:
    return Scope(RelativeRefs(), "plan", "1", {}, {"resourceType": "CarePlan"})


@pytest.mark.parametrize("table", [TABLE, None])
def test_it_gives_what_a_concept_gives(table: Any) -> None:
    quick, plain = made(table)[0], Concept(table, OURS)
    # Twice, so that what is remembered is asked for.
    for value in [*CODINGS, *CODINGS, None, "x", []]:
        told, expected = scope(), scope()
        assert (quick.decode(value, told), told.issues) == (plain.decode(value, expected), expected.issues)
    for value in [*CODED, *CODED, None, "x", []]:
        for old in (None, {"text": "was", "id": "1"}):
            told, expected = scope(), scope()
            assert (quick.encode(value, old, told), told.issues) == (
                plain.encode(value, old, expected),
                expected.issues,
            )


ONE: Tree = {"system": THEIRS, "code": "1"}
BOTH = [ONE, {"system": OURS, "code": "x", "display": "our x"}]


@pytest.mark.parametrize("codings", [[ONE], BOTH])
def test_a_code_is_asked_once(codings: list[Tree]) -> None:
    quick, listening = made()
    for _ in range(3):
        assert quick.decode({"coding": codings, "text": "t"}, scope()) == {"code": "x", "text": "t"}
        assert quick.decode({"coding": codings}, scope()) == {"code": "x"}
    assert listening.asked == ["decode"]
    # What stands alone is read without its list being looked at.
    assert quick.read == ({(THEIRS, "1"): "x"} if codings == [ONE] else {})


@pytest.mark.parametrize("value", [{"code": "x"}, {"code": "x", "text": "t"}])
def test_a_code_of_ours_is_asked_once(value: Tree) -> None:
    quick, listening = made()
    for _ in range(3):
        assert quick.encode(value, None, scope()) == Concept(TABLE).encode(value, None, scope())
    assert listening.asked == ["encode"]
    assert quick.written == {"x": ({"system": THEIRS, "code": "1"},)}


@pytest.mark.parametrize(
    "value",
    [{"system": THEIRS, "code": "9"}, {"system": THEIRS, "code": "9", "display": "d", "text": "t"}, {"system": "s"}],
)
def test_what_is_foreign_is_never_asked(value: Tree) -> None:
    quick, listening = made(None)
    concept = Concept(None).encode(value, None, scope())
    assert quick.encode(value, None, scope()) == concept
    assert quick.decode({"coding": [ONE], "text": "t"}, scope()) == {**ONE, "text": "t"}
    assert listening.asked == []


def test_what_must_be_said_is_said_each_time() -> None:
    quick, listening = made()
    for _ in range(2):
        told = scope()
        assert quick.encode({"code": "y"}, None, told) is not None
        assert quick.decode({"coding": [{"system": THEIRS, "code": "2"}]}, told) == {"code": "y"}
        assert [issue.message_id for issue in told.issues] == ["code-near", "code-near"]
    assert listening.asked == ["encode", "encode", "decode", "decode", "encode", "decode"]


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 2)
    quick, _ = made()
    for number in range(5):
        quick.decode({"coding": [{"system": "s", "code": str(number)}]}, scope())
        quick.encode({"code": str(number)}, None, scope())
    assert len(quick._together) == len(quick.read) == len(quick.written) == 2
