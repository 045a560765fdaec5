"""What the sheet of a pack tells of each rule: the question that it answers, its codes, and a value of an example."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapter.errors import AdapterError
from adapter.fhir_json import dumps
from adapter.mapping.apart import take_apart
from adapter.mapping.bundle import Analysis
from adapter.mapping.places import names
from adapter.mapping.steps import at
from adapter.mapping.table import Row
from adapter.mapping.trace import path_of, trace
from adapter.services.diff import examples
from adapter.services.knowledge import Knowledge

Tree = dict[str, Any]
LONGEST = 120
_LINK_ID = re.compile(r"\[linkId=([^\]]+)\]")


@dataclass(frozen=True, slots=True)
class Told:
    """One rule of the sheet. `question` and `link_id` where a form asks for it; the example as (record, FHIR), shortened."""

    row: Row
    question: str = ""
    link_id: str = ""
    codes: tuple[str, ...] = ()
    example: tuple[str, str] = ("", "")


def told(known: Knowledge) -> list[Told]:
    """Every rule of a pack, in the order of its files; those that only lead to others are left out."""
    questions = dict(_questions(known))
    values = _examples(known)
    return [
        Told(row, *_asked(row, questions), tuple(codes_of(known, row)), values.get((row.source, row.fhir), ("", "")))
        for row in known.rows
        if not row.structural
    ]


def _asked(row: Row, questions: Mapping[str, str]) -> tuple[str, str]:
    ids = _LINK_ID.findall(row.selector)
    return (questions.get(ids[-1], ""), ids[-1]) if ids else ("", "")


def _questions(known: Knowledge) -> Iterator[tuple[str, str]]:
    for form in known.pack.questionnaires.values():
        yield from ((item["linkId"], str(item.get("text", ""))) for item, _ in items_of(form))


def items_of(form: Tree, depth: int = 0) -> Iterator[tuple[Tree, int]]:
    """Each item of a Questionnaire with its depth, in the order of the form."""
    for item in form.get("item", []):
        yield item, depth
        yield from items_of(item, depth + 1)


def codes_of(known: Knowledge, row: Row) -> Iterator[str]:
    """The codes that a rule may write, with their words where there are any."""
    keys = row.keys or {}
    if "values" in keys:
        yield from (f"{ours} = {theirs}" for ours, theirs in keys["values"].items())
    name = row.code_map.removeprefix("$cs/")
    system = known.pack.code_systems.get(name)
    words = (
        {concept["code"]: str(concept.get("display", "")) for concept in system.get("concept", [])} if system else {}
    )
    for group in known.pack.concept_maps.get(name, {}).get("group", []):
        for element in group.get("element", []):
            words.setdefault(element["code"], str(element.get("display", "")))
    yield from (f"{code} = {word}" if word else code for code, word in words.items())


def _examples(known: Knowledge) -> dict[tuple[str, str], tuple[str, str]]:
    """The first value of each rule that an example has, by its place in the file and its FHIR path."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for _, tree in _inputs(known):
        traced = trace(Analysis(known.mapper, take_apart(tree)))
        for visit in traced.visits:
            path = path_of(visit.rule)
            if visit.fhir is None or not visit.ours or path is None:
                continue
            inside = names(visit.at.fhir[3:] if visit.at.fhir[:1] == ("entry",) else visit.at.fhir)
            fhir = ".".join([visit.at.map.type_, *inside, *(step.name for step in (*path.steps, path.last))])
            if (visit.source, fhir) not in found:
                ours = [at(traced.records[int(place[0])].record, place[1:]) for place in visit.ours]
                shown = ours[0] if len(ours) == 1 else ours
                found[visit.source, fhir] = short(shown), short(at(tree, visit.fhir))
    return found


def _inputs(known: Knowledge) -> Iterator[tuple[str, Tree]]:
    """The FHIR side of each example that can be converted."""
    for name, tree in examples(known):
        try:
            is_fhir = isinstance(tree, dict) and "resourceType" in tree
            rows = tree if isinstance(tree, list) else [tree]
            yield name, tree if is_fhir else known.mapper.to_fhir(rows).tree
        except AdapterError:
            continue


def short(value: Any) -> str:
    """A value in one line, cut where it is long."""
    text = value if isinstance(value, str) else dumps(value).decode()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
