"""References are found and renamed wherever they stand, and nothing else is."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapter.fhir_json import copy
from adapter.sync.references import applied, is_told_back, literals, outward, remote_to_local, rewritten

_KEYS = st.sampled_from(["reference", "display", "subject", "text"])
_TEXTS = st.one_of(
    st.sampled_from(["Goal/1", "Goal/\u00e9", "#own", '"reference":"Goal/1"', "\\", '\\"', ""]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
_TREES = st.recursive(
    st.one_of(_TEXTS, st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=4)),
    max_leaves=12,
)


def walked(node: Any) -> list[str]:
    """As `literals`, by going through it."""
    found: list[str] = []
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        if key == "reference" and isinstance(value, str):
            found.append(value)
        found += walked(value)
    return found


@given(_TREES)
def test_every_reference_is_found_in_the_text(tree: Any) -> None:
    assert literals(tree) == walked(tree)


@given(_TREES)
def test_what_is_renamed_is_what_was_found(tree: Any) -> None:
    before = copy(tree)
    new = rewritten(tree, lambda literal: f"{literal}+")
    assert walked(new) == [one if one.startswith("#") else f"{one}+" for one in walked(tree)]
    assert tree == before


@given(_TREES)
def test_what_keeps_its_names_is_not_copied(tree: Any) -> None:
    assert rewritten(tree, lambda literal: literal) is tree


def test_what_has_no_name_there_goes_and_what_is_left_empty() -> None:
    tree = {
        "a": [{"reference": "Goal/1"}, {"reference": "Goal/2", "display": "Two"}],
        "b": {"reference": "Goal/1"},
        "c": {},
    }
    assert rewritten(tree, lambda _: None) == {"a": [{"display": "Two"}], "c": {}}


def test_an_extension_that_held_nothing_else_goes_whole() -> None:
    held = {"url": "http://x/pertains", "valueReference": {"reference": "Goal/1"}}
    named = {"url": "http://x/pertains", "valueReference": {"reference": "Goal/2", "display": "Two"}}
    nested = {"id": "e", "url": "http://x/outer", "extension": [held]}
    tree = {"resourceType": "ServiceRequest", "extension": [held, named, nested], "status": "active"}
    kept = {"url": "http://x/pertains", "valueReference": {"display": "Two"}}
    assert rewritten(tree, lambda _: None) == {
        "resourceType": "ServiceRequest",
        "extension": [kept],
        "status": "active",
    }
    assert rewritten({**tree, "extension": [held]}, lambda _: None) == {
        "resourceType": "ServiceRequest",
        "status": "active",
    }


BASE = "http://there/fhir"
_LITERALS = st.sampled_from([
    "Goal/1", "Goal/2", "Goal/3", "Goal/1/_history/2", "#own", "urn:uuid:0", "http://elsewhere/Goal/1", f"{BASE}/Goal/9",
    "Goal?identifier=a|b", "Goal", "",
])  # fmt: skip
_IDS = {("Goal", "1"): "a", ("Goal", "2"): "b"}


@given(st.lists(_LITERALS, max_size=4), st.booleans())
def test_what_is_told_back_is_what_it_was(named: list[str], together: bool) -> None:
    """Else it is seen as theirs by the ids that it has there."""
    tree = {"goal": [{"reference": one} for one in named]}
    urns = {("Goal", "3"): "urn:uuid:3"} if together else {}
    names = outward(tree, lambda *key: _IDS.get(key), BASE, urns)
    there = {(type_, remote): local for (type_, local), remote in _IDS.items()}
    if is_told_back(names):
        assert remote_to_local(applied(tree, names), lambda *key: there.get(key), BASE) == tree
    plain = all(one in ("Goal/1", "Goal/2", "#own") for one in named)
    assert is_told_back(names) is plain
