"""careplan validate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adapter.cli.app import example
from adapter.cli.files import WORKERS, for_lines
from adapter.issues import SEVERITIES, Issue, has_errors, to_operation_outcome, to_outcome_issue

if TYPE_CHECKING:
    from adapter.services.validate import Checker

_WORDS = {"fatal": "fatal", "error": "error", "warning": "warning", "information": "remark"}


@click.command()
@click.argument("files", nargs=-1, type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="One OperationOutcome instead of sentences.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), help="The same by name.")
@click.option("--ndjson", is_flag=True, help="One document a line in, one OperationOutcome a line out, in order.")
@WORKERS
@click.option("--profile", "profiles", multiple=True, metavar="URL", help="Also check against this profile.")
@click.option(
    "--questionnaires",
    multiple=True,
    metavar="PATH",
    type=click.Path(exists=True, path_type=Path),
    help="Questionnaires, a file or a folder, for responses beside those of the pack.",
)
@click.option(
    "--fhir",
    metavar="VERSION",
    help="The FHIR version: 4.0.1 (R4) where nothing says otherwise, 4.3.0 (R4B), 5.0.0 (R5).",
)
@click.option("--pack", default="core", metavar="NAME|PATH", show_default=True, help="The pack whose forms are known.")
@click.option("--quiet", "-q", is_flag=True, help="Errors and warnings only.")
@example(
    "careplan validate bundle.json",
    "careplan validate --json plan.json | jq .issue",
    "careplan validate --ndjson < resources.ndjson > outcomes.ndjson",
)
def validate(
    files: tuple[str, ...], as_json: bool, form: str | None, ndjson: bool, workers: int, quiet: bool, **options: Any
) -> None:
    """Say what is wrong with resources or records, and where.

    FILE holds a FHIR resource or Bundle, a record, a list of records, or what `convert from-fhir` gave. Nothing leaves
    this machine. Exit status 1 where there is an error, 0 where there are at most warnings.
    """
    from adapter.bootstrap import checker
    from adapter.cli.files import names

    found = checker(**options)
    inputs = names(files)
    if for_lines(ndjson, workers):
        clean = _lines(inputs, found, workers)
    else:
        clean = _documents(inputs, found, as_json=as_json or form == "json", quiet=quiet)
    if not clean:
        click.get_current_context().exit(1)


def _documents(inputs: list[str], found: Checker, *, as_json: bool, quiet: bool) -> bool:
    from adapter.cli.files import label, put

    every = [(name, _issues(name, found)) for name in inputs]
    issues = [issue for _, said in every for issue in said if not quiet or issue.severity != "information"]
    if as_json:
        outcome = to_operation_outcome(issues)
        outcome["issue"] = [_row(issue, several=len(inputs) > 1) for issue in issues] or outcome["issue"]
        put(outcome)
    else:
        for name, said in every:
            shown = [issue for issue in said if not quiet or issue.severity != "information"]
            _print(label(name), shown)
    return not has_errors(issues)


def _row(issue: Issue, *, several: bool) -> dict[str, Any]:
    row = to_outcome_issue(issue)
    if several and issue.file:
        row["location"] = [f"file {issue.file}", *row.get("location", [])]
    return row


def _issues(name: str, found: Checker) -> list[Issue]:
    from adapter.cli.files import label, read
    from adapter.errors import BadInput
    from adapter.fhir_json import loads
    from adapter.services.positions import located

    data = read(name)
    try:
        tree = loads(data)
    except BadInput as error:
        return [located(issue, "", label(name)) if issue.line else issue for issue in error.issues]
    issues = found.issues(tree)
    text = data.decode() if issues else ""
    return [located(issue, text, label(name)) for issue in issues]


def _print(name: str, issues: list[Issue]) -> None:
    order = {severity: rank for rank, severity in enumerate(SEVERITIES)}
    for issue in sorted(issues, key=lambda issue: (order[issue.severity], issue.line or 0)):
        spot = ":".join(str(part) for part in (issue.file or name, issue.line, issue.column) if part)
        path = issue.expression or issue.pointer or ""
        click.echo(f"{spot}: {_WORDS[issue.severity]}: {issue.text} [{issue.message_id}]")
        if path:
            click.echo(f"    at {path}")
    click.echo(f"{name}: {counted(issues)}")


def counted(issues: list[Issue]) -> str:
    """How many issues of each severity: "2 errors, 1 warning"."""
    numbers = [(sum(issue.severity == severity for issue in issues), _WORDS[severity]) for severity in SEVERITIES]
    said = [f"{number} {word}{'s' if number > 1 and word != 'fatal' else ''}" for number, word in numbers if number]
    return ", ".join(said) or "no issues found"


def _lines(inputs: list[str], found: Checker, workers: int) -> bool:
    from adapter.bulk.ndjson import Answer, run
    from adapter.cli.files import opened, sink
    from adapter.errors import BadInput

    def line(tree: Any, _: bytes) -> Answer:
        if not found.known(tree):
            text = "The line has neither a resourceType nor a kind."
            raise BadInput(text, issues=[Issue("fatal", "structure", "fhir-no-type", text)])
        issues = found.issues(tree)
        return Answer(to_operation_outcome(issues), issues)

    clean = True
    with sink(None) as target:
        for name in inputs:
            with opened(name) as source:
                clean &= run(source, target, line, refusal=lambda outcome: outcome, workers=workers).clean
    return clean
