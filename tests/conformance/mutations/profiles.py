"""Changes that a profile of US Core 6.1.0 may refuse: required elements, slices, patterns, types, must-support."""

from __future__ import annotations

import random

from tests.conformance.mutations.core import Operator, Tree, is_coding, is_object, is_objects, pick, put

PROFILED: dict[str, Operator] = {
    "category_other": put(
        lambda key, value: key == "category" and is_objects(key, value),
        lambda value: [{"coding": [{"system": "http://a.org/c", "code": "x"}]}, *value[1:]],
    ),
    "category_text": put(lambda key, value: key == "category" and is_objects(key, value), lambda _: [{"text": "x"}]),
    "category_more": put(
        lambda key, value: key == "category" and is_objects(key, value), lambda value: [*value, {"text": "x"}]
    ),
    "category_twice": put(
        lambda key, value: key == "category" and is_objects(key, value), lambda value: [*value, value[0]]
    ),
    "category_code": put(
        lambda key, value: key == "category" and is_objects(key, value) and "coding" in value[0],
        lambda value: [{"coding": [{**value[0]["coding"][0], "code": "no-such"}]}],
    ),
    "code_text": put(lambda key, value: key == "code" and is_object(key, value), lambda _: {"text": "x"}),
    "code_other": put(
        lambda key, value: key == "code" and is_object(key, value) and "coding" in value,
        lambda value: {"coding": [{"system": "http://loinc.org", "code": "1-8"}]},
    ),
    "coding_two": put(is_coding, lambda value: [*value, {"system": "http://a.org/c", "code": "x"}]),
    "unit_other": put(
        lambda key, value: key == "valueQuantity" and is_object(key, value),
        lambda value: {**value, "code": "kg", "unit": "kg"},
    ),
    "unit_gone": put(
        lambda key, value: key == "valueQuantity" and is_object(key, value),
        lambda value: {key: each for key, each in value.items() if key not in ("code", "system")},
    ),
    "value_text": put(lambda key, value: key == "value" and isinstance(value, str), lambda _: "other"),
}


def _registered(work: Operator) -> Operator:
    PROFILED[work.__name__] = work
    return work


@_registered
def top_gone(tree: Tree, chance: random.Random) -> bool:
    """Leaves out an element of the resource."""
    keys = [key for key in tree if key not in ("resourceType", "meta", "id", "text")]
    return bool(keys) and tree.pop(chance.choice(keys), None) is not None


@_registered
def inner_gone(tree: Tree, chance: random.Random) -> bool:
    """Leaves out an element of an element."""
    spot = pick(tree, chance, lambda key, value: is_object(key, value) or is_objects(key, value))
    if spot is None:
        return False
    value = spot[0][spot[1]]
    node = value if isinstance(value, dict) else chance.choice(value)
    keys = list(node)
    if len(keys) < 2:
        return False
    del node[chance.choice(keys)]
    return True


@_registered
def value_other_type(tree: Tree, chance: random.Random) -> bool:
    """Gives a value in another type of the choice."""
    keys = [key for key in tree if key.startswith(("value", "effective", "medication", "onset", "occurrence"))]
    if not keys:
        return False
    key = chance.choice(keys)
    base = next(each for each in ("value", "effective", "medication", "onset", "occurrence") if key.startswith(each))
    del tree[key]
    row = chance.choice(
        [("String", "x"), ("CodeableConcept", {"text": "x"}), ("DateTime", "2020"), ("Period", {"start": "2020"})]
    )
    tree[base + row[0]] = row[1]
    return True


@_registered
def list_emptied_but_one(tree: Tree, chance: random.Random) -> bool:
    """Keeps the last of a list only."""
    spot = pick(tree, chance, lambda key, value: isinstance(value, list) and len(value) > 1)
    if spot is None:
        return False
    spot[0][spot[1]] = spot[0][spot[1]][-1:]
    return True


@_registered
def component_gone(tree: Tree, chance: random.Random) -> bool:
    """Leaves out a component."""
    rows = tree.get("component")
    if not isinstance(rows, list) or not rows:
        return False
    rows.pop(chance.randrange(len(rows)))
    if not rows:
        del tree["component"]
    return True


@_registered
def absent_reason(tree: Tree, chance: random.Random) -> bool:
    """Says why there is no value."""
    for key in [key for key in tree if key.startswith("value")]:
        del tree[key]
    tree["dataAbsentReason"] = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "unknown"}]
    }
    return tree.get("resourceType") == "Observation"


@_registered
def profile_other(tree: Tree, chance: random.Random) -> bool:
    """Claims another profile."""
    names = ["us-core-patient", "us-core-condition-problems-health-concerns", "us-core-goal", "us-core-careplan"]
    url = "http://hl7.org/fhir/us/core/StructureDefinition/" + chance.choice(names)
    tree.setdefault("meta", {})["profile"] = [url]
    return True


@_registered
def profile_unknown(tree: Tree, chance: random.Random) -> bool:
    """Claims a profile that is nowhere."""
    tree.setdefault("meta", {}).setdefault("profile", []).append("http://a.org/StructureDefinition/nothing")
    return True
