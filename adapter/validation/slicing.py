"""Which slice a value belongs to, by the discriminators of the slicing.

https://hl7.org/fhir/R4/profiling.html#discriminator
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adapter.definitions import Definitions, Element
from adapter.validation.bindings import member
from adapter.validation.fhirpath.values import equal
from adapter.validation.fitting import Get, fits
from adapter.validation.texts import claimed

if TYPE_CHECKING:
    from adapter.validation.element_rules import ElementRule

Matcher = Callable[[Any, Element], "bool | None"]
"""Whether a value is in a slice; None where the data at hand does not tell."""


def same(value: Any, fixed: Any) -> bool:
    """Whether a value is exactly the fixed one."""
    return equal(value, fixed)


def fits_pattern(value: Any, pattern: Any) -> bool:
    """Whether a value holds at least what a pattern does. https://hl7.org/fhir/R4/elementdefinition.html"""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            key in value and fits_pattern(value[key], each) for key, each in pattern.items()
        )
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(fits_pattern(row, each) for row in value) for each in pattern)
    return equal(value, pattern)


def matcher(defs: Definitions, get: Get, rule: ElementRule, discriminators: list[list[str]]) -> Matcher | None:
    """The test for one slice, `get` finds other profiles; None where its discriminators are not supported."""
    if rule.tree.get("tp") and rule.elements and rule.elements[0].type == "Extension":
        urls = {url.partition("|")[0] for url in rule.tree["tp"]}
        return lambda value, _element: isinstance(value, dict) and str(value.get("url")) in urls
    tests = [_test(defs, get, rule, kind, path) for kind, path in discriminators]
    known = [test for test in tests if test is not None]
    if not known or len(known) != len(tests):
        return None

    def matches(value: Any, element: Element) -> bool | None:
        verdicts = [test(value, element) for test in known]
        if False in verdicts:
            return False
        return None if None in verdicts else True

    return matches


def _test(defs: Definitions, get: Get, rule: ElementRule, kind: str, path: str) -> Matcher | None:
    steps = [] if path == "$this" else path.split(".")
    if kind == "type":
        return _by_type(rule, steps)
    if kind == "profile":
        return _by_profile(get, rule, steps)
    if kind == "exists":
        return _exists(rule, steps)
    if kind not in ("value", "pattern") or any("(" in step for step in steps):
        return None
    return _by_value(defs, rule, steps)


def _by_type(rule: ElementRule, steps: list[str]) -> Matcher | None:
    """The type of a choice, or of a resource inside."""
    target = _rule_at(rule, steps)
    # A tuple: what the data calls a type may be no text.
    types = tuple(target.tree.get("t", ())) if target else ()
    if not types or target is None:
        return None
    if any(element.type == "Resource" for element in target.elements):
        return lambda value, _element: any(
            isinstance(each, dict) and each.get("resourceType") in types for each in _values(value, steps)
        )
    return None if steps else lambda _value, element: element.type in types


def _by_profile(get: Get, rule: ElementRule, steps: list[str]) -> Matcher | None:
    """The profile that a resource inside claims, or fits."""
    target = _rule_at(rule, steps)
    urls = tuple(target.tree.get("tp", ())) if target else ()
    if not urls or target is None:
        return None
    plain = {url.partition("|")[0] for url in urls}
    types = tuple(target.tree.get("t", ()))

    def matches(value: Any, _element: Element) -> bool | None:
        rows = [each for each in _values(value, steps) if isinstance(each, dict)]
        if any(url.partition("|")[0] in plain for each in rows for url in claimed(each)):
            return True
        rows = [each for each in rows if each.get("resourceType") in types]
        known = [get(url) for url in urls]
        if any(profile is not None and fits(profile, each) for each in rows for profile in known):
            return True
        return None if rows and None in known else False

    return matches


def _exists(rule: ElementRule, steps: list[str]) -> Matcher | None:
    target = _rule_at(rule, steps)
    if target is None or not steps:
        return None
    wanted = target.min > 0
    return lambda value, _element: bool(_values(value, steps)) is wanted


def _by_value(defs: Definitions, rule: ElementRule, steps: list[str]) -> Matcher | None:
    """A fixed value, a pattern or a required binding at the path, or above it in the slice."""
    for depth in range(len(steps), -1, -1):
        target = _rule_at(rule, steps[:depth])
        if target is None:
            continue
        check = _value_test(defs, target)
        if check:
            above = steps[:depth]
            return lambda value, _element: _any(check, _values(value, above))
    inner = [_by_value(defs, rule, [*steps, name]) for name in getattr(_rule_at(rule, steps), "children", {})]
    known = [each for each in inner if each]
    return known[0] if len(known) == 1 else None


def _value_test(defs: Definitions, rule: ElementRule) -> Callable[[Any], bool | None] | None:
    row = rule.tree
    if "f" in row:
        return lambda value: same(value, row["f"])
    if "p" in row:
        return lambda value: fits_pattern(value, row["p"])
    if "b" in row and row["b"][0] == "required":
        expansion = defs.expansion(row["b"][1])
        return None if expansion is None else lambda value: _bound(defs, expansion, value)
    return None


def _bound(defs: Definitions, expansion: dict[str, Any], value: Any) -> bool | None:
    if isinstance(value, dict):
        rows = value.get("coding") if "coding" in value else [value]
        codings = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        found = [member(defs, expansion, row.get("system"), row.get("code")) for row in codings]
    else:
        found = [member(defs, expansion, system, value) for system in expansion]
    return True if True in found else None if None in found else False


def _any(check: Callable[[Any], bool | None], values: list[Any]) -> bool | None:
    found = [check(value) for value in values]
    return True if True in found else None if None in found else False


def _rule_at(rule: ElementRule, steps: list[str]) -> ElementRule | None:
    here: ElementRule | None = rule
    for step in steps:
        here = here.children.get(step) or here.children.get(step + "[x]") if here else None
    return here


def _values(value: Any, steps: list[str]) -> list[Any]:
    level = [value]
    for step in steps:
        below: list[Any] = []
        for node in level:
            if isinstance(node, dict):
                for key, each in node.items():
                    if key == step or (
                        key.startswith(step) and key[len(step) : len(step) + 1].isupper() and step == "value"
                    ):
                        below.extend(each) if isinstance(each, list) else below.append(each)
        level = below
    return level
