"""Whether an item is enabled. https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from adapter.validation.fhirpath.values import compare, equal
from adapter.validation.questionnaires.form import FormItem

Tree = dict[str, Any]
_ORDERS: dict[str, Callable[[int, int], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


def is_enabled(item: FormItem, above: Sequence[Tree]) -> bool:
    """`above` is the response from its root down to where the item stands; the nearest answers count."""
    if not item.enable_when:
        return True
    met = (_is_met(condition, above) for condition in item.enable_when)
    return any(met) if item.enable_any else all(met)


def _is_met(condition: Tree, above: Sequence[Tree]) -> bool:
    answers = _nearest(condition.get("question"), above)
    name = next((key for key in condition if key.startswith("answer")), "")
    expected, sign = condition.get(name), condition.get("operator")
    if sign == "exists":
        return bool(answers) is (expected is True)
    return any(_matches(answer, expected, str(sign)) for answer in answers)


def _matches(answer: Tree, expected: Any, sign: str) -> bool:
    given = value_of(answer)[1]
    if given is None:
        return False
    if sign in ("=", "!="):
        return same_value(given, expected) is (sign == "=")
    order = compare(given, expected)
    return order is not None and sign in _ORDERS and _ORDERS[sign](order, 0)


def same_value(one: Any, other: Any) -> bool:
    """Whether two answers are the same: codings by system and code, quantities by value and unit, others by value."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return equal(one, other)
    if "value" in one or "value" in other:
        return compare(one, other) == 0
    if "reference" in one or "reference" in other:
        return bool(one.get("reference") == other.get("reference"))
    return bool(one.get("code") == other.get("code") and one.get("system") == other.get("system"))


def value_of(answer: Tree) -> tuple[str, Any]:
    """The JSON name and the value of an answer; ("", None) where it has none."""
    for key, value in answer.items():
        if key.startswith("value"):
            return key, value
    return "", None


def _nearest(link_id: Any, above: Sequence[Tree]) -> list[Tree]:
    for level in reversed(above):
        found = [answer for item in _items_below(level, link_id) for answer in rows(item.get("answer"))]
        answers = [answer for answer in found if value_of(answer)[0]]
        if answers:
            return answers
    return []


def _items_below(node: Tree, link_id: Any) -> list[Tree]:
    found: list[Tree] = []
    todo = rows(node.get("item")) + [each for answer in rows(node.get("answer")) for each in rows(answer.get("item"))]
    while todo:
        item = todo.pop(0)
        if item.get("linkId") == link_id:
            found.append(item)
        todo += rows(item.get("item"))
        todo += [each for answer in rows(item.get("answer")) for each in rows(answer.get("item"))]
    return found


def rows(value: Any) -> list[Tree]:
    """The objects of a list, nothing where there is no list."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
