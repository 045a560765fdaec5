"""What is wrong with a record or a resource, and where; and its OperationOutcome.

https://hl7.org/fhir/R4/operationoutcome.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["fatal", "error", "warning", "information"]
SEVERITIES: tuple[Severity, ...] = ("fatal", "error", "warning", "information")
MESSAGE_SYSTEM = "https://careplan-adapter.org/fhir/CodeSystem/messages"


@dataclass(frozen=True, slots=True)
class Issue:
    """One fault.

    `code` is from FHIR's issue-type value set; `message_id` is ours and stable; `text` is a sentence for people that
    never repeats a patient's value. The place is an `expression` (FHIRPath with indices, for a resource) or a `pointer`
    (RFC 6901 JSON Pointer, for a record), and for text input `line` and `column`, counted from 1. `source` is the
    file:line of the mapping rule or the definition that spoke.
    """

    severity: Severity
    code: str
    message_id: str
    text: str
    expression: str = ""
    pointer: str | None = None
    file: str = ""
    line: int | None = None
    column: int | None = None
    source: str = ""

    @property
    def is_error(self) -> bool:
        """Whether the thing it speaks of cannot be used as it is."""
        return self.severity in ("fatal", "error")

    @property
    def place(self) -> str:
        """Where, in the most exact form known: file:line:column, then the path."""
        spot = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        path = self.expression or (self.pointer or "")
        return " ".join(part for part in (spot, path) if part)


def has_errors(issues: Iterable[Issue]) -> bool:
    """Whether any issue is an error or fatal."""
    return any(issue.is_error for issue in issues)


def to_outcome_issue(issue: Issue) -> dict[str, Any]:
    """One `OperationOutcome.issue`."""
    tree: dict[str, Any] = {
        "severity": issue.severity,
        "code": issue.code,
        "details": {"coding": [{"system": MESSAGE_SYSTEM, "code": issue.message_id}], "text": issue.text},
    }
    if issue.source:
        tree["diagnostics"] = f"rule {issue.source}"
    spots = []
    if issue.pointer is not None:
        spots.append(issue.pointer or "/")
    if issue.line:
        spots.append(f"line {issue.line}" + (f", column {issue.column}" if issue.column else ""))
    if spots:
        tree["location"] = spots
    if issue.expression:
        tree["expression"] = [issue.expression]
    return tree


def to_operation_outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """An OperationOutcome; without any issue it holds the one that says so, as FHIR demands at least one."""
    rows = [to_outcome_issue(issue) for issue in issues]
    if not rows:
        rows = [{"severity": "information", "code": "informational", "details": {"text": "No issues found."}}]
    return {"resourceType": "OperationOutcome", "issue": rows}


def from_operation_outcome(tree: Any) -> list[Issue]:
    """Issues as a server told them. Free text of a server may echo data: only codes and places are taken over."""
    rows = tree.get("issue") if isinstance(tree, dict) else None
    return [_from_outcome_issue(row) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _from_outcome_issue(row: dict[str, Any]) -> Issue:
    severity = row.get("severity")
    code = row.get("code")
    expression = row.get("expression")
    place = expression[0] if isinstance(expression, list) and expression and isinstance(expression[0], str) else ""
    return Issue(
        severity=severity if severity in SEVERITIES else "error",
        code=code if isinstance(code, str) else "unknown",
        message_id="server-said",
        text="The server found a fault here.",
        expression=place,
    )
