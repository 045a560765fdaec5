"""Mapping files as text: everything is text, every fault has its line, nothing is built or blown up."""

from __future__ import annotations

import pytest

from adapter.errors import Finding
from adapter.mapping import parsing


def faults(text: str) -> list[Finding]:
    found: list[Finding] = []
    assert parsing.read(text, "f.yaml", found) is None
    return found


def read(text: str) -> parsing.Mapping:
    found: list[Finding] = []
    tree = parsing.read(text, "f.yaml", found)
    assert tree is not None
    assert found == []
    return tree


def test_scalars_stay_text() -> None:
    tree = read("a: NO\nb: on\nc: 012\nd: 1.50\ne: null\n")
    assert tree == {"a": "NO", "b": "on", "c": "012", "d": "1.50", "e": "null"}


def test_lines_are_kept() -> None:
    tree = read("map: x\nrules:\n  - {record: a,\n     fhir: b}\n")
    rule = tree["rules"][0]
    assert (rule.line, rule.column) == (3, 5)
    assert rule.lines["fhir"] == (4, 6)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: [1", "f.yaml:2:1", "not YAML"),
        ("a: b: c", "f.yaml:1:5", "not YAML"),
        ("- a\n- b\n", "f.yaml:1:1", "expected an object"),
        ("", "f.yaml:1:1", "expected an object"),
        ("a: 1\na: 2\n", "f.yaml:2:1", "twice"),
        ("a: !!python/object/apply:os.system [x]\n", "f.yaml:1:4", "not part of the language"),
        ("a: !custom x\n", "f.yaml:1:4", "not part of the language"),
        ("a: &x [1]\nb: *x\n", "f.yaml:1:4", "aliases"),
        ("? [a, b]\n: c\n", "f.yaml:1:3", "expected a name"),
        ("a: \x01\n", "f.yaml:1:1", "not YAML"),
    ],
)
def test_what_is_refused_names_its_place(text: str, place: str, words: str) -> None:
    said = str(faults(text)[0])
    assert said.startswith(place)
    assert words in said


def test_an_alias_bomb_is_refused_at_once() -> None:
    rows = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    assert {fault.id for fault in faults("\n".join(rows))} == {"yaml-alias"}


def test_deep_nesting_is_refused() -> None:
    assert faults("a: " + "[" * 100 + "]" * 100)[-1].id == "yaml-too-deep"
    # The reader itself gives up here, before a node is made.
    assert faults("a: " + "[" * 5000 + "]" * 5000)[-1].id == "yaml-syntax"
    assert faults("- " * 100_000 + "x")[-1].id == "yaml-too-deep"
