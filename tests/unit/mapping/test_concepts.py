"""Codes of ours and CodeableConcepts: what is read, what is written, what stays of what stood there."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.mapping.concepts import Choice, Coded, CodingConcept, Concept
from adapter.mapping.scope import RelativeRefs, Scope
from adapter.terminology import compile_table

Tree = dict[str, Any]
OURS, THEIRS, OTHERS, FOREIGN = (f"https://example.test/{name}" for name in ("ours", "theirs", "others", "foreign"))
EXT = "https://example.test/ext"


def target(code: str, equivalence: str = "equal") -> Tree:
    return {"code": code, "equivalence": equivalence}


# a is 1; b is 2 and, of another system, x; c has no published code; d and e are both y, and d alone is 4.
GROUPS = {
    THEIRS: {"a": target("1"), "b": target("2"), "c": {"equivalence": "unmatched"}, "d": target("4")},
    OTHERS: {"b": target("x"), "d": target("y", "wider"), "e": target("y", "wider")},
}
TABLE = compile_table(
    {
        "resourceType": "ConceptMap",
        "group": [
            {
                "source": OURS,
                "target": system,
                "element": [{"code": code, "target": [row]} for code, row in rows.items()],
            }
            for system, rows in GROUPS.items()
        ],
    },
    OURS,
    own={"concept": [{"code": code, "display": f"our {code}"} for code in "abcde"]},
)
CONCEPT, LOCAL = Concept(TABLE), Concept(None, OURS)


def scope() -> Scope:
    return Scope(RelativeRefs(), "diagnosis", "1", {}, {"resourceType": "Condition"})


def coding(system: str, code: str, **more: Any) -> Tree:
    return {"system": system, "code": code, **more}


def decode(codec: Any, *codings: Any, **more: Any) -> Any:
    return codec.decode({"coding": list(codings), **more}, scope())


def pairs(tree: Tree) -> list[tuple[str, str]]:
    return [(row["system"], row["code"]) for row in tree["coding"]]


# -- a choice: a code of ours as one Coding


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (coding(THEIRS, "1"), "a"),
        (coding(OURS, "a"), "a"),
        (coding(OURS, "z"), None),
        (coding(THEIRS, "9"), None),
        (coding(THEIRS, "4"), None),  # d is no code of this field
        ({"code": "1"}, None),
        ({"system": THEIRS}, None),
        ({"system": OURS, "code": 5}, None),
        ("1", None),
    ],
)
def test_a_choice_is_read_from_a_coding(found: Any, code: str | None) -> None:
    assert Choice(TABLE, OURS, "abc".__contains__).decode(found, scope()) == code


def test_a_choice_without_a_table_is_read_from_its_own_system_alone() -> None:
    codec = Choice(None, OURS, "abc".__contains__)
    assert codec.decode(coding(OURS, "a"), scope()) == "a"
    assert codec.decode(coding(THEIRS, "a"), scope()) is None
    assert codec.encode("a", None, scope()) == coding(OURS, "a")


@pytest.mark.parametrize(
    ("code", "made"),
    [
        ("a", coding(THEIRS, "1")),
        ("b", coding(OURS, "b", display="our b")),  # two published: neither alone says it
        ("c", coding(OURS, "c", display="our c")),
        ("e", coding(OURS, "e", display="our e")),  # the published one is read as another
        ("z", None),
        (1, None),
    ],
)
def test_a_choice_is_written_as_one_coding(code: Any, made: Any) -> None:
    assert Choice(TABLE, OURS, "abcde".__contains__).encode(code, None, scope()) == made


def test_a_choice_that_the_table_does_not_know_is_not_written() -> None:
    assert Choice(TABLE, OURS, lambda _: True).encode("z", None, scope()) is None


# -- a concept


def test_what_our_code_says_is_not_said_again() -> None:
    assert decode(CONCEPT, coding(THEIRS, "2"), coding(OTHERS, "x"), coding(OURS, "b")) == {"code": "b"}


def test_our_own_coding_counts_wherever_it_stands() -> None:
    found = decode(CONCEPT, coding(THEIRS, "2"), coding(OURS, "a"))
    assert found == {"code": "a", "also": [coding(THEIRS, "2")]}


def test_further_codings_are_kept_with_version_and_words() -> None:
    further = coding(FOREIGN, "f", version="7", display="Words")
    found = decode(CONCEPT, coding(THEIRS, "1"), {**further, "userSelected": True}, text="Own words")
    assert found == {"code": "a", "text": "Own words", "also": [further]}


def test_a_concept_of_foreign_codings_is_the_first_of_them() -> None:
    first = coding(FOREIGN, "f", version="7", display="Words")
    assert decode(CONCEPT, {**first, "userSelected": True}, coding(FOREIGN, "g")) == {
        **first,
        "also": [coding(FOREIGN, "g")],
    }


def test_a_concept_without_a_code_is_its_words() -> None:
    assert decode(CONCEPT, None, {"code": "f"}, {"display": "Words"}, {"display": "Others"}) == {"display": "Words"}
    assert decode(CONCEPT, text="Words") == {"text": "Words"}
    assert decode(CONCEPT, text=5) is None
    assert decode(CONCEPT, text="") is None
    assert CONCEPT.decode({"coding": {"system": THEIRS, "code": "1"}}, scope()) is None
    assert CONCEPT.decode("1", scope()) is None


def test_without_a_table_codes_of_its_own_system_are_plain() -> None:
    assert decode(LOCAL, coding(OURS, "q", display="Q"), coding(FOREIGN, "f")) == {
        "code": "q",
        "also": [coding(FOREIGN, "f")],
    }
    assert decode(LOCAL, coding(FOREIGN, "f", display="F")) == coding(FOREIGN, "f", display="F")
    assert LOCAL.encode({"code": "q"}, None, scope()) == {"coding": [coding(OURS, "q")]}
    assert LOCAL.encode({**coding(FOREIGN, "f"), "text": "F"}, None, scope()) == {
        "coding": [coding(FOREIGN, "f")],
        "text": "F",
    }


def test_a_code_that_stands_for_several_is_said() -> None:
    preferred = compile_table(
        {
            "resourceType": "ConceptMap",
            "group": [
                {"target": THEIRS, "element": [{"code": code, "target": [target("1")]} for code in ("a", "b")]},
            ],
        },
        OURS,
    )
    said = scope()
    assert Concept(preferred).decode({"coding": [coding(THEIRS, "1")]}, said) == {"code": "a"}
    told = [(issue.severity, issue.code, issue.message_id, issue.source) for issue in said.issues]
    assert told == [("information", "business-rule", "code-several", "")]


def test_a_near_code_beside_one_that_says_the_same_is_not_said() -> None:
    said = scope()
    assert CONCEPT.decode({"coding": [coding(THEIRS, "4"), coding(OTHERS, "y")]}, said) == {"code": "d"}
    assert said.issues == []


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ({"code": "b"}, [(THEIRS, "2"), (OTHERS, "x")]),
        ({"code": "c"}, [(OURS, "c")]),
        ({"code": "d"}, [(THEIRS, "4"), (OTHERS, "y"), (OURS, "d")]),
        (coding(FOREIGN, "f"), [(FOREIGN, "f")]),
        ({"code": "a", "also": [coding(FOREIGN, "f")]}, [(THEIRS, "1"), (FOREIGN, "f")]),
    ],
)
def test_a_concept_is_written_with_its_published_codings(value: Tree, made: list[tuple[str, str]]) -> None:
    tree = CONCEPT.encode(value, None, scope())
    assert pairs(tree) == made
    assert CONCEPT.decode(tree, scope()) == value


def test_a_further_coding_wins_in_its_system_and_ours_goes_along() -> None:
    """The published coding that our code has, and another one of that system: the other is what was said."""
    value = {"code": "a", "also": [coding(THEIRS, "2")]}
    tree = CONCEPT.encode(value, None, scope())
    assert pairs(tree) == [(OURS, "a"), (THEIRS, "2")]
    assert tree["coding"][0]["display"] == "our a"
    assert CONCEPT.decode(tree, scope()) == value


def test_words_alone_are_written_as_words() -> None:
    assert CONCEPT.encode({"display": "Words"}, None, scope()) == {"coding": [{"display": "Words"}]}
    assert CONCEPT.encode({"text": "Words"}, None, scope()) == {"text": "Words"}
    assert CONCEPT.encode({"text": ""}, None, scope()) is None
    assert CONCEPT.encode("a", None, scope()) is None


def test_a_code_that_is_none_of_ours_is_an_error_and_not_written() -> None:
    said = scope()
    assert CONCEPT.encode({"code": "zz", "text": "Words"}, None, said) == {"text": "Words"}
    told = [(issue.severity, issue.code, issue.message_id, issue.source) for issue in said.issues]
    assert told == [("error", "code-invalid", "code-unknown", "")]
    assert CONCEPT.encode({"code": 5}, None, said) is None


def test_a_near_code_that_goes_out_is_said() -> None:
    said = scope()
    CONCEPT.encode({"code": "e"}, None, said)
    told = [(issue.severity, issue.code, issue.message_id, issue.source) for issue in said.issues]
    assert told == [("information", "business-rule", "code-near", "")]


# -- onto what stands there


STANDS = {
    "id": "c1",
    "coding": [coding(THEIRS, "1", userSelected=True), coding(FOREIGN, "f", extension=[{"url": EXT}])],
    "text": "Before",
}


def test_other_words_leave_the_codings_as_they_are() -> None:
    value = {"code": "a", "also": [coding(FOREIGN, "f")], "text": "After"}
    assert CONCEPT.encode(value, STANDS, scope()) == {**STANDS, "text": "After"}
    assert STANDS["text"] == "Before"


def test_another_code_keeps_a_further_coding_with_all_that_stands_in_it() -> None:
    value = {"code": "b", "also": [coding(FOREIGN, "f")]}
    assert CONCEPT.encode(value, STANDS, scope()) == {
        "id": "c1",
        "coding": [coding(THEIRS, "2"), coding(OTHERS, "x"), STANDS["coding"][1]],
    }


def test_other_further_codings_leave_ours_as_it_is() -> None:
    added = {"code": "a", "also": [coding(FOREIGN, "f"), coding(FOREIGN, "g", display="G")], "text": "Before"}
    tree = CONCEPT.encode(added, STANDS, scope())
    assert tree == {**STANDS, "coding": [*STANDS["coding"], coding(FOREIGN, "g", display="G")]}
    fewer = CONCEPT.encode({"code": "a", "text": "Before"}, STANDS, scope())
    assert fewer == {**STANDS, "coding": STANDS["coding"][:1]}


def test_of_two_equal_further_codings_the_last_is_taken_away() -> None:
    twice = {
        "coding": [coding(THEIRS, "1"), {"display": "x"}, coding(FOREIGN, "f", id="1"), coding(FOREIGN, "f", id="2")]
    }
    value = CONCEPT.decode(twice, scope())
    assert value == {"code": "a", "also": [coding(FOREIGN, "f"), coding(FOREIGN, "f")]}
    gone = CONCEPT.encode({"code": "a"}, twice, scope())
    assert gone == {"coding": [coding(THEIRS, "1"), {"display": "x"}]}


def test_a_first_coding_that_is_said_again_stays() -> None:
    stands = {"coding": [coding(FOREIGN, "f", id="1"), coding(FOREIGN, "f", id="2")]}
    assert CONCEPT.encode(coding(FOREIGN, "f"), stands, scope()) == {"coding": stands["coding"][:1]}


def test_a_further_coding_is_put_beside_what_stands() -> None:
    value = {"code": "a", "also": [coding(FOREIGN, "f")]}
    assert CONCEPT.encode(value, {"coding": [coding(THEIRS, "1")]}, scope()) == {
        "coding": [coding(THEIRS, "1"), coding(FOREIGN, "f")]
    }


def test_codings_go_where_only_words_are_left() -> None:
    assert CONCEPT.encode({"text": "After"}, STANDS, scope()) == {"id": "c1", "text": "After"}


def test_a_foreign_code_that_is_spelt_as_ours_is_not_ours() -> None:
    assert CONCEPT.encode(coding(FOREIGN, "a"), None, scope()) == {"coding": [coding(FOREIGN, "a")]}


# -- a Coding with what a concept has beside it, and a code alone


def test_where_fhir_has_only_a_coding_the_rest_stands_in_extensions() -> None:
    codec = CodingConcept(CONCEPT, EXT)
    value = {"code": "b", "text": "Words", "also": [coding(FOREIGN, "f")]}
    made = codec.encode(value, None, scope())
    assert made == {
        **coding(THEIRS, "2"),
        "extension": [
            {"url": f"{EXT}/concept-also", "valueCoding": coding(OTHERS, "x")},
            {"url": f"{EXT}/concept-also", "valueCoding": coding(FOREIGN, "f")},
            {"url": f"{EXT}/concept-text", "valueString": "Words"},
        ],
    }
    assert codec.decode(made, scope()) == value
    other = {"url": f"{EXT}/other", "valueCoding": coding(FOREIGN, "g"), "valueString": "No words"}
    assert codec.decode({**coding(THEIRS, "1"), "extension": [other, "x"]}, scope()) == {"code": "a"}
    assert codec.decode({**coding(THEIRS, "1"), "extension": other}, scope()) == {"code": "a"}
    assert codec.encode({"code": "a"}, None, scope()) == coding(THEIRS, "1")
    assert codec.encode({"text": "Words"}, None, scope()) == {
        "extension": [{"url": f"{EXT}/concept-text", "valueString": "Words"}]
    }
    assert codec.encode({}, None, scope()) is None
    assert codec.decode("1", scope()) is None


def test_a_code_alone_is_read_where_it_is_ours() -> None:
    codec = Coded(CONCEPT, ("a", "b", "f", "z").__contains__)
    assert decode(codec, coding(THEIRS, "1"), coding(FOREIGN, "f"), text="Words") == "a"
    assert decode(codec, coding(FOREIGN, "f")) is None
    assert decode(codec, coding(THEIRS, "4")) is None
    assert decode(codec, text="Words") is None
    assert codec.decode(None, scope()) is None
    assert pairs(codec.encode("b", None, scope())) == [(THEIRS, "2"), (OTHERS, "x")]
