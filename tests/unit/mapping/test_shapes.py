"""What a record's JSON Schema says of a place: its type, its fields, which values may stand there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapter.mapping.shapes import OneOf, Shape, is_flag

Tree = dict[str, Any]


def shape(node: Tree, **defs: Tree) -> Shape:
    return Shape({**node, "$defs": defs}, node)


@pytest.mark.parametrize(
    ("node", "takes", "refuses"),
    [
        ({"type": "boolean"}, [True, False], [1, "true", None]),
        ({"type": "integer"}, [0, -5], [True, "5", Decimal(5), None]),
        ({"type": "integer", "minimum": 1, "maximum": 3}, [1, 3], [0, 4]),
        ({"type": "number"}, [0, Decimal("1.5")], [True, "5", None]),
        ({"type": "number", "minimum": 1}, [1, Decimal("1.5")], [0, Decimal("0.9"), "5"]),
        ({"type": "number", "maximum": 1}, [1], [2]),
        ({"type": "number", "exclusiveMinimum": 0}, [Decimal("0.1")], [0, -1]),
        ({"type": "string"}, ["a", " "], ["", 5, None]),
        ({"type": "string", "pattern": "^[0-9]+$"}, ["5"], ["x", "", 5]),
        ({"type": "string", "format": "fhir-date"}, ["2026", "2026-01-31"], ["2026-02-31", "x", 5]),
        ({"type": "string", "format": "uuid"}, ["0b5e7c1e-1111-4111-8111-000000000001"], ["x"]),
        ({"type": "string", "format": "email"}, ["x"], ["", 5]),
        ({"enum": ["a", "b"]}, ["a", "b"], ["c", "", None, 1, []]),
        ({"const": "a"}, ["a"], ["b", None]),
        ({"enum": [1, 2]}, [1, 2], [3, True, "1", Decimal(1), [1]]),
        ({"enum": ["a", 1, True]}, ["a", 1, True], ["b", 2, None]),
        ({"enum": [{"a": 1}, [1], "x"]}, [{"a": 1}, [1], "x"], [{"a": 2}, [], "y", None]),
        ({"const": 5}, [5], [6, "5"]),
        ({"type": "object"}, [{}, "x", 0, False], [None]),
        ({"type": "array"}, [[], "x"], [None]),
    ],
)
def test_which_values_may_stand_there(node: Tree, takes: list[Any], refuses: list[Any]) -> None:
    check = shape(node).check()
    assert [value for value in takes if not check(value)] == []
    assert [value for value in refuses if check(value)] == []


def test_common_checks_are_known_by_what_they_are() -> None:
    """Generated functions write them out in place."""
    assert shape({"enum": ["b", "a"]}).check() == OneOf(frozenset({"a", "b"}))
    assert shape({"type": "boolean"}).check() is is_flag


@pytest.mark.parametrize(
    ("node", "type_"),
    [
        ({"type": "string"}, "string"),
        ({"type": "array", "enum": ["x"]}, "array"),
        ({"enum": ["a"]}, "string"),
        ({"enum": [1]}, "integer"),
        ({"enum": [Decimal("1.5")]}, "number"),
        ({"const": True}, "boolean"),
        ({"const": "a"}, "string"),
        ({"const": None}, "object"),
        ({}, "object"),
        ({"anyOf": []}, "object"),
    ],
)
def test_of_what_type_a_place_is(node: Tree, type_: str) -> None:
    assert shape(node).type_ == type_


@pytest.mark.parametrize(
    ("node", "text", "value"),
    [
        ({"type": "boolean"}, "true", True),
        ({"type": "boolean"}, "no", False),
        ({"type": "integer"}, "-5", -5),
        ({"type": "integer"}, "x", "x"),
        ({"type": "string"}, "5", "5"),
        ({"enum": [1, 2]}, "2", 2),
    ],
)
def test_a_text_of_a_mapping_file_is_a_value_of_the_type(node: Tree, text: str, value: Any) -> None:
    found = shape(node).typed(text)
    assert (found, type(found)) == (value, type(value))


TEXT = {"type": "string"}


def test_fields_are_found_behind_references_and_in_branches() -> None:
    node = {
        "type": "object",
        "properties": {
            "own": TEXT,
            "both": {"type": "integer"},
            "list": {"type": "array", "items": {"$ref": "#/$defs/item"}},
        },
        "allOf": [{"properties": {"all": TEXT}}],
        "oneOf": [
            {"properties": {"one": TEXT, "two": {"const": "a"}, "three": {"type": "boolean"}}},
            {"$ref": "#/$defs/branch"},
        ],
        "anyOf": [{"properties": {"any": TEXT, "both": TEXT}}],
    }
    branch = {"properties": {"two": {"const": "b"}, "three": {"type": "boolean", "x": 1}}}
    found = shape(
        node, item={"type": "object", "properties": {"deep": {"$ref": "#/$defs/text"}}}, text=TEXT, branch=branch
    )
    assert set(found.names()) == {"own", "both", "list", "all", "one", "two", "three", "any"}
    assert found.properties()["two"] == {"type": "string"}
    assert found.properties()["three"] == {"type": "boolean"}
    assert found.properties()["both"] == {"type": "integer"}
    items = found.at(("list",))
    assert items is not None
    deep = items.item().at(("deep",))
    assert deep is not None
    assert deep.type_ == "string"
    assert found.at(("nothing",)) is None
    assert found.at(("own", "deeper")) is None
    bare = shape({"type": "object"})
    assert bare.names() == []
    assert bare.item().type_ == "object"


def test_a_text_or_an_object_may_stand_there() -> None:
    assert shape({"anyOf": [TEXT, {"type": "object"}]}).is_either()
    assert not shape({"anyOf": [{"required": ["a"]}], "properties": {"a": TEXT}}).is_either()
    assert not shape({"type": "string"}).is_either()


def test_of_rows_of_one_name_the_branch_is_theirs() -> None:
    node = {
        "type": "object",
        "properties": {"value": TEXT, "unit": TEXT},
        "oneOf": [
            {"properties": {"name": {"const": "age"}, "value": {"type": "integer"}}},
            {"properties": {"name": {"enum": ["lang", "tongue"]}, "kind": {"const": "x"}, "value": {"enum": ["en"]}}},
            {"title": "others"},
        ],
    }
    age = shape(node).variant({"name": "age"})
    assert age.at(("value",)).type_ == "integer"  # type: ignore[union-attr]
    assert age.at(("unit",)).type_ == "string"  # type: ignore[union-attr]
    both = shape(node).variant({"name": "tongue", "kind": "x"})
    assert both.at(("value",)).here == {"enum": ["en"]}  # type: ignore[union-attr]
    for keys in ({"name": "other"}, {"name": "lang", "kind": "y"}):
        assert shape(node).variant(keys).at(("value",)).type_ == "string"  # type: ignore[union-attr]
