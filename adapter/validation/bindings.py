"""Tier 3: codes against the value sets they are bound to and the systems they name.

https://hl7.org/fhir/R4/terminologies.html#strength
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from adapter.definitions import Binding, Definitions, Element
from adapter.issues import Severity
from adapter.validation.primitives import is_code
from adapter.validation.run import Run

Rule = Callable[[Any, Run], None]
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:").match


def member(defs: Definitions, expansion: dict[str, Any] | None, system: Any, code: Any) -> bool | None:
    """Whether a code is in an expansion; None where the content at hand does not tell."""
    if expansion is None:
        return None
    if not isinstance(code, str):
        return False
    codes = expansion.get(system) if isinstance(system, str) else None
    if codes == "*":
        facts = defs.code_system(system)
        return None if facts is None else code in facts.codes
    if codes == "?":
        return None
    if codes is not None and code in codes:
        return True
    return None if "?" in expansion else False


def rules_of_element(defs: Definitions, element: Element) -> Iterator[Rule]:
    """The rules that a binding makes for values of an element."""
    binding = element.binding
    if binding is None:
        return
    if binding.strength in ("required", "extensible"):
        rule = rule_of(defs, element.type, binding.value_set, binding.strength)
        if rule:
            yield rule
    if binding.max_value_set:
        rule = rule_of(defs, element.type, binding.max_value_set, "max")
        if rule:
            yield rule


def rule_of(defs: Definitions, type_name: str, value_set: str, strength: str) -> Rule | None:
    """The rule for one type of value; None for types that carry no codes."""
    if type_name in ("code", "string", "uri", "id", "markdown", "url"):
        return _plain(defs, value_set, strength)
    expansion = defs.expansion(value_set)
    if expansion is None:
        return None
    if type_name == "CodeableConcept":
        return _concept(defs, expansion, value_set, strength)
    if type_name in ("Coding", "Quantity"):
        return _coding(defs, expansion, value_set, strength)
    return None


def _plain(defs: Definitions, value_set: str, strength: str) -> Rule | None:
    codes = defs.codes(value_set)
    if strength == "extensible":
        listed = _listed(defs, value_set) if codes is None else codes
        return _plain_extensible(listed, codes is not None, value_set)
    if codes is None:
        return None
    message = "binding-" + strength

    def rule(value: Any, run: Run) -> None:
        if value not in codes:
            run.add(message, value_set=value_set)

    if all(map(is_code, codes)):
        # A code that is in the set is of the right shape, too: membership says all.
        rule.codes = codes  # type: ignore[attr-defined]
    return rule


def _plain_extensible(codes: frozenset[str], whole: bool, value_set: str) -> Rule | None:
    """The reference refuses a code that it does not find, also where part of the value set is not at hand."""
    if not codes:
        return None

    def rule(value: Any, run: Run) -> None:
        if value not in codes and (whole or run.quirks.followed) and not value.isspace():
            run.add("binding-extensible-code", value_set=value_set)

    return rule


def _listed(defs: Definitions, value_set: str) -> frozenset[str]:
    """Those codes of a value set that are at hand."""
    found: set[str] = set()
    for system, codes in (defs.expansion(value_set) or {}).items():
        facts = defs.code_system(system) if codes == "*" else None
        found.update(facts.codes if facts else codes if isinstance(codes, list) else ())
    return frozenset(found)


def _resolved(defs: Definitions, expansion: dict[str, Any]) -> dict[str, Any]:
    """The expansion with every code at hand: the codes of each system, None where they are not known."""
    found: dict[str, Any] = {}
    for system, codes in expansion.items():
        facts = defs.code_system(system) if codes == "*" else None
        listed = frozenset(codes) if isinstance(codes, list) else None
        found[system] = facts.codes if facts else listed
    return found


def _verdict(known: dict[str, Any], system: Any, code: Any) -> bool | None:
    if not isinstance(system, str) or not isinstance(code, str):
        return False
    codes = known.get(system, ())
    if codes is None:
        return None
    return True if code in codes else None if "?" in known else False


def _concept(defs: Definitions, expansion: dict[str, Any], value_set: str, strength: str) -> Rule:
    message = "binding-" + strength
    known = _resolved(defs, expansion)

    def rule(value: Any, run: Run) -> None:
        rows = value.get("coding")
        outside = False
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict) and "code" in row:
                if strength == "max" and "system" not in row and run.quirks.followed:
                    continue
                if _verdict(known, row.get("system"), row["code"]) is not False:
                    return
                outside = True
        if outside:
            run.add(message, value_set=value_set)
        elif not rows and strength != "max" and "extension" not in value:
            severity: Severity | None = "warning" if strength == "extensible" else None
            run.add("binding-no-code", severity=severity, value_set=value_set)

    return rule


def _coding(defs: Definitions, expansion: dict[str, Any], value_set: str, strength: str) -> Rule:
    message = "binding-" + strength
    known = _resolved(defs, expansion)

    def rule(value: Any, run: Run) -> None:
        if "code" in value and _verdict(known, value.get("system"), value["code"]) is False:
            run.add(message, value_set=value_set)

    return rule


__all__ = ["Binding", "member", "rule_of", "rules_of_element"]
