"""careplan push, pull, sync."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from adapter.cli.app import example, say

if TYPE_CHECKING:
    from adapter.bootstrap import Services
    from adapter.services.exchange import How, Ran
    from adapter.sync.partner import Report

NAME = click.argument("name", required=False)
JSON = click.option("--json", "as_json", is_flag=True, help="JSON instead of lines.")
DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")


@click.command()
@NAME
@DRY_RUN
@click.option("--again", is_flag=True, help="Also what was refused.")
@JSON
@example("careplan push north", "careplan push --dry-run", "careplan push north --again --json")
def push(name: str | None, dry_run: bool, again: bool, as_json: bool) -> None:
    """Send what changed here to a server, or to all.

    Nothing is sent twice, nothing is overwritten: an update goes only onto the version that was last seen.
    """
    _exchange(name, "push", dry_run=dry_run, as_json=as_json, again=again)


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
    _exchange(name, "pull", dry_run=dry_run, as_json=as_json)


@click.command()
@NAME
@click.option("--watch", is_flag=True, help="Go on by each server's schedule until stopped.")
@click.option("--remap", is_flag=True, help="First say how many records the pack makes otherwise than they were sent.")
@click.option("--yes", is_flag=True, help="With --remap: write them, so that they are sent.")
@DRY_RUN
@JSON
@example("careplan sync", "careplan sync north --dry-run", "careplan sync --watch", "careplan sync --remap --yes")
def sync(name: str | None, watch: bool, remap: bool, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Pull, then push, with a server or with all.

    A new version of the pack alone sends nothing: --remap counts what it would change, and with --yes writes it.
    """
    from adapter.errors import UsageError

    if yes and not remap:
        raise UsageError("--yes says yes to --remap, and is nothing without it.", place="--yes")
    if watch and dry_run:
        raise UsageError("--watch sends: what it would do is said by --dry-run without it.", place="--dry-run")
    if remap:
        _remap(write=yes and not dry_run)
        if not yes:
            return
    if watch:
        watch_all(name, as_json=as_json)
    else:
        _exchange(name, "both", dry_run=dry_run, as_json=as_json)


def _remap(*, write: bool) -> None:
    from adapter.bootstrap import Services
    from adapter.cli.files import tell

    with Services() as services:
        done = services.remap(write=write)
    for kind, number in sorted(done.seen.items()):
        tell(f"{kind}: {done.changed.get(kind, 0)} of {number} {'written' if write else 'would change'}")
    for name in done.failed:
        tell(f"cannot be mapped: {name}")


def _exchange(name: str | None, how: How, *, dry_run: bool, as_json: bool, again: bool = False) -> None:
    """Runs it with one server or with all; one that is unavailable holds up no other. Exits with the worst status."""
    from adapter.bootstrap import Services
    from adapter.cli.files import put
    from adapter.services.exchange import row, run_all

    rows: list[dict[str, Any]] = []
    worst = 0
    with Services() as services:
        for ran in run_all(services.partner, _names(services, name), how, dry_run=dry_run, again=again):
            rows += [row(step) for step in ran.report.steps]
            worst = max(worst, ran.exit_code)
            _told(ran)
            _waits(services, ran)
    if as_json:
        put(rows)
    else:
        for one in rows:
            click.echo(_line(one))
    if worst:
        click.get_current_context().exit(worst)


def _told(ran: Ran) -> None:
    from adapter.cli.files import tell

    if ran.error is not None:
        say(ran.error)
    if ran.error is None or ran.report.steps:
        tell(f"{ran.server}: {counted(ran.report)}")


def _waits(services: Services, ran: Ran) -> None:
    """That there is nothing to do now is not that nothing waits: another run may hold it, or it was put off."""
    from adapter.cli.files import tell
    from adapter.services.status import state_of

    if ran.error is None and not ran.report.steps:
        found = services.store().unsettled(ran.server, limit=1)
        if any(state_of(link) == "waiting" for link in found):
            tell(f"{ran.server}: some wait, held by another run or put off: careplan status {ran.server}")


def watch_all(name: str | None, *, as_json: bool) -> None:
    """Each server by its schedule, and at once where something is to be sent; ends at Ctrl-C or SIGTERM."""
    import signal

    from adapter.bootstrap import Services
    from adapter.cli.files import put
    from adapter.services.exchange import row

    stopped: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: stopped.append(number))
    with Services() as services, services.watch(name) as watch:
        while not stopped:
            for ran in watch.turn():
                _told(ran)
                rows = [row(step) for step in ran.report.steps]
                if as_json and rows:
                    put(rows)
                for told in [] if as_json else rows:
                    click.echo(_line(told))
            watch.wait()


def _names(services: Services, name: str | None) -> list[str]:
    from adapter.errors import UsageError

    if name is not None:
        services.store().server(name)
        return [name]
    found = [one.name for one in services.store().servers()]
    if not found:
        raise UsageError("There is no server yet.", remedy="Add one: careplan server add NAME URL.")
    return found


def _line(row: dict[str, Any]) -> str:
    part = f" {row['part']}" if row["part"] else ""
    why = f": {row['reason']}" if row["reason"] else ""
    return f"{row['result']:<12} {row['record']}{part}{why}"


def counted(report: Report) -> str:
    """What a run did, in one line: "3 created, 1 conflict"."""
    return ", ".join(f"{number} {verb}" for verb, number in report.counts().items()) or "nothing to do"
