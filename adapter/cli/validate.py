"""careplan validate."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adapter.cli.app import example
from adapter.cli.files import WORKERS, for_lines
from adapter.issues import Issue, has_errors, to_operation_outcome

if TYPE_CHECKING:
    from adapter.services.validate import Checker

# The tiers as adapter.validation names them; said here so that --help needs none of it.
TIERS = ("structure", "narrative", "invariants", "bindings", "references", "questionnaire", "profiles")
_PATH = click.Path(exists=True, path_type=Path)


def _known(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what is at hand."""
    for option in (
        click.option("--pack", default="core", metavar="NAME|PATH", show_default=True, help="The pack whose forms are known."),
        click.option("--fhir", metavar="VERSION", help="The FHIR version: 4.0.1 (R4) where nothing says otherwise, 4.3.0 (R4B), 5.0.0 (R5)."),
        click.option("--package", "packages", multiple=True, metavar="TGZ", type=_PATH, help="A FHIR package whose profiles, extensions, value sets, code systems and Questionnaires are known too. US Core 6.1.0 is built in."),
        click.option("--questionnaires", multiple=True, metavar="PATH", type=_PATH, help="Questionnaires, a file or a folder, for responses beside those of the pack."),
        click.option("--profile", "profiles", multiple=True, metavar="URL", help="Also check against this profile."),
    ):  # fmt: skip
        function = option(function)
    return function


def _checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what is checked, and by whom."""
    for option in (
        click.option("--origin", type=click.Choice(["synthetic", "test", "real"]), help="Whose data it is, for --terminology and --remote; real where nothing says otherwise. To a public server only synthetic data goes."),
        click.option("--remote", metavar="NAME|URL", help="Also ask this FHIR server for its own verdict ($validate)."),
        click.option("--terminology", metavar="NAME|URL", help="Ask this terminology server for codes whose systems are not at hand (SNOMED CT, LOINC)."),
        click.option("--as-reference", is_flag=True, help="HL7's reference validator's own verdict, where it is not the specification's (docs/validation.md)."),
        click.option("--display", type=click.Choice(["error", "warning"]), default="warning", show_default=True, help="What a wrong display text is."),
        click.option("--without", multiple=True, type=click.Choice(TIERS), metavar="TIER", help=f"Leave a tier out: {', '.join(TIERS)}."),
    ):  # fmt: skip
        function = option(function)
    return function


@click.command()
@click.argument("files", nargs=-1, type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="One OperationOutcome instead of sentences.")
@click.option("--format", "form", type=click.Choice(["text", "json", "sarif", "junit"]), help="text for people, json as --json, sarif and junit for CI.")  # fmt: skip
@click.option("--ndjson", is_flag=True, help="One document a line in, one OperationOutcome a line out, in order.")
@WORKERS
@click.option("--quiet", "-q", is_flag=True, help="Errors and warnings only.")
@click.option("--explain", "explained", is_flag=True, help="Say which rule of which definition each issue comes from.")
@_checked
@_known
@example(
    "careplan validate bundle.json",
    "careplan validate --profile http://hl7.org/fhir/us/core/StructureDefinition/us-core-careplan plan.json",
    "careplan validate --package hl7.fhir.uv.sdc-3.0.0.tgz --without narrative *.json",
    "careplan validate --explain --quiet plan.json",
    "careplan validate --json plan.json | jq .issue",
    "careplan validate --format sarif *.json > validate.sarif",
    "careplan validate --ndjson < resources.ndjson > outcomes.ndjson",
    "careplan validate --terminology http://127.0.0.1:8080/fhir plan.json",
)
def validate(
    files: tuple[str, ...],
    *,
    as_json: bool,
    form: str | None,
    ndjson: bool,
    workers: int,
    quiet: bool,
    explained: bool,
    terminology: str | None,
    remote: str | None,
    origin: str | None,
    **options: Any,
) -> None:
    """Say what is wrong with resources or records, and where.

    FILE holds a FHIR resource or Bundle, a record, a list of records, or what `convert from-fhir` gave. Without
    --terminology and --remote nothing leaves this machine. Exit status 1 where there is an error, 0 where there are at
    most warnings. Every message: docs/validation-messages.md.
    """
    from adapter.cli.files import names

    inputs = names(files)
    form = "json" if as_json else form or "text"
    lines = for_lines(ndjson, workers)
    if lines and form not in ("text", "json"):
        from adapter.errors import UsageError

        raise UsageError(
            "--ndjson gives one OperationOutcome a line.", place="--format", remedy="Leave one of them out."
        )
    with _asked(terminology, remote, origin) as asked:
        found = _checker(asked, **options)
        if lines:
            clean = _lines(inputs, found, workers)
        else:
            clean = _documents(inputs, found, form, quiet=quiet, explained=explained)
    if not clean:
        click.get_current_context().exit(1)


def _asked(terminology: str | None, remote: str | None, origin: str | None) -> Any:
    """The servers that are asked, as options of the validator, while their connections last."""
    if terminology is None and remote is None:
        return nullcontext({})
    from adapter.bootstrap import asked_servers

    return asked_servers(terminology, remote, origin)


def _checker(asked: dict[str, Any], *, without: tuple[str, ...], display: str, **options: Any) -> Checker:
    from adapter.bootstrap import checker

    return checker(without=without, display=display, **asked, **options)


def _documents(inputs: list[str], found: Checker, form: str, *, quiet: bool, explained: bool) -> bool:
    from adapter.cli.files import label, put
    from adapter.services import verdicts

    said: dict[str, list[Issue]] = {}
    for name in inputs:
        issues, text, tree = _issues(name, found)
        shown = [issue for issue in issues if not quiet or issue.severity != "information"]
        said[label(name)] = shown
        if form == "text":
            from adapter.cli.telling import tell_issues

            tell_issues(label(name), shown, text, partial(_explained, found, tree) if explained else None)
    if form == "json":
        put(verdicts.as_outcome(said))
    elif form == "sarif":
        put(verdicts.as_sarif(said))
    elif form == "junit":
        click.echo(verdicts.as_junit(said), nl=False)
    return not any(has_errors(issues) for issues in said.values())


def _explained(found: Checker, tree: Any, issue: Issue) -> list[str]:
    return found.explain(issue, tree)


def _issues(name: str, found: Checker) -> tuple[list[Issue], str, Any]:
    """The issues of a document, with line and column, its text and its tree."""
    from adapter.cli.files import label, read
    from adapter.errors import BadInput
    from adapter.fhir_json import loads
    from adapter.services.positions import places

    data = read(name)
    try:
        tree = loads(data)
    except BadInput as error:
        return places(error.issues, "", label(name)) if error.issues[0].line else list(error.issues), "", None
    issues = found.issues(tree)
    text = data.decode() if issues else ""
    return places(issues, text, label(name)), text, tree


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
