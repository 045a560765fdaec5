"""Tier 4, extensions: where one may stand, which value and parts it has, by its published definition.

https://hl7.org/fhir/R4/extensibility.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from adapter.definitions import Definitions, Element, ExtensionFacts
from adapter.validation.bindings import rule_of
from adapter.validation.codings import COMMON_LANGUAGES, language_rule
from adapter.validation.fhirpath.compiling import Env, Failed, Unsupported, compile_boolean
from adapter.validation.primitives import SHAPES
from adapter.validation.run import ABOVE, Fault, Run, Tree

Rule = Callable[[Any, Run], None]
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:").match
_STEP = re.compile(r"([A-Za-z]+)(?:\.ofType\([A-Za-z0-9]+\))?(?:\[([0-9]+)\])?")
MATCHETYPE = "http://hl7.org/fhir/tools/StructureDefinition/matchetype"
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
                run.add("extension-relative")
                return
            facts = self.get(url)
            if facts is None:
                self._unknown(url, run)
            elif run.packaged or not facts.built_in:
                self._check_known(facts, owner, value, run, modifier)

        return check

    def _check_known(self, facts: ExtensionFacts, owner: str, value: Tree, run: Run, modifier: bool) -> None:
        if facts.modifier is not modifier:
            run.add("extension-modifier" if facts.modifier else "extension-not-modifier", url=facts.url)
        if not self.may_stand(facts, owner):
            run.add("extension-context", ABOVE, url=facts.url)
        elif facts.invariants:
            run.add("extension-not-here", ABOVE, url=facts.url)
        check_extension(self.defs, facts, value, run)

    def _unknown(self, url: str, run: Run) -> None:
        plain, bar, _ = url.partition("|")
        if bar and self.get(plain) is not None:
            run.add("extension-version")
        if run.quirks.unknown_extensions == "error" and url.startswith(EXAMPLES):
            run.add("extension-example", ".url")
        if url == MATCHETYPE:
            run.add("extension-matchetype", ABOVE)
        run.add("extension-unknown", severity=run.quirks.unknown_extensions)

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

    def confirmed(self, fault: Fault, tree: Tree, place: str) -> bool:
        """Whether an extension is really misplaced: of what its place allows only the whole resource tells."""
        facts = self.get(fault.params["url"])
        if facts is None:
            return True
        node, names, parent_url = self._place(tree, place)
        if fault.message_id == "extension-not-here":
            return not all(self._holds(each, node, names, tree) for each in facts.invariants)
        allowed = {expression for kind, expression in facts.contexts if kind != "extension"}
        return allowed.isdisjoint(names) and ("extension", parent_url) not in facts.contexts

    def _holds(self, expression: str, node: Any, names: list[str], tree: Tree) -> bool:
        types = [name for name in reversed(names) if name.partition(".")[0] in self.defs and "[x]" not in name]
        for name in types:
            try:
                test = compile_boolean(self.defs, expression, name)
            except (Unsupported, KeyError):
                continue
            try:
                return test(node, Env(tree, tree, variables={"extension": []}))
            except (Failed, TypeError, ValueError, AttributeError, KeyError):
                return True
        return True

    def _place(self, root: Tree, expression: str) -> tuple[Any, list[str], str]:
        """The element at an expression, the definition's names for it, and the url of the extension that it is."""
        node: Any = root
        owner = expression.partition(".")[0].partition("[")[0]
        names = [owner]
        for name, index in _STEP.findall(expression.partition(".")[2]):
            holder = node.get("resourceType", owner) if isinstance(node, dict) else owner
            names = [f"{holder}.{name}"]
            try:
                elements = self.defs.type(holder).elements
            except KeyError:
                return node, names, ""
            found = [each for each in elements.values() if name in (each.name, each.choice)]
            if not found:
                return node, names, ""
            present = [each for each in found if isinstance(node, dict) and each.name in node] or found
            names += [f"{holder}.{name}[x]"] if found[0].choice else []
            node = node.get(present[0].name) if isinstance(node, dict) else None
            node = node[int(index)] if index and isinstance(node, list) and int(index) < len(node) else node
            owner = present[0].type
            names += ["Element", owner]
        return node, names, str(node.get("url")) if isinstance(node, dict) and owner == "Extension" else ""


def check_extension(defs: Definitions, facts: ExtensionFacts, value: Tree, run: Run) -> None:
    """The value and the parts of one extension."""
    values = [key for key in value if key.startswith("value")]
    if values and not facts.types:
        run.add("extension-value", url=facts.url)
    elif values and not _fits(values[0], facts.types):
        run.add("extension-type", url=facts.url)
    elif values and facts.binding:
        _check_code(defs, facts, values[0], value[values[0]], run)
    elif not values and facts.types and facts.required and not facts.parts and not _bare(value):
        run.add("extension-no-value", url=facts.url)
    if facts.parts:
        _check_parts(defs, facts, value, run)


def _check_code(defs: Definitions, facts: ExtensionFacts, key: str, value: Any, run: Run) -> None:
    binding, kind = facts.binding, key[5:]
    if binding is None:
        return
    plain = kind[0].lower() + kind[1:]
    name = plain if plain in SHAPES else kind
    rule = None
    if binding.value_set == COMMON_LANGUAGES:
        rule = language_rule(defs, name)
    elif binding.strength in ("required", "extensible"):
        rule = rule_of(defs, name, binding.value_set, binding.strength)
    if rule and isinstance(value, str if plain in SHAPES else dict):
        run.below(f".value.ofType({name})", rule, value, run)


def _bare(value: Tree) -> bool:
    return any(key.startswith("_value") for key in value)


def _fits(key: str, types: tuple[str, ...]) -> bool:
    return any(key == "value" + kind[0].upper() + kind[1:] for kind in types) or "*" in types


def _check_parts(defs: Definitions, facts: ExtensionFacts, value: Tree, run: Run) -> None:
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
        run.below(f".extension[{index}]", check_extension, defs, part, row, run)
    for name, part in facts.parts.items():
        count = counts.get(name, 0)
        if count < part.min or (part.max is not None and count > part.max):
            run.add("extension-parts", url=facts.url)
