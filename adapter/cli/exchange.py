"""careplan push, pull, status, conflicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from adapter.cli.app import example, say

if TYPE_CHECKING:
    from adapter.bootstrap import Services
    from adapter.ports import Link
    from adapter.services.partners import Partner, Report

NAME = click.argument("name", required=False)
JSON = click.option("--json", "as_json", is_flag=True, help="JSON instead of lines.")
DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")


@click.command()
@NAME
@DRY_RUN
@JSON
@example("careplan push north", "careplan push --dry-run", "careplan push --json")
def push(name: str | None, dry_run: bool, as_json: bool) -> None:
    """Send what changed here to a server, or to all.

    Nothing is sent twice, nothing is overwritten: an update goes only onto the version that was last seen.
    """
    from adapter.services.push import push as run

    _exchange(name, lambda partner: run(partner, dry_run=dry_run), as_json=as_json)


@click.command()
@NAME
@DRY_RUN
@JSON
@example("careplan pull north", "careplan pull --dry-run --json")
def pull(name: str | None, dry_run: bool, as_json: bool) -> None:
    """Fetch what changed on a server, or on all, into the records.

    Edits of different elements are put together; where both sides changed the same, nothing is written and the conflict
    is listed.
    """
    from adapter.services.pull import pull as run

    _exchange(name, lambda partner: run(partner, dry_run=dry_run), as_json=as_json)


def _exchange(name: str | None, run: Callable[[Partner], Report], *, as_json: bool) -> None:
    """Runs it with one server or with all; one that is unavailable holds up no other. Exits with the worst status."""
    from adapter.bootstrap import Services
    from adapter.cli.files import put, tell
    from adapter.errors import AdapterError

    rows: list[dict[str, Any]] = []
    worst = 0
    with Services() as services:
        for each in _names(services, name):
            try:
                with services.partner(each) as partner:
                    report = run(partner)
            except AdapterError as error:
                if name is not None:
                    raise
                say(error)
                worst = max(worst, error.exit_code)
                continue
            rows += [_row(step) for step in report.steps]
            worst = max(worst, int(report.troubled))
            tell(f"{each}: {counted(report)}")
    if as_json:
        put(rows)
    else:
        for row in rows:
            click.echo(_line(row))
    if worst:
        click.get_current_context().exit(worst)


def _names(services: Services, name: str | None) -> list[str]:
    from adapter.errors import UsageError

    if name is not None:
        return [name]
    found = [one.name for one in services.store().servers()]
    if not found:
        raise UsageError("There is no server yet.", remedy="Add one: careplan server add NAME URL.")
    return found


def _row(step: Any) -> dict[str, Any]:
    return {
        "server": step.server,
        "record": step.record,
        "part": step.part,
        "result": step.verb,
        "reason": step.reason,
    }


def _line(row: dict[str, Any]) -> str:
    part = f" {row['part']}" if row["part"] else ""
    why = f": {row['reason']}" if row["reason"] else ""
    return f"{row['result']:<12} {row['record']}{part}{why}"


def counted(report: Report) -> str:
    """What a run did, in one line: "3 created, 1 conflict"."""
    return ", ".join(f"{number} {verb}" for verb, number in report.counts().items()) or "nothing to do"


@click.command()
@NAME
@JSON
@example("careplan status", "careplan status north --json")
def status(name: str | None, as_json: bool) -> None:
    """What is in step, waiting, refused or in conflict, and why; writes nothing and asks no server."""
    from adapter.bootstrap import Services
    from adapter.cli.files import put
    from adapter.services.status import row
    from adapter.services.status import status as look

    with Services() as services:
        found = look(services.store(), name)
    if as_json:
        put(
            [
                {"server": one.name, "url": one.url, "class": one.host_class, "counts": one.counts,
                 "open": [row(link) for link in one.open]}
                for one in found
            ]
        )  # fmt: skip
    else:
        for one in found:
            said = (
                ", ".join(f"{number} {state}" for state, number in sorted(one.counts.items())) or "nothing to exchange"
            )
            click.echo(f"{one.name} ({one.host_class}) {one.url}: {said}")
            for link in one.open:
                click.echo(f"  {_open(link)}")
    if any(link.state in ("refused", "conflict") for one in found for link in one.open):
        click.get_current_context().exit(1)


def _open(link: Link) -> str:
    from adapter.services.status import row

    told = row(link)
    where = f" ({', '.join(map(str, told['elements']))})" if told["elements"] else ""
    why = f": {told['reason']}" if told["reason"] else ""
    return f"{told['state']:<10} {told['record']} {told['part']}{why}{where}"


@click.group(invoke_without_command=True)
@click.pass_context
def conflicts(ctx: click.Context) -> None:
    """What both sides changed; the same as `careplan conflicts list`."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_conflicts)


@conflicts.command("list")
@NAME
@JSON
@example("careplan conflicts list", "careplan conflicts list north --json")
def list_conflicts(name: str | None = None, as_json: bool = False) -> None:
    """Every conflict, with the elements that both sides changed. Exit status 1 where there is one."""
    from adapter.bootstrap import Services
    from adapter.cli.files import put
    from adapter.services.status import row
    from adapter.services.status import status as look

    with Services() as services:
        found = [link for one in look(services.store(), name) for link in one.open if link.state == "conflict"]
    if as_json:
        put([row(link) for link in found])
    else:
        for link in found:
            click.echo(f"{link.server}: {_open(link)}")
    if found:
        click.get_current_context().exit(1)
