"""Tier 2: the invariants of the definitions, compiled. The few that every resource meets are written out by hand.

https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from adapter.definitions import Constraint, Definitions, Element, TypeFacts
from adapter.issues import Severity
from adapter.validation import units
from adapter.validation.fhirpath.compiling import Env, Failed, Unsupported, compile_boolean
from adapter.validation.fhirpath.folding import holds_always
from adapter.validation.fhirpath.parsing import parse
from adapter.validation.fhirpath.values import TooCostly, compare, descendants
from adapter.validation.guards import guarded, needs
from adapter.validation.references import resolve
from adapter.validation.run import Run, Tree

Rule = Callable[[Any, Run], None]
# Said of contained resources by `contained.py`, of references by `references.py`, of narrative by `narrative.py`.
ELSEWHERE = frozenset({"ref-1", "txt-1", "txt-2", "dom-3", "bdl-7"})
# Their expressions name elements that do not exist; the published specification has these faults.
BROKEN = {
    ("ChargeItemDefinition", "cid-0"),
    ("Evidence", "cnl-0"),
    ("EvidenceReport", "cnl-0"),
    ("RiskAssessment.prediction", "ras-1"),
}


def env_of(run: Run) -> Env:
    """What expressions may see of a run."""
    return Env(run.resource, run.root, lambda reference: resolve(reference, run))


def rules_of_type(defs: Definitions, facts: TypeFacts) -> Iterator[Rule]:
    """One rule for each invariant of a type."""
    for constraint in facts.constraints:
        if constraint.key not in ELSEWHERE and (facts.name, constraint.key) not in BROKEN:
            yield rule_of(defs, constraint, facts.name)


def rules_of_element(defs: Definitions, owner: str, element: Element) -> Iterator[Rule]:
    """One rule for each invariant that an element has besides those of its type."""
    for constraint in element.constraints:
        if constraint.key not in ELSEWHERE and (owner, constraint.key) not in BROKEN:
            yield rule_of(defs, constraint, element.type)
    for profile in element.profiles:
        if profile.endswith("/SimpleQuantity"):
            yield _said(_sqty_1, SQTY_1, f"{owner}#sqty-1")


def rule_of(defs: Definitions, constraint: Constraint, type_name: str, *, lenient: bool = False) -> Rule:
    """The rule of one constraint over values of a type. Raises Unsupported."""
    source = f"{type_name}#{constraint.key}"
    by_hand = BY_HAND.get(constraint.key)
    if by_hand:
        return _guarded(_said(by_hand, constraint, source), by_hand, constraint.key)
    holds = compile_boolean(defs, constraint.expression, type_name, lenient=lenient)
    tree = parse(constraint.expression)
    choices = defs.type(type_name).choices if type_name.partition(".")[0] in defs else {}
    rule: Rule = guarded(_evaluated(holds, constraint, source), lambda keys: not holds_always(tree, keys, choices))
    return rule


def _guarded(rule: Rule, holds: Callable[[Tree], bool], key: str) -> Rule:
    """A rule written by hand, with what it takes for it to speak."""
    if key == "con-4":
        return guarded(rule, lambda keys: any(each.startswith(("abatement", "_abatement")) for each in keys))  # type: ignore[no-any-return]
    if key in BY_KEYS:
        return guarded(rule, lambda keys: not holds(dict.fromkeys(keys)))  # type: ignore[no-any-return]
    return needs(rule, *NEEDED[key]) if key in NEEDED else rule


def _severity(constraint: Constraint) -> Severity:
    return "warning" if constraint.severity == "warning" else "error"


def _said(holds: Callable[[Tree], bool], constraint: Constraint, source: str) -> Rule:
    severity, key, human = _severity(constraint), constraint.key, constraint.human

    def rule(value: Any, run: Run) -> None:
        if not holds(value) and (key != "dom-6" or value is run.root):
            run.add("invariant-failed", severity=severity, source=source, key=key, human=human)

    return rule


def _evaluated(holds: Callable[[Any, Env], bool], constraint: Constraint, source: str) -> Rule:
    severity, key, human = _severity(constraint), constraint.key, constraint.human

    def rule(value: Any, run: Run) -> None:
        env = run.env
        if env is None:
            env = run.env = env_of(run)
        try:
            passed = holds(value, env)
        except TooCostly:
            run.add("invariant-not-checked", source=source, key=key)
            return
        except (Failed, TypeError, ValueError, AttributeError, KeyError, ArithmeticError):
            # Data of a wrong shape: the structure has said so, the invariant has no verdict.
            return
        if not passed:
            run.add("invariant-failed", severity=severity, source=source, key=key, human=human)

    return rule


def _rows(value: Any) -> list[Tree]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _dom_2(node: Tree) -> bool:
    return "contained" not in node or not any(row.get("contained") for row in _rows(node["contained"]))


def _meta(node: Tree, *names: str) -> bool:
    if "contained" not in node:
        return True
    metas = (row.get("meta") for row in _rows(node["contained"]))
    return not any(isinstance(meta, dict) and any(name in meta for name in names) for meta in metas)


def _dom_6(node: Tree) -> bool:
    text = node.get("text")
    return isinstance(text, dict) and "div" in text


def _ext_1(node: Tree) -> bool:
    has_value = any(key.startswith(("value", "_value")) for key in node)
    return ("extension" in node) != has_value


def _per_1(node: Tree) -> bool:
    start, end = node.get("start"), node.get("end")
    if not isinstance(start, str) or not isinstance(end, str):
        return True
    if len(start) == len(end) and start[-6:] == end[-6:] and start <= end:
        # The same precision and zone: dates are in order as their texts are.
        return True
    order = compare(start, end)
    return order is not None and order <= 0


def _sqty_1(node: Any) -> bool:
    return not isinstance(node, dict) or "comparator" not in node


def _que_2(node: Tree) -> bool:
    ids = [row["linkId"] for row in descendants([node]) if isinstance(row, dict) and isinstance(row.get("linkId"), str)]
    return len(ids) == len(set(ids))


def _has_code(node: Tree, name: str, system: str, *codes: str) -> bool:
    """Whether a CodeableConcept has one of some codes of a system."""
    concept = node.get(name)
    rows = _rows(concept.get("coding")) if isinstance(concept, dict) else []
    return any(row.get("system") == system and row.get("code") in codes for row in rows)


CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFIED = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


def _con_4(node: Tree) -> bool:
    abated = any(key.startswith(("abatement", "_abatement")) for key in node)
    return not abated or _has_code(node, "clinicalStatus", CLINICAL, "resolved", "remission", "inactive")


def _age_1(node: Tree) -> bool:
    value = node.get("value")
    if "value" in node and "code" not in node:
        return False
    if node.get("system", units.SYSTEM) != units.SYSTEM:
        return False
    return not isinstance(value, (int, Decimal)) or value > 0


SQTY_1 = Constraint("sqty-1", "error", "comparator.empty()", "The comparator is not used on a SimpleQuantity")
# The expression of bdl-8 in R4 is nothing where there is no fullUrl, which is no fault; R5 says it right.
# The expression of que-12 says "more than two" where its text, and the reference, say "more than one".
BY_HAND: dict[str, Callable[[Tree], bool]] = {
    "dom-2": _dom_2,
    "dom-4": lambda node: _meta(node, "versionId", "lastUpdated"),
    "dom-5": lambda node: _meta(node, "security"),
    "dom-6": _dom_6,
    "ext-1": _ext_1,
    "per-1": _per_1,
    "sqty-1": _sqty_1,
    "bdl-8": lambda node: "/_history/" not in str(node.get("fullUrl", "")),
    "que-2": _que_2,
    # Its expression asks for FHIRPath's Boolean, where FHIR's is meant.
    "con-4": _con_4,
    "con-5": lambda node: (
        "clinicalStatus" not in node or not _has_code(node, "verificationStatus", VERIFIED, "entered-in-error")
    ),
    "age-1": _age_1,
    "que-7": lambda node: node.get("operator") != "exists" or "answerBoolean" in node or "_answerBoolean" in node,
    "que-12": lambda node: "enableBehavior" in node or len(_rows(node.get("enableWhen"))) < 2,
    "qty-3": lambda node: "code" not in node or "system" in node,
    "cpt-2": lambda node: "value" not in node or "system" in node,
    "cpl-3": lambda node: "detail" not in node or "reference" not in node,
    "qrs-1": lambda node: "answer" not in node or "item" not in node,
    "gol-1": lambda node: "measure" in node or not any(key.startswith(("detail", "_detail")) for key in node),
    "att-1": lambda node: "data" not in node or "contentType" in node,
}
BY_KEYS = frozenset(["ext-1", "sqty-1", "qty-3", "cpt-2", "cpl-3", "qrs-1", "gol-1", "att-1"])
"""Those that the names of the properties decide."""
NEEDED = {
    "dom-2": ("contained",),
    "dom-4": ("contained",),
    "dom-5": ("contained",),
    "per-1": ("start", "end"),
    "con-5": ("clinicalStatus", "verificationStatus"),
    "que-2": ("item",),
    "que-7": ("operator",),
    "que-12": ("enableWhen",),
}
"""What must be there for one of them to fail."""
__all__ = ["Unsupported", "rule_of", "rules_of_element", "rules_of_type"]
