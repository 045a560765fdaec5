"""Tier 4, extensions: where one may stand, which value and parts it has, by its published definition.

https://hl7.org/fhir/R4/extensibility.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from adapter.definitions import Definitions, Element, ExtensionFacts
from adapter.validation.run import Run, Tree

Rule = Callable[[Any, Run], None]
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:").match
_STEP = re.compile(r"([A-Za-z]+)(?:\.ofType\([A-Za-z0-9]+\))?(?:\[([0-9]+)\])?")
EXAMPLES = ("http://example.org/", "https://example.org/", "http://example.com/", "https://example.com/")


class Extensions:
    """The extensions at hand, each built when first met; what data names and nobody defines is not kept."""

    def __init__(self, defs: Definitions) -> None:
        self.defs = defs
        self._found: dict[str, ExtensionFacts] = {}

    def get(self, url: str) -> ExtensionFacts | None:
        """The facts of an extension, or None."""
        found = self._found.get(url)
        if found is None:
            found = self.defs.extension(url)
            if found is not None:
                self._found[url] = found
        return found

    def rule(self, owner: str, element: Element) -> Rule:
        """The rule over each extension that stands on `owner` (`Patient`, `Patient.birthDate`, `HumanName`)."""
        modifier = element.name == "modifierExtension"
        nested = owner == "Extension"

        def check(value: Any, run: Run) -> None:
            url = value.get("url")
            if not isinstance(url, str) or (nested and ":" not in url):
                return
            if not _ABSOLUTE(url):
                run.add("extension-relative", ".url")
                return
            facts = self.get(url)
            if facts is None:
                _unknown(url, run)
                return
            if facts.built_in and not run.packaged:
                return
            if facts.modifier is not modifier:
                run.add("extension-modifier" if facts.modifier else "extension-not-modifier", url=facts.url)
            if not self.may_stand(facts, owner):
                contexts = "|".join(expression for _, expression in facts.contexts)
                run.add("extension-context", url=facts.url, contexts=contexts)
            check_extension(facts, value, run)

        return check

    def may_stand(self, facts: ExtensionFacts, owner: str) -> bool:
        """Whether the definition allows an owner, as far as the owner's name tells."""
        names = self._names(owner)
        for kind, expression in facts.contexts:
            if kind == "fhirpath" or expression in names:
                return True
            if kind == "extension" and owner.startswith("Extension"):
                return True
        return not facts.contexts

    def _names(self, owner: str) -> set[str]:
        names = {owner}
        if owner.partition(".")[0] not in self.defs:
            return names
        if "." in owner:
            holder, _, name = owner.rpartition(".")
            names.add("Element")
            names.update(self._types_of(holder, name))
            return names
        facts = self.defs.type(owner)
        names.update({"Element"} if facts.kind != "resource" else {"Resource", "DomainResource", "Element"})
        return names

    def _types_of(self, holder: str, name: str) -> set[str]:
        try:
            elements = self.defs.type(holder).elements
        except KeyError:
            return set()
        found = {each.type for each in elements.values() if name in (each.name, each.choice)}
        return found | ({f"{holder}.{name}[x]"} if any(e.choice == name for e in elements.values()) else set())

    def confirmed(self, root: Tree, expression: str, contexts: str) -> bool:
        """Whether a misplaced extension is really so: a type's own place may be allowed by its owner's name."""
        wanted = set(contexts.split("|"))
        return wanted.isdisjoint(self._place(root, expression))

    def _place(self, root: Tree, expression: str) -> set[str]:
        """The definition's names of the element that holds the extension at an expression."""
        node: Any = root
        owner = expression.partition(".")[0].partition("[")[0]
        names = {owner}
        for name, index in _STEP.findall(expression.partition(".")[2])[:-1]:
            holder = node.get("resourceType", owner) if isinstance(node, dict) else owner
            names = {f"{holder}.{name}"}
            try:
                elements = self.defs.type(holder).elements
            except KeyError:
                return names
            found = [each for each in elements.values() if name in (each.name, each.choice)]
            if not found:
                return names
            present = [each for each in found if isinstance(node, dict) and each.name in node] or found
            names |= {f"{holder}.{name}[x]"} if found[0].choice else set()
            node = node.get(present[0].name) if isinstance(node, dict) else None
            node = node[int(index)] if index and isinstance(node, list) and int(index) < len(node) else node
            owner = present[0].type
            names |= {owner, "Element"}
        return names


def _unknown(url: str, run: Run) -> None:
    if url.startswith(EXAMPLES) and run.quirks.unknown_extensions == "error":
        run.add("extension-example", ".url")
    if "|" in url:
        run.add("extension-version", ".url")
    run.add("extension-unknown", severity=run.quirks.unknown_extensions)


def check_extension(facts: ExtensionFacts, value: Tree, run: Run) -> None:
    """The value and the parts of one extension."""
    values = [key for key in value if key.startswith("value")]
    if values and not facts.types:
        run.add("extension-value", url=facts.url)
    elif values and not _fits(values[0], facts.types):
        run.add("extension-type", url=facts.url)
    elif not values and facts.types and facts.required and not facts.parts and not _bare(value):
        run.add("extension-no-value", url=facts.url)
    if facts.parts:
        _check_parts(facts, value, run)


def _bare(value: Tree) -> bool:
    return any(key.startswith("_value") for key in value)


def _fits(key: str, types: tuple[str, ...]) -> bool:
    return any(key == "value" + kind[0].upper() + kind[1:] for kind in types) or "*" in types


def _check_parts(facts: ExtensionFacts, value: Tree, run: Run) -> None:
    rows = value.get("extension")
    counts: dict[str, int] = {}
    for index, row in enumerate(rows if isinstance(rows, list) else []):
        url = row.get("url") if isinstance(row, dict) else None
        if not isinstance(url, str):
            continue
        part = facts.parts.get(url)
        if part is None:
            if ":" not in url:
                run.add("extension-part", f".extension[{index}]", url=facts.url)
            continue
        counts[url] = counts.get(url, 0) + 1
        run.below(f".extension[{index}]", check_extension, part, row, run)
    for name, part in facts.parts.items():
        count = counts.get(name, 0)
        if count < part.min or (part.max is not None and count > part.max):
            run.add("extension-parts", url=facts.url)
