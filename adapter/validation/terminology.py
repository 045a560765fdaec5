"""Tier 3, the codes that the definitions at hand do not tell: asked of a terminology server where there is one.

https://hl7.org/fhir/R4/terminology-service.html#validation — its failure is no verdict on the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from adapter.definitions import Definitions, Element
from adapter.definitions.profiling import defined
from adapter.errors import Refused, Unavailable
from adapter.ports import Code, CodeVerdict, TerminologyServer
from adapter.validation.bindings import member
from adapter.validation.handlers import step_of
from adapter.validation.run import Run, Tree
from adapter.validation.texts import claimed

# HL7's name for units: they are told by their grammar and no list.
UNITS = "http://unitsofmeasure.org"
CODED = ("Coding", "CodeableConcept")


@dataclass(frozen=True, slots=True)
class Question:
    """A code at a place; with a binding it is in the value set, or another coding of the same concept is (`concept`)."""

    place: str
    code: Code
    display: str = ""
    strength: str = ""
    concept: str = ""


def ask(server: TerminologyServer, defs: Definitions, tree: Tree, run: Run) -> None:
    """Notes what the server says of the codes that are not at hand; they no longer count as not checked."""
    questions = list(dict.fromkeys(_of_resource(defs, tree, "", run.profiles)))
    if not questions:
        return
    try:
        verdicts = server.verdicts(tree, [question.code for question in questions])
    except Refused:
        run.add("terminology-refused")
        return
    except Unavailable:
        run.add("terminology-unavailable")
        return
    answered = list(zip(questions, verdicts, strict=True))
    _say_codes([row for row in answered if not row[0].strength], run)
    _say_bindings([row for row in answered if row[0].strength], run)


Answered = Sequence[tuple[Question, CodeVerdict | None]]


def _say_codes(answered: Answered, run: Run) -> None:
    silent = {question.code.system for question, verdict in answered if verdict is None}
    run.uncheckable -= {question.code.system for question, _ in answered} - silent
    for question, verdict in answered:
        system = question.code.system
        if verdict is not None and not verdict.valid:
            run.add("code-unknown", question.place + ".code", system=system)
        elif verdict is not None and _differs(question.display, verdict.display):
            run.add("code-display", question.place + ".display", severity=run.quirks.displays, system=system)


def _differs(given: str, own: str) -> bool:
    return bool(given and own) and given.casefold().split() != own.casefold().split()


def _say_bindings(answered: Answered, run: Run) -> None:
    """A concept is in a value set where any of its codings is; one without a verdict may be."""
    groups: dict[tuple[str, str], list[tuple[Question, CodeVerdict | None]]] = {}
    for row in answered:
        groups.setdefault((row[0].concept, row[0].code.value_set), []).append(row)
    for (place, value_set), rows in groups.items():
        if all(verdict is not None and not verdict.valid for _, verdict in rows):
            message_id = f"binding-{rows[0][0].strength}"
            run.add(message_id, place, value_set=value_set)


def _of_resource(defs: Definitions, tree: Any, place: str, more: Sequence[str] = ()) -> Iterator[Question]:
    """The codes of a resource and of those inside it; bound by their types, the profiles that they claim, and `more`."""
    name = tree.get("resourceType") if isinstance(tree, dict) else None
    if not isinstance(name, str) or name not in defs.resource_types:
        return
    yield from _of_node(defs, tree, name, place)
    for url in dict.fromkeys([*claimed(tree), *more]):
        facts = defs.profile(url)
        if facts is not None and facts["t"] == name:
            yield from _of_profile(defs, tree, facts, place)


def _of_profile(defs: Definitions, tree: Tree, facts: Tree, place: str) -> Iterator[Question]:
    """What a profile binds; slices, whose values are told apart elsewhere, are left out."""
    for row in facts["e"]:
        _, *steps = row["i"].split(".")
        if "b" in row and steps and ":" not in row["i"]:
            for element, value, spot in _at(defs, tree, facts["t"], steps, place):
                yield from _of_bound(defs, element.type, (row["b"][0], row["b"][1]), value, spot)


def _at(
    defs: Definitions, node: Tree, type_name: str, steps: Sequence[str], place: str
) -> Iterator[tuple[Element, Tree, str]]:
    """The objects at a path of a type's definition, with their places."""
    for element in defined(defs, f"{type_name}.{steps[0]}"):
        value, step = node.get(element.name), place + step_of(element)
        rows = enumerate(value) if isinstance(value, list) else [(None, value)]
        for index, each in rows:
            spot = step if index is None else f"{step}[{index}]"
            if isinstance(each, dict):
                inner = _at(defs, each, element.type, steps[1:], spot) if len(steps) > 1 else [(element, each, spot)]
                yield from inner


def _of_node(defs: Definitions, node: Tree, type_name: str, place: str) -> Iterator[Question]:
    if type_name == "Coding":
        yield from _of_coding(defs, node, place)
    elements = defs.type(type_name).elements
    for key, value in node.items():
        element = elements.get(key)
        if element is None:
            continue
        step = place + step_of(element)
        rows = enumerate(value) if isinstance(value, list) else [(None, value)]
        for index, each in rows:
            spot = step if index is None else f"{step}[{index}]"
            if isinstance(each, dict):
                yield from _of_binding(defs, element, each, spot)
                inner = _of_resource(defs, each, spot) if element.type == "Resource" else None
                yield from inner or _of_node(defs, each, element.type, spot)


def _of_coding(defs: Definitions, node: Tree, place: str) -> Iterator[Question]:
    system, code, display = node.get("system"), node.get("code"), node.get("display")
    if not isinstance(system, str) or not isinstance(code, str) or system == UNITS or ":" not in system:
        return
    if defs.code_system(system) is None:
        yield Question(place, Code(system, code), display if isinstance(display, str) else "")


def _of_binding(defs: Definitions, element: Element, value: Tree, place: str) -> Iterator[Question]:
    if element.binding is not None:
        bound = element.binding.strength, element.binding.value_set
        yield from _of_bound(defs, element.type, bound, value, place)


def _of_bound(defs: Definitions, type_name: str, bound: tuple[str, str], value: Tree, place: str) -> Iterator[Question]:
    """The codings of a bound value whose membership the content at hand does not tell."""
    strength, value_set = bound
    if strength not in ("required", "extensible") or type_name not in CODED:
        return
    expansion = defs.expansion(value_set)
    rows = value.get("coding") if type_name == "CodeableConcept" else [value]
    codings = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    told = [member(defs, expansion, row.get("system"), row.get("code")) for row in codings]
    if True in told or None not in told:
        return
    for row, verdict in zip(codings, told, strict=True):
        system, code = row.get("system"), row.get("code")
        if verdict is None and isinstance(system, str) and isinstance(code, str):
            yield Question(place, Code(system, code, value_set), "", strength, place)
