"""Tier 4: references, contained resources, and what stands in a Bundle beside its type's rules.

https://hl7.org/fhir/R4/references.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from adapter.definitions import Definitions, Element
from adapter.validation.run import Run, Tree

Rule = Callable[[Any, Run], None]
_RESTFUL = re.compile(
    r"(?:(?:https?|Https?)://[^\s#]*/)?([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?"
)


def resolve(reference: Any, run: Run) -> Tree | None:
    """The resource that a Reference (or its text) leads to, where it is contained or in the same Bundle."""
    text = reference.get("reference") if isinstance(reference, dict) else reference
    if not isinstance(text, str) or not text:
        return None
    if text.startswith("#"):
        return run.root if text == "#" else run.contained.get(text[1:])
    if run.bundle is None:
        return None
    plain = text.partition("/_history/")[0]
    return run.bundle.get(plain) or (run.bundle.get(run.base + plain) if run.base else None)


def type_named(text: str, defs: Definitions) -> str:
    """The resource type that a literal reference names in its URL; empty where it names none."""
    found = _RESTFUL.fullmatch(text)
    return found.group(1) if found and found.group(1) in defs.resource_types else ""


def check_reference(value: Tree, run: Run) -> None:
    """The rules over every Reference: ref-1, something said at all."""
    text = value.get("reference")
    if text is None:
        if not value.keys() & {"identifier", "display", "extension", "_reference"}:
            run.add("reference-empty")
    elif isinstance(text, str) and text.startswith("#") and text != "#" and text[1:] not in run.contained:
        run.add("reference-contained-missing", source="Reference#ref-1")


def rules_of_element(defs: Definitions, element: Element) -> Iterator[Rule]:
    """The rule over the target of a Reference element that restricts it."""
    if element.type == "Reference" and element.targets:
        yield _targets(defs, element)


def _targets(defs: Definitions, element: Element) -> Rule:
    allowed, shown = frozenset(element.targets), ", ".join(element.targets)

    def rule(value: Any, run: Run) -> None:
        text = value.get("reference")
        if not isinstance(text, str):
            return
        target = resolve(text, run)
        found = target.get("resourceType") if target is not None else None
        if found is None and run.quirks.check_unresolved_targets:
            found = type_named(text, defs)
        if isinstance(found, str) and found and found not in allowed:
            run.add("reference-target-type", targets=shown, type=found if found in defs.resource_types else "another")
        stated = value.get("type")
        if target is not None and isinstance(stated, str) and found and stated.rpartition("/")[2] != found:
            run.add("reference-type-mismatch", ".type")

    return rule


def contained_of(tree: Tree, run: Run) -> dict[str, Tree]:
    """Contained resources by id; ids that are missing or the same are noted."""
    rows = tree.get("contained")
    found: dict[str, Tree] = {}
    if not isinstance(rows, list):
        return found
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            continue
        id_ = row.get("id")
        if not isinstance(id_, str):
            run.add("contained-no-id", f".contained[{index}]")
        elif id_ in found:
            run.add("contained-same-id", f".contained[{index}]")
        else:
            found[id_] = row
    return found


def check_contained_used(tree: Tree, run: Run) -> None:
    """dom-3: each contained resource is referred to from elsewhere, or refers to its container."""
    rows = tree.get("contained")
    if not isinstance(rows, list):
        return
    named = _fragments(tree)
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            continue
        id_ = row.get("id")
        if not (isinstance(id_, str) and "#" + id_ in named) and "#" not in _fragments(row):
            run.add("contained-unreferenced", f".contained[{index}]", source="DomainResource#dom-3")


def _fragments(tree: Any) -> set[str]:
    found: set[str] = set()
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            todo.extend(node.values())
        elif isinstance(node, list):
            todo.extend(node)
        elif isinstance(node, str) and node.startswith("#"):
            found.add(node)
    return found
