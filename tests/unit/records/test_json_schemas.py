"""The published JSON Schemas: every field is there, in one regular form, and they agree with `check`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from adapter.errors import UsageError
from adapter.identity import is_uuid
from adapter.records import KINDS, check, dates, json_schema, schema
from tests.unit.records.samples import full, put
from tests.unit.records.test_checking import FAULTS, damaged

Tree = dict[str, Any]
each_kind = pytest.mark.parametrize("kind", KINDS)
_TYPES: dict[str, Any] = {
    "object": lambda v: type(v) is dict,
    "array": lambda v: type(v) is list,
    "string": lambda v: type(v) is str,
    "boolean": lambda v: type(v) is bool,
    "integer": lambda v: type(v) is int,
    "number": lambda v: type(v) is int or (type(v) is Decimal and v.is_finite()),
}
_FORMATS: dict[str, Any] = {
    "uuid": is_uuid,
    "fhir-date": dates.is_date,
    "fhir-datetime": dates.is_datetime,
    "fhir-instant": dates.is_instant,
    "fhir-time": dates.is_time,
}
_KNOWN = set(
    "$schema $id $defs $ref title description default type const enum format pattern minLength minimum maximum properties "
    "required additionalProperties minProperties maxProperties items minItems oneOf anyOf not if then else "
    "dependentRequired dependentSchemas".split()
)


def resolve(node: Any, root: Tree) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        node = root["$defs"][node["$ref"].removeprefix("#/$defs/")]
    return node


def valid(node: Any, value: Any, root: Tree) -> bool:
    """A small evaluator of the keywords that our schemas use."""
    node = resolve(node, root)
    if isinstance(node, bool):
        return node
    return all(_holds(node, value, root))


def _holds(node: Tree, value: Any, root: Tree) -> Iterator[bool]:
    assert node.keys() <= _KNOWN, node.keys() - _KNOWN
    if "type" in node:
        yield _TYPES[node["type"]](value)
    if "const" in node:
        yield value == node["const"]
    if "enum" in node:
        yield value in node["enum"]
    if type(value) is str:
        yield len(value) >= node.get("minLength", 0)
        # In JSON Schema `$` is the very end; in Python it may stand before a last line feed.
        yield re.search(node.get("pattern", "").replace("$", r"\Z"), value) is not None
        yield _FORMATS.get(node.get("format", ""), lambda _: True)(value)
    if type(value) in (int, Decimal):
        yield node.get("minimum", value) <= value <= node.get("maximum", value)
    if type(value) is list:
        yield len(value) >= node.get("minItems", 0)
        yield all(valid(node.get("items", True), item, root) for item in value)
    if type(value) is dict:
        yield from _object(node, value, root)
    yield "oneOf" not in node or sum(valid(one, value, root) for one in node["oneOf"]) == 1
    yield "anyOf" not in node or any(valid(one, value, root) for one in node["anyOf"])
    yield "not" not in node or not valid(node["not"], value, root)
    if "if" in node:
        yield valid(node.get("then" if valid(node["if"], value, root) else "else", True), value, root)


def _object(node: Tree, value: Tree, root: Tree) -> Iterator[bool]:
    yield node.get("minProperties", 0) <= len(value) <= node.get("maxProperties", len(value))
    yield value.keys() >= set(node.get("required", ()))
    properties = node.get("properties", {})
    for key, inner in value.items():
        yield valid(properties.get(key, node.get("additionalProperties", True)), inner, root)
    for key, needed in node.get("dependentRequired", {}).items():
        yield key not in value or value.keys() >= set(needed)
    for key, inner in node.get("dependentSchemas", {}).items():
        yield key not in value or valid(inner, value, root)


def nodes(root: Tree) -> Iterator[tuple[str, Tree]]:
    """Every schema of a field, with its name."""
    for holder in (root, *root["$defs"].values()):
        yield from holder["properties"].items()


@each_kind
def test_it_says_what_it_is(kind: str) -> None:
    tree = json_schema(kind)
    assert tree["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert tree["$id"] == f"https://careplan-adapter.org/fhir/schema/{kind}"
    assert tree["title"] == kind
    assert tree["properties"]["kind"] == {"type": "string", "const": kind}
    assert {"kind", "id"} <= set(tree["required"])


def test_an_unknown_kind_has_none() -> None:
    with pytest.raises(UsageError):
        json_schema("recipe")


@each_kind
def test_every_field_has_one_regular_form(kind: str) -> None:
    root = json_schema(kind)
    for name, node in nodes(root):
        if node.get("type") == "array":
            assert node["minItems"] == 1, name
        leaf = node.get("items", node)
        if "anyOf" in leaf:
            assert [set(form) - {"minLength", "format"} for form in leaf["anyOf"]] == [{"type"}, {"$ref"}], name
        elif "$ref" in leaf:
            assert set(leaf) == {"$ref"}, name
            assert leaf["$ref"].removeprefix("#/$defs/") in root["$defs"], name
        else:
            assert leaf["type"] in ("string", "boolean", "integer", "number", "object"), name
    for name, holder in root["$defs"].items():
        assert holder["type"] == "object", name
        assert holder["additionalProperties"] is False, name
        assert holder["description"], name


@each_kind
def test_no_definition_is_idle(kind: str) -> None:
    root = json_schema(kind)
    used = set(re.findall(r"#/\$defs/(\w+)", str(root)))
    assert used == set(root["$defs"])


def _used(value: Any, node: Any, root: Tree, place: str) -> Iterator[str]:
    node = resolve(node, root)
    if isinstance(value, dict) and "anyOf" in node and "properties" not in node:
        node = resolve(node["anyOf"][1], root)
    if isinstance(value, dict) and node.get("properties"):
        for key, inner in value.items():
            where = f"{node['description']}.{key}"
            yield where
            yield from _used(inner, node["properties"][key], root, where)
    elif isinstance(value, list):
        for inner in value:
            yield from _used(inner, node["items"], root, place)


@each_kind
def test_the_fields_are_those_of_the_full_record_and_no_others(kind: str) -> None:
    """The full records have every field that is agreed on; a field more or less shows here."""
    root = json_schema(kind)
    declared = {
        f"{holder['description']}.{name}" for holder in (root, *root["$defs"].values()) for name in holder["properties"]
    }
    used = set(_used(full(kind), root, root, ""))
    assert used <= declared
    # A record has one form of each choice: the others are drawn in other tests.
    assert declared - used <= declared_alternatives(root)


def declared_alternatives(root: Tree) -> set[str]:
    found = {f"{root['description']}.activity", f"{root['description']}.type"}
    for holder in (root, *root["$defs"].values()):
        names = [row["required"][0] for row in holder.get("oneOf", ()) if "required" in row]
        names += holder.get("not", {}).get("required", ())
        found |= {f"{holder['description']}.{name}" for name in (*names, "extra")}
        if holder["description"].startswith("When it is to happen"):
            names += ["text", "time", "period"]
        for name in names:
            found |= {f"{holder['description']}.{name}", *below(holder["properties"][name], root)}
    return found


def below(node: Tree, root: Tree) -> set[str]:
    """The fields of the object that a form of a choice is."""
    holder = resolve(node, root)
    found: set[str] = set()
    for name, inner in holder.get("properties", {}).items():
        found |= {f"{holder['description']}.{name}", *below(inner, root)}
    return found


def test_forms_hold_themselves() -> None:
    item = json_schema("form")["$defs"]["Item"]
    assert item["properties"]["items"]["items"] == {"$ref": "#/$defs/Item"}
    defs = json_schema("assessment")["$defs"]
    assert defs["Node"]["properties"]["items"]["items"] == {"$ref": "#/$defs/Node"}
    assert defs["Answer"]["properties"]["items"]["items"] == {"$ref": "#/$defs/Node"}


def test_leaves_have_their_formats() -> None:
    plan, diagnosis = json_schema("plan"), json_schema("diagnosis")
    assert plan["properties"]["patient"] == {"type": "string", "format": "uuid"}
    assert plan["properties"]["created"] == {"type": "string", "format": "fhir-datetime"}
    assert plan["$defs"]["GoalItem"]["properties"]["start"] == {"type": "string", "format": "fhir-date"}
    assert plan["$defs"]["Intervention"]["properties"]["type"]["default"] == "service"
    assert diagnosis["$defs"]["When"]["properties"]["age"] == {"type": "number", "minimum": 0}
    assert [row["required"] for row in diagnosis["$defs"]["When"]["oneOf"]] == [
        [name] for name in ("time", "age", "text", "period", "range")
    ]


@each_kind
def test_the_rules_of_a_schema_say_different_keywords(kind: str) -> None:
    """Two rules with one keyword would hide one another."""
    seen: set[Any] = set()
    stack = [schema(kind)]
    while stack:
        base: Any = stack.pop()
        if type(base) in seen:
            continue
        seen.add(type(base))
        words = [word for rule in base.rules for word in rule.fragment]
        assert len(words) == len(set(words)), type(base)
        inner = [getattr(field, "inner", field) for field in base.fields.values()]
        inner = [getattr(field, "one", field) for field in inner]
        stack += [field.schema for field in inner if hasattr(field, "schema")]


@each_kind
def test_a_full_record_is_valid(kind: str) -> None:
    assert valid(json_schema(kind), full(kind), json_schema(kind))


BEYOND = {"record-duplicate-id", "record-period"}


@pytest.mark.parametrize(("kind", "place", "value", "message_id", "pointer"), FAULTS)
def test_a_fault_is_invalid(kind: str, place: str, value: Any, message_id: str, pointer: str) -> None:
    if message_id not in BEYOND:
        root = json_schema(kind)
        assert not valid(root, put(full(kind), place, value), root)


@given(damaged())
def test_what_check_accepts_is_valid(record: Tree) -> None:
    root = json_schema(record["kind"])
    found = {issue.message_id for issue in check(record)}
    if not found:
        assert valid(root, record, root)
    elif not found <= BEYOND:
        assert not valid(root, record, root)
