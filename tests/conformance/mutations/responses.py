"""Answers against their Questionnaire: each row of the table of rules broken, on a form that has every kind of item.

https://hl7.org/fhir/R4/questionnaireresponse.html
"""

from __future__ import annotations

import json
import random
from typing import Any

from tests.conformance.mutations.core import Operator, Tree, nodes
from tests.conformance.mutations.forms import STRUCTURE, UCUM, YES

RESPONSES: dict[str, Operator] = {}


def _find(tree: Tree, link_id: str) -> Tree | None:
    return next((node for node in nodes(tree) if node.get("linkId") == link_id), None)


def _answer(link_id: str, *answers: Tree) -> Operator:
    def work(tree: Tree, chance: random.Random) -> bool:
        item = _find(tree, link_id)
        if item is None:
            return False
        item["answer"] = json.loads(json.dumps(list(answers)))
        return True

    return work


def _code(code: str, **more: Any) -> Tree:
    return {"valueCoding": {"system": "http://a.org/c", "code": code, **more}}


def _kg(value: Any, **more: Any) -> Tree:
    return {"valueQuantity": {"value": value, "unit": "kg", "system": UCUM, "code": "kg", **more}}


def _file(**more: Any) -> Tree:
    return {"valueAttachment": {"contentType": "image/png", "data": "AAAA", **more}}


