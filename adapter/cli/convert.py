"""careplan convert to-fhir, from-fhir."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from adapter.cli.app import example
from adapter.cli.files import WORKERS, for_lines
from adapter.errors import UsageError
from adapter.issues import Issue, has_errors

if TYPE_CHECKING:
    from adapter.bulk.ndjson import Answer
    from adapter.services.convert import Converter

Option = Callable[[Callable[..., Any]], Callable[..., Any]]

FILES = click.argument("files", nargs=-1, type=click.Path())
NDJSON = click.option("--ndjson", is_flag=True, help="One document a line in, one line out for each, in order.")
FHIR = click.option("--fhir", metavar="VERSION", help="The FHIR version: 4.0.1 (R4) where nothing says otherwise, 4.3.0 (R4B), 5.0.0 (R5).")  # fmt: skip
PACK = click.option("--pack", default="core", metavar="NAME|PATH", help="The pack of mapping files.", show_default=True)
STRICT = click.option("--strict", is_flag=True, help="Refuse what is not valid, instead of converting it with issues.")
OUT = click.option("--out", metavar="FILE", help="Write here instead of to stdout.")


@click.group()
def convert() -> None:
    """Records to FHIR, and FHIR to records."""


@convert.command("to-fhir")
@FILES
@NDJSON
@WORKERS
@click.option(
    "--type",
    "bundle_type",
    type=click.Choice(["collection", "transaction"]),
    help="The Bundle to make: collection where nothing is said.",
)
@click.option(
    "--create",
    type=click.Choice(["put", "conditional"]),
    default="put",
    show_default=True,
    help="In a transaction: PUT to our own ids, or POST on condition that our identifier is not there yet.",
)
@FHIR
@PACK
@STRICT
@OUT
@example(
    "careplan convert to-fhir records.json > bundle.json",
    "careplan convert to-fhir --type transaction records.json | curl -d @- …",
    "careplan convert to-fhir --ndjson < records.ndjson > resources.ndjson",
)
def to_fhir(files: tuple[str, ...], ndjson: bool, workers: int, out: str | None, **options: Any) -> None:
    """Records in, one Bundle out.

    FILE holds a record, a list of records, or what `convert from-fhir` gave: then what came in comes out again, with the
    edits of its records and nothing else changed.
    """
    if options["create"] == "conditional" and options["bundle_type"] != "transaction":
        raise UsageError("--create goes with --type transaction.")
    converter = _converter(**options)
    _convert(files, for_lines(ndjson, workers), out, converter.to_fhir, passes_errors=True)


@convert.command("from-fhir")
@FILES
@NDJSON
@WORKERS
@FHIR
@PACK
@STRICT
@OUT
@example(
    "careplan convert from-fhir bundle.json > records.json",
    "careplan convert from-fhir --ndjson < resources.ndjson > records.ndjson",
)
def from_fhir(files: tuple[str, ...], ndjson: bool, workers: int, out: str | None, **options: Any) -> None:
    """A resource or Bundle in, its records out, with all that no record holds.

    The output is {"records": …, "remainder": …, "issues": …}; given back to `convert to-fhir` it makes what came in. For
    several files it is a list with one such object for each.
    """
    converter = _converter(**options)
    _convert(files, for_lines(ndjson, workers), out, converter.from_fhir)


def _converter(**options: Any) -> Converter:
    from adapter.bootstrap import converter

    return converter(**options)


def _convert(
    files: tuple[str, ...],
    workers: int,
    out: str | None,
    work: Callable[[Any], tuple[Any, list[Issue]]],
    *,
    passes_errors: bool = False,
) -> None:
    from adapter.cli.files import names

    inputs = names(files)
    if workers:
        clean = _lines(inputs, out, work, passes_errors, workers)
    else:
        clean = _documents(inputs, out, work, passes_errors)
    if not clean:
        click.get_current_context().exit(1)


def _documents(
    inputs: list[str], out: str | None, work: Callable[[Any], tuple[Any, list[Issue]]], to_fhir: bool
) -> bool:
    from adapter.cli.files import label, put, read, tree_of
    from adapter.services.convert import joined

    trees = [tree_of(name, read(name)) for name in inputs]
    if to_fhir:
        tree, issues = work(joined(trees))
        results = [tree]
    else:
        results, issues = [], []
        for name, tree in zip(inputs, trees, strict=True):
            result, said = work(tree)
            results.append(result)
            issues += [replace(issue, file=label(name)) for issue in said]
    put(results[0] if len(results) == 1 else results, out)
    speak(issues)
    return not has_errors(issues)


def _lines(
    inputs: list[str],
    out: str | None,
    work: Callable[[Any], tuple[Any, list[Issue]]],
    passes_errors: bool,
    workers: int,
) -> bool:
    from adapter.bulk.ndjson import Answer, Tally, run
    from adapter.cli.files import label, opened, sink

    def line(tree: Any, given: bytes) -> Answer:
        if passes_errors and is_refusal(tree):
            return Answer(given.rstrip(b"\r"), failed=True)
        result, issues = work(tree)
        return Answer(result, issues)

    tallies = []
    with sink(out) as target:
        for name in inputs:
            tally = Tally(said=partial(_speak_of, label(name)))
            with opened(name) as source:
                tallies.append(run(source, target, line, tally=tally, workers=workers))
    return all(tally.clean for tally in tallies)


def _speak_of(name: str, _: int, issues: Sequence[Issue]) -> None:
    speak([replace(issue, file=name) for issue in issues])


def is_refusal(tree: Any) -> bool:
    """Whether it is the line that stands for one that was refused."""
    outcome = tree.get("error") if isinstance(tree, dict) and len(tree) == 1 else None
    return isinstance(outcome, dict) and outcome.get("resourceType") == "OperationOutcome"


def speak(issues: Sequence[Issue]) -> None:
    """Issues that come beside a result, on stderr; what is mere information only where it is the only thing to say."""
    for issue in issues:
        if issue.severity != "information":
            click.echo(f"{issue.severity}: {issue.place}: {issue.text} [{issue.message_id}]", err=True)
