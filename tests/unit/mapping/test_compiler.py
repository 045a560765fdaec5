"""What is wrong with a pack is told at once, with file, line and column, and the nearest name."""

from __future__ import annotations

import pytest

from adapter.errors import PackError
from adapter.mapping.choosing import Context
from adapter.mapping.compiler import compile_maps
from adapter.mapping.shapes import Shape

SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "day": {"type": "string", "format": "fhir-date"}},
}


def faults(text: str) -> list[str]:
    context = Context({"ext": "https://x.test"}, {}, lambda kind: Shape(SCHEMA, SCHEMA) if kind == "plan" else None)
    with pytest.raises(PackError) as caught:
        compile_maps({"m": ("p/m.yaml", text)}, context)
    return [str(fault) for fault in caught.value.faults]


HEAD = "map: m\nrecord: plan\nresource: CarePlan\nrules:\n"


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("{record: titel, fhir: title}", "p/m.yaml:5:6: the record has no titel; did you mean title?"),
        ("{record: title, fihr: title}", "p/m.yaml:5:21: unknown keyword fihr; did you mean fhir?"),
        ("{record: title, fhir: 'a[0]'}", "p/m.yaml:5:21: expected key=value in [0]"),
        ("{record: title, fhir: 'extension[url=$no/x].y'}", "p/m.yaml:5:21: no prefix $no in pack.yaml"),
        ("{record: title, fhir: a, concept: nope}", "p/m.yaml:5:30: unknown ConceptMap nope"),
        ("{record: title, fhir: a, parts: [nope]}", "p/m.yaml:5:30: unknown map nope"),
        ("{fhir: text, derive: narrativ}", "unknown function narrativ; did you mean narrative?"),
        ("{record: title}", "expected a FHIR path"),
        ("just text", "expected a rule"),
    ],
)
def test_a_faulty_rule_names_its_place(rule: str, fault: str) -> None:
    assert any(fault in row for row in faults(f"{HEAD}  - {rule}\n"))


def test_all_faults_come_at_once_in_order() -> None:
    rows = "".join(f"  - {{record: nope{n}, fhir: title}}\n" for n in range(1000))
    found = faults(HEAD + rows)
    assert len(found) == 1000
    assert [int(row.split(":")[1]) for row in found] == list(range(5, 1005))


def test_a_file_without_its_keys_says_which() -> None:
    found = faults("map: m\nrecrod: plan\n")
    assert "p/m.yaml:2:1: unknown keyword recrod; did you mean record?" in found
    assert any("expected the key rules" in row for row in found)


def test_an_unknown_kind_is_named() -> None:
    assert faults("map: m\nrecord: plam\nresource: X\nrules: []\n") == ["p/m.yaml:2:1: there is no record kind plam"]