ANSWERS: dict[str, tuple[str, tuple[Tree, ...]]] = {
    "type_string_for_boolean": ("q.boolean", ({"valueString": "true"},)),
    "type_integer_for_decimal": ("q.decimal", ({"valueInteger": 1},)),
    "type_decimal_for_integer": ("q.integer", ({"valueDecimal": 5},)),
    "type_date_for_date_time": ("q.dateTime", ({"valueDate": "2021-05-05"},)),
    "type_date_time_for_date": ("q.date", ({"valueDateTime": "2021-05-05"},)),
    "type_string_for_choice": ("q.choice", ({"valueString": "a"},)),
    "type_coding_for_string": ("q.string", (_code("a"),)),
    "type_string_for_url": ("q.url", ({"valueString": "http://a.org"},)),
    "type_integer_for_open": ("q.open", ({"valueInteger": 1},)),
    "type_coding_for_quantity": ("q.quantity", (_code("a"),)),
    "type_string_for_reference": ("q.who", ({"valueString": "Patient/1"},)),
    "type_string_for_file": ("q.file", ({"valueString": "x"},)),
    "integer_low": ("q.integer", ({"valueInteger": -1},)),
    "integer_at_limit": ("q.integer", ({"valueInteger": 0},)),
    "integer_high": ("q.integer", ({"valueInteger": 11},)),
    "decimal_whole": ("q.decimal", ({"valueDecimal": 12},)),
    "date_early": ("q.date", ({"valueDate": "2019-12-31"},)),
    "date_late": ("q.date", ({"valueDate": "2023-01-01"},)),
    "date_year": ("q.date", ({"valueDate": "2021"},)),
    "date_year_early": ("q.date", ({"valueDate": "2019"},)),
    "date_month": ("q.date", ({"valueDate": "2022-12"},)),
    "string_short": ("q.string", ({"valueString": "a"},)),
    "string_long": ("q.string", ({"valueString": "abcdefghijk"},)),
    "string_at_limit": ("q.string", ({"valueString": "abcdefghij"},)),
    "regex_fails": ("q.regex", ({"valueString": "ABC"},)),
    "regex_partly": ("q.regex", ({"valueString": "abc1"},)),
    "text_long": ("q.text", ({"valueString": "x" * 21},)),
    "text_lines": ("q.text", ({"valueString": "a\nb"},)),
    "string_lines": ("q.string", ({"valueString": "a\nb"},)),
    "string_for_text_twice": ("q.text", ({"valueString": "a"}, {"valueString": "b"})),
    "twice": ("q.string", ({"valueString": "abc"}, {"valueString": "abd"})),
    "option_unknown": ("q.choice", (_code("z"),)),
    "option_other_system": ("q.choice", ({"valueCoding": {"system": "http://b.org", "code": "a"}},)),
    "option_no_system": ("q.choice", ({"valueCoding": {"code": "a"}},)),
    "option_display": ("q.choice", (_code("a", display="Another"),)),
    "option_exclusive": ("q.choice", (_code("none"), _code("a"))),
    "option_exclusive_alone": ("q.choice", (_code("none"),)),
    "option_text_only": ("q.choice", ({"valueCoding": {"display": "A"}},)),
    "open_option": ("q.open", (_code("a"),)),
    "open_unknown": ("q.open", (_code("z"),)),
    "set_unknown": ("q.set", ({"valueCoding": {**YES, "code": "Q"}},)),
    "set_other_system": ("q.set", (_code("Y"),)),
    "set_no_system": ("q.set", ({"valueCoding": {"code": "Y"}},)),
    "set_right": ("q.set", ({"valueCoding": {"system": YES["system"], "code": "N"}},)),
    "set_text": ("q.set", ({"valueString": "Y"},)),
    "set_display": ("q.set", ({"valueCoding": {**YES, "display": "Nope"}},)),
    "quantity_low": ("q.quantity", (_kg(0),)),
    "quantity_high": ("q.quantity", (_kg(301),)),
    "quantity_grams": ("q.quantity", (_kg(80000, unit="g", code="g"),)),
    "quantity_few_grams": ("q.quantity", (_kg(80, unit="g", code="g"),)),
    "quantity_unit": ("q.quantity", (_kg(80, unit="m", code="m"),)),
    "quantity_no_unit": ("q.quantity", ({"valueQuantity": {"value": 80}},)),
    "quantity_unit_text": ("q.quantity", ({"valueQuantity": {"value": 80, "unit": "kg"}},)),
    "quantity_no_value": ("q.quantity", ({"valueQuantity": {"unit": "kg", "system": UCUM, "code": "kg"}},)),
    "file_type": ("q.file", (_file(contentType="image/jpeg"),)),
    "file_no_type": ("q.file", ({"valueAttachment": {"data": "AAAA"}},)),
    "file_large": ("q.file", (_file(data="AAAA" * 60),)),
    "file_stated_size": ("q.file", (_file(size=99),)),
    "file_url": ("q.file", ({"valueAttachment": {"contentType": "image/png", "url": "http://a.org/x.png"}},)),
    "file_size_only": ("q.file", ({"valueAttachment": {"contentType": "image/png", "url": "http://a.org/x", "size": 1000}},)),
    "who_other_type": ("q.who", ({"valueReference": {"reference": "Practitioner/1"}},)),
    "who_unknown_type": ("q.who", ({"valueReference": {"reference": "http://a.org/Chicken/1"}},)),
    "who_absolute": ("q.who", ({"valueReference": {"reference": "http://a.org/fhir/Patient/1"}},)),
    "who_display": ("q.who", ({"valueReference": {"display": "x"}},)),
    "url_blank": ("q.url", ({"valueUri": "a b"},)),
    "url_relative": ("q.url", ({"valueUri": "a/b"},)),
    "many_one": ("q.many", ({"valueString": "one"},)),
    "many_four": ("q.many", tuple({"valueString": text} for text in ("a1", "b2", "c3", "d4", "e5"))),
    "many_three": ("q.many", tuple({"valueString": text} for text in ("a1", "b2", "c3"))),
    "boolean_false": ("q.boolean", ({"valueBoolean": False},)),
    "display_answered": ("d", ({"valueString": "x"},)),
    "group_answered": ("g", ({"valueString": "x"},)),
    "group_low": ("g.a", ({"valueInteger": 2},)),
    "answer_empty": ("q.string", ({},)),
    "answer_extension": ("q.string", ({"extension": [{"url": "http://a.org/x", "valueString": "x"}]},)),
    "answer_absent": ("q.string", ({"_valueString": {"extension": [{"url": STRUCTURE + "data-absent-reason", "valueCode": "unknown"}]}},)),
    "choice_false": ("q.choice", (_code("b"),)),
}  # fmt: skip
RESPONSES.update({f"answer_{name}": _answer(link_id, *answers) for name, (link_id, answers) in ANSWERS.items()})


