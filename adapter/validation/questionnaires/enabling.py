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


Known = dict[int, dict[str, list[Tree]]]
"""The answers below each group that was asked for, by linkId; each group is walked once, however many ask."""


def is_enabled(item: FormItem, above: Sequence[Tree], known: Known) -> bool:
    """`above` is the response from its root down to where the item stands.

    What counts are the answers in the nearest group that holds both the item and the question.
    """
    if not item.enable_when:
        return True
    pairs = zip(item.enable_when, item.scopes, strict=True)
    if item.enable_behaviour == "any" or len(item.enable_when) == 1:
        return any(_is_met(condition, scope, above, known) for condition, scope in pairs)
    # Without enableBehavior, which several conditions need, no verdict: enabled.
    return item.enable_behaviour != "all" or all(_is_met(condition, scope, above, known) for condition, scope in pairs)


def _is_met(condition: Tree, scope: str | None, above: Sequence[Tree], known: Known) -> bool:
    answers = [] if scope is None else _answers(condition["question"], scope, above, known)
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
    """Whether two answers are the same: codings by code, and by system where the other has one, quantities by value and unit, others by value."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return equal(one, other)
    if "value" in one or "value" in other:
        return compare(one, other) == 0
    if "reference" in one or "reference" in other:
        return bool(one.get("reference") == other.get("reference"))
    return one.get("code") == other.get("code") and other.get("system") in (None, one.get("system"))


def value_of(answer: Tree) -> tuple[str, Any]:
    """The JSON name and the value of an answer; ("", None) where it has none."""
    for key, value in answer.items():
        if key.startswith("value"):
            return key, value
    return "", None


def _answers(question: str, scope: str, above: Sequence[Tree], known: Known) -> list[Tree]:
    """The answers to a question below a group (the whole response where it is empty)."""
    group = next((node for node in reversed(above) if node.get("linkId") == scope), None) if scope else above[0]
    if group is None:
        return []
    if id(group) not in known:
        known[id(group)] = _by_link_id(group)
    return known[id(group)].get(question, [])


def _by_link_id(group: Tree) -> dict[str, list[Tree]]:
    found: dict[str, list[Tree]] = {}
    todo = [group]
    while todo:
        node = todo.pop()
        answers, link_id = rows(node.get("answer")), node.get("linkId")
        if answers and isinstance(link_id, str):
            found.setdefault(link_id, []).extend(answer for answer in answers if value_of(answer)[0])
        todo += rows(node.get("item"))
        for answer in answers:
            todo += rows(answer.get("item"))
    return found


def rows(value: Any) -> list[Tree]:
    """The objects of a list, nothing where there is no list."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
