"""What validation found, in the forms that programs read: OperationOutcome, SARIF, JUnit. No value of the data is in any.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

from adapter import __version__
from adapter.issues import Issue, to_operation_outcome, to_outcome_issue
from adapter.validation.messages import MESSAGES

Tree = dict[str, Any]
Verdicts = Mapping[str, Sequence[Issue]]
"""Issues by the name of their document."""

SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"fatal": "error", "error": "error", "warning": "warning", "information": "note"}


def as_outcome(verdicts: Verdicts) -> Tree:
    """One OperationOutcome; where there are several documents, each issue names its own."""
    rows = [(name, issue) for name, issues in verdicts.items() for issue in issues]
    outcome = to_operation_outcome([issue for _, issue in rows])
    if rows:
        outcome["issue"] = [_row(name, issue, several=len(verdicts) > 1) for name, issue in rows]
    return outcome


def _row(name: str, issue: Issue, *, several: bool) -> Tree:
    row = to_outcome_issue(issue)
    if several:
        row["location"] = [f"file {name}", *row.get("location", [])]
    return row


def as_sarif(verdicts: Verdicts) -> Tree:
    """A SARIF 2.1.0 log with one run; its rules are those that spoke."""
    rows = [(name, issue) for name, issues in verdicts.items() for issue in issues]
    ids = sorted({issue.message_id for _, issue in rows})
    driver = {"name": "careplan validate", "version": __version__, "rules": [_rule(id_) for id_ in ids]}
    results = [_result(name, issue, ids.index(issue.message_id)) for name, issue in rows]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SARIF, "version": "2.1.0", "runs": [run]}


def _rule(id_: str) -> Tree:
    message = MESSAGES.get(id_)
    rule: Tree = {"id": id_}
    if message is not None:
        rule["shortDescription"] = {"text": message.text}
        rule["defaultConfiguration"] = {"level": LEVELS[message.severity]}
    return rule


def _result(name: str, issue: Issue, index: int) -> Tree:
    place: Tree = {"artifactLocation": {"uri": quote(name)}}
    if issue.line:
        place["region"] = {"startLine": issue.line, "startColumn": issue.column or 1}
    location: Tree = {"physicalLocation": place}
    path = issue.expression or issue.pointer
    if path:
        location["logicalLocations"] = [{"fullyQualifiedName": path}]
    return {
        "ruleId": issue.message_id,
        "ruleIndex": index,
        "level": LEVELS[issue.severity],
        "message": {"text": issue.text},
        "locations": [location],
    }


def as_junit(verdicts: Verdicts) -> str:
    """A JUnit report: one test case for each document, failed where it holds an error."""
    failed = sum(any(issue.is_error for issue in issues) for issues in verdicts.values())
    counts = {"tests": str(len(verdicts)), "failures": str(failed), "errors": "0", "skipped": "0"}
    suites = ET.Element("testsuites", counts)
    suite = ET.SubElement(suites, "testsuite", {"name": "careplan validate", **counts})
    for name, issues in verdicts.items():
        case = ET.SubElement(suite, "testcase", {"classname": "careplan.validate", "name": name})
        errors = [issue for issue in issues if issue.is_error]
        if errors:
            failure = ET.SubElement(case, "failure", {"type": errors[0].message_id, "message": errors[0].text})
            failure.text = "\n".join(_line(issue) for issue in errors)
        others = [issue for issue in issues if not issue.is_error]
        if others:
            ET.SubElement(case, "system-out").text = "\n".join(_line(issue) for issue in others)
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, "unicode") + "\n"


def _line(issue: Issue) -> str:
    return f"{issue.severity}: {issue.place}: {issue.text} [{issue.message_id}]"