def response_operator(work: Operator) -> Operator:
    """Registers an operator over responses."""
    RESPONSES[work.__name__] = work
    return work


def _any_item(tree: Tree, chance: random.Random) -> tuple[list[Tree], int]:
    lists = [node["item"] for node in nodes(tree) if isinstance(node.get("item"), list) and node["item"]]
    rows = chance.choice(lists)
    return rows, chance.randrange(len(rows))


@response_operator
def item_gone(tree: Tree, chance: random.Random) -> bool:
    """Leaves out an item."""
    rows, index = _any_item(tree, chance)
    del rows[index]
    return bool(rows)


@response_operator
def item_unanswered(tree: Tree, chance: random.Random) -> bool:
    """Leaves an item without its answers."""
    rows, index = _any_item(tree, chance)
    return rows[index].pop("answer", None) is not None


@response_operator
def item_twice(tree: Tree, chance: random.Random) -> bool:
    """Gives an item twice."""
    rows, index = _any_item(tree, chance)
    rows.insert(index, json.loads(json.dumps(rows[index])))
    return True


@response_operator
def item_later(tree: Tree, chance: random.Random) -> bool:
    """Moves an item to the end of its list."""
    rows, index = _any_item(tree, chance)
    rows.append(rows.pop(index))
    return index < len(rows) - 1


@response_operator
def item_elsewhere(tree: Tree, chance: random.Random) -> bool:
    """Moves an item under another parent."""
    rows, index = _any_item(tree, chance)
    row = rows.pop(index)
    holder = chance.choice([tree, *[node for node in nodes(tree) if "linkId" in node]])
    holder.setdefault("item", []).append(row)
    return bool(rows)


@response_operator
def item_unknown(tree: Tree, chance: random.Random) -> bool:
    """Gives an item a linkId that the form does not have."""
    rows, index = _any_item(tree, chance)
    rows[index]["linkId"] = "nowhere"
    return True


@response_operator
def item_text(tree: Tree, chance: random.Random) -> bool:
    """Gives an item another text."""
    rows, index = _any_item(tree, chance)
    rows[index]["text"] = "Quite another"
    return True


@response_operator
def item_unfinished(tree: Tree, chance: random.Random) -> bool:
    """Leaves out an item of a response that is in progress or amended."""
    tree["status"] = chance.choice(["in-progress", "amended", "stopped", "entered-in-error"])
    return item_gone(tree, chance)


@response_operator
def item_disabled(tree: Tree, chance: random.Random) -> bool:
    """Disables what is answered."""
    item = _find(tree, chance.choice(["q.boolean", "g.a"]))
    if item is None or not item.get("answer"):
        return False
    item["answer"][0].update({"valueBoolean": False} if item["linkId"] == "q.boolean" else {"valueInteger": 1})
    return True


@response_operator
def item_in_question(tree: Tree, chance: random.Random) -> bool:
    """Puts the child of a question beside its answer."""
    item = _find(tree, "g.a")
    inner = item and item.get("answer") and item["answer"][0].pop("item", None)
    if not item or not inner:
        return False
    item["item"] = inner
    return True


@response_operator
def group_emptied(tree: Tree, chance: random.Random) -> bool:
    """Empties a group."""
    item = _find(tree, chance.choice(["g", "e"]))
    return item is not None and item.pop("item", None) is not None


@response_operator
def group_gone(tree: Tree, chance: random.Random) -> bool:
    """Leaves out a group."""
    link_id = chance.choice(["g", "e"])
    tree["item"] = [row for row in tree["item"] if row.get("linkId") != link_id]
    return True


@response_operator
def authored_early(tree: Tree, chance: random.Random) -> bool:
    """Authors the response outside of the form's time."""
    tree["authored"] = chance.choice(["2019-01-01", "2031-01-01T10:00:00Z", "2020"])
    return True


@response_operator
def form_unknown(tree: Tree, chance: random.Random) -> bool:
    """Names a form that is not at hand, another version, or none."""
    url = chance.choice(
        ["http://a.org/other", "http://a.org/Questionnaire/all|1", "http://a.org/Questionnaire/all|9", ""]
    )
    tree["questionnaire"] = url
    if not url:
        del tree["questionnaire"]
    return True
