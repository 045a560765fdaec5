"""Mutations: one change to a valid resource, of which the reference and we should say the same.

An operator takes a copy of a tree and a source of chance and changes it; it returns False where it does not fit.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

Tree = dict[str, Any]
Operator = Callable[[Tree, random.Random], bool]
OPERATORS: dict[str, Operator] = {}
CODED = ("status", "intent", "gender", "lifecycleStatus", "type", "use", "priority", "operator")


def operator(work: Operator) -> Operator:
    """Registers an operator by its name."""
    OPERATORS[work.__name__] = work
    return work


def nodes(tree: Any) -> Iterator[Tree]:
    """Every object of a tree, narrative and extensions aside."""
    if isinstance(tree, dict):
        yield tree
        for key, value in tree.items():
            if key not in ("text", "extension", "modifierExtension") or (key == "text" and isinstance(value, str)):
                yield from nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from nodes(value)


def pick(tree: Tree, chance: random.Random, test: Callable[[str, Any], bool]) -> tuple[Tree, str] | None:
    """One (object, key) whose value passes a test."""
    found = [
        (node, key) for node in nodes(tree) for key, value in node.items() if key != "resourceType" and test(key, value)
    ]
    return chance.choice(found) if found else None


def put(test: Callable[[str, Any], bool], new: Callable[[Any], Any]) -> Operator:
    """The operator that replaces one value that passes a test."""

    def work(tree: Tree, chance: random.Random) -> bool:
        spot = pick(tree, chance, test)
        if spot is None:
            return False
        node, key = spot
        before = node[key]
        node[key] = new(before)
        return bool(node[key] != before) or type(node[key]) is not type(before)

    return work


def _text(key: str, value: Any) -> bool:
    return isinstance(value, str) and key not in ("div", "id")


def _is_date(_: str, value: Any) -> bool:
    return isinstance(value, str) and len(value) >= 10 and value[:4].isdigit() and value[4] == value[7] == "-"


def _object(_: str, value: Any) -> bool:
    return isinstance(value, dict)


def _array(_: str, value: Any) -> bool:
    return isinstance(value, list) and bool(value)


def _objects(key: str, value: Any) -> bool:
    return _array(key, value) and all(isinstance(row, dict) for row in value)


def _number(_: str, value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _flag(_: str, value: Any) -> bool:
    return isinstance(value, bool)


def _coding(key: str, value: Any) -> bool:
    return key == "coding" and _objects(key, value) and "system" in value[0] and "code" in value[0]


def _reference(key: str, value: Any) -> bool:
    return key == "reference" and isinstance(value, str)


SIMPLE: dict[str, Operator] = {
    "text_to_number": put(_text, lambda _: 7),
    "text_to_flag": put(_text, lambda _: True),
    "text_to_null": put(_text, lambda _: None),
    "text_to_object": put(_text, lambda _: {"x": 1}),
    "text_to_array": put(_text, lambda value: [value]),
    "text_empty": put(_text, lambda _: ""),
    "text_blank": put(_text, lambda _: "   "),
    "flag_to_text": put(_flag, lambda value: str(value).lower()),
    "flag_to_number": put(_flag, int),
    "number_to_text": put(_number, str),
    "number_to_fraction": put(_number, lambda _: 1.5),
    "number_negative": put(_number, lambda _: -3),
    "number_huge": put(_number, lambda _: 99999999999),
    "date_no_such_day": put(_is_date, lambda value: value[:4] + "-02-30" + value[10:]),
    "date_no_such_month": put(_is_date, lambda value: value[:4] + "-13-01" + value[10:]),
    "date_slashes": put(_is_date, lambda value: value.replace("-", "/")),
    "date_short_month": put(_is_date, lambda value: value[:4] + "-1-1"),
    "date_two_digits": put(_is_date, lambda value: value[2:]),
    "time_no_zone": put(_is_date, lambda value: value[:10] + "T10:00:00"),
    "time_no_seconds": put(_is_date, lambda value: value[:10] + "T10:00Z"),
    "time_hour_25": put(_is_date, lambda value: value[:10] + "T25:00:00Z"),
    "time_added": put(_is_date, lambda value: value[:10] + "T10:00:00Z"),
    "date_year_only": put(_is_date, lambda value: value[:4]),
    "object_empty": put(_object, lambda _: {}),
    "object_to_text": put(_object, lambda _: "x"),
    "object_to_array": put(_object, lambda value: [value]),
    "object_to_null": put(_object, lambda _: None),
    "array_empty": put(_array, lambda _: []),
    "array_to_first": put(_array, lambda value: value[0]),
    "array_null": put(_array, lambda value: [*value, None]),
    "array_of_empty": put(_objects, lambda value: [*value, {}]),
    "array_doubled": put(_array, lambda value: value + value),
    "code_unknown": put(lambda key, value: key in CODED and isinstance(value, str), lambda _: "no-such-code"),
    "code_spaces": put(lambda key, value: key in CODED and isinstance(value, str), lambda value: f" {value}"),
    "code_upper": put(lambda key, value: key in CODED and isinstance(value, str), str.upper),
    "coding_code": put(_coding, lambda value: [{**value[0], "code": "no-such-code"}, *value[1:]]),
    "coding_no_system": put(_coding, lambda value: [{k: v for k, v in value[0].items() if k != "system"}]),
    "coding_relative_system": put(_coding, lambda value: [{**value[0], "system": "local"}]),
    "coding_blank_system": put(_coding, lambda value: [{**value[0], "system": "http://a b"}]),
    "reference_dangling": put(_reference, lambda _: "#nowhere"),
    "reference_blank": put(_reference, lambda _: "a b"),
    "reference_gone": put(lambda key, value: _object(key, value) and "reference" in value, lambda _: {"display": "x"}),
    "id_long": put(lambda key, value: key == "id" and isinstance(value, str), lambda _: "a" * 65),
    "id_underscore": put(lambda key, value: key == "id" and isinstance(value, str), lambda _: "a_b"),
    "url_blank": put(lambda key, value: isinstance(value, str) and value.startswith("http"), lambda _: "http://a b"),
    "uuid_short": put(lambda key, value: isinstance(value, str) and value.startswith("http"), lambda _: "urn:uuid:123"),
    "oid_bad": put(lambda key, value: isinstance(value, str) and value.startswith("http"), lambda _: "urn:oid:9.x"),
    "link_id_gone": put(
        lambda key, value: _objects(key, value) and "linkId" in value[0],
        lambda value: [{k: v for k, v in value[0].items() if k != "linkId"}],
    ),
    "div_script": put(
        lambda key, value: key == "div", lambda value: value.replace("</div>", "<script>x</script></div>", 1)
    ),
}
OPERATORS.update(SIMPLE)


@operator
def drop_one(tree: Tree, chance: random.Random) -> bool:
    """Leaves out one property."""
    spot = pick(tree, chance, lambda _key, _value: True)
    if spot is None:
        return False
    del spot[0][spot[1]]
    return True


@operator
def drop_required(tree: Tree, chance: random.Random) -> bool:
    """Leaves out a property of the resource itself."""
    key = chance.choice([key for key in tree if key != "resourceType"] or [""])
    return tree.pop(key, None) is not None


@operator
def add_unknown(tree: Tree, chance: random.Random) -> bool:
    """Adds a property that no type has."""
    chance.choice(list(nodes(tree)))["unknownThing"] = "x"
    return True


@operator
def misspell(tree: Tree, chance: random.Random) -> bool:
    """Misspells a property."""
    spot = pick(tree, chance, lambda key, _value: len(key) > 3)
    if spot is None:
        return False
    spot[0][spot[1][:-1]] = spot[0].pop(spot[1])
    return True


@operator
def choice_twice(tree: Tree, chance: random.Random) -> bool:
    """Gives a choice in a second type."""
    spot = pick(
        tree, chance, lambda key, _value: key.startswith(("onset", "value", "deceased", "abatement", "effective"))
    )
    if spot is None:
        return False
    base = next(base for base in ("onset", "value", "deceased", "abatement", "effective") if spot[1].startswith(base))
    other = base + ("DateTime" if not spot[1].endswith("DateTime") else "String")
    spot[0][other] = "2020"
    return True


@operator
def sibling_on_object(tree: Tree, chance: random.Random) -> bool:
    """Gives an object a property with an underscore."""
    spot = pick(tree, chance, _object)
    if spot is None:
        return False
    spot[0]["_" + spot[1]] = {"extension": [{"url": "http://example.org/x", "valueString": "y"}]}
    return True


@operator
def extension_empty(tree: Tree, chance: random.Random) -> bool:
    """Adds an extension without value."""
    chance.choice(list(nodes(tree))).setdefault("extension", []).append({"url": "http://a.org/x"})
    return True


@operator
def extension_no_url(tree: Tree, chance: random.Random) -> bool:
    """Adds an extension without url."""
    chance.choice(list(nodes(tree))).setdefault("extension", []).append({"valueString": "x"})
    return True


@operator
def extension_right(tree: Tree, chance: random.Random) -> bool:
    """Adds an extension that may stand anywhere."""
    row = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
    chance.choice(list(nodes(tree))).setdefault("extension", []).append(row)
    return True


@operator
def period_backwards(tree: Tree, chance: random.Random) -> bool:
    """Lets a period end before it starts."""
    spot = pick(tree, chance, lambda _key, value: isinstance(value, dict) and "start" in value)
    if spot is None:
        return False
    spot[0][spot[1]]["end"] = "1800-01-01"
    return True


@operator
def contained_orphan(tree: Tree, chance: random.Random) -> bool:
    """Contains a resource that nothing refers to."""
    if tree.get("resourceType") in ("Bundle", "Binary", "Parameters"):
        return False
    tree.setdefault("contained", []).append({"resourceType": "Patient", "id": "orphan-1"})
    return True


@operator
def contained_used(tree: Tree, chance: random.Random) -> bool:
    """Contains a resource that the subject refers to."""
    if "subject" not in tree:
        return False
    tree.setdefault("contained", []).append({"resourceType": "Patient", "id": "used-1"})
    tree["subject"] = {"reference": "#used-1"}
    return True


@operator
def wrong_target(tree: Tree, chance: random.Random) -> bool:
    """Contains a resource of a type that the subject does not take."""
    if "subject" not in tree:
        return False
    tree.setdefault("contained", []).append({"resourceType": "Medication", "id": "used-1"})
    tree["subject"] = {"reference": "#used-1"}
    return True


@operator
def both_detail_and_reference(tree: Tree, chance: random.Random) -> bool:
    """Breaks cpl-3."""
    rows = [row for row in tree.get("activity", []) if isinstance(row, dict) and "detail" in row]
    if not rows:
        return False
    rows[0]["reference"] = {"reference": "Task/1"}
    return True


@operator
def abated_and_active(tree: Tree, chance: random.Random) -> bool:
    """Breaks con-4."""
    if tree.get("resourceType") != "Condition":
        return False
    tree["abatementString"] = "x"
    return True


@operator
def link_id_twice(tree: Tree, chance: random.Random) -> bool:
    """Breaks que-2 or repeats an item of a response."""
    if not _objects("item", tree.get("item")):
        return False
    tree["item"].append(dict(tree["item"][0]))
    return True
