"""Tier 6: profiles. Their constraints are compiled to a tree of rules that runs beside the base checks.

https://hl7.org/fhir/R4/profiling.html#slicing
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from adapter.definitions import Constraint, Definitions, Element
from adapter.validation import bindings, invariants
from adapter.validation.constrained import rules_of_row
from adapter.validation.element_rules import ElementRule, Found
from adapter.validation.fhirpath.compiling import Unsupported
from adapter.validation.primitives import SHAPES
from adapter.validation.references import contained_by_id
from adapter.validation.run import Run, Tree
from adapter.validation.slicing import fits_pattern, matcher, same
from adapter.validation.texts import claimed

Rule = Callable[[Any, Run], None]


class Profiles:
    """The profiles at hand, each compiled on first use; safe to share between threads."""

    def __init__(self, defs: Definitions) -> None:
        self.defs = defs
        self._compiled: dict[str, Profile | None] = {}

    def get(self, url: str) -> Profile | None:
        """A profile by its canonical; None where it is not at hand."""
        if url not in self._compiled:
            facts = self.defs.profile(url)
            compiled = None if facts is None else Profile(self, url, facts)
            if compiled is None:
                return None
            self._compiled[url] = compiled
        return self._compiled[url]

    def check(self, tree: Tree, more: tuple[str, ...], run: Run) -> None:
        """A resource against the profiles that it claims and `more`; in a Bundle each resource against its own."""
        if names_null(tree):
            run.add("profile-null", ".meta.profile")
        rows = tree.get("entry") if tree.get("resourceType") == "Bundle" else None
        entries = (
            [row.get("resource") if isinstance(row, dict) else None for row in rows] if isinstance(rows, list) else []
        )
        for_entries = () if run.quirks.followed else self._of_entries(entries, more)
        for url in dict.fromkeys([*claimed(tree), *(each for each in more if each not in for_entries)]):
            profile = self.get(url)
            if profile is None:
                shown = url if len(url) < 200 and url.isprintable() else "that it claims"
                run.add("profile-unknown", profile=shown)
            elif profile.type == tree.get("resourceType"):
                profile.check(tree, run)
            else:
                run.add("profile-type", profile=profile.name, name="resourceType")
        for index, resource in enumerate(entries):
            if isinstance(resource, dict) and isinstance(rows, list):
                url = rows[index].get("fullUrl")
                run.full_url = url if isinstance(url, str) else None
                run.below(f".entry[{index}].resource", self._inner, resource, for_entries, run)

    def _of_entries(self, entries: list[Any], more: tuple[str, ...]) -> tuple[str, ...]:
        """Those profiles that are asked for of a Bundle and mean the resources inside: of their type."""
        types = [each.get("resourceType") for each in entries if isinstance(each, dict)] if more else []
        return tuple(url for url in more if (profile := self.get(url)) and profile.type in types)

    def _inner(self, tree: Tree, more: tuple[str, ...], run: Run) -> None:
        kept = run.root, run.resource, run.env, run.contained
        run.root, run.resource, run.env, run.contained = tree, tree, None, contained_by_id(tree)
        own = [url for url in more if (profile := self.get(url)) and profile.type == tree.get("resourceType")]
        self.check(tree, tuple(own), run)
        run.root, run.resource, run.env, run.contained = kept


def names_null(tree: Tree) -> bool:
    """Whether null stands among the profiles that a resource names; allowed, where an extension stands beside it."""
    meta = tree.get("meta")
    rows = meta.get("profile") if isinstance(meta, dict) else None
    return isinstance(rows, list) and None in rows


class Profile:
    """One profile, compiled."""

    def __init__(self, known: Profiles, url: str, facts: Tree) -> None:
        self.defs = known.defs
        self.known = known
        self.type: str = facts["t"]
        self.url = url
        self.name = url.partition("|")[0].rpartition("/")[2] or url
        self.not_checked: list[str] = []
        self.root = ElementRule(self.type)
        for row in facts["e"]:
            self._place(row)
        self._finish(self.root)

    def _place(self, row: Tree) -> None:
        """Puts a row of the profile where its id leads: `Condition.category:us-core.coding`."""
        rule, owner = self.root, self.type
        for segment in row["i"].split(".")[1:]:
            name, _, slice_name = segment.partition(":")
            child = rule.children.get(name)
            if child is None:
                elements = self._elements(owner, name)
                if not elements:
                    return
                child = rule.children[name] = ElementRule(name, elements)
            if slice_name:
                child = child.slices.setdefault(slice_name, self._slice(child, slice_name))
            rule, owner = child, child.elements[0].type
            if owner == "Resource":
                # What stands inside an entry is of the type that the profile says.
                owner = next(iter(child.tree.get("t", ())), owner)
        self._fill(rule, row, owner)

    def _slice(self, whole: ElementRule, name: str) -> ElementRule:
        """A slice; one that is named after a type of a choice stands for that type."""
        typed = tuple(element for element in whole.elements if element.choice and element.name == name)
        return ElementRule(f"{whole.name}:{name}", typed or whole.elements)

    def _elements(self, owner: str, name: str) -> tuple[Element, ...]:
        try:
            elements = self.defs.type(owner).elements
        except KeyError:
            return ()
        base = name.removesuffix("[x]")
        if name != base:
            return tuple(each for each in elements.values() if each.choice == base)
        return (elements[name],) if name in elements else ()

    def _fill(self, rule: ElementRule, row: Tree, owner: str) -> None:
        rule.tree = row
        rule.min = row.get("m", 0)
        rule.max = None if row.get("x", "*") == "*" else int(row["x"])
        rule.must_support = bool(row.get("ms"))
        if "t" in row and any(element.choice for element in rule.elements):
            rule.types = frozenset(row["t"])
        several = len(rule.elements) > 1
        for kind in {element.type for element in rule.elements} or {owner}:
            rule.rules[kind] = tuple(self._rules(row, kind, lenient=several))
        for element in rule.elements:
            rule.rules[element.type] += tuple(rules_of_row(self.defs, self.known.get, row, element, self.name))

    def _rules(self, row: Tree, kind: str, *, lenient: bool) -> Iterator[Rule]:
        if "b" in row and row["b"][0] in ("required", "extensible"):
            rule = bindings.rule_of(self.defs, kind, row["b"][1], row["b"][0])
            if rule:
                yield rule
        for key, severity, expression, human in row.get("k", []):
            constraint = Constraint(key, severity, expression, human)
            try:
                yield invariants.rule_of(self.defs, constraint, kind, lenient=lenient)
            except Unsupported:
                self.not_checked.append(key)

    def _finish(self, rule: ElementRule) -> None:
        for child in rule.children.values():
            self._finish(child)
            discriminators = child.tree.get("s", {}).get("d", [])
            for each in child.slices.values():
                self._finish(each)
                if each.elements == child.elements:
                    each.matches = matcher(self.defs, self.known.get, each, discriminators)
        rule.finish()

    def check(self, tree: Tree, run: Run) -> None:
        """Every fault against this profile."""
        for key in self.not_checked:
            run.add("invariant-not-checked", key=key, source=self.name)
        for rule in self.root.rules.get(self.type, ()):
            rule(tree, run)
        self._children(self.root, tree, run)

    def _children(self, rule: ElementRule, node: Any, run: Run) -> None:
        if type(node) is not dict:
            return
        out = run.out
        for child in rule.ordered:
            if child.plain:
                count = child.count(node)
                if count < child.least or not count or child.max is not None:
                    self._count(child, count, run)
                continue
            found = child.values(node)
            self._count(child, len(found), run)
            since = len(out)
            for step, value, element in found:
                self._value(child, value, element, run)
                if len(out) > since:
                    run.prefix(since, step)
                    since = len(out)
            if child.slices:
                self._slices(child, found, run)

    def _count(self, rule: ElementRule, count: int, run: Run) -> None:
        if count < rule.least:
            run.add("profile-min", profile=self.name, name=rule.name, min=str(rule.min), source=self.name)
        elif rule.max is not None and count > rule.max:
            run.add("profile-max", profile=self.name, name=rule.name, max=str(rule.max), source=self.name)
        elif not count and rule.must_support and ":" not in rule.name:
            run.add("profile-must-support", profile=self.name, name=rule.name, source=self.name)

    def _value(self, rule: ElementRule, value: Any, element: Element, run: Run) -> None:
        if rule.types and element.type not in rule.types:
            run.add("profile-type", profile=self.name, name=rule.name, source=self.name)
            return
        row = rule.tree
        if "f" in row and not same(value, row["f"]):
            run.add("profile-fixed", profile=self.name, name=rule.name, source=self.name)
        if "p" in row and not fits_pattern(value, row["p"]):
            run.add("profile-pattern", profile=self.name, name=rule.name, source=self.name)
        rules = rule.rules.get(element.type)
        if rules:
            # A value of a wrong shape the structure has spoken of.
            shape = SHAPES.get(element.type)
            if type(value) is dict if shape is None else not shape(value):
                for each in rules:
                    each(value, run)
        if rule.ordered:
            self._children(rule, value, run)

    def _slices(self, rule: ElementRule, found: Found, run: Run) -> None:
        counts = dict.fromkeys(rule.slices, 0)
        slicing = rule.tree.get("s", {})
        order, at_end = list(rule.slices) if slicing.get("o") else [], slicing.get("r") == "openAtEnd"
        unknown = False
        furthest = -1
        for step, value, element in found:
            name = self._slice_of(rule, value, element)
            if name is None:
                unknown = True
            elif name:
                counts[name] += 1
                position = order.index(name) if order else 0
                if position < furthest:
                    run.add("profile-slice-order", step, profile=self.name, name=rule.name, source=self.name)
                furthest = max(furthest, position)
                run.below(step, self._value, rule.slices[name], value, element, run)
            elif slicing.get("r") == "closed":
                run.add("profile-slice", step, profile=self.name, name=rule.name, source=self.name)
            elif at_end:
                # Whatever is in a slice and comes after it is too late.
                furthest = len(rule.slices)
        if unknown:
            run.add("profile-not-checked", profile=self.name, name=rule.name, source=self.name)
            return
        for name, count in counts.items():
            self._count(rule.slices[name], count, run)

    def _slice_of(self, rule: ElementRule, value: Any, element: Element) -> str | None:
        """The name of the slice that a value is in; empty where in none, None where that cannot be told."""
        told = True
        for name, each in rule.slices.items():
            if each.elements != rule.elements:
                if element in each.elements:
                    return name
                continue
            verdict = each.matches(value, element) if each.matches else None
            if verdict:
                return name
            told = told and verdict is not None
        return "" if told else None
