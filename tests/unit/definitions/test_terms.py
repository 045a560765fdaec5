from __future__ import annotations

from typing import Any

from adapter.definitions.terms import Terms

SYSTEM = {
    "resourceType": "CodeSystem",
    "content": "complete",
    "concept": [
        {"code": "a", "concept": [{"code": "a1", "concept": [{"code": "a2"}]}]},
        {"code": "b", "property": [{"code": "kind", "valueCode": "x"}]},
    ],
}


def value_set(*include: dict[str, Any], exclude: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"resourceType": "ValueSet", "compose": {"include": list(include), "exclude": exclude or []}}


def expand(**sets: dict[str, Any]) -> dict[str, Any]:
    return Terms({"s": SYSTEM, **sets}).expand("v")


def test_a_whole_system() -> None:
    assert expand(v=value_set({"system": "s"})) == {"s": "*"}


def test_a_system_that_is_not_at_hand() -> None:
    assert expand(v=value_set({"system": "t"})) == {"t": "?"}


def test_listed_concepts() -> None:
    assert expand(v=value_set({"system": "t", "concept": [{"code": "1"}]})) == {"t": ["1"]}


def test_filters() -> None:
    def by(op: str, value: str, prop: str = "concept") -> Any:
        return expand(v=value_set({"system": "s", "filter": [{"property": prop, "op": op, "value": value}]}))["s"]

    assert by("is-a", "a1") == ["a1", "a2"]
    assert by("descendent-of", "a") == ["a1", "a2"]
    assert by("is-not-a", "a") == ["b"]
    assert by("=", "x", "kind") == ["b"]
    assert by("regex", "x") == "?"


def test_exclusion() -> None:
    assert expand(v=value_set({"system": "s"}, exclude=[{"system": "s", "concept": [{"code": "a"}]}])) == {
        "s": ["a1", "a2", "b"]
    }
    assert expand(v=value_set({"system": "s"}, exclude=[{"system": "s"}])) == {}


def test_included_value_sets_meet() -> None:
    inner = value_set({"system": "s", "concept": [{"code": "b"}]})
    assert expand(v=value_set({"system": "s", "valueSet": ["w"]}), w=inner) == {"s": ["b"]}
    assert expand(v=value_set({"valueSet": ["w"]}), w=inner) == {"s": ["b"]}


def test_a_value_set_that_includes_itself_ends() -> None:
    assert expand(v=value_set({"valueSet": ["w"]}), w=value_set({"valueSet": ["v"]})) == {"?": "?"}


def test_an_expansion_is_taken_as_it_is() -> None:
    found = {
        "resourceType": "ValueSet",
        "expansion": {"contains": [{"system": "t", "code": "1", "contains": [{"system": "t", "code": "2"}]}]},
    }
    assert expand(v=found) == {"t": ["1", "2"]}
