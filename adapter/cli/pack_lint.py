"""careplan pack lint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from adapter.cli.app import example

if TYPE_CHECKING:
    from adapter.errors import Finding


@click.command("lint")
@click.argument("packs", nargs=-1, metavar="[NAME|PATH]...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    show_default=True,
    help="Sentences, JSON, a SARIF 2.1.0 log, or annotations for a GitHub workflow.",
)
@click.option("--strict", is_flag=True, help="Warnings count as well: exit status 1.")
@example(
    "careplan pack lint core",
    "careplan pack lint mappings/lakeside",
    "careplan pack lint --strict --format sarif > lint.sarif",
)
def pack_lint(packs: tuple[str, ...], form: str, strict: bool) -> None:
    """Say what is wrong with packs: each rule against both schemas, each fault with its file, line and column.

    NAME is a pack that comes with the adapter, PATH the folder of another. Where none is named it is the pack of the
    current folder, else every pack that comes with the adapter. docs/pack-messages.md lists what can be said, and how a
    finding is allowed. Exit status 1 where there is an error.
    """
    from adapter.services.lint import lint, present

    names = packs or present()
    found = [(name, lint(name)) for name in names]
    _print(found, form)
    rows = [row for _, findings in found for row in findings]
    if any(strict or row.severity == "error" for row in rows):
        click.get_current_context().exit(1)


def _print(found: list[tuple[str, list[Finding]]], form: str) -> None:
    from adapter.cli.files import put, tell
    from adapter.services import findings

    rows = [row for _, each in found for row in each]
    if form == "json":
        put(findings.as_json(rows))
    elif form == "sarif":
        put(findings.as_sarif(rows))
    else:
        for line in (findings.as_github if form == "github" else findings.as_text)(rows):
            click.echo(line)
    for name, each in found:
        tell(f"{name}: {_counted(each)}")


def _counted(rows: list[Finding]) -> str:
    numbers = [(sum(row.severity == kind for row in rows), kind) for kind in ("error", "warning")]
    said = [f"{number} {kind}{'s' if number > 1 else ''}" for number, kind in numbers if number]
    return ", ".join(said) or "clean"
