"""Tier 3: what every code, system, unit and language must be, bound or not.

https://hl7.org/fhir/R4/terminologies-systems.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from adapter.definitions import BUILT_IN_URLS, Definitions, Element
from adapter.validation import units
from adapter.validation.guards import needs
from adapter.validation.run import Run, Tree
from adapter.validation.texts import is_absolute

Rule = Callable[[Any, Run], None]
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:").match
COMMON_LANGUAGES = "http://hl7.org/fhir/ValueSet/languages"


def language_rule(defs: Definitions, type_name: str) -> Rule:
    """Only where the reference is followed: a code of a language that is not among the common ones is refused."""
    common = defs.codes(COMMON_LANGUAGES) or frozenset()

    def rule(value: Any, run: Run) -> None:
        if not run.quirks.common_languages or (run.packaged and type_name == "CodeableConcept"):
            # US Core has a value set of its own for them, which it cannot expand.
            return
        rows = value.get("coding") if type_name == "CodeableConcept" else [{"system": LANGUAGES, "code": value}]
        for row in rows if isinstance(rows, list) else ():
            code = row.get("code") if isinstance(row, dict) and row.get("system") == LANGUAGES else None
            if isinstance(code, str) and code not in common and not code.isspace():
                run.add("language-uncommon")

    return rule


def rules_of_element(defs: Definitions, owner: str, element: Element) -> Iterator[Rule]:
    """The rules over each value of an element that holds a Coding, a language, or the URL of a definition."""
    if element.type == "Coding" and owner != "CodeableConcept":
        yield check_coding(defs, free=element.binding is None)
    elif element.name == "url" and owner in defs and "publisher" in defs.type(owner).elements:
        yield check_canonical_url
    if element.binding and element.binding.value_set == COMMON_LANGUAGES:
        yield language_rule(defs, element.type)


def rules_of_type(defs: Definitions, name: str) -> Iterator[Rule]:
    """The rules over each value of a type that carries codes."""
    if name == "CodeableConcept":
        yield needs(_concept_rule(_Systems(defs)), "coding")
    elif name == "Identifier":
        yield needs(check_identifier, "system")
    elif name in QUANTITIES:
        yield needs(_quantity_rule("unit-unknown" if name == "Quantity" else "unit-unknown-special"), "system")


QUANTITIES = ("Quantity", "Age", "Count", "Distance", "Duration")
LANGUAGES = "urn:ietf:bcp:47"
# What begins as one of these and goes on is none of them. https://hl7.org/fhir/R4/terminologies-systems.html
KEPT = 2048
EXACT = ("http://snomed.info/sct", "http://loinc.org", units.SYSTEM, "http://www.nlm.nih.gov/research/umls/rxnorm")


class _Systems:
    """The code systems at hand and what is wrong with the URLs of others, each looked up once; few enough to keep."""

    def __init__(self, defs: Definitions) -> None:
        self.defs = defs
        self.known: dict[str, Mapping[str, str] | None] = {}
        self._packaged: dict[str, Mapping[str, str] | None] = {}
        self._faults: dict[str, str] = {}

    def codes(self, system: str) -> Mapping[str, str] | None:
        """The codes of a system; None where its content is not at hand."""
        # Those of a built-in package hold only where it is asked for: they are not right at a glance.
        kept = self._packaged if system.startswith(BUILT_IN_URLS) else self.known
        if system in kept:
            return kept[system]
        facts = self.defs.code_system(system)
        codes = None if facts is None else facts.codes
        if len(kept) < KEPT:
            kept[system] = codes
        return codes

    def fault(self, system: str) -> str:
        """The message id of what is wrong with the URL of a system; empty where nothing is."""
        found = self._faults.get(system)
        if found is None:
            found = self._fault(system)
            if len(self._faults) < KEPT:
                self._faults[system] = found
        return found

    def _fault(self, system: str) -> str:
        if not system.startswith(("http:", "https:", "urn:")):
            return "coding-system-relative"
        if self.codes(system) is not None:
            return ""
        if self.defs.expansion(system) is not None:
            return "coding-system-value-set"
        exact = system in EXACT or not system.startswith(EXACT)
        insecure = system.startswith("https:") and self.codes("http:" + system[6:]) is not None
        return "" if exact and not insecure else "coding-system-inexact"

    def check(self, value: Tree, system: str, code: Any, run: Run, place: str) -> None:
        """A code against its system, and its display; `place` is that of the Coding."""
        codes = self.codes(system)
        if codes is None or (system.startswith(BUILT_IN_URLS) and not run.packaged):
            if system == units.SYSTEM:
                if isinstance(code, str) and not units.is_unit(code):
                    run.add("unit-unknown")
            elif isinstance(code, str):
                run.uncheckable.add(system)
        elif not isinstance(code, str):
            if code is None:
                run.add("coding-no-code")
        else:
            display = codes.get(code)
            if display is None:
                run.add("code-unknown", system=system)
                return
            given = value.get("display")
            if given != display and isinstance(given, str) and display and _folded(given) != _folded(display):
                run.add("code-display", place + ".display", severity=run.quirks.displays, system=system)


def _concept_rule(systems: _Systems) -> Rule:
    known = systems.known

    def rule(value: Any, run: Run) -> None:
        rows = value.get("coding")
        for index, row in enumerate(rows if type(rows) is list else ()):
            if type(row) is not dict:
                continue
            system, code = row.get("system"), row.get("code")
            if type(system) is str:
                codes = known.get(system)
                if codes is not None and type(code) is str and code in codes:
                    # Right at a glance: the code is one of the system, the display its own.
                    display = row.get("display")
                    if display is None or display == codes[code]:
                        continue
                systems.check(row, system, code, run, f".coding[{index}]")
            elif code is not None and "system" not in row:
                run.add("coding-system-missing", f".coding[{index}]")

    return rule


def check_coding(defs: Definitions, *, free: bool = True) -> Rule:
    """The rule over a Coding that stands by itself: a code of its system, the display, and a system that is one.

    Where it is bound (not `free`), the value set decides over the system.
    """
    systems = _Systems(defs)

    def rule(value: Any, run: Run) -> None:
        system, code = value.get("system"), value.get("code")
        if type(system) is not str:
            if code is not None and "system" not in value:
                run.add("coding-system-missing")
        elif type(code) is str:
            fault = systems.fault(system) if free else ""
            if fault:
                run.add(fault)
            systems.check(value, system, code, run, "")
        elif not _ABSOLUTE(system):
            run.add("coding-system-relative")

    return rule


def _quantity_rule(message_id: str) -> Rule:
    def rule(value: Any, run: Run) -> None:
        system, code = value.get("system"), value.get("code")
        if system == units.SYSTEM:
            if type(code) is str and not units.is_unit(code):
                run.add(message_id)
        elif type(system) is str and type(code) is str:
            if system.startswith(EXACT) and system not in EXACT:
                run.add("coding-system-inexact")
            elif not system.startswith(("http:", "https:", "urn:")):
                run.add("coding-system-relative")

    return rule


def _folded(text: str) -> str:
    return " ".join(text.lower().split())


def check_canonical_url(value: Any, run: Run) -> None:
    """The rule over the URL of a Questionnaire, a ValueSet and other definitions."""
    if not is_absolute(value):
        run.add("canonical-url-relative")


def check_identifier(value: Any, run: Run) -> None:
    """The rule over every Identifier: its system is absolute, and a value that is said to be a URI is one."""
    system = value.get("system")
    if type(system) is not str:
        return
    if not system.startswith(("http:", "https:", "urn:", "ldap:")):
        run.add("identifier-system-relative")
    elif system == "urn:ietf:rfc:3986":
        text = value.get("value")
        if type(text) is str and not _ABSOLUTE(text):
            run.add("identifier-no-uri")
