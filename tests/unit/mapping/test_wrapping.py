"""Columns, rows, several places and conditions: what they mean both ways, and what cannot be made sense of is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapter.errors import PackError
from adapter.mapping import Mapper, load

Tree = dict[str, Any]
TEXT = {"type": "string"}
SCHEMA = {
    "type": "object",
    "required": ["no"],
    "properties": {
        "no": TEXT,
        "state": {"enum": ["on", "off"]},
        "why": TEXT,
        "names": TEXT,
        "phone1": TEXT,
        "phone2": TEXT,
        "a1_x": TEXT,
        "a2_x": TEXT,
        "a2_y": TEXT,
        "sex": TEXT,
        "rows": {"type": "array", "items": {"type": "object", "properties": {"name": TEXT, "value": TEXT}}},
    },
}
HEAD = "name: odd\nversion: 1.0.0\nkinds:\n  row: {schema: schemas/row.json, id: no}\n"
MAP = "map: row\nrecord: row\nresource: Patient\nrules:\n  - {record: no, fhir: 'identifier[system=urn:no].value'}\n"
REST = "{record: rows, fhir: 'extension[url=urn:row]', key: value, items: [{record: name, fhir: id}, {record: value, fhir: valueString}]}"


def pack(folder: Path, *pairs: str) -> Mapper:
    place = folder / "odd"
    for name in ("maps", "schemas"):
        (place / name).mkdir(parents=True, exist_ok=True)
    (place / "pack.yaml").write_text(HEAD)
    (place / "schemas" / "row.json").write_text(json.dumps(SCHEMA))
    (place / "maps" / "row.yaml").write_text(MAP + "".join(f"  - {pair}\n" for pair in pairs))
    return load(str(place))


def round_trip(mapper: Mapper, record: Tree) -> Tree:
    """The Patient of a record that comes back as it was."""
    made = mapper.to_fhir([record])
    assert made.issues == []
    assert mapper.from_fhir(made.tree).records == [{"kind": "row", **record}]
    resource: Tree = made.tree["entry"][0]["resource"]
    return resource


def test_numbered_columns_are_a_list_with_numbers(tmp_path: Path) -> None:
    mapper = pack(tmp_path, "{record: 'phone#', fhir: telecom, items: [{record: value, fhir: value}]}")
    assert round_trip(mapper, {"no": "1", "phone1": "5", "phone2": "6"})["telecom"] == [{"value": "5"}, {"value": "6"}]
    assert round_trip(mapper, {"no": "1", "phone2": "6"})["telecom"] == [{"value": "6", "id": "2"}]


def test_an_element_beyond_the_last_column_is_carried_along(tmp_path: Path) -> None:
    mapper = pack(tmp_path, "{record: 'phone#', fhir: telecom, items: [{record: value, fhir: value}]}")
    bundle = mapper.to_fhir([{"no": "1", "phone1": "5", "phone2": "6"}]).tree
    telecom = bundle["entry"][0]["resource"]["telecom"]
    telecom.append({"value": "7"})
    read = mapper.from_fhir(bundle)
    assert [issue.message_id for issue in read.issues] == ["map-no-column"]
    edited = mapper.to_fhir([{**read.records[0], "phone1": "55"}], read.remainder).tree
    assert [row["value"] for row in edited["entry"][0]["resource"]["telecom"]] == ["55", "6", "7"]


def test_one_text_is_a_list(tmp_path: Path) -> None:
    mapper = pack(tmp_path, "{record: names, fhir: 'name[use=usual].given', split: '|'}")
    assert round_trip(mapper, {"no": "1", "names": "Ana|Maria"})["name"][0]["given"] == ["Ana", "Maria"]
    assert [issue.message_id for issue in mapper.to_fhir([{"no": "1", "names": "Ana||Maria"}]).issues] == [
        "map-not-written"
    ]


def test_a_field_stands_in_the_first_place_that_can_say_it(tmp_path: Path) -> None:
    pair = "{record: sex, either: [{fhir: gender, values: {F: female}}, {fhir: 'extension[url=urn:sex].valueString'}]}"
    mapper = pack(tmp_path, pair)
    assert round_trip(mapper, {"no": "1", "sex": "F"})["gender"] == "female"
    assert round_trip(mapper, {"no": "1", "sex": "two-spirit"})["extension"][0]["valueString"] == "two-spirit"
    read = mapper.from_fhir(mapper.to_fhir([{"no": "1", "sex": "F"}]).tree)
    there = mapper.to_fhir([{**read.records[0], "sex": "other"}], read.remainder).tree["entry"][0]["resource"]
    assert "gender" not in there
    assert there["extension"] == [{"url": "urn:sex", "valueString": "other"}]


def test_a_condition_holds_both_ways(tmp_path: Path) -> None:
    mapper = pack(
        tmp_path, "{record: state, fhir: language}", "{record: why, when: {state: 'off'}, fhir: 'name[use=old].text'}"
    )
    assert round_trip(mapper, {"no": "1", "state": "off", "why": "moved"})["name"][0]["text"] == "moved"
    lost = mapper.to_fhir([{"no": "1", "state": "on", "why": "moved"}])
    assert [(issue.message_id, issue.is_error) for issue in lost.issues] == [("map-when", True)]
    # A foreign text there is not ours while the condition does not hold, and stays.
    bundle = mapper.to_fhir([{"no": "1", "state": "on"}]).tree
    bundle["entry"][0]["resource"]["name"] = [{"use": "old", "text": "theirs"}]
    read = mapper.from_fhir(bundle)
    assert read.records == [{"kind": "row", "no": "1", "state": "on"}]
    assert mapper.to_fhir(read.records, read.remainder).tree == bundle


def test_rows_are_selected_and_the_rest_is_kept(tmp_path: Path) -> None:
    order = "{record: rows, order: name, fhir: 'extension[url=urn:order]', leaf: valueString}"
    mapper = pack(tmp_path, "{record: 'rows[name=lang].value', fhir: language}", REST, order)
    known, other, again = (
        {"name": name, "value": value} for name, value in (("lang", "en"), ("x", "1"), ("lang", "de"))
    )
    plain = round_trip(mapper, {"no": "1", "rows": [known, other]})
    assert plain["language"] == "en"
    assert [row["url"] for row in plain["extension"]] == ["urn:row"]
    turned = round_trip(mapper, {"no": "1", "rows": [other, known, again]})
    assert [row["valueString"] for row in turned["extension"] if row["url"] == "urn:order"] == ["x", "lang", "lang"]


@pytest.mark.parametrize(
    ("pair", "what"),
    [
        ("{record: 'a#_*', fhir: telecom, items: [{record: x, fhir: value}]}", "the columns of number 1 have no y"),
        ("{record: 'b#_*', fhir: telecom, items: [{record: x, fhir: value}]}", "the record has no columns b#_*"),
        ("{record: 'phone#', fhir: 'telecom[system=phone].value'}", "expected items or parts"),
        ("{record: 'a##_*', fhir: telecom, items: [{record: x, fhir: value}]}", "expected one # and at most one *"),
        ("{record: 'a#_**', fhir: telecom, items: [{record: x, fhir: value}]}", "expected one # and at most one *"),
        ("{record: 'a#.x', fhir: telecom, items: [{record: x, fhir: value}]}", "expected one # and at most one *"),
        (
            "{record: sex, either: [{fhir: gender, values: F}, {fhir: language}]}",
            "expected an object of texts for values",
        ),
        ("{record: sex, either: [{fhir: gender, via: [number]}, {fhir: language}]}", "expected text for via"),
        ("{record: 'rows[name].value', fhir: language}", "expected key=value"),
        ("{record: 'rowz[name=a].value', fhir: language}", "the record has no list rowz"),
        ("{record: sex, either: [{fhir: gender}]}", "two places or more"),
        ("{record: sex, either: [{fhir: gender}, {fhir: language, default: en}]}", "without a default"),
        ("{record: why, when: {stat: 'off'}, fhir: language}", "the record has no stat"),
        ("{record: rows, order: nam, fhir: 'extension[url=urn:o]', leaf: valueString}", "the record has no list rows"),
        ("{record: no, fhir: language, via: dates MM}", "unknown function dates"),
        ("{record: no, fhir: language, via: date MM}", "expected a form"),
    ],
)
def test_what_cannot_be_made_sense_of_is_refused_with_its_place(pair: str, what: str, tmp_path: Path) -> None:
    with pytest.raises(PackError) as error:
        pack(tmp_path, pair)
    assert [row for row in map(str, error.value.faults) if "odd/maps/row.yaml:6:" in row and what in row]


ORDER = "{record: rows, order: name, fhir: 'extension[url=urn:order]', leaf: valueString}"


def order_of(bundle: Tree) -> list[str]:
    rows = bundle["entry"][0]["resource"].get("extension", [])
    return [row["valueString"] for row in rows if row["url"] == "urn:order"]


def test_the_order_of_rows_is_written_while_it_is_not_that_of_the_rules(tmp_path: Path) -> None:
    mapper = pack(tmp_path, "{record: 'rows[name=lang].value', fhir: language}", REST, ORDER)
    known, other = {"name": "lang", "value": "en"}, {"name": "x", "value": "1"}
    bundle = mapper.to_fhir([{"no": "1", "rows": [known, other]}]).tree
    for rows, order in (
        ([other, known], ["x", "lang"]),
        ([known, other], []),
        ([other, known], ["x", "lang"]),
        ([known], []),
    ):
        read = mapper.from_fhir(bundle)
        bundle = mapper.to_fhir([{**read.records[0], "rows": rows}], read.remainder).tree
        assert mapper.from_fhir(bundle).records[0]["rows"] == rows
        assert order_of(bundle) == order
    assert mapper.from_fhir(mapper.to_fhir([{"no": "1"}]).tree).records == [{"kind": "row", "no": "1"}]


def test_an_order_that_names_other_rows_orders_those_that_are_there(tmp_path: Path) -> None:
    mapper = pack(tmp_path, "{record: 'rows[name=lang].value', fhir: language}", REST, ORDER)
    known, other = {"name": "lang", "value": "en"}, {"name": "x", "value": "1"}
    bundle = mapper.to_fhir([{"no": "1", "rows": [other, known]}]).tree
    rows = bundle["entry"][0]["resource"]["extension"]
    rows.insert(0, {"url": "urn:order", "valueString": "gone"})
    read = mapper.from_fhir(bundle)
    assert read.records[0]["rows"] == [other, known]
    edited = mapper.to_fhir(
        [{**read.records[0], "names": "x", "rows": [{**other, "value": "2"}, known]}], read.remainder
    )
    assert order_of(edited.tree) == ["x", "lang"]


def test_a_row_that_is_called_by_no_text_has_no_place_in_the_order_and_that_is_said(tmp_path: Path) -> None:
    mapper = pack(tmp_path, "{record: 'rows[name=lang].value', fhir: language}", REST, ORDER)
    rows = [{"name": 5, "value": "1"}, {"name": "lang", "value": "en"}]
    made = mapper.to_fhir([{"no": "1", "rows": rows}])
    assert order_of(made.tree) == ["lang"]
    assert {(issue.message_id, issue.source.rpartition(":")[0]) for issue in made.issues} >= {
        ("map-not-written", "odd/maps/row.yaml:8")
    }


def test_a_piece_with_the_separator_in_it_is_not_read_as_two(tmp_path: Path) -> None:
    mapper = pack(tmp_path, "{record: names, fhir: 'name[use=usual].given', split: '|'}")
    bundle = mapper.to_fhir([{"no": "1", "names": "Ana|Maria"}]).tree
    bundle["entry"][0]["resource"]["name"][0]["given"].append("Li|sa")
    read = mapper.from_fhir(bundle)
    assert read.records[0]["names"] == "Ana|Maria"
    assert mapper.to_fhir(read.records, read.remainder).tree == bundle


def test_rows_may_be_selected_by_more_than_one_key(tmp_path: Path) -> None:
    mapper = pack(tmp_path, "{record: 'rows[name=a, value=1].name', fhir: language}", REST)
    row, other = {"name": "a", "value": "1"}, {"name": "a", "value": "2"}
    made = mapper.to_fhir([{"no": "1", "rows": [row, other]}]).tree["entry"][0]["resource"]
    assert made["language"] == "a"
    assert [item["valueString"] for item in made["extension"]] == ["2"]


@pytest.mark.parametrize(
    ("pair", "id_", "column"),
    [
        ("{record: why, when: {stat: 'off'}, fhir: language}", "rule-wrapped", 19),
        ("{record: sex, either: [{fhir: gender}, {fhir: language, default: en}]}", "rule-wrapped", 19),
        ("{record: 'rows[name=a].nothing', fhir: 'x', leaf: y, repeats: 'yes'}", "rule-wrapped", 6),
        ("{record: 'rows[name=a].value', fhir: 'x', items: [], repeats: 'yes', leaf: y}", "rule-wrapped", 58),
        ("{record: rows, order: nam, fhir: 'extension[url=urn:o]', leaf: valueString}", "rule-wrapped", 20),
        ("{record: rows, order: name, fhir: 'x', items: []}", "rule-wrapped", 33),
        ("{record: names, split: '|', fhir: 'x', items: []}", "rule-wrapped", 21),
    ],
)
def test_what_is_wrong_with_a_wrapped_pair_is_told_at_its_key(pair: str, id_: str, column: int, tmp_path: Path) -> None:
    with pytest.raises(PackError) as caught:
        pack(tmp_path, pair)
    assert (id_, 6, column) in [(row.id, row.line, row.column) for row in caught.value.faults]
