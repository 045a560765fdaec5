"""Which FHIR version is meant; units that have a size; where a fault points; the order of rules in an array."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapter.errors import UsageError
from adapter.mapping.choosing import Context
from adapter.mapping.compiler import compile_maps
from adapter.mapping.parsing import read
from adapter.mapping.shapes import Shape
from adapter.mapping.source import Faults, place
from adapter.mapping.units import convert, is_unit
from adapter.mapping.versions import fhir_version, of_input, of_remainder, stated


@pytest.mark.parametrize(
    ("name", "version"),
    [
        (None, "4.0.1"),
        ("4.0", "4.0.1"),
        ("R4", "4.0.1"),
        ("r4", "4.0.1"),
        ("r4b", "4.3.0"),
        ("4.3", "4.3.0"),
        ("R5", "5.0.0"),
        ("5.0", "5.0.0"),
    ],
)
def test_the_version_that_a_name_stands_for(name: str | None, version: str) -> None:
    assert fhir_version(name) == version


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("1.0.2", "FHIR DSTU2 1.0.2 is"),
        ("3.0.2", "FHIR STU3 3.0.2 is"),
        ("6.0", "FHIR 6.0 is"),
        ("x", "FHIR x is"),
        ("", "FHIR  is"),
    ],
)
def test_a_version_that_is_not_spoken_is_refused_by_name(name: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        fhir_version(name)
    assert str(caught.value).startswith(said)


HL7 = "http://hl7.org/fhir"


@pytest.mark.parametrize(
    ("profiles", "version"),
    [
        ([f"{HL7}/StructureDefinition/Goal|5.0.0"], "5.0.0"),
        ([f"{HL7}/StructureDefinition/Goal|4.3"], "4.3.0"),
        ([f"{HL7}/4.0/StructureDefinition/Goal"], "4.0.1"),
        ([f"{HL7}/5.0/StructureDefinition/Goal|4.0.1"], "5.0.0"),
        ([f"{HL7}/StructureDefinition/Goal"], None),
        ([f"{HL7}/3.0/StructureDefinition/Goal"], None),
        (["https://other.test/StructureDefinition/Goal|5.0.0"], None),
        ([5, None, f"{HL7}/StructureDefinition/Goal|5.0.0"], "5.0.0"),
        ("x", None),
        (None, None),
    ],
)
def test_the_version_that_profiles_state(profiles: Any, version: str | None) -> None:
    tree = {"resourceType": "Goal", "meta": {"profile": profiles}}
    assert stated(tree) == version
    assert of_input(tree, None) == (version or "4.0.1")
    assert of_input(tree, "4.3") == "4.3.0"
    assert stated({"meta": 5}) is stated(5) is None


def test_what_came_in_is_written_in_its_own_version() -> None:
    assert of_remainder({"fhirVersion": "5.0.0"}, None) == "5.0.0"
    assert of_remainder({"fhirVersion": "4.0.1"}, "R4B") == "4.3.0"
    assert of_remainder({"fhirVersion": 5}, "5.0") == "5.0.0"
    assert of_remainder(None, None) == of_remainder({"fhirVersion": "9"}, None) == "4.0.1"
    with pytest.raises(UsageError, match=r"remainder is of FHIR 5\.0\.0, and 4\.0 is asked for"):
        of_remainder({"fhirVersion": "5.0.0"}, "4.0")


def test_units_have_a_size_or_are_a_remark() -> None:
    assert [unit for unit in ("mg", "{tablet}", "[lb_av]", "%", "dag") if not is_unit(unit)] == []
    assert [unit for unit in ("{tablet", "tablet}", "", "furlong", "xg") if is_unit(unit)] == []
    assert convert(Decimal(5), "{tablet}", "{tablet}") == 5
    assert convert(Decimal(5), "{tablet}", "{drop}") is None
    assert convert(Decimal(5), "kg", "g") == 5000
    assert convert(Decimal(5), "g", "L") is None
    assert convert(Decimal(5), "g", "furlong") is None
    assert convert(Decimal(1), "s", "min") is None
    assert convert(Decimal(90), "s", "min") == Decimal("1.5")


def test_where_a_node_and_its_keys_stand() -> None:
    tree = read("map: m\nrules:\n  - {record: a,\n     fhir: b}\n", "p/m.yaml", Faults())
    assert tree is not None
    row = tree["rules"][0]
    assert place(tree) == (1, 1)
    assert place(tree, "rules") == (2, 1)
    assert place(tree, "nothing") == (1, 1)
    assert place(tree["rules"]) == (3, 3)
    assert place(tree["rules"], "x") == (3, 3)
    assert tree["rules"].spots == [(3, 5)]
    assert place(row) == (3, 5)
    assert (place(row, "record"), place(row, "fhir")) == ((3, 6), (4, 6))
    assert place("text") == place(None, "key") == (1, 1)


@pytest.mark.parametrize(
    ("text", "id_", "line", "column"),
    [
        ("- a\n", "file-shape", 1, 1),
        ("map: m\n? [a]\n: b\n", "yaml-key", 2, 3),
        ("map: m\nmap: n\n", "yaml-key-twice", 2, 1),
    ],
)
def test_a_text_that_is_no_mapping_file(text: str, id_: str, line: int, column: int) -> None:
    faults = Faults()
    read(text, "p/m.yaml", faults)
    assert [(row.id, row.line, row.column) for row in faults][:1] == [(id_, line, column)]


def test_each_fault_is_told_once_and_in_its_place() -> None:
    faults = Faults()
    for line in (3, 1, 3):
        node = read("\n" * (line - 1) + "a: b\n", "p/m.yaml", Faults())
        faults.add("p/m.yaml", node, "x", f"fault {line}")
    with pytest.raises(Exception, match="has 2 fault") as caught:
        faults.check("The pack")
    assert [row.line for row in caught.value.faults] == [1, 3]  # type: ignore[attr-defined]


def test_each_path_knows_its_neighbours_in_the_array() -> None:
    text = {"type": "string"}
    schema = {
        "type": "object",
        "properties": {
            **dict.fromkeys("abc", text),
            "l": {"type": "array", "items": {"type": "object", "properties": {"x": text}}},
        },
    }
    context = Context({}, {}, lambda _: Shape(schema, schema))
    rules = (
        "  - {record: a, fhir: 'ext[url=a].v'}\n  - {record: b, fhir: 'ext[url=b].v'}\n  - {set: y, fhir: 'ext[url=s].v'}\n"
        "  - {record: c, fhir: 'ext[url=c].v', one_way: a test}\n  - {record: l, fhir: 'ext', items: [{record: x, fhir: v}]}\n"
    )
    maps = compile_maps({"m": ("p/m.yaml", f"map: m\nrecord: r\nresource: Goal\nrules:\n{rules}")}, context)
    found: list[Any] = list(maps["m"].rules)
    urls = [[step.keys[0][1] for step in rule.path.ranks[0]] for rule in found[:2]]
    assert urls == [["a", "b", "s", "c"]] * 2
