"""Which two-way function the keywords of a pair ask for."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.mapping.choosing import OWN_EXTENSIONS, Context, RuleError, codec_of, nearest, template
from adapter.mapping.codecs import Values
from adapter.mapping.concepts import Coded, CodingConcept, Concept
from adapter.mapping.links import Link, Party, Related
from adapter.mapping.paths import PathError
from adapter.mapping.scope import RelativeRefs, Scope
from adapter.mapping.shapes import Shape
from adapter.terminology import compile_table

Tree = dict[str, Any]
OURS = "https://example.test/cs/m"
TABLE = compile_table({"resourceType": "ConceptMap", "group": [
    {"target": "urn:theirs", "element": [{"code": "a", "target": [{"code": "1", "equivalence": "equal"}]}]}
]}, OURS)  # fmt: skip
CONTEXT = Context({"cs": "https://example.test/cs"}, {"m": TABLE}, lambda _: None)
CODE = {"enum": ["a", "b"]}


def codec(row: Tree, schema: Tree | None = None) -> Any:
    node = schema or {"type": "string"}
    return codec_of(row, CONTEXT, Shape(node, node))  # type: ignore[arg-type]


def scope() -> Scope:
    return Scope(RelativeRefs(), "goal", "1", {}, {"resourceType": "Goal"})


def refused(row: Tree, schema: Tree | None = None) -> tuple[str, str, str]:
    with pytest.raises(RuleError) as caught:
        codec(row, schema)
    return caught.value.id, caught.value.key, caught.value.near


def test_a_template_without_an_end_that_may_be_left_out_goes_both_ways() -> None:
    fields, made = template("urn:x:{name}/{no}")
    assert fields == ("name", "no")
    assert made.encode({"name": "a", "no": "1"}, None, scope()) == "urn:x:a/1"
    assert made.decode("urn:x:a/1", scope()) == {"name": "a", "no": "1"}
    assert made.decode("urn:y:a/1", scope()) is None


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ({"concept": "m"}, Concept(TABLE)),
        ({"concept": "m", "wrap": "coding"}, CodingConcept(Concept(TABLE), OWN_EXTENSIONS)),
        ({"concept": "m", "wrap": "concept"}, Concept(TABLE)),
        ({"concept": "none"}, Concept(None, "https://example.test/cs/local")),
        ({"concept": "$cs/x"}, Concept(None, "https://example.test/cs/x")),
        ({"choice": "m", "words": "w", "wrap": "concept"}, Concept(TABLE)),
        ({"choice": "m", "words": "w"}, CodingConcept(Concept(TABLE), OWN_EXTENSIONS)),
        ({"link": "Goal"}, Link("Goal")),
        ({"display": "yes"}, Party()),
        ({"display": "whole"}, Party(whole=True)),
    ],
)
def test_a_keyword_is_a_function(row: Tree, wanted: Any) -> None:
    assert codec(row) == wanted


def test_a_link_that_may_be_an_object_is_called_something() -> None:
    assert codec({"link": "Goal"}, {"anyOf": [{"type": "string"}, {"type": "object"}]}) == Related(Link("Goal"))


@pytest.mark.parametrize(
    ("row", "value", "fhir"),
    [
        ({"choice": "m"}, "a", {"system": "urn:theirs", "code": "1"}),
        ({"choice": "$cs/x"}, "a", {"system": "https://example.test/cs/x", "code": "a"}),
        ({"choice": "m", "wrap": "concept"}, "a", {"coding": [{"system": "urn:theirs", "code": "1"}]}),
        ({"choice": "m", "wrap": "coding"}, "a", {"system": "urn:theirs", "code": "1"}),
        ({"values": {"a": "one", "b": "two"}}, "a", "one"),
        ({"flag": {"yes": "a", "no": "b"}}, "b", False),
        ({}, "a", "a"),
    ],
)
def test_a_code_goes_out_and_comes_back_and_no_other_does(row: Tree, value: str, fhir: Any) -> None:
    made = codec(row, CODE)
    assert made.encode(value, None, scope()) == fhir
    assert made.decode(fhir, scope()) == value
    assert made.encode("z", None, scope()) is None or isinstance(made, (Values, Coded))
    assert made.decode("z", scope()) is None


def test_a_quantity_has_its_unit() -> None:
    made = codec({"quantity": "mg"}, {"type": "number"})
    fhir = {"value": 5, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
    assert made.encode(5, None, scope()) == fhir
    assert made.decode(fhir, scope()) == 5
    assert made.encode("x", None, scope()) is None


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ({"quantity": "furlong"}, ("unit-unknown", "quantity", "")),
        ({"concept": "n"}, ("conceptmap-unknown", "concept", "")),
        ({"concept": "mm"}, ("conceptmap-unknown", "concept", "m")),
        ({"choice": "mm"}, ("conceptmap-unknown", "choice", "m")),
        ({"choice": "mm", "wrap": "concept"}, ("conceptmap-unknown", "choice", "m")),
        ({"via": "numbr"}, ("function-unknown", "via", "number")),
    ],
)
def test_what_nobody_knows_is_refused_with_the_nearest_name(row: Tree, wanted: tuple[str, str, str]) -> None:
    assert refused(row) == wanted


def test_a_flag_that_cannot_be_turned_around_names_its_key() -> None:
    assert refused({"flag": {"yes": "a", "no": "a"}}, CODE)[1] == "flag"


def test_a_prefix_that_is_not_there_is_refused() -> None:
    with pytest.raises(PathError):
        codec({"concept": "$nowhere/x"})


def test_only_one_near_name_is_told() -> None:
    assert nearest("goals", ["goal", "goalz", "plan"]) in ("goal", "goalz")
    assert nearest("xyz", ["goal"]) == ""


def test_a_template_is_texts_in_one_text() -> None:
    fields, made = template("urn:form:{name}[|{version}]")
    assert fields == ("name", "version")
    for value, text in (
        ({"name": "a.b", "version": "2"}, "urn:form:a.b|2"),
        ({"name": "a.b"}, "urn:form:a.b"),
    ):
        assert made.encode(value, None, scope()) == text
        assert made.decode(text, scope()) == value
    assert made.decode("urn:form:", scope()) is None
    assert made.decode("urnXform:a", scope()) is None
    fields, made = template("{name}")
    assert (fields, made.decode("a|2", scope())) == (("name",), None)


@pytest.mark.parametrize("text", ["plain", "{a} {a}", ""])
def test_a_template_names_each_field_once(text: str) -> None:
    with pytest.raises(RuleError) as caught:
        template(text)
    assert (caught.value.id, caught.value.key) == ("template", "template")
