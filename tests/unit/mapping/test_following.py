"""Record paths followed through a schema: rows by name, numbered columns, lists in lists."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.mapping.choosing import RuleError
from adapter.mapping.parsing import read
from adapter.mapping.shapes import Shape
from adapter.mapping.source import Faults
from adapter.mapping.wrapping import columns_of, fields_of, follow, item_shape

TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
ROW = {
    "type": "object",
    "properties": {"name": TEXT, "unit": TEXT, "value": TEXT},
    "oneOf": [
        {"properties": {"name": {"const": "age"}, "value": NUMBER}},
        {"properties": {"name": {"const": "dose"}, "unit": {"const": "mg"}, "value": {"type": "number"}}},
        {"title": "others"},
    ],
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "title": TEXT,
        "visits": {
            "type": "array",
            "items": {"type": "object", "properties": {"day": TEXT, "rows": {"type": "array", "items": ROW}}},
        },
        "sub1_name": TEXT,
        "sub1_age": NUMBER,
        "sub2_name": TEXT,
        "sub2_age": NUMBER,
        "sub100_name": TEXT,
        "contact": {"type": "object", "properties": {"phone1": TEXT, "phone2": TEXT}},
    },
}
SHAPE = Shape(SCHEMA, SCHEMA)


@pytest.mark.parametrize(
    ("path", "type_"),
    [
        ("title", "string"),
        ("visits", "array"),
        ("visits[]", "object"),
        ("visits[].day", "string"),
        ("visits[].rows[].value", "string"),
        ("visits[].rows[name=age].value", "integer"),
        ("visits[].rows[name=dose,unit=mg].value", "number"),
        ("visits[].rows[name=dose,unit=g].value", "string"),
        ("contact[].phone1", "string"),
        ("sub#_*", "array"),
        ("sub#_*[].age", "integer"),
        ("contact.phone#[].value", "string"),
        ("title.deeper", None),
        ("nothing", None),
        ("nothing[].x", None),
        ("b#_*[].x", None),
        ("a..b", None),
    ],
)
def test_the_shape_at_a_path(path: str, type_: str | None) -> None:
    found = follow(SHAPE, path)
    assert (found.type_ if found is not None else None) == type_
    assert follow(None, path) is None


def test_numbered_columns_by_number_and_field() -> None:
    names, columns, shape = columns_of("sub#_*", SHAPE)
    assert names == ()
    assert columns == {1: {"name": "sub1_name", "age": "sub1_age"}, 2: {"name": "sub2_name", "age": "sub2_age"}}
    assert list(columns) == [1, 2]
    rows = shape.at(("rows",))
    assert rows is not None
    assert (rows.type_, rows.item().names()) == ("array", ["name", "age"])
    names, columns, _ = columns_of("contact.phone#", SHAPE)
    assert (names, columns) == (("contact",), {1: {"value": "phone1"}, 2: {"value": "phone2"}})
    deeper = {
        "type": "object",
        "properties": {"a": {"type": "object", "properties": {"b": SCHEMA["properties"]["contact"]}}},
    }
    names, _, _ = columns_of("a.b.phone#", Shape(deeper, deeper))
    assert names == ("a", "b")


@pytest.mark.parametrize("text", ["nothing#", "contact.x#", "nowhere.phone#", "a##", "phone"])
def test_columns_that_are_not_there(text: str) -> None:
    with pytest.raises(RuleError):
        columns_of(text, SHAPE)


def _field(shape: Shape, name: str, key: str) -> Shape:
    assert key == "at"
    found = shape.at((name,))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("at", "fields"),
    [
        ("visits", ["day", "rows"]),
        ("visits.rows", ["name", "unit", "value"]),
        ("sub#_*", ["name", "age"]),
        ("contact", ["phone1", "phone2"]),
    ],
)
def test_what_a_file_for_items_is_for(at: str, fields: list[str]) -> None:
    assert sorted(item_shape(at, SHAPE, _field).names()) == sorted(fields)


def test_the_fields_that_pairs_name() -> None:
    text = "rules:\n  - {record: a.b, fhir: x}\n  - {record: 'rows[k=v].f', fhir: x}\n  - {set: y, fhir: x}\n  - odd\n"
    tree = read(text, "p/m.yaml", Faults())
    assert tree is not None
    assert fields_of(tree["rules"]) == ["a", "rows"]
