"""What a ConceptMap says beyond `equivalent` is honoured, and said, in both directions."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.mapping.concepts import Concept
from adapter.mapping.scope import RelativeRefs, Scope
from adapter.terminology import compile_table

OURS, THEIRS = "https://example.test/ours", "https://example.test/theirs"


def concept(*targets: tuple[str, dict[str, Any]]) -> Concept:
    """A concept by a map of our codes to these targets."""
    elements = [{"code": code, "target": [target]} for code, target in targets]
    tree = {"resourceType": "ConceptMap", "group": [{"source": OURS, "target": THEIRS, "element": elements}]}
    return Concept(compile_table(tree, OURS))


def scope() -> Scope:
    return Scope(RelativeRefs(), "diagnosis", "1", {}, {"resourceType": "Condition"})


def theirs(code: str) -> dict[str, Any]:
    return {"coding": [{"system": THEIRS, "code": code}]}


@pytest.mark.parametrize(
    ("equivalence", "words"),
    [
        ("wider", "wider"),
        ("subsumes", "wider"),
        ("narrower", "narrower"),
        ("specializes", "narrower"),
        ("relatedto", "related"),
        ("inexact", "overlap"),
    ],
)
def test_a_near_code_goes_both_ways_and_is_said(equivalence: str, words: str) -> None:
    codec = concept(("a", {"code": "1", "equivalence": equivalence}))
    there, back = scope(), scope()
    assert codec.encode({"code": "a"}, None, there) == theirs("1")
    assert codec.decode(theirs("1"), back) == {"code": "a"}
    for found in (there.issues, back.issues):
        told = [(issue.severity, issue.code, issue.message_id, issue.source) for issue in found]
        assert told == [("information", "business-rule", "code-near", "")]
        assert words in found[0].text


@pytest.mark.parametrize("equivalence", ["equal", "equivalent"])
def test_the_same_code_says_nothing(equivalence: str) -> None:
    codec, said = concept(("a", {"code": "1", "equivalence": equivalence})), scope()
    assert codec.encode({"code": "a"}, None, said) == theirs("1")
    assert codec.decode(theirs("1"), said) == {"code": "a"}
    assert said.issues == []


@pytest.mark.parametrize("equivalence", ["unmatched", "disjoint"])
def test_no_code_is_written_where_none_fits(equivalence: str) -> None:
    codec, said = concept(("a", {"code": "1", "equivalence": equivalence})), scope()
    made = codec.encode({"code": "a"}, None, said)
    assert [(row["system"], row["code"]) for row in made["coding"]] == [(OURS, "a")]
    assert codec.decode(made, said) == {"code": "a"}
    assert codec.decode(theirs("1"), said) == {"system": THEIRS, "code": "1"}


def test_two_near_codes_are_told_apart_by_ours_beside_them() -> None:
    near = {"code": "1", "equivalence": "wider"}
    codec = concept(("a", dict(near)), ("b", dict(near)))
    made = codec.encode({"code": "b"}, None, scope())
    assert [(row["system"], row["code"]) for row in made["coding"]] == [(THEIRS, "1"), (OURS, "b")]
    assert codec.decode(made, scope()) == {"code": "b"}
    # Theirs alone is none of ours: nobody guesses which.
    assert codec.decode(theirs("1"), scope()) == {"system": THEIRS, "code": "1"}
