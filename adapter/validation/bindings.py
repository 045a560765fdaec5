"""Tier 3: codes against the value sets they are bound to and the systems they name.

https://hl7.org/fhir/R4/terminologies.html#strength
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from adapter.definitions import Binding, Definitions, Element
from adapter.issues import Severity
from adapter.validation.run import Run, Tree

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
    if codes is None:
        return None
    message = "binding-" + strength

    def rule(value: Any, run: Run) -> None:
        if value not in codes:
            run.add(message, value_set=value_set)

    return rule


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


def check_coding(defs: Definitions) -> Rule:
    """The rule over every Coding: a system, absolute; a code of that system; its display."""
    known: dict[str, Any] = {}

    def rule(value: Any, run: Run) -> None:
        system, code = value.get("system"), value.get("code")
        if not isinstance(system, str):
            if code is not None and "system" not in value:
                run.add("coding-system-missing")
            return
        codes = known.get(system)
        if codes is None:
            facts = defs.code_system(system)
            if facts is None:
                if not _ABSOLUTE(system):
                    run.add("coding-system-relative", ".system")
                elif isinstance(code, str):
                    run.uncheckable.add(system)
                return
            codes = known[system] = facts.codes
        if isinstance(code, str):
            _check_code(codes, value, system, code, run)

    return rule


def _check_code(codes: Mapping[str, str], value: Tree, system: str, code: str, run: Run) -> None:
    display = codes.get(code)
    if display is None:
        run.add("code-unknown", ".code", system=system)
        return
    given = value.get("display")
    if given != display and isinstance(given, str) and display and _folded(given) != _folded(display):
        run.add("code-display", ".display", severity=run.quirks.displays, system=system)


def _folded(text: str) -> str:
    return " ".join(text.lower().split())


def check_identifier(value: Any, run: Run) -> None:
    """The rule over every Identifier."""
    system = value.get("system")
    if isinstance(system, str) and not _ABSOLUTE(system):
        run.add("identifier-system-relative", ".system")


__all__ = ["Binding", "check_coding", "check_identifier", "member", "rule_of", "rules_of_element"]
