"""careplan status, conflicts, history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from adapter.cli.app import example
from adapter.cli.exchange import JSON, NAME

if TYPE_CHECKING:
    from adapter.services.status import ServerStatus

MOST = 100
BY = click.option("--by", default="", metavar="NAME", help="Who decides; stands in the journal.")


@click.command()
@NAME
@JSON
@example("careplan status", "careplan status north --json")
def status(name: str | None, as_json: bool) -> None:
    """What is in step, waiting, refused or in conflict, and why; writes nothing and asks no server."""
    from adapter.bootstrap import Services
    from adapter.cli.files import put
    from adapter.services.status import status as look
    from adapter.services.status import told

    with Services() as services:
        found = look(services.store(), name)
        rows = [told(one, services.now()) for one in found]
    if as_json:
        put(rows)
    else:
        for one, row in zip(found, rows, strict=True):
            for line in _lines(one, row):
                click.echo(line)
    if any(one.troubled for one in found):
        click.get_current_context().exit(1)


def _lines(one: ServerStatus, row: dict[str, Any]) -> list[str]:
    counts = ", ".join(f"{number} {state}" for state, number in sorted(row["counts"].items())) or "nothing to exchange"
    lines = [f"{row['server']} ({row['class']}) {row['url']}: {counts}"]
    last = f"last exchange {row['last_push'] or row['last_pull']}" if row["lag"] is not None else "no exchange yet"
    lines.append(f"  {last}, every {row['every']} s, {row['direction']}")
    if row["paused"]:
        lines.append(f"  paused: {row['paused']}")
    if row["error"]:
        until = f" until {row['not_before']}" if row["circuit"] == "open" else ""
        lines.append(f"  last error: {row['error']} ({row['failures']} in a row; circuit {row['circuit']}{until})")
    if row["under_way"]:
        until = f"free again by {row['under_way_until']}"
        lines.append(f"  {row['under_way']} of those that wait are held by a run, or by one that was cut off: {until}")
    # What only waits for its turn is counted above.
    told = [link for link in row["open"] if link["reason"] or link["state"] != "waiting"]
    lines += [f"  {link['state']:<10} {link['record']} {link['part']}: {link['reason']}" for link in told[:MOST]]
    if len(told) > MOST:
        lines.append(f"  and more: careplan status {row['server']} --json")
    lines += [f"  {left['state']:<10} {left['resource']} there: {left['reason']}" for left in row["left_there"]]
    return [line.removesuffix(": ") for line in lines]


@click.group(invoke_without_command=True)
@JSON
@click.pass_context
def conflicts(ctx: click.Context, as_json: bool) -> None:
    """What both sides changed: list, show, resolve. Alone the same as `careplan conflicts list`."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_conflicts, as_json=as_json)


@conflicts.command("list")
@NAME
@JSON
@example("careplan conflicts list", "careplan conflicts list north --json")
def list_conflicts(name: str | None = None, as_json: bool = False) -> None:
    """Every element that both sides changed, by number. Exit status 1 where there is one."""
    from adapter.bootstrap import Services
    from adapter.cli.files import put
    from adapter.services.conflicts import head

    with Services() as services:
        if name is not None:
            services.store().server(name)
        rows = [head(one) for one in services.desk().listed(name or "")]
    if as_json:
        put(rows)
    else:
        for row in rows:
            click.echo(f"{row['number']:<5} {row['server']:<12} {row['record']} {row['part']} {row['element']}")
    if rows:
        click.get_current_context().exit(1)


@conflicts.command("show")
@click.argument("number", type=click.IntRange(1))
@JSON
@example("careplan conflicts show 3", "careplan conflicts show 3 --json")
def show(number: int, as_json: bool) -> None:
    """One conflict: the field of the record as it was, as it is here, and as it is there; who changed it, and when."""
    from adapter.bootstrap import Services
    from adapter.cli.files import put

    with Services() as services:
        row = services.desk().show(number)
    if as_json:
        put(row)
        return
    click.echo(f"{row['number']} {row['server']}: {row['record']} {row['part']} {row['element']}")
    click.echo(f"  here:  {row['ours_at'] or '?'} {row['ours_by']}".rstrip())
    click.echo(f"  there: {row['theirs_at'] or '?'} {row['theirs_by']}".rstrip())
    for field in row["fields"] or [{"field": row["element"], "before": row["base"], **row}]:
        click.echo(f"  {field['field']}")
        for sign, name in (("  ", "before"), ("- ", "ours"), ("+ ", "theirs")):
            click.echo(f"    {sign}{name:<7}{_shown(field[name])}")


def _shown(value: Any) -> str:
    from adapter.fhir_json import dumps

    return "(nothing)" if value is None else dumps(value).decode()


@conflicts.command("resolve")
@click.argument("number", type=click.IntRange(1))
@click.option("--take", type=click.Choice(["ours", "theirs", "merged"]), required=True, help="Whose is to stand.")
@click.argument("file", required=False, type=click.Path())
@BY
@example(
    "careplan conflicts resolve 3 --take theirs",
    "careplan conflicts resolve 3 --take merged plan.json --by 'R. Weber'",
)
def resolve(number: int, take: Any, file: str | None, by: str) -> None:
    """Decide one element. With the last one of a part its record is written, and the next push sends it.

    FILE, with --take merged, is JSON: the element's value, or the record as it is to be (which decides all of its part).
    """
    from adapter.bootstrap import Services
    from adapter.cli.files import read, tree_of
    from adapter.errors import UsageError

    if (take == "merged") != (file is not None):
        raise UsageError("With --take merged, and only with it, a FILE says what is to stand.", place="FILE")
    value = tree_of(file, read(file)) if file is not None else None
    with Services() as services:
        done = services.desk().resolve(number, take, value, by)
    left = f", {done['open']} more in this part" if done["open"] else ", the record is written"
    click.echo(f"{number}: took {done['taken']}{left}")


@click.command()
@click.argument("record")
@click.option("--back", type=click.IntRange(1), metavar="REVISION", help="Bring that revision back, as a new one.")
@BY
@JSON
@example("careplan history 0fd5…", "careplan history plan/0fd5… --json", "careplan history plan/0fd5… --back 2")
def history(record: str, back: int | None, by: str, as_json: bool) -> None:
    """Every revision of a record and every decision about it, oldest first. RECORD is kind/id, or the id alone."""
    from adapter.bootstrap import Services
    from adapter.cli.files import put

    with Services() as services:
        kind, id_, rows = services.history(record)
        if back is not None:
            new = services.bring_back(kind, id_, back, by)
            click.echo(f"{kind}/{id_}: revision {back} is back as revision {new['revision']}")
            return
    if as_json:
        put(rows)
        return
    for row in rows:
        click.echo(_told(row))


def _told(row: dict[str, Any]) -> str:
    by = f" by {row['by']}" if row.get("by") else ""
    if row["what"] == "revision":
        fields = f": {', '.join(row['fields'])}" if row["fields"] else ": deleted" if row["deleted"] else ""
        return f"{row['at']}  revision {row['revision']}{by}{fields}"
    where = " ".join(word for word in (row["server"], row["part"], row["element"]) if word)
    return f"{row['at']}  {row['what']}{by} {where}: {row['reason']}"
