"""Which rule each keyword makes of a pair, and with what."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.errors import PackError
from adapter.mapping.choosing import OWN_EXTENSIONS, Context
from adapter.mapping.companions import Companion
from adapter.mapping.compiler import compile_maps
from adapter.mapping.derived import DERIVED
from adapter.mapping.lists import Items, Scalars
from adapter.mapping.oneway import OneWay
from adapter.mapping.paired import Paired
from adapter.mapping.parts import Parts
from adapter.mapping.reshape import When, Worded
from adapter.mapping.rules import Leaf, OwnCode, WithCodes
from adapter.mapping.shapes import Shape
from adapter.terminology import compile_table

TEXT = {"type": "string"}
ITEM = {"type": "object", "properties": {"id": TEXT, "name": TEXT, "text": TEXT, "flag": {"type": "boolean"}}}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "title": TEXT,
        "word": TEXT,
        "more": {"type": "array", "items": {"type": "object"}},
        "tags": {"type": "array", "items": TEXT},
        "state": {"enum": ["a", "b"]},
        "rows": {"type": "array", "items": ITEM},
    },
}
TABLE = compile_table({"resourceType": "ConceptMap", "group": []}, "urn:ours")
HEAD = "map: {0}\nrecord: plan\nresource: CarePlan\nrules:\n"


def context() -> Context:
    return Context(
        {"x": "https://x.test"}, {"m": TABLE}, lambda kind: Shape(SCHEMA, SCHEMA) if kind == "plan" else None
    )


def made(*rules: str, extra: str = "") -> list[Any]:
    text = HEAD.format("a") + "".join(f"  - {rule}\n" for rule in rules) + extra
    other = HEAD.format("b") + "  - {record: title, fhir: description}\n  - {record: word, fhir: note}\n"
    maps = compile_maps({"a": ("p/maps/a.yaml", text), "b": ("p/maps/b.yaml", other)}, context())
    return list(maps["a"].rules)


def one(rule: str, extra: str = "") -> Any:
    (found,) = made(rule, extra=extra)
    return found


def test_a_pair_is_a_leaf_with_its_place() -> None:
    found = one("{record: title, fhir: a, default: x}")
    assert type(found) is Leaf
    assert (found.source, found.names, found.path.text, found.default) == ("p/maps/a.yaml:5:5", ("title",), "a", "x")


def test_a_pair_one_way_is_not_read() -> None:
    found = one("{record: title, fhir: a, one_way: a test}")
    assert isinstance(found, OneWay)
    assert found.leaf.names == ("title",)


def test_a_code_of_ours_goes_along() -> None:
    found = one("{record: state, fhir: a, own: {a: x, b: y}}")
    assert isinstance(found, OwnCode)
    assert f"{OWN_EXTENSIONS}/code" in repr(found)


def test_further_codes_and_words_are_fields_of_their_own() -> None:
    also = one("{record: title, fhir: a, concept: m, also: more}")
    assert isinstance(also, WithCodes)
    worded = one("{record: title, fhir: a, choice: m, wrap: concept, words: word}")
    assert isinstance(worded, Worded)
    assert worded.words == ("word",)
    with pytest.raises(PackError, match="the record has no wrd") as caught:
        one("{record: title, fhir: a, choice: m, words: wrd}")
    assert (caught.value.faults[0].column, caught.value.faults[0].near) == (41, "word")


def test_two_words_in_two_elements() -> None:
    found = one("{record: state, fhir: a, values: {a: x, b: x y}, second: b}")
    assert isinstance(found, Paired)
    assert found.second.text == "b"


def test_a_list_of_plain_values() -> None:
    plain, alone, strict = made(
        "{record: tags, fhir: a}",
        "{record: tags, fhir: b, leaf: value, alone: 'yes'}",
        "{record: tags, fhir: c, except: [x]}",
    )
    assert (type(plain), plain.alone, plain.leaf) == (Scalars, False, None)
    assert (alone.alone, alone.leaf.text) == (True, "value")
    assert strict.without == frozenset({"x"})


def test_a_list_of_items_and_what_is_not_theirs() -> None:
    _, plain, rest, never = made(
        "{record: title, fhir: 'b[k=x].n'}",
        "{record: rows, fhir: a, items: [{record: name, fhir: n}]}",
        "{record: rows, fhir: b, rest: 'yes', key: name, items: [{record: name, fhir: n}]}",
        "{record: rows, fhir: c, except: ['k=v'], items: g}",
        extra="groups:\n  g: [{record: name, fhir: n}]\n",
    )
    assert (type(plain), plain.others, plain.never, plain.keys.by) == (Items, (), (), "id")
    assert [step.keys for step in rest.others] == [(("k", "x"),)]
    assert rest.keys.by == "name"
    assert [step.keys for step in never.never] == [(("k", "v"),)]
    assert [rule.names for rule in never.rules] == [("name",)]


def test_the_rest_of_a_list_is_the_rest_on_a_condition_too() -> None:
    _, rest = made(
        "{record: title, fhir: 'b[k=x].n'}",
        "{record: rows, fhir: b, rest: 'yes', when: {word: w}, items: [{record: name, fhir: n}]}",
    )
    assert (type(rest), [step.keys for step in rest.inner.others]) == (When, [(("k", "x"),)])


def test_a_list_of_resources() -> None:
    plain, whole = made(
        "{record: rows, fhir: a, parts: [b]}",
        "{record: rows, fhir: /c, parts: [b], at: ref, key: name, under: d, held: flag,"
        " inline: [{record: name, fhir: n}], beside: [{record: text, fhir: t}]}",
    )
    assert (type(plain), plain.at, plain.from_main, plain.held, plain.inline, plain.under) == (
        Parts,
        "",
        False,
        "",
        None,
        None,
    )
    assert (plain.keys.by, plain.keys.names, list(plain.beside), plain.beside_names) == (
        "id",
        ("rows",),
        [],
        frozenset(),
    )
    assert (whole.at, whole.from_main, whole.held, whole.under.text, whole.path.text) == ("ref", True, "flag", "d", "c")
    assert whole.keys.by == "name"
    assert whole.beside_names == {"text"}
    assert [rule.names for rule in whole.inline.rules] == [("name",), ("text",)]
    assert whole.inline.keys.uuid is True


def test_a_second_resource_has_the_fields_that_its_map_names() -> None:
    by_map, named = made("{fhir: a, companion: b}", "{fhir: c, companion: b, names: [title], apart: 'yes'}")
    assert (type(by_map), by_map.fields, by_map.apart) == (Companion, {"title", "word"}, False)
    assert (named.fields, named.apart) == ({"title"}, True)
    assert by_map.map.part_only is True


def test_what_is_made_from_the_record() -> None:
    assert {name: one(f"{{fhir: text, derive: {name}, names: [b]}}").make for name in ("narrative", "owner")}
    assert one("{fhir: text, derive: contained-member}").path.text == "text"
    assert set(DERIVED) == {"narrative", "owner", "reference", "contained-member"}


def test_a_file_only_for_items_makes_no_record_by_itself() -> None:
    maps = compile_maps(
        {"a": ("p/a.yaml", "at: rows\n" + HEAD.format("a") + "  - {record: name, fhir: n}\n")}, context()
    )
    assert maps["a"].part_only
    assert [rule.names for rule in maps["a"].rules] == [("name",)]


def test_match_and_when_choose_between_files() -> None:
    head = "match: {'a.b': $x/y}\nwhen: {state: a, title: none}\n"
    maps = compile_maps({"a": ("p/a.yaml", head + HEAD.format("a") + "  - {record: word, fhir: n}\n")}, context())
    assert [(path.text, value) for path, value in maps["a"].match] == [("a.b", "https://x.test/y")]
    assert maps["a"].when == ((("state",), "a"), (("title",), None))


def test_the_faults_of_every_file_are_told() -> None:
    texts = {name: (f"p/{name}.yaml", f"map: {name}\nrecrod: plan\n") for name in "abc"}
    with pytest.raises(PackError) as caught:
        compile_maps(texts, context())
    assert {row.file for row in caught.value.faults} == {"p/a.yaml", "p/b.yaml", "p/c.yaml"}


def test_a_group_that_is_not_there_is_refused_with_the_nearest() -> None:
    with pytest.raises(PackError, match="unknown group nots") as caught:
        one("{record: rows, fhir: a, items: nots}", extra="groups:\n  notes: [{record: name, fhir: n}]\n")
    assert caught.value.faults[0].near == "notes"
