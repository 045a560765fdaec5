"""What a rule does to one value, step by step, both ways: for whoever asks why it is as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from adapter.fhir_json import copy, same
from adapter.issues import Issue
from adapter.mapping.table import Row
from adapter.mapping.trace import Place, Visit, locate, path_of

Tree = dict[str, Any]
WORDS = {
    "copy": "the same value",
    "concept": "ConceptMap {0}",
    "choice": "code map {0}",
    "values": "the table in the rule",
    "link": "Reference ↔ id of a record",
    "display": "the display of the Reference",
    "template": "the template {1}",
    "own": "FHIR's nearest code, ours beside it as an extension",
    "items": "a list, item by item",
    "parts": "a resource of its own for each item",
    "companion": "fields on a second resource",
    "inherit": "from the record that the item belongs to",
    "set": "a constant",
    "derive": "made from the record",
}  # fmt: skip


def how(row: Row) -> str:
    """In words, what the rule does with a value."""
    keys = row.keys or {}
    if row.keyword == "concept" and not row.code_map:
        return "codes as they are, no code map"
    words = WORDS.get(row.keyword, f"{row.keyword} {_said(keys.get(row.keyword, ''))}".strip())
    text = words.replace("{0}", row.code_map).replace("{1}", str(keys.get("template", "")))
    if row.keyword == "choice" and row.code_map.startswith("$"):
        text = f"codes of {row.code_map}, the same on both sides"
    leaf = f", at {keys['leaf']} in each element" if "leaf" in keys else ""
    return text + leaf + (f", FHIR's {keys['default']} where the record says nothing" if "default" in keys else "")


def _said(value: Any) -> str:
    return ", ".join(f"{key}: {inner}" for key, inner in value.items()) if isinstance(value, dict) else str(value)


def written(visit: Visit, item: Tree) -> tuple[Any, list[Issue]]:
    """The element that the rule makes of a record's object on a new resource, None where it makes none; its issues."""
    path = path_of(visit.rule)
    fresh: Tree = {}
    scope = replace(visit.at.scope, issues=[], root=copy(visit.at.scope.root))
    visit.rule.write(fresh, item, {}, scope)
    place = locate(path, fresh) if path is not None else None
    return (at(fresh, place) if place is not None else None), scope.issues


def at(tree: Any, place: Place) -> Any:
    """What stands at a place that is there."""
    for step in place:
        tree = tree[step]
    return tree


def comes_back(value: Any, inside: Place, made: Any) -> bool:
    """Whether a leaf inside an element is in what the rule would make of it, wherever its lists have it."""
    return any(same(value, leaf) for names, leaf in _leaves(made) if names == _names(inside)) or (
        # A Reference leads to the same record, whatever its literal.
        inside == ("reference",) and type(made) is dict and bool({"reference", "identifier"} & made.keys())
    )


def _names(place: Sequence[str | int]) -> tuple[str, ...]:
    return tuple(step for step in place if isinstance(step, str))


def _leaves(tree: Any, way: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if type(tree) is dict:
        for key, inner in tree.items():
            yield from _leaves(inner, (*way, key))
    elif type(tree) is list:
        for inner in tree:
            yield from _leaves(inner, way)
    else:
        yield way, tree


def codes(row: Row, element: Any, concept_maps: dict[str, Tree]) -> list[str]:
    """The pairs of the code map that an element's codings meet: `system|code → ours (equivalence)`."""
    name = row.code_map
    if name not in concept_maps:
        return []
    found = list(_pairs(concept_maps[name]))
    lines = []
    for coding in _codings(element):
        key = (coding.get("system"), coding.get("code"))
        meets = [f"{ours} ({relation})" for ours, relation, published in found if published == key]
        own = key[0] == next((group.get("source") for group in concept_maps[name].get("group", [])), None)
        words = "our own code" if own else ", ".join(meets) or "no code of ours"
        lines.append(f"{key[0]}|{key[1]} → {words}")
    return lines


def _pairs(concept_map: Tree) -> Iterator[tuple[str, str, tuple[Any, Any]]]:
    for group in concept_map.get("group", []):
        for element in group.get("element", []):
            for target in element.get("target", []):
                if "code" in target:
                    yield element["code"], target.get("equivalence", ""), (group.get("target"), target["code"])


def _codings(element: Any) -> list[Tree]:
    if type(element) is not dict:
        return []
    if "coding" in element:
        return [coding for coding in element["coding"] if type(coding) is dict]
    inner = next((value for key, value in element.items() if key.startswith("valueCod")), None)
    return _codings(inner) if inner is not None else [element] if "code" in element else []
