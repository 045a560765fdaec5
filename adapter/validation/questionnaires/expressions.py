"""Expressions inside a Questionnaire: its constraints, and those of Structured Data Capture that bear on a response.

https://hl7.org/fhir/R4/extension-questionnaire-constraint.html
http://hl7.org/fhir/uv/sdc/STU3/expressions.html — `variable`, `enableWhenExpression`, `calculatedExpression`. They are
evaluated over the node of the response that answers the item; what cannot be evaluated gives no verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from adapter.definitions import Definitions
from adapter.issues import Severity
from adapter.validation.fhirpath.compiling import Env, Unsupported, compile_path
from adapter.validation.fhirpath.values import Items, TooCostly, equal, truth

Tree = dict[str, Any]
Eval = Callable[[Any, Env], Items]
BASE = "http://hl7.org/fhir/StructureDefinition/"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
CONSTRAINTS = frozenset({BASE + "questionnaire-constraint", BASE + "targetConstraint"})
# What evaluation over data of any shape may raise; it gives no verdict.
NO_VERDICT = (TypeError, ValueError, AttributeError, KeyError, IndexError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class FormConstraint:
    """An invariant of a form; without `holds` its expression is not supported."""

    key: str
    severity: Severity
    human: str
    holds: Eval | None


@dataclass(frozen=True, slots=True)
class Expressions:
    """Those of one item or of the form as a whole."""

    constraints: tuple[FormConstraint, ...] = ()
    variables: tuple[tuple[str, Eval], ...] = ()
    enabled: Eval | None = None
    calculated: Eval | None = None

    def scope(self, node: Tree, env: Env) -> Env:
        """The same surroundings with the variables of this item, and the node as %context."""
        inner = replace(env, context=node, variables=dict(env.variables))
        for name, value in self.variables:
            found = _evaluated(value, node, inner)
            if found is not None:
                inner.variables[name] = found
        return inner

    def broken(self, node: Tree, env: Env) -> list[tuple[FormConstraint, bool]]:
        """The constraints that do not hold over a node; False beside those that could not be evaluated at all."""
        found = []
        for constraint in self.constraints:
            if constraint.holds is None:
                found.append((constraint, False))
                continue
            try:
                if truth(constraint.holds(node, env)) is not True:
                    found.append((constraint, True))
            except TooCostly:
                found.append((constraint, False))
            except NO_VERDICT:
                continue
        return found


def is_enabled_by(expressions: Expressions | None, holder: Tree, env: Env | None) -> bool | None:
    """What the enableWhenExpression of an item says where its holder stands; None where it has none, or says nothing."""
    if expressions is None or expressions.enabled is None or env is None:
        return None
    found = _evaluated(expressions.enabled, holder, env)
    return None if found is None or len(found) > 1 else bool(found) and found[0] is True


def differs(expressions: Expressions, node: Tree, value: Any, env: Env) -> bool:
    """Whether an answer is another than the one that the form calculates; a number to the digits that it has."""
    found = _evaluated(expressions.calculated, node, env) if expressions.calculated else None
    if not found or len(found) > 1 or isinstance(found[0], dict) or isinstance(value, dict):
        return False
    own = found[0]
    if isinstance(value, Decimal) and isinstance(own, Decimal):
        try:
            own = own.quantize(value)
        except ArithmeticError:
            return False
    numbers = isinstance(value, (int, Decimal)) and isinstance(own, (int, Decimal))
    return (numbers or type(value) is type(own)) and not equal(value, own)


def _evaluated(run: Eval, node: Tree, env: Env) -> Items | None:
    try:
        return run(node, env)
    except NO_VERDICT:
        return None


def read_expressions(defs: Definitions, row: Tree, type_name: str) -> Expressions | None:
    """The expressions that an item or a form carries; None where it carries none, which is most."""
    extensions = row.get("extension")
    if not isinstance(extensions, list):
        return None
    constraints: list[FormConstraint] = []
    variables: list[tuple[str, Eval]] = []
    single: dict[str, Eval] = {}
    for each in extensions:
        url = each.get("url") if isinstance(each, dict) else None
        if not isinstance(url, str):
            continue
        if url in CONSTRAINTS:
            constraints.append(_constraint(defs, each, type_name))
        elif (found := _expression(defs, each, type_name)) is not None:
            name, run = found
            if url == BASE + "variable" and name:
                variables.append((name, run))
            elif url.startswith(SDC):
                single[url.removeprefix(SDC)] = run
    enabled, calculated = single.get("enableWhenExpression"), single.get("calculatedExpression")
    if not (constraints or variables or enabled or calculated):
        return None
    return Expressions(tuple(constraints), tuple(variables), enabled, calculated)


def _constraint(defs: Definitions, extension: Tree, type_name: str) -> FormConstraint:
    parts: Tree = {}
    rows = extension.get("extension")
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and isinstance(row.get("url"), str):
            parts[row["url"]] = next((value for key, value in row.items() if key.startswith("value")), None)
    expression = parts.get("expression")
    if isinstance(expression, dict):
        # R5 says it as an Expression.
        expression = expression.get("expression")
    return FormConstraint(
        key=_text(parts.get("key")),
        severity="warning" if parts.get("severity") == "warning" else "error",
        human=_text(parts.get("human")),
        holds=_compiled(defs, expression, type_name),
    )


def _text(value: Any) -> str:
    """A text of the form, which goes into a message: one line, and not for ever."""
    return " ".join(value.split())[:200] if isinstance(value, str) else ""


def _expression(defs: Definitions, extension: Tree, type_name: str) -> tuple[str, Eval] | None:
    value = extension.get("valueExpression")
    if not isinstance(value, dict) or value.get("language") != "text/fhirpath":
        return None
    run = _compiled(defs, value.get("expression"), type_name)
    name = value.get("name")
    return None if run is None else (name if isinstance(name, str) else "", run)


def _compiled(defs: Definitions, expression: Any, type_name: str) -> Eval | None:
    if not isinstance(expression, str):
        return None
    try:
        return compile_path(defs, expression, type_name, resource="QuestionnaireResponse", lenient=True)
    except (Unsupported, RecursionError):
        return None
