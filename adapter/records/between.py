"""What holds between the fields of an object: each function looks at a tree and gives the faults.

Schemas name them by `adapter.records.base.rule`, and `adapter.records.plain` by the same words without a schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from adapter.fhir_json import Tree
from adapter.identity import NS
from adapter.records import dates
from adapter.records.faults import DUPLICATE, PERIOD, REQUIRED, Fault, Path

OURS = f"{NS}/Questionnaire/"
INTAKE = f"{OURS}intake|1.0.0"
INTAKE_ONLY = (
    *("substances", "exposure_origin", "family_history", "social"),
    *("personality", "mental_health", "readiness", "asam"),
)
OTHER_TYPES = ("appointment", "communication", "device", "nutrition", "task", "vision")
_BOTH = ("id", "type", "activity", "medication", "status", "do_not_perform", "reason", "problems", "goals")
_BOTH_TOO = ("schedule", "performers", "patient_instruction", "progress", "outcomes", "outcome_codes", "extra")
WITHIN_ONLY = ("amount", "daily_amount", "location", "guidelines", "guideline_addresses")
WITHIN = frozenset((*_BOTH, *_BOTH_TOO, *WITHIN_ONLY, "within_plan"))


def _misplaced(text: str, *path: str) -> Fault:
    return Fault("invariant", "record-misplaced", text, path)


_NOT_INTAKE = _misplaced("Only an assessment with the intake form has this field.")
_NOT_OURS = _misplaced("Only an assessment with a questionnaire of ours has this field.")
_BY_ID = _misplaced("A record is named by its id, and a text beside it.")
_UNCODED = _misplaced("Other codings stand only beside a disorder that has a code.", "codes")
_ALSO = _misplaced("The further codings of a disorder stand in codes.", "disorder", "also")
_NOT_A_SERVICE = _misplaced("Only a request of type medication has this field.")
_NOT_A_MEDICATION = _misplaced("A request of type medication has no activity.")
_NOT_WITHIN = _misplaced("What is described within the plan alone has no such field.")
_ONLY_WITHIN = _misplaced("Only what is described within the plan alone may say this.")
_REPEATED = Fault("duplicate", "record-duplicate-id", "Another item of this form has the same linkId.")
_BARE = frozenset({"id", "text"})
Find = Callable[[Tree], Iterator[Fault]]


def _one_of(text: str, names: Iterable[str]) -> Fault:
    return Fault("invariant", "record-one-of", f"{text}: {', '.join(names)}.")


def exactly_one(*names: str) -> Find:
    """One of these fields, and no other of them."""
    fault, wanted = _one_of("Exactly one of these fields must be given", names), frozenset(names)

    def find(tree: Tree) -> Iterator[Fault]:
        if len(wanted & tree.keys()) != 1:
            yield fault

    return find


def not_both(one: str, other: str) -> Find:
    """One of these fields, or none of them."""
    fault = _one_of("Only one of these fields may be given", (one, other))

    def find(tree: Tree) -> Iterator[Fault]:
        if one in tree and other in tree:
            yield fault

    return find


def at_least_one(*names: str) -> Find:
    """One of these fields or several."""
    fault, wanted = _one_of("At least one of these fields must be given", names), frozenset(names)

    def find(tree: Tree) -> Iterator[Fault]:
        if not wanted & tree.keys():
            yield fault

    return find


def needs(*names: str) -> Find:
    """Of each two names, the field of the first demands that of the second."""
    pairs = list(zip(names[::2], names[1::2], strict=True))

    def find(tree: Tree) -> Iterator[Fault]:
        for name, other in pairs:
            if name in tree and other not in tree:
                yield REQUIRED.at(other)

    return find


def unless_alone(name: str) -> Find:
    """The field must be given, unless the object is `{id}`, with a `text` or without: held elsewhere."""

    def find(tree: Tree) -> Iterator[Fault]:
        if name not in tree and not tree.keys() <= _BARE:
            yield REQUIRED.at(name)

    return find


def repeated(items: list[Any]) -> list[Fault]:
    """The items of a list whose id, or who themselves, stand in it before."""
    seen: set[str] = set()
    found = []
    for index, item in enumerate(items):
        inside = type(item) is dict
        id_ = item.get("id") if inside else item
        if type(id_) is not str:
            continue
        if id_ in seen:
            found.append(DUPLICATE.at(index, "id") if inside else DUPLICATE.at(index))
        seen.add(id_)
    return found


def in_order(tree: Tree) -> Iterator[Fault]:
    """A period does not end before it starts."""
    start, end = tree.get("start"), tree.get("end")
    if dates.is_datetime(start) and dates.is_datetime(end) and dates.is_before(str(end), str(start)):
        yield PERIOD.at("end")


def display_with_system(concept: Tree) -> Iterator[Fault]:
    """A display belongs to the code of a system; ours have their displays in the code system."""
    if "display" in concept and "code" in concept and "system" not in concept:
        yield REQUIRED.at("system")


def by_id_and_text(tree: Tree) -> Iterator[Fault]:
    """A record of ours is not named by what others call it."""
    if "id" in tree:
        yield from (_BY_ID.at(name) for name in ("reference", "type", "identifier") if name in tree)


def by_questionnaire(tree: Tree) -> Iterator[Fault]:
    """What the intake form asks stands in its assessments alone, instruments in those of our questionnaires."""
    questionnaire: Any = tree.get("questionnaire")
    if questionnaire != INTAKE:
        yield from (_NOT_INTAKE.at(name) for name in INTAKE_ONLY if name in tree)
    if "instruments" in tree and not (type(questionnaire) is str and questionnaire.startswith(OURS)):
        yield _NOT_OURS.at("instruments")


def codes_beside_code(diagnosis: Tree) -> Iterator[Fault]:
    """Further codings of a disorder that has a code, and all of them in one place."""
    disorder = diagnosis.get("disorder")
    if isinstance(disorder, dict) and "also" in disorder:
        yield _ALSO
    if "codes" in diagnosis and not (isinstance(disorder, dict) and "code" in disorder):
        yield _UNCODED


def link_ids_differ(form: Tree) -> Iterator[Fault]:
    """Each item of a form has a linkId of its own."""
    seen: set[str] = set()
    for path, link_id in _link_ids(form.get("items"), ("items",)):
        if link_id in seen:
            yield _REPEATED.at(*path)
        seen.add(link_id)


def _link_ids(items: Any, path: Path) -> Iterator[tuple[Path, str]]:
    for index, item in enumerate(items if type(items) is list else []):
        if type(item) is dict:
            if type(item.get("linkId")) is str:
                yield (*path, index, "linkId"), item["linkId"]
            yield from _link_ids(item.get("items"), (*path, index, "items"))


_ONE_WAY = _one_of("Exactly one of these fields must be given", ("text", "time", "period", "timing"))


def one_way_to_say(tree: Tree) -> Iterator[Fault]:
    """When: exactly one way, or a text beside the times of a timing."""
    if ("time" in tree) + ("period" in tree) + ("text" in tree or "timing" in tree) != 1:
        yield _ONE_WAY


def of_its_type(tree: Tree) -> Iterator[Fault]:
    """A medication where the type says so, an activity where it does not."""
    medication = tree.get("type") == "medication"
    if "medication" in tree and not medication:
        yield _NOT_A_SERVICE.at("medication")
    if "activity" in tree and medication:
        yield _NOT_A_MEDICATION.at("activity")


def within_plan(tree: Tree) -> Iterator[Fault]:
    """What is described in the plan and nowhere else says less of some things and more of others."""
    if tree.get("within_plan") is True:
        yield from (_NOT_WITHIN.at(name) for name in tree if name not in WITHIN)
        if "status" not in tree:
            yield REQUIRED.at("status")
        schedule = tree.get("schedule")
        if type(schedule) is dict and ("time" in schedule or len(schedule) > 1):
            yield _NOT_WITHIN.at("schedule")
    else:
        yield from (_ONLY_WITHIN.at(name) for name in WITHIN_ONLY if name in tree)
        if tree.get("type") in OTHER_TYPES:
            yield _ONLY_WITHIN.at("type")


_MADE: dict[str, Callable[..., Find]] = {
    made.__name__: made for made in (exactly_one, not_both, at_least_one, needs, unless_alone)
}
_FOUND: dict[str, Find] = {
    find.__name__: find
    for find in (
        *(in_order, display_with_system, by_id_and_text, by_questionnaire, codes_beside_code),
        *(link_ids_differ, one_way_to_say, of_its_type, within_plan),
    )
}


def finder(name: str, *fields: str) -> Find:
    """The function of a name; with fields it is made for them."""
    return _MADE[name](*fields) if fields else _FOUND[name]
