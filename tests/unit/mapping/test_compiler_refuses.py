"""Every fault that the compiler tells: its id, and the line and column that it points at."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.errors import PackError
from adapter.mapping.choosing import Context
from adapter.mapping.compiler import compile_maps
from adapter.mapping.shapes import Shape

TEXT = {"type": "string"}
ROW = {"type": "object", "properties": {"name": TEXT, "value": TEXT}}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "title": TEXT,
        "owner": {"type": "object", "properties": {"name": TEXT}},
        "tags": {"type": "array", "items": TEXT},
        "rows": {"type": "array", "items": ROW},
        "x1": TEXT,
        "x2": TEXT,
    },
}
HEAD = "map: m\nrecord: plan\nresource: CarePlan\nrules:\n"
REST = "\n  - {record: rows, fhir: activity, items: [{record: name, fhir: a}]}"


def faults(text: str) -> list[tuple[str, int, int, str]]:
    """(id, line, column, near) of each."""
    context = Context({"ext": "https://x.test"}, {}, lambda kind: Shape(SCHEMA, SCHEMA) if kind == "plan" else None)
    with pytest.raises(PackError) as caught:
        compile_maps({"m": ("p/m.yaml", text)}, context)
    return [(row.id, row.line, row.column, row.near) for row in caught.value.faults]


@pytest.mark.parametrize(
    ("rule", "id_", "column", "near"),
    [
        ("{record: title, fhir: a, colour: red}", "keyword-unknown", 30, ""),
        ("{record: title, fhir: a, item: []}", "keyword-unknown", 30, "items"),
        ("{record: title, fhir: [a]}", "keyword-value", 21, ""),
        ("{record: '', fhir: a}", "keyword-value", 6, ""),
        ("{record: title, fhir: a, values: [b]}", "keyword-value", 30, ""),
        ("{record: title, fhir: a, wrap: coding}", "keyword-idle", 30, ""),
        ("{record: title, fhir: a, names: [b]}", "keyword-idle", 30, ""),
        ("{record: titel, fhir: a}", "record-path", 6, "title"),
        ("{record: owner.nam, fhir: a}", "record-path", 6, ""),
        ("{record: title.name, fhir: a}", "record-path", 6, ""),
        ("{record: title..name, fhir: a}", "path-syntax", 27, ""),
        ("{record: title, fhir: 'a['}", "path-syntax", 21, ""),
        ("{record: title}", "rule-path-missing", 6, ""),
        ("{fhir: a}", "rule-path-missing", 6, ""),
        ("{fhir: a, inherit: title}", "keyword-missing", 15, ""),
        ("{fhir: text, derive: narrative}", "keyword-missing", 18, ""),
        ("{fhir: text, derive: narrativ, names: [title]}", "function-unknown", 18, "narrative"),
        ("{fhir: text, derive: reference, names: [n]}", "map-unknown", 37, ""),
        ("{fhir: a, companion: n}", "map-unknown", 15, ""),
        ("{record: rows, fhir: a, parts: [n]}", "map-unknown", 29, ""),
        ("{record: rows, fhir: a, items: grp}", "group-unknown", 29, ""),
        ("{record: rows, fhir: a, items: [text]}", "rule-shape", 37, ""),
        ("{record: rows, fhir: a, items: [{record: nam, fhir: b}]}", "record-path", 38, "name"),
        ("{fhir: a, template: plain}", "template", 15, ""),
        ("{record: title, fhir: a, choice: c, words: word}", "conceptmap-unknown", 30, ""),
        ("{record: title, fhir: a, object: grp}", "group-unknown", 30, ""),
        ("{record: title, fhir: a, only: R6}", "release-unknown", 30, ""),
        ("{record: title, fhir: a, when: {}}", "rule-wrapped", 30, ""),
        ("{record: title, fhir: a, when: {titel: x}}", "rule-wrapped", 30, ""),
        ("{record: title, either: [{fhir: a}]}", "rule-wrapped", 21, ""),
        ("{record: 'rows[name=a].value', fhir: a, repeats: 'yes'}" + REST, "keyword-idle", 45, ""),
        ("{record: 'rows[name=a].valu', fhir: a, leaf: b, repeats: 'yes'}" + REST, "rule-wrapped", 6, ""),
        ("{record: 'title[name=a].value', fhir: a}", "rule-wrapped", 6, ""),
        ("{record: 'rows[name=a].value', fhir: a}", "rule-rows", 6, ""),
        ("{record: title, fhir: a, order: name}", "rule-wrapped", 30, ""),
        ("{record: nothing, fhir: a, order: name}", "rule-wrapped", 32, ""),
        ("{record: tags, fhir: a, order: name}", "rule-wrapped", 29, ""),
        ("{record: 'x#', fhir: a}", "rule-wrapped", 6, ""),
        ("{record: 'y#', fhir: a, items: []}", "rule-wrapped", 6, ""),
    ],
)
def test_a_faulty_pair(rule: str, id_: str, column: int, near: str) -> None:
    assert faults(f"{HEAD}  - {rule}\n") == [(id_, 5, column, near)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("map: m\nrecord: plam\nresource: X\nrules: []\n", [("record-kind", 2, 1, "")]),
        ("map: m\nrecord: plan\nrules: []\n", [("keyword-missing", 1, 1, "")]),
        (f"at: rowz\n{HEAD}", [("record-path", 1, 1, "rows")]),
        (HEAD.replace("rules:", "at: rowz\nrules:"), [("record-path", 4, 1, "rows")]),
        (f"at: 'y#'\n{HEAD}", [("rule-wrapped", 1, 1, "")]),
        (f"at: a..b\n{HEAD}", [("path-syntax", 1, 1, "")]),
        (f"match: {{'a[': b}}\n{HEAD}", [("path-syntax", 1, 1, "")]),
        (f"match: {{a: $no/x}}\n{HEAD}", [("path-syntax", 1, 1, "")]),
        ("record: plan\nresource: X\nwhen: {a..b: c}\nrules:\n", [("path-syntax", 3, 1, "")]),
        ("record: plan\nresource: X\nwhen: {a: $no/x}\nrules:\n", [("path-syntax", 3, 1, "")]),
        (f"only: R6\n{HEAD}", [("release-unknown", 1, 1, "")]),
        (f"groups: {{g: [{{record: name, fhir: a, object: g}}]}}\n{HEAD}", [("group-loop", 1, 40, "")]),
    ],
)
def test_a_faulty_file(text: str, found: list[Any]) -> None:
    rules = "" if "rules: []" in text or text.startswith("groups") else "  - {record: title, fhir: a}\n"
    told = faults(
        text + rules if not text.startswith("groups") else f"{text}  - {{record: owner, fhir: a, object: g}}\n"
    )
    assert [row[:2] for row in told] == [row[:2] for row in found]
    assert told[0][3] == found[0][3]


def test_a_pair_in_either_is_held_to_the_same_forms() -> None:
    rule = "{record: title, either: [{fhir: a, valuez: {b: c}}, {fhir: b, values: c}]}"
    assert faults(f"{HEAD}  - {rule}\n") == [("keyword-unknown", 5, 40, "values"), ("keyword-value", 5, 67, "")]
