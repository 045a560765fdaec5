"""JSON and structure: types, arity, choices, primitives, null, siblings, unknown elements, codes."""

from __future__ import annotations

import random
from decimal import Decimal

from tests.conformance.mutations.core import (
    OPERATORS,
    Operator,
    Tree,
    is_array,
    is_coding,
    is_date,
    is_flag,
    is_number,
    is_object,
    is_objects,
    is_reference,
    is_text,
    nodes,
    one_of,
    operator,
    pick,
    put,
    resources,
)

CODED = ("status", "intent", "gender", "lifecycleStatus", "type", "use", "priority", "operator")

SIMPLE: dict[str, Operator] = {
    "text_to_number": put(is_text, lambda _: 7),
    "text_to_flag": put(is_text, lambda _: True),
    "text_to_null": put(is_text, lambda _: None),
    "text_to_object": put(is_text, lambda _: {"x": 1}),
    "text_to_array": put(is_text, lambda value: [value]),
    "text_empty": put(is_text, lambda _: ""),
    "text_blank": put(is_text, lambda _: "   "),
    "flag_to_text": put(is_flag, lambda value: str(value).lower()),
    "flag_to_number": put(is_flag, int),
    "number_to_text": put(is_number, str),
    "number_to_fraction": put(is_number, lambda _: Decimal("1.5")),
    "number_negative": put(is_number, lambda _: -3),
    "number_huge": put(is_number, lambda _: 99999999999),
    "date_no_such_day": put(is_date, lambda value: value[:4] + "-02-30" + value[10:]),
    "date_no_such_month": put(is_date, lambda value: value[:4] + "-13-01" + value[10:]),
    "date_slashes": put(is_date, lambda value: value.replace("-", "/")),
    "date_short_month": put(is_date, lambda value: value[:4] + "-1-1"),
    "date_two_digits": put(is_date, lambda value: value[2:]),
    "time_no_zone": put(is_date, lambda value: value[:10] + "T10:00:00"),
    "time_no_seconds": put(is_date, lambda value: value[:10] + "T10:00Z"),
    "time_hour_25": put(is_date, lambda value: value[:10] + "T25:00:00Z"),
    "time_added": put(is_date, lambda value: value[:10] + "T10:00:00Z"),
    "date_year_only": put(is_date, lambda value: value[:4]),
    "object_empty": put(is_object, lambda _: {}),
    "object_to_text": put(is_object, lambda _: "x"),
    "object_to_array": put(is_object, lambda value: [value]),
    "object_to_null": put(is_object, lambda _: None),
    "array_empty": put(is_array, lambda _: []),
    "array_to_first": put(is_array, lambda value: value[0]),
    "array_null": put(is_array, lambda value: [*value, None]),
    "array_of_empty": put(is_objects, lambda value: [*value, {}]),
    "array_doubled": put(is_array, lambda value: value + value),
    "code_unknown": put(lambda key, value: key in CODED and isinstance(value, str), lambda _: "no-such-code"),
    "code_spaces": put(lambda key, value: key in CODED and isinstance(value, str), lambda value: f" {value}"),
    "code_upper": put(lambda key, value: key in CODED and isinstance(value, str), str.upper),
    "coding_code": put(is_coding, lambda value: [{**value[0], "code": "no-such-code"}, *value[1:]]),
    "coding_no_system": put(is_coding, lambda value: [{k: v for k, v in value[0].items() if k != "system"}]),
    "coding_relative_system": put(is_coding, lambda value: [{**value[0], "system": "local"}]),
    "coding_blank_system": put(is_coding, lambda value: [{**value[0], "system": "http://a b"}]),
    "reference_dangling": put(is_reference, lambda _: "#nowhere"),
    "reference_blank": put(is_reference, lambda _: "a b"),
    "reference_gone": put(
        lambda key, value: is_object(key, value) and "reference" in value, lambda _: {"display": "x"}
    ),
    "id_long": put(lambda key, value: key == "id" and isinstance(value, str), lambda _: "a" * 65),
    "id_underscore": put(lambda key, value: key == "id" and isinstance(value, str), lambda _: "a_b"),
    "url_blank": put(lambda key, value: isinstance(value, str) and value.startswith("http"), lambda _: "http://a b"),
    "uuid_short": put(lambda key, value: isinstance(value, str) and value.startswith("http"), lambda _: "urn:uuid:123"),
    "oid_bad": put(lambda key, value: isinstance(value, str) and value.startswith("http"), lambda _: "urn:oid:9.x"),
    "link_id_gone": put(
        lambda key, value: is_objects(key, value) and "linkId" in value[0],
        lambda value: [{k: v for k, v in value[0].items() if k != "linkId"}],
    ),
    "number_tiny": put(is_number, lambda _: Decimal("0.000000000000000000000000001")),
    "number_exponent": put(is_number, lambda _: Decimal("1E3")),
    "flag_to_null": put(is_flag, lambda _: None),
    "text_long": put(is_text, lambda value: value + "x" * 300),
    "text_control": put(is_text, lambda value: value + "\u0001"),
    "text_newline": put(is_text, lambda value: value + "\nx"),
    "text_padded": put(is_text, lambda value: f"{value} "),
    "text_html": put(is_text, lambda value: f"<b>{value}</b>"),
    "date_leap_day": put(is_date, lambda value: "2023-02-29" + value[10:]),
    "date_year_zero": put(is_date, lambda value: "0000" + value[4:]),
    "date_year_5": put(is_date, lambda value: "1" + value),
    "date_far": put(is_date, lambda value: "9999" + value[4:]),
    "date_month_only": put(is_date, lambda value: value[:7]),
    "time_leap_second": put(is_date, lambda value: value[:10] + "T23:59:60Z"),
    "time_24": put(is_date, lambda value: value[:10] + "T24:00:00Z"),
    "time_zone_15": put(is_date, lambda value: value[:10] + "T10:00:00+15:00"),
    "time_zone_short": put(is_date, lambda value: value[:10] + "T10:00:00+0100"),
    "time_fraction": put(is_date, lambda value: value[:10] + "T10:00:00.123456789Z"),
    "time_small_z": put(is_date, lambda value: value[:10] + "T10:00:00z"),
    "time_space": put(is_date, lambda value: value[:10] + " 10:00:00Z"),
    "array_nested": put(is_array, lambda value: [value]),
    "array_reversed": put(is_array, lambda value: value[::-1]),
    "array_of_text": put(is_objects, lambda value: [*value, "x"]),
    "code_two_blanks": put(lambda key, value: key in CODED and isinstance(value, str), lambda value: f"{value}  x"),
    "code_other": put(lambda key, value: key in CODED and isinstance(value, str), lambda _: "active"),
    "coding_display": put(is_coding, lambda value: [{**value[0], "display": "Quite another"}, *value[1:]]),
    "coding_no_code": put(is_coding, lambda value: [{k: v for k, v in value[0].items() if k != "code"}]),
    "coding_system_unknown": put(is_coding, lambda value: [{**value[0], "system": "http://a.org/own"}, *value[1:]]),
    "coding_system_value_set": put(
        is_coding, lambda value: [{**value[0], "system": "http://hl7.org/fhir/ValueSet/goal-status"}, *value[1:]]
    ),
    "coding_system_slash": put(is_coding, lambda value: [{**value[0], "system": value[0]["system"] + "/"}, *value[1:]]),
    "coding_of_gender": put(
        is_coding, lambda value: [{"system": "http://hl7.org/fhir/administrative-gender", "code": "male"}]
    ),
    "coding_text_instead": put(lambda key, value: is_object(key, value) and "coding" in value, lambda _: {"text": "x"}),
    "system_gone": put(
        lambda key, value: is_object(key, value) and "system" in value and "code" in value,
        lambda value: {k: v for k, v in value.items() if k != "system"},
    ),
    "unit_wrong": put(
        lambda key, value: is_object(key, value) and value.get("system") == "http://unitsofmeasure.org",
        lambda value: {**value, "code": "no-unit"},
    ),
    "comparator_wrong": put(
        lambda key, value: is_object(key, value) and "value" in value and "unit" in value,
        lambda value: {**value, "comparator": "~"},
    ),
    "comparator_right": put(
        lambda key, value: is_object(key, value) and "value" in value and "unit" in value,
        lambda value: {**value, "comparator": "<"},
    ),
    "id_empty": put(lambda key, value: key == "id" and isinstance(value, str), lambda _: ""),
    "id_slash": put(lambda key, value: key == "id" and isinstance(value, str), lambda _: "a/b"),
    "id_number": put(lambda key, value: key == "id" and isinstance(value, str), lambda _: 12),
    "url_relative": put(lambda key, value: isinstance(value, str) and value.startswith("http"), lambda _: "a/b"),
    "url_empty_host": put(lambda key, value: isinstance(value, str) and value.startswith("http"), lambda _: "http://"),
    "url_oid": put(lambda key, value: isinstance(value, str) and value.startswith("http"), lambda _: "oid:1.2.3"),
    "uuid_upper": put(
        lambda key, value: isinstance(value, str) and value.startswith("http"),
        lambda _: "urn:uuid:C757873D-EC9A-4326-A141-556F43239520",
    ),
    "oid_right": put(lambda key, value: isinstance(value, str) and value.startswith("http"), lambda _: "urn:oid:1.2.3"),
    "url_fragment": put(lambda key, value: isinstance(value, str) and value.startswith("http"), lambda _: "#a"),
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
    spot = pick(tree, chance, is_object)
    if spot is None:
        return False
    spot[0]["_" + spot[1]] = {"extension": [{"url": "http://example.org/x", "valueString": "y"}]}
    return True


@operator
def sibling_on_text(tree: Tree, chance: random.Random) -> bool:
    """Gives a text an extension beside it."""
    spot = pick(tree, chance, is_text)
    if spot is None:
        return False
    spot[0]["_" + spot[1]] = {"extension": [{"url": "http://a.org/x", "valueString": "y"}]}
    return True


@operator
def sibling_instead(tree: Tree, chance: random.Random) -> bool:
    """Puts an extension where a value was."""
    spot = pick(tree, chance, is_text)
    if spot is None:
        return False
    del spot[0][spot[1]]
    url = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
    spot[0]["_" + spot[1]] = {"extension": [{"url": url, "valueCode": "unknown"}]}
    return True


@operator
def sibling_wrong_shape(tree: Tree, chance: random.Random) -> bool:
    """Puts a text, an empty object, a list or something unknown beside a text."""
    spot = pick(tree, chance, is_text)
    if spot is None:
        return False
    spot[0]["_" + spot[1]] = chance.choice(["x", {}, [{"id": "a"}], {"unknown": 1}, None, {"id": "a"}])
    return True


@operator
def sibling_of_list(tree: Tree, chance: random.Random) -> bool:
    """Puts extensions beside a list of texts, with null where there is none."""
    spot = pick(tree, chance, lambda key, value: is_array(key, value) and isinstance(value[0], str))
    if spot is None:
        return False
    row = {"extension": [{"url": "http://a.org/x", "valueString": "y"}]}
    before = spot[0][spot[1]]
    spot[0]["_" + spot[1]] = chance.choice(
        [[row, *[None] * (len(before) - 1)], [*[None] * len(before), row], [None] * len(before), [row] * len(before)]
    )
    return True


@operator
def null_padded(tree: Tree, chance: random.Random) -> bool:
    """Puts null into a list of texts, with an extension in its place."""
    spot = pick(tree, chance, lambda key, value: is_array(key, value) and isinstance(value[0], str))
    if spot is None:
        return False
    before = spot[0][spot[1]]
    spot[0][spot[1]] = [*before, None]
    row = {"extension": [{"url": "http://a.org/x", "valueString": "y"}]}
    spot[0]["_" + spot[1]] = [*[None] * len(before), row]
    return True


@operator
def resource_type_changed(tree: Tree, chance: random.Random) -> bool:
    """Says that a resource is of another type."""
    node = chance.choice(resources(tree))
    node["resourceType"] = chance.choice(["Goal", "CarePlan", "Nothing", "Patient"])
    return True


@operator
def resource_type_gone(tree: Tree, chance: random.Random) -> bool:
    """Leaves out resourceType."""
    return chance.choice(resources(tree)).pop("resourceType", None) is not None


@operator
def property_upper(tree: Tree, chance: random.Random) -> bool:
    """Writes a property with a capital."""
    spot = pick(tree, chance, lambda key, _value: key[0].islower())
    if spot is None:
        return False
    spot[0][spot[1].capitalize()] = spot[0].pop(spot[1])
    return True


@operator
def comments_added(tree: Tree, chance: random.Random) -> bool:
    """Adds what DSTU2 allowed."""
    one_of(tree, chance)["fhir_comments"] = ["x"]
    return True
