"""Findings that a pack allows, each by a reason that is written in the file.

    # lint: allow code-unread: our clinic never uses the other codes
    - {record: course, fhir: clinicalStatus, choice: course, wrap: concept}

The comment stands on the line of the finding or of its rule, or above it. Above the first key of a file it is for the whole file, and
in pack.yaml, with the name of a file behind the id, for a file that has no comments (`code-ambiguous in
conceptmaps/disorders.json: …`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from adapter.errors import Finding
from adapter.mapping.choosing import nearest
from adapter.mapping.lint.messages import MESSAGES

_ALLOW = re.compile(r"(?:^|\s)# lint: allow ([\w-]*)(?: in (\S+?))?\s*(?::\s*(.*))?$")


@dataclass(slots=True)
class Allowance:
    """One comment: which message, on which line of which file (`target`; 0 for all of it), and whether it was needed."""

    id: str
    file: str
    line: int
    column: int
    reason: str
    target: str
    applies: int
    used: bool = field(default=False)

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is the one that it speaks of."""
        here = finding.id == self.id and PurePosixPath(finding.file).match(self.target)
        return here and self.applies in (0, finding.line, finding.rule)


def allowances(texts: Mapping[str, str]) -> list[Allowance]:
    """The allowances of files, by name of file."""
    return [found for file, text in texts.items() for found in _of(file, text.splitlines())]


def _of(file: str, lines: list[str]) -> Iterable[Allowance]:
    for number, line in enumerate(lines, 1):
        match = _ALLOW.search(line)
        if match is None:
            continue
        applies = number
        if line.lstrip().startswith("#"):
            of_all = match[2] or not any(map(_is_content, lines[:number]))
            below = (n for n in range(number, len(lines)) if _is_content(lines[n]))
            # Where nothing stands below, it is for its own line, on which there is no finding.
            applies = 0 if of_all else next((n + 1 for n in below), number)
        yield Allowance(match[1], file, number, match.start() + 1, (match[3] or "").strip(), match[2] or file, applies)


def _is_content(line: str) -> bool:
    return line.strip() != "" and not line.lstrip().startswith("#")


def allowed(findings: Iterable[Finding], rows: list[Allowance]) -> list[Finding]:
    """What is left, with what is wrong with the allowances themselves."""
    left = []
    for finding in findings:
        one = next((row for row in rows if row.reason and row.covers(finding)), None)
        if one is None:
            left.append(finding)
        else:
            one.used = True
    for row in rows:
        spot = Finding(row.file, row.line, row.column, "allow-unused", f"nothing here is {row.id}", "warning")
        if not row.reason:
            left.append(replace(spot, id="allow-reason", text=f"expected a reason for {row.id}", severity="error"))
        elif row.id not in MESSAGES:
            left.append(replace(spot, text=f"there is no message {row.id}", near=nearest(row.id, MESSAGES)))
        elif not row.used:
            left.append(spot)
    return left
