"""Values made from the record: narratives, References within the record, contained members; and what takes them away."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapter.fhir_json import copy
from adapter.mapping import derived
from adapter.mapping.derived import contained_member, drop_contained, drop_unused_members, narrative, owner, reference
from adapter.mapping.scope import RelativeRefs, Scope

Tree = dict[str, Any]
ID = "0b5e7c1e-1111-4111-8111-000000000001"


@pytest.fixture(autouse=True)
def _words_are_made_anew() -> None:
    derived._place.cache_clear()
    derived._key.cache_clear()


def scope(root: Tree | None = None, **parts: Tree) -> Scope:
    return Scope(RelativeRefs(), "plan", ID, parts, root if root is not None else {"resourceType": "CarePlan"})


def div(inner: str) -> str:
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{inner}</div>'


def said(value: Any) -> str:
    """What a narrative says of one field."""
    made = narrative(["x"])(None, {"x": value}, {}, scope())
    text: str = made["div"]
    return text.removeprefix(div("<p><b>X</b>: ")[:-6]).removesuffix("</p></div>")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("plain", "plain"),
        ('<b> & "c"', '&lt;b&gt; &amp; "c"'),
        ("a\x07b", "ab"),
        ("x" * 36, "x" * 36),
        (True, "yes"),
        (False, "no"),
        (5, "5"),
        (Decimal("1.50"), "1.50"),
        (["a", "", "b"], "a; b"),
        ({"text": "Words", "code": "c"}, "Words"),
        ({"display": "Shown", "code": "c"}, "Shown"),
        ({"code": "alcohol-use", "system": "urn:x"}, "alcohol use"),
        ({"comparator": "<", "value": Decimal("1.0"), "unit": "mg", "code": "mg"}, "&lt; 1.0 mg"),
        ({"value": 5}, "5"),
        ({"start": "2026"}, "start 2026"),
        (
            {"zeta": "z", "first_use": "f", "name": "n", "substance": "s", "id": "i"},
            "substance s, name n, first use f, zeta z",
        ),
        ({"a<b": "x"}, "a&lt;b x"),
        ({"a": {"b": "c"}}, "a b c"),
        ({"also": "x", "b": "y"}, "b y"),
    ],
)
def test_a_value_in_words(value: Any, words: str) -> None:
    assert said(value) == words


@pytest.mark.parametrize("value", [ID, "", None, [], {}, [ID], {"id": "x"}, {"also": "x", "goals": ["y"]}])
def test_ids_and_what_is_for_machines_are_not_told(value: Any) -> None:
    made = narrative(["x"])(None, {"x": value, "y": 1}, {}, scope())
    assert made == {"status": "generated", "div": div("<p>-</p>")}


def test_a_narrative_tells_its_fields_in_their_order() -> None:
    make = narrative(["first_name", "period.start", "nothing"])
    new = {"period": {"start": "2026"}, "first_name": "Ana"}
    made = make(None, new, {}, scope())
    assert made == {"status": "generated", "div": div("<p><b>First name</b>: Ana</p><p><b>Start</b>: 2026</p>")}


@pytest.mark.parametrize("status", ["generated", "extensions", "empty"])
def test_a_narrative_that_tells_the_data_is_told_anew_with_what_is_foreign(status: str) -> None:
    stands = {"status": status, "div": "old", "id": "n1"}
    made = narrative(["x"])(stands, {"x": "a"}, {"x": "b"}, scope())
    assert made == {"status": "generated", "div": div("<p><b>X</b>: a</p>"), "id": "n1"}


def test_without_a_change_nothing_is_told() -> None:
    assert narrative(["x"])({"status": "generated"}, {"x": "a"}, {"x": "a"}, scope()) is None


@pytest.mark.parametrize("stands", [{"status": "additional", "div": "theirs"}, {"div": "theirs"}])
def test_a_narrative_that_says_more_is_kept_and_said_to_be_stale(stands: Tree) -> None:
    here = scope()
    assert narrative(["x"])(stands, {"x": "a"}, {"x": "b"}, here) is None
    told = [(row.severity, row.code, row.message_id, row.source, row.expression) for row in here.issues]
    assert told == [("warning", "business-rule", "narrative-stale", "", "CarePlan.text")]


def test_the_owner_of_a_score_is_the_part_of_the_same_item() -> None:
    part = {"resourceType": "QuestionnaireResponse", "id": "q"}
    here = scope(**{"QuestionnaireResponse/7": part})
    make = owner(["QuestionnaireResponse"])
    assert make(None, {"id": "7"}, {}, here) == [{"reference": "QuestionnaireResponse/q"}]
    assert make(None, {"id": "8"}, {}, here) is None
    assert make(None, {"id": "7"}, {"id": "7"}, here) is None


def test_a_reference_leads_to_the_main_resource_or_to_the_one_beside_it() -> None:
    main = {"resourceType": "CarePlan", "id": "p"}
    here = scope(main, **{"": main})
    assert reference([""])(None, {"a": 1}, {}, here) == {"reference": "CarePlan/p"}
    assert reference([""])(None, {"a": 1}, {"a": 2}, here) is None
    made = reference(["Patient"])(None, {}, {}, here)
    assert made["reference"].startswith("Patient/")
    key = here.refs.part(made)
    assert key is not None
    here.parts[key] = {"resourceType": "Patient", "id": "kept"}
    assert reference(["Patient"])(None, {}, {}, here) == {"reference": "Patient/kept"}


# -- members of a team


def test_a_member_is_a_contained_practitioner_of_that_name() -> None:
    root: Tree = {"resourceType": "CareTeam", "contained": [{"resourceType": "Basic", "id": "b"}]}
    make = contained_member([])
    assert make(None, {"id": "m1", "name": "Ana"}, {}, scope(root)) == {"reference": "#member-m1", "display": "Ana"}
    assert root["contained"][1] == {"resourceType": "Practitioner", "id": "member-m1", "name": [{"text": "Ana"}]}
    assert make(None, {"id": "m1", "name": "Eva"}, {"name": "Ana"}, scope(root)) == {
        "reference": "#member-m1",
        "display": "Eva",
    }
    assert [row["id"] for row in root["contained"]] == ["b", "member-m1"]
    assert root["contained"][1]["name"] == [{"text": "Eva"}]
    assert make(None, {"id": "m1", "name": "Eva"}, {"name": "Eva"}, scope(root)) is None
    assert make(None, {"id": "m1"}, {}, scope(root)) is None
    odd = make(None, {"id": "not an id", "name": "Ana"}, {}, scope(root))["reference"]
    assert odd.startswith("#member-")
    assert " " not in odd
    bare = make(None, {"name": "Ana"}, {}, scope(root))["reference"]
    assert bare == "#member-"


def test_members_that_nobody_refers_to_go_and_others_stay() -> None:
    member = {"resourceType": "Practitioner", "id": "member-1"}
    other = {"resourceType": "Practitioner", "id": "member-2"}
    rest = [{"resourceType": "Basic", "id": "b"}, "odd", {"id": 5}]
    team: Tree = {
        "contained": [member, other, *rest],
        "participant": [{"member": {"reference": "#member-2"}, "x": {"reference": 5}}],
    }
    drop_unused_members(team)
    assert team["contained"] == [other, *rest]
    del team["participant"]
    drop_unused_members(team)
    assert team["contained"] == rest
    before = copy(team)
    drop_unused_members(team)
    assert team == before
    alone: Tree = {"contained": [member]}
    drop_unused_members(alone)
    assert alone == {}
    odd: Tree = {"contained": {"id": "member-1"}}
    drop_unused_members(odd)
    assert odd == {"contained": {"id": "member-1"}}


def test_contained_resources_are_taken_away_by_id() -> None:
    tree: Tree = {"contained": [{"id": "a"}, "odd", {"id": "b"}]}
    drop_contained(tree, {"a"})
    assert tree == {"contained": ["odd", {"id": "b"}]}
    alone: Tree = {"contained": [{"id": "a"}]}
    drop_contained(alone, {"a"})
    assert alone == {}
    odd: Tree = {"contained": "x"}
    drop_contained(odd, {"a"})
    assert odd == {}
    none: Tree = {}
    drop_contained(none, {"a"})
    assert none == {}
