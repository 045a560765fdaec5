"""Which rule of which definition an issue comes from, in words, for a person who wants to look it up.

https://hl7.org/fhir/R4/elementdefinition.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from adapter.definitions import Constraint, Definitions, Element
from adapter.issues import Issue

_STEP = re.compile(r"([A-Za-z_]+)(?:\.ofType\(([A-Za-z0-9]+)\))?(?:\[([0-9]+)\])?")
PAGES = {"4.0.1": "R4", "4.3.0": "R4B", "5.0.0": "R5"}


def explain(defs: Definitions, issue: Issue, tree: Any = None) -> list[str]:
    """Lines about an issue of a resource: the definition of its element, the invariant or the profile that spoke.

    `tree` is the resource, which tells of what type the resources inside it are.
    """
    owner, element = _element(defs, issue.expression, tree)
    name = f"{owner}.{element.choice + '[x]' if element.choice else element.name}" if element else owner
    lines = [_said(defs, name, element)] if name else []
    type_name, _, key = issue.source.partition("#")
    if key:
        lines += [f"invariant {key} of {type_name}: {rule.expression}" for rule in _constraints(defs, type_name, key)]
    elif issue.source:
        lines.append(f"profile {issue.source}")
    root = name.partition(".")[0]
    if root in defs:
        lines.append(f"https://hl7.org/fhir/{PAGES[defs.version]}/{_page(defs, root)}#{name}")
    return lines


def _page(defs: Definitions, root: str) -> str:
    if defs.type(root).kind == "resource":
        return f"{root.lower()}-definitions.html"
    return "datatypes-definitions.html"


def _said(defs: Definitions, name: str, element: Element | None) -> str:
    where = f"{name} in FHIR {defs.version}"
    if element is None:
        return where
    most = "*" if element.max is None else str(element.max)
    parts = [element.type, f"{element.min}..{most}"]
    if element.binding:
        parts.append(f"{element.binding.strength} binding to {element.binding.value_set}")
    if element.targets:
        parts.append(f"to {', '.join(element.targets)}")
    return f"{where}: {', '.join(parts)}"


def _element(defs: Definitions, expression: str, tree: Any) -> tuple[str, Element | None]:
    """The type that owns the element at a place, and the element; the type alone where the place is a whole."""
    owner, node = "", tree
    element: Element | None = None
    for number, (name, type_name, index) in enumerate(_STEP.findall(expression)):
        if number == 0:
            owner = name if name in defs else ""
            continue
        holder = element.type if element else owner
        found = _named(defs, holder, name, type_name)
        if found is None:
            return holder, None
        owner, element = holder, found
        node = _below(node, found.name, index)
        if found.type == "Resource":
            # A resource inside another begins anew.
            inner = node.get("resourceType") if isinstance(node, dict) else None
            owner, element = (inner if isinstance(inner, str) and inner in defs else ""), None
    return owner, element


def _below(node: Any, name: str, index: str) -> Any:
    found = node.get(name) if isinstance(node, dict) else None
    if isinstance(found, list):
        return found[int(index or 0)] if int(index or 0) < len(found) else None
    return found


def _named(defs: Definitions, holder: str, name: str, type_name: str) -> Element | None:
    try:
        elements = defs.type(holder).elements
    except KeyError:
        return None
    own = elements.get(name)
    if own is not None and not type_name:
        return own
    choices = [each for each in elements.values() if each.choice == name]
    return next((each for each in choices if each.type == type_name), choices[0] if choices else None)


def _constraints(defs: Definitions, type_name: str, key: str) -> Iterator[Constraint]:
    """The invariant of this key: of the type itself, or of an element that is of it."""
    try:
        facts = defs.type(type_name)
    except KeyError:
        return
    every = [*facts.constraints, *(rule for element in facts.elements.values() for rule in element.constraints)]
    yield from [rule for rule in every if rule.key == key][:1]
