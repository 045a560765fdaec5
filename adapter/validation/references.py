"""Tier 4: references and contained resources.

https://hl7.org/fhir/R4/references.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

from adapter.definitions import Definitions, Element
from adapter.validation.bundles import REQUESTS
from adapter.validation.guards import guarded
from adapter.validation.run import Run, Tree
from adapter.validation.texts import is_absolute, type_named

Rule = Callable[[Any, Run], None]
_BLANK = re.compile(r"\s").search
_QUERY = re.compile(r"[A-Za-z_][^\s?=&]*=[^\s?=&]*(?:&[A-Za-z_][^\s?=&]*=[^\s?=&]*)*").fullmatch
TYPES = "http://hl7.org/fhir/StructureDefinition/"


def resolve(reference: Any, run: Run) -> Tree | None:
    """The resource that a Reference (or its text) leads to, where it is contained or in the same Bundle."""
    text = reference.get("reference") if isinstance(reference, dict) else reference
    if not isinstance(text, str) or not text:
        return None
    if text.startswith("#"):
        return run.root if text == "#" else run.contained.get(text[1:])
    if run.bundle is None:
        return None
    found = run.bundle.find(text, run.full_url)
    return found[-1] if found else None


def check_reference(defs: Definitions) -> Rule:
    """The rule over every Reference: something said at all, in a form that can be followed; ref-1."""
    types = defs.resource_types

    def rule(value: Tree, run: Run) -> None:
        text = value.get("reference")
        if type(text) is not str or not text:
            if text is None and not value.keys() & {"identifier", "display", "extension", "_reference"}:
                run.add("reference-empty")
            return
        if text[0] == "#":
            run.named.add(text)
            if text != "#" and text[1:] not in run.contained:
                run.add("reference-contained-missing", source="Reference#ref-1")
        elif _BLANK(text):
            run.add("reference-form")
        elif "?" in text and text.partition("?")[0] in types:
            if not _QUERY(text.partition("?")[2]):
                run.add("reference-query")
        elif run.bundle is not None:
            _check_in_bundle(text, run)

    said = {"identifier", "display", "extension", "_reference"}
    checked: Rule = guarded(rule, lambda keys: "reference" in keys or keys.isdisjoint(said))
    return checked


def _check_in_bundle(text: str, run: Run) -> None:
    bundle = run.bundle
    if bundle is None:
        return
    if not is_absolute(text) and run.full_url is not None and text.count("/") not in (1, 3):
        if bundle.kind not in REQUESTS:
            run.add("reference-form")
    elif bundle.kind == "history" and len(bundle.find(text, run.full_url)) > 1:
        run.add("bundle-reference-ambiguous")


def rules_of_element(defs: Definitions, element: Element) -> Iterator[Rule]:
    """The rule over the target of a Reference element."""
    if element.type == "Reference":
        yield target_rule(defs, element.targets)


def target_rule(defs: Definitions, targets: Collection[str], beyond: Collection[str] | None = None) -> Rule:
    """The rule over where a Reference leads: one of these types, any where there are none.

    A profile speaks `beyond` the types of the element itself: of what these allow, or all allow where there are none.
    """
    allowed, shown = frozenset(targets), ", ".join(targets)
    types = defs.resource_types
    spoken = frozenset() if not beyond else types - frozenset(beyond)

    def rule(value: Any, run: Run) -> None:
        text = value.get("reference")
        if type(text) is not str or not text:
            return
        target = resolve(text, run) if text[0] == "#" or run.bundle is not None else None
        found = target.get("resourceType") if target is not None else None
        stated = value.get("type")
        if allowed and (target is not None or run.quirks.check_unresolved_targets):
            named = found or type_named(text, types)
            if isinstance(named, str) and named and named not in allowed and named not in spoken:
                run.add("reference-target-type", targets=shown, type=named if named in types else "another")
        if isinstance(stated, str) and beyond is None:
            _check_stated(stated, found or _type_in(text, types), run)

    def _check_stated(stated: str, found: Any, run: Run) -> None:
        plain = stated.removeprefix(TYPES)
        if allowed and plain not in allowed:
            run.add("reference-stated-type", targets=shown)
        elif found and stated != found:
            run.add("reference-type-mismatch")

    return rule


def _type_in(text: str, types: frozenset[str]) -> str:
    """The type that the last steps of any URL name."""
    parts = text.split("/")
    at = -4 if len(parts) >= 4 and parts[-2] == "_history" else -2
    return parts[at] if len(parts) > 1 and parts[at] in types else ""


def contained_by_id(tree: Tree) -> dict[str, Tree]:
    """Contained resources by id."""
    rows = tree.get("contained")
    found = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return {row["id"]: row for row in found if isinstance(row.get("id"), str)}


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
    # References have said already what they lead to; URIs and canonicals are looked for only where that is not enough.
    if all(type(row) is dict and type(row.get("id")) is str and "#" + row["id"] in run.named for row in rows):
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
