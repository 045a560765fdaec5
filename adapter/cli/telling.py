"""Issues in sentences: coloured and with the line that they speak of at a terminal, plain and without it anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import click

from adapter.issues import SEVERITIES, Issue

WORDS = {"fatal": "fatal", "error": "error", "warning": "warning", "information": "remark"}
COLOURS = {"fatal": "bright_red", "error": "red", "warning": "yellow", "information": "cyan"}
# Characters of a line that are shown around the place.
WIDTH = 100


def tell_issues(
    name: str, issues: Sequence[Issue], text: str, explain: Callable[[Issue], list[str]] | None = None
) -> None:
    """The issues of one document, the worst first; `text` is the document, of which lines are shown at a terminal only."""
    order = {severity: rank for rank, severity in enumerate(SEVERITIES)}
    lines = text.split("\n") if sys.stdout.isatty() else []
    for issue in sorted(issues, key=lambda issue: (order[issue.severity], issue.line or 0)):
        spot = ":".join(str(part) for part in (issue.file or name, issue.line, issue.column) if part)
        word = click.style(WORDS[issue.severity], fg=COLOURS[issue.severity], bold=issue.is_error)
        click.echo(f"{spot}: {word}: {issue.text} {click.style(f'[{issue.message_id}]', dim=True)}")
        path = issue.expression or issue.pointer or ""
        if path:
            click.echo(f"    at {path}")
        for line in explain(issue) if explain else ():
            click.echo(f"    by {line}")
        _show(issue, lines)
    click.echo(f"{name}: {counted(issues)}")


def _show(issue: Issue, lines: list[str]) -> None:
    """The line of the document, with a mark under the place."""
    if issue.line is None or issue.column is None or issue.line > len(lines):
        return
    line, column = lines[issue.line - 1], issue.column - 1
    start = max(0, column - WIDTH // 2) if len(line) > WIDTH else 0
    shown = "".join(sign if sign.isprintable() else " " for sign in line[start : start + WIDTH])
    number = f"{issue.line:>6} | "
    click.echo(click.style(number, dim=True) + shown)
    click.echo(" " * (len(number) + column - start) + click.style("^", fg=COLOURS[issue.severity], bold=True))


def counted(issues: Sequence[Issue]) -> str:
    """How many issues of each severity: "2 errors, 1 warning"."""
    numbers = [(sum(issue.severity == severity for issue in issues), WORDS[severity]) for severity in SEVERITIES]
    said = [f"{number} {word}{'s' if number > 1 and word != 'fatal' else ''}" for number, word in numbers if number]
    return ", ".join(said) or "no issues found"
