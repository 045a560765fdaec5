"""careplan push, pull, status, conflicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import click

from adapter.cli.app import example
from adapter.cli.store import DRY_RUN, JSON, SERVER, each_server, rows, services


def _run(name: str | None, as_json: bool, work: Callable[[Any], Any]) -> None:
    from adapter.cli.files import put

    with services() as made:
        reports, exit_code = each_server(made, name, lambda one: work(made.partner(one)))
    steps = [step for report in reports for step in report.steps]
    if as_json:
        put([asdict(step) for step in steps])
    else:
        lines = [(step.server, step.verb, step.record, step.part or "-", step.reason) for step in steps]
        rows(lines, "Nothing to do.")
    if any(report.troubled for report in reports):
        exit_code = max(exit_code, 1)
    click.get_current_context().exit(exit_code)


@click.command()
@SERVER
@DRY_RUN
@JSON
@example("careplan push ward --dry-run", "careplan push")
def push(name: str | None, dry_run: bool, as_json: bool) -> None:
    """Send what changed to a server, or to all.

    A record goes as one transaction, created at most once and updated only where nobody else wrote in between. What is not
    valid, or may not leave, is refused and said; the others go.
    """
    from adapter.services.push import push as work

    _run(name, as_json, lambda partner: work(partner, dry_run=dry_run))


@click.command()
@SERVER
@DRY_RUN
@JSON
@example("careplan pull ward", "careplan pull --dry-run --json")
def pull(name: str | None, dry_run: bool, as_json: bool) -> None:
    """Fetch what changed on a server, or on all.

    A change there comes into the record; where both sides changed one element, nothing is overwritten and it is listed as a
    conflict.
    """
    from adapter.services.pull import pull as work

    _run(name, as_json, lambda partner: work(partner, dry_run=dry_run))


@click.command()
@SERVER
@JSON
@example("careplan status", "careplan status ward --json")
def status(name: str | None, as_json: bool) -> None:
    """What is waiting, refused or in conflict, and why. Asks no server; shows nothing of a patient."""
    from adapter.cli.files import put
    from adapter.services.status import row
    from adapter.services.status import status as look

    with services() as made:
        found = look(made.store(), name)
    if as_json:
        put([{**asdict(one), "open": [row(link) for link in one.open]} for one in found])
        return
    for one in found:
        counts = ", ".join(f"{count} {state}" for state, count in sorted(one.counts.items())) or "nothing linked"
        click.echo(f"{one.name}  {one.host_class}  {one.url}  {counts}")
        for link in one.open:
            shown = row(link)
            click.echo(f"  {shown['state']}  {shown['record']}  {shown['part']}  {shown['reason']}".rstrip())
    if not found:
        click.echo("There is no server yet: careplan server add NAME URL.", err=True)


@click.command()
@SERVER
@JSON
@example("careplan conflicts", "careplan conflicts ward --json")
def conflicts(name: str | None, as_json: bool) -> None:
    """What both sides changed: each element with its value before, here and there. Shows data of patients."""
    from adapter.cli.files import put
    from adapter.fhir_json import dumps
    from adapter.services.status import status as look

    with services() as made:
        found = [link for one in look(made.store(), name) for link in one.open if link.state == "conflict"]
    if as_json:
        put([_conflict(link) for link in found])
        return
    for link in found:
        click.echo(f"{link.server}  {link.kind}/{link.record_id}  {link.part or link.type}  {link.reason}")
        for detail in link.details:
            click.echo(f"  {detail['path']}")
            for side in ("base", "ours", "theirs"):
                click.echo(f"    {side.ljust(6)}  {dumps(detail.get(side)).decode()}")
    if not found:
        click.echo("There is no conflict.", err=True)


def _conflict(link: Any) -> dict[str, Any]:
    return {
        "server": link.server,
        "record": f"{link.kind}/{link.record_id}",
        "part": link.part or link.type,
        "reason": link.reason,
        "elements": list(link.details),
    }
