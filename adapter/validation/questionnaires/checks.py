"""What a Questionnaire itself must hold to beside the invariants of its type: conditions that can be met.

https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapter.validation.questionnaires.enabling import rows
from adapter.validation.run import Run

Tree = dict[str, Any]


def check_questionnaire(tree: Tree, run: Run) -> None:
    """Every condition of every item."""
    known = _link_ids(tree)
    _check_items(tree, "", known, run)


def _link_ids(node: Tree) -> set[str]:
    return {link_id for item in _below(node) if isinstance(link_id := item.get("linkId"), str)}


def _below(node: Tree) -> Iterator[Tree]:
    for item in rows(node.get("item")):
        yield item
        yield from _below(item)


def _check_items(node: Tree, place: str, known: set[str], run: Run) -> None:
    items = node.get("item")
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if not isinstance(item, dict):
            continue
        here = f"{place}.item[{index}]"
        inner = _link_ids(item) if "enableWhen" in item else set()
        for condition in rows(item.get("enableWhen")):
            question = condition.get("question")
            if not isinstance(question, str):
                continue
            if question not in known:
                run.add("enable-when-nowhere", here)
            elif question == item.get("linkId"):
                run.add("enable-when-self", here)
            elif question in inner:
                run.add("enable-when-inner", here)
        if "item" in item:
            _check_items(item, here, known, run)
