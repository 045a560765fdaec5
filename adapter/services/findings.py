"""Findings of a pack in the forms that people and programs read: sentences, JSON, SARIF, annotations of GitHub.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from adapter import __version__
from adapter.errors import Finding
from adapter.mapping.lint.messages import MESSAGES, Message

Tree = dict[str, Any]
SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"


def remedy(finding: Finding) -> str:
    """One sentence of what to do."""
    return _message(finding.id).remedy


def _message(id_: str) -> Message:
    return MESSAGES.get(id_) or Message("error", id_, "Mend it at that place.")


def _told(finding: Finding) -> str:
    """What is wrong and what to do, on one line."""
    sentence = finding.sentence
    return f"{sentence}{'' if sentence.endswith('?') else '.'} {remedy(finding)}"


def as_text(findings: Sequence[Finding]) -> list[str]:
    """Two lines for each: where and what, then what to do."""
    lines = []
    for row in findings:
        lines.append(f"{row.file}:{row.line}:{row.column}: {row.severity}: {row.sentence} [{row.id}]")
        lines.append(f"    {remedy(row)}")
    return lines


def as_json(findings: Sequence[Finding]) -> Tree:
    """`{"findings": [{file, line, column, severity, id, text, near, remedy}]}`; `near` where a name is near."""
    rows = []
    for finding in findings:
        tree = {**asdict(finding), "remedy": remedy(finding)}
        rows.append(
            {key: value for key, value in tree.items() if key not in ("pointer", "rule") and (value or key != "near")}
        )
    return {"findings": rows}


def as_github(findings: Sequence[Finding]) -> list[str]:
    """Workflow commands, one for each: they become annotations of the lines."""
    return [
        f"::{row.severity} file={_property(row.file)},line={row.line},col={row.column},title={_property(row.id)}"
        f"::{_data(_told(row))}"
        for row in findings
    ]


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def as_sarif(findings: Sequence[Finding]) -> Tree:
    """A SARIF 2.1.0 log with one run; its rules are those that were broken."""
    ids = sorted({row.id for row in findings})
    driver = {"name": "careplan pack lint", "version": __version__, "rules": [_rule(id_) for id_ in ids]}
    results = [_result(row, ids.index(row.id)) for row in findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SARIF, "version": "2.1.0", "runs": [run]}


def _rule(id_: str) -> Tree:
    message = _message(id_)
    return {
        "id": id_,
        "shortDescription": {"text": message.says},
        "help": {"text": message.remedy},
        "defaultConfiguration": {"level": message.severity},
    }


def _result(row: Finding, index: int) -> Tree:
    region = {"startLine": row.line, "startColumn": row.column}
    place = {"artifactLocation": {"uri": quote(row.file)}, "region": region}
    return {
        "ruleId": row.id,
        "ruleIndex": index,
        "level": row.severity,
        "message": {"text": _told(row)},
        "locations": [{"physicalLocation": place}],
    }
