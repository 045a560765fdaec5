"""References: to records of ours, to what others keep, and what is understood of neither; and what a scope knows of both."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.identity import IDENTIFIER_SYSTEM, foreign_record_id, resource_id
from adapter.mapping.links import Called, Link, Party, Related
from adapter.mapping.scope import RelativeRefs, Scope, item_id, link_of, own_identifier, split_reference, target_of

Tree = dict[str, Any]
ID, OTHER = "0b5e7c1e-1111-4111-8111-000000000001", "0b5e7c1e-1111-4111-8111-000000000002"
LINK, RELATED = Link("Goal"), Related(Link("Goal"))
CALLED = Called(RELATED)


def ours(id_: str) -> Tree:
    """Our identifier."""
    return {"system": IDENTIFIER_SYSTEM, "value": id_}


def to(type_: str, kind: str, id_: str) -> Tree:
    """A Reference as the store has it."""
    return {"reference": f"{type_}/{resource_id(kind, id_)}", "type": type_, "identifier": ours(id_)}


def scope(root: Tree | None = None, parts: dict[str, Tree] | None = None, refs: RelativeRefs | None = None) -> Scope:
    return Scope(refs or RelativeRefs(), "plan", "p1", parts or {}, root or {"resourceType": "CarePlan"})


# -- links


def test_a_link_goes_out_and_comes_back() -> None:
    made = LINK.encode(ID, None, scope())
    assert made == to("Goal", "goal", ID)
    assert LINK.decode(made, scope()) == ID
    assert LINK.encode(5, None, scope()) is None
    assert LINK.encode("", None, scope()) is None


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ({"identifier": ours(ID)}, ID),
        ({"identifier": ours(ID), "type": "Goal"}, ID),
        ({"identifier": ours(ID), "type": ""}, ID),
        ({"identifier": ours(ID), "type": 5}, ID),
        ({"identifier": ours(ID), "type": "Condition"}, None),
        ({"identifier": {"system": "urn:x", "value": ID}}, None),
        ({"reference": "Goal/7"}, foreign_record_id("none", "Goal", "7")),
        ({"reference": "https://x.test/fhir/Goal/7/_history/2"}, foreign_record_id("https://x.test/fhir", "Goal", "7")),
        ({"reference": "Condition/7"}, None),
        ({"reference": "urn:uuid:1"}, foreign_record_id("none", "urn", "urn:uuid:1")),
        ({"reference": "urn:uuid:1", "type": "Condition"}, None),
        ({"reference": "#nobody"}, None),
        ({"display": "A goal"}, None),
        ("Goal/7", None),
    ],
)
def test_a_link_is_read_where_it_leads_to_its_type(reference: Any, found: str | None) -> None:
    assert LINK.decode(reference, scope()) == found


def test_a_link_to_a_contained_resource_is_read_by_its_type() -> None:
    root = {
        "resourceType": "CarePlan",
        "contained": [
            "x",
            {"resourceType": "Goal", "id": "g", "identifier": [ours(ID)]},
            {"resourceType": "Goal", "id": "h"},
            {"resourceType": "Condition", "id": "c", "identifier": [ours(ID)]},
        ],
    }
    assert LINK.decode({"reference": "#g"}, scope(root)) == ID
    assert LINK.decode({"reference": "#h"}, scope(root)) == foreign_record_id("p1", "Goal", "#hh")
    assert LINK.decode({"reference": "#c"}, scope(root)) is None
    inner = scope(root).inside({"resourceType": "Goal"})
    assert LINK.decode({"reference": "#g"}, inner) == ID
    assert LINK.decode({"reference": "#g"}, scope({"contained": {}})) is None


def test_a_link_to_a_part_of_the_same_record_is_its_own_reference() -> None:
    there = {"resourceType": "Goal", "id": "g7"}
    refs = RelativeRefs(parts={"Goal/g7": f"Goal/{ID}", "Goal/x": "Condition/1"})
    here = scope(parts={f"Goal/{ID}": there}, refs=refs)
    assert LINK.encode(ID, None, here) == {"reference": "Goal/g7"}
    assert LINK.decode({"reference": "Goal/g7"}, here) == ID
    assert LINK.decode({"reference": "Goal/x"}, here) == foreign_record_id("none", "Goal", "x")


# -- parties


@pytest.mark.parametrize(
    ("value", "reference"),
    [
        ("Dr. A", {"display": "Dr. A"}),
        ({"reference": "Practitioner/1"}, {"reference": "Practitioner/1"}),
        (
            {"text": "Dr. A", "reference": "Practitioner/1", "type": "Practitioner", "identifier": {"value": "7"}},
            {"display": "Dr. A", "reference": "Practitioner/1", "type": "Practitioner", "identifier": {"value": "7"}},
        ),
    ],
)
def test_a_party_goes_out_and_comes_back(value: Any, reference: Tree) -> None:
    assert Party().encode(value, None, scope()) == reference
    assert Party().decode(reference, scope()) == value


def test_what_is_no_party_is_neither_read_nor_written() -> None:
    assert Party().encode({}, None, scope()) is None
    assert Party().encode(5, None, scope()) is None
    assert Party().decode("Dr. A", scope()) is None
    assert (
        Party().decode({"display": "", "type": "", "reference": "#a", "identifier": {"use": "usual"}}, scope()) is None
    )
    assert Party().decode({"display": 5, "type": 5, "reference": 5, "identifier": "x"}, scope()) is None
    assert Party(whole=True).decode({"display": "Dr. A"}, scope()) == {"text": "Dr. A"}
    kept = {"identifier": {"system": "urn:s", "value": "7", "use": "usual"}}
    assert Party().decode(kept, scope()) == {"identifier": {"system": "urn:s", "value": "7"}}


# -- a record, with what it is called


@pytest.mark.parametrize(
    ("value", "reference"),
    [
        ({"reference": "Practitioner/1"}, {"reference": "Practitioner/1"}),
        (ID, to("Goal", "goal", ID)),
        ({"id": ID, "text": "Sleep"}, {**to("Goal", "goal", ID), "display": "Sleep"}),
        ({"text": "Sleep"}, {"display": "Sleep"}),
        ({"text": "Sleep", "type": "Goal"}, {"display": "Sleep", "type": "Goal"}),
    ],
)
def test_a_related_record_goes_out_and_comes_back(value: Any, reference: Tree) -> None:
    assert RELATED.encode(value, None, scope()) == reference
    assert RELATED.decode(reference, scope()) == value


def test_a_related_record_that_is_none_is_not_written() -> None:
    assert RELATED.encode({"id": 5, "text": "Sleep"}, None, scope()) is None
    assert RELATED.encode({"id": ID, "text": ""}, None, scope()) == to("Goal", "goal", ID)
    assert RELATED.encode(5, None, scope()) is None
    assert RELATED.decode(None, scope()) is None


def test_a_record_is_called_by_a_field_of_its_own_and_the_reference_stays() -> None:
    stands = {**to("Goal", "goal", ID), "display": "Sleep", "extension": [{"url": "urn:x"}]}
    assert CALLED.decode(stands, scope()) == {"id": ID, "text": "Sleep"}
    assert CALLED.encode({"id": ID, "text": "Rest"}, stands, scope()) == {**stands, "display": "Rest"}
    bare = CALLED.encode({"id": ID}, stands, scope())
    assert bare == {key: value for key, value in stands.items() if key != "display"}
    assert CALLED.encode({"id": OTHER}, stands, scope()) == to("Goal", "goal", OTHER)
    assert CALLED.encode({"text": "Sleep"}, None, scope()) == {"display": "Sleep"}
    assert CALLED.encode({}, None, scope()) is None
    assert CALLED.decode({"display": 5}, scope()) is None
    assert CALLED.decode("x", scope()) is None


# -- what a scope knows


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Goal/7", ("none", "Goal", "7")),
        ("https://x.test/fhir/Goal/7", ("https://x.test/fhir", "Goal", "7")),
        ("Goal/7/_history/3", ("none", "Goal", "7")),
        ("Goal/7|2", ("none", "Goal", "7")),
        ("Goal/7#part", ("none", "Goal", "7")),
        ("urn:uuid:1/Goal/7", None),
        ("goal/7", None),
        ("Goal/", None),
        ("7", None),
        ("/7", None),
    ],
)
def test_a_literal_is_taken_apart(text: str, found: Any) -> None:
    assert split_reference(text) == found


def test_our_identifier_is_found_among_others() -> None:
    assert own_identifier({"identifier": ours(ID)}) == ID
    assert own_identifier({"identifier": ["x", {"system": "urn:x", "value": "1"}, ours(""), ours(ID)]}) == ID
    assert own_identifier({"identifier": {"system": IDENTIFIER_SYSTEM, "value": 5}}) is None
    assert own_identifier({"identifier": "x"}) is None
    assert own_identifier({}) is None


def test_an_id_is_ours_else_derived() -> None:
    goal = {"resourceType": "Goal", "id": "7"}
    assert item_id({**goal, "identifier": [ours(ID)]}, "b", "#") == ID
    assert item_id(goal, "b", "#") == foreign_record_id("b", "Goal", "#7")
    assert item_id(goal) == foreign_record_id("none", "Goal", "7")


def test_what_a_reference_itself_says() -> None:
    assert link_of({"reference": "Goal/7", "identifier": ours(ID), "type": "Condition"}, "b") == ("Goal", ID)
    assert link_of({"identifier": ours(ID), "type": "Goal"}, "b") == ("Goal", ID)
    assert link_of({"identifier": ours(ID), "type": 5}, "b") == ("", ID)
    assert link_of({"reference": "Goal/7"}, "b") == ("Goal", foreign_record_id("b", "Goal", "7"))
    assert link_of({"reference": "https://x/Goal/7"}, "b") == ("Goal", foreign_record_id("https://x", "Goal", "7"))
    assert link_of({"reference": "urn:oid:1", "type": "Goal"}, "b") == (
        "Goal",
        foreign_record_id("b", "urn", "urn:oid:1"),
    )
    assert link_of({"reference": 5}, "b") is None
    assert link_of({"reference": "7"}, "b") is None


def test_a_version_of_a_literal_leads_to_the_resource() -> None:
    assert target_of("Goal/7", {"Goal/7": 3}) == 3
    assert target_of("Goal/7/_history/2", {"Goal/7": 3}) == 3
    assert target_of("Goal/7/_history/2", {"Goal/7": 3, "Goal/7/_history/2": 4}) == 4
    assert target_of("Goal/8/_history/2", {"Goal/7": 3}) is None
    assert target_of("Goal/8", {"Goal/7": 3}) is None


@pytest.mark.parametrize("literal", ["xa", "a", "##a", "#b", 5, None, ["#a"]])
def test_only_a_fragment_leads_to_a_contained_resource(literal: Any) -> None:
    here = scope({"resourceType": "CarePlan", "contained": ["#a", {"resourceType": "Goal", "id": "a"}]})
    assert here.contained({"reference": literal}) is None
    assert here.contained({"reference": "#a"}) == ("Goal", foreign_record_id(here.record_id, "Goal", "#aa"))


def test_references_of_the_store() -> None:
    refs = RelativeRefs()
    assert refs.own("Goal", "g", "Goal/1") == {"reference": "Goal/g"}
    assert refs.part({"reference": "Goal/g"}) == "Goal/1"
    assert refs.part({"reference": "Goal/h"}) is None
    assert refs.part({"reference": 5}) is None
    assert refs.to_record("Basic", ID) == to("Basic", "Basic", ID)
    assert refs.to_part("Goal/1", {"resourceType": "Goal", "id": "g"}) == {"reference": "Goal/g"}
    assert RelativeRefs("b").link({"reference": "Goal/7"}) == ("Goal", foreign_record_id("b", "Goal", "7"))


def test_a_scope_at_another_resource_is_of_the_same_record() -> None:
    one = scope({"resourceType": "CarePlan"})
    one.owner, one.owner_base = {"a": 1}, {"a": 2}
    other = one.of("Goal/1", {"resourceType": "Goal"})
    other.say("error", "value", "map-x", "Words.", source="f:1:1", path="code")
    told = one.issues[0]
    assert (told.expression, told.source, told.severity, told.code) == ("Goal.code", "f:1:1", "error", "value")
    assert (other.part, other.owner, other.owner_base, other.container) == ("Goal/1", {"a": 1}, {"a": 2}, None)
    assert one.inside({"resourceType": "Goal"}).holder is one.root
    assert other.holder is other.root
    other.say("error", "value", "map-x", "Words.", source="f:1:1")
    Scope(RelativeRefs(), "plan", "1", {}, {"resourceType": 5}, issues=one.issues).say(
        "error", "value", "map-x", "Words.", source="f:1:1", path="code"
    )
    assert [issue.expression for issue in one.issues] == ["Goal.code", "", "code"]
