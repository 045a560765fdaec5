"""careplan records import, list, show, export."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from adapter.cli.app import example
from adapter.errors import BadInput
from adapter.issues import Issue

if TYPE_CHECKING:
    from adapter.bootstrap import Services
    from adapter.cli.incoming import Incoming
    from adapter.fhir_json import Tree
    from adapter.services.records import Imported

PACK = click.option(
    "--pack", metavar="NAME|PATH", help="The pack whose kinds of record these are; CAREPLAN_PACK says it otherwise."
)
JSON = click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")


@click.group()
def records() -> None:
    """The store: bring records in, list, show, export.

    It is a SQLite file in the current folder, careplan.db, unless CAREPLAN_DATABASE_URL says otherwise.
    """


@records.command("import")
@click.argument("files", nargs=-1, type=click.Path())
@click.option(
    "--origin",
    type=click.Choice(["synthetic", "test", "real"]),
    help="The origin of records that say none; without it they are a real patient's.",
)
@click.option("--by", "recorded_by", default="", metavar="NAME", help="Who brings them in; stands in their history.")
@click.option("--ndjson", is_flag=True, help="One document a line, as it is in files that end in .ndjson or .jsonl.")
@PACK
@JSON
@example(
    "careplan records import records.json",
    "careplan convert from-fhir bundle.json | careplan records import",
    "careplan convert from-fhir --ndjson < bundles.ndjson | careplan records import --ndjson",
    "careplan records import --pack intake-flat export.json",
)
def import_(
    files: tuple[str, ...], ndjson: bool, origin: Any, recorded_by: str, pack: str | None, as_json: bool
) -> None:
    """Check records and bring them in: a new revision where something changed.

    A faulty record is refused whole, with all its faults; the others are taken in. Records of a pack's own kinds come in
    by way of FHIR: the store holds them as patient, assessment, plan and so on, with all that only the pack knows.
    """
    from adapter.bootstrap import Services
    from adapter.cli.files import names, put
    from adapter.cli.incoming import incoming
    from adapter.services.records import Imported

    sources = [incoming(name, ndjson=ndjson) for name in names(files)]
    done = Imported()
    with Services(pack=pack) as services:
        for part in chain.from_iterable(sources):
            _take_in(part, partial(services.take_in, origin=origin, recorded_by=recorded_by), done)
    rows, held = done.rows, done.held
    if as_json:
        put(
            [{"record": name, "result": verb} | ({"held": held[name]} if held.get(name) else {}) for name, verb in rows]
        )
    else:
        for name, verb in rows:
            click.echo("\n".join([f"{verb:<10} {name}", *(f"{'':<10}   as {one}" for one in held.get(name, []))]))
    _speak(done.issues)
    if done.refused:
        click.get_current_context().exit(1)


def _take_in(part: Incoming | Issue, take_in: Callable[[Any], Imported], done: Imported) -> None:
    """Records that came together, or a line that cannot be read; a line's fault is no fault of the others."""
    if isinstance(part, Issue):
        done.rows.append((part.place, "refused"))
        done.issues.append(part)
        return
    from adapter.services.records import Imported

    try:
        found = take_in(part.tree)
    except BadInput as error:
        if not part.lines:
            raise
        found = Imported([("/0", "refused")], [replace(one, pointer=f"/0{one.pointer or ''}") for one in error.issues])
    done.rows += [(part.named(name), verb) for name, verb in found.rows]
    done.issues += [part.placed(issue) for issue in found.issues]
    done.held |= {part.named(name): held for name, held in found.held.items()}


def _speak(issues: list[Issue]) -> None:
    for issue in issues:
        if issue.severity != "information":
            click.echo(f"{issue.severity}: {issue.place}: {issue.text} [{issue.message_id}]", err=True)


@records.command("list")
@click.option("--kind", help="Only records of this kind.")
@JSON
@example("careplan records list", "careplan records list --kind plan --json")
def list_(kind: str | None, as_json: bool) -> None:
    """What the store holds: kind, id, revision, origin and time, one line for each record."""
    from adapter.bootstrap import Services
    from adapter.cli.files import put

    with Services() as services:
        found = services.store().records(_known(kind))
        rows = [
            {
                "kind": record["kind"],
                "id": record["id"],
                "revision": record["revision"],
                "origin": record.get("origin", "real"),
                "recorded_at": record["recorded_at"],
            }
            for record in found
        ]
    if as_json:
        put(rows)
        return
    for row in rows:
        click.echo(f"{row['kind']:<11} {row['id']}  rev {row['revision']:<4} {row['origin']:<10} {row['recorded_at']}")


def _known(kind: str | None) -> str | None:
    from adapter.errors import UsageError
    from adapter.records import KINDS

    if kind is not None and kind not in KINDS:
        raise UsageError("There is no such kind of record.", remedy=f"Known kinds: {', '.join(KINDS)}.")
    return kind


@records.command("show")
@click.argument("kind")
@click.argument("id_", metavar="ID")
@click.option("--revisions", is_flag=True, help="Every revision, the newest first.")
@example("careplan records show plan 0fd5…", "careplan records show plan 0fd5… --revisions")
def show(kind: str, id_: str, revisions: bool) -> None:
    """One record, with its revision, time and origin."""
    from adapter.bootstrap import Services
    from adapter.cli.files import put

    _known(kind)
    with Services() as services:
        store = services.store()
        put(store.revisions(kind, id_) if revisions else store.record(kind, id_))


@records.command("delete")
@click.argument("kind")
@click.argument("id_", metavar="ID")
@click.option("--as-error", is_flag=True, help="It was never true: servers are told entered-in-error.")
@click.option("--by", "recorded_by", default="", metavar="NAME", help="Who deletes it; stands in its history.")
@example("careplan records delete plan 0fd5…", "careplan records delete assessment 0fd5… --as-error --by 'R. Weber'")
def delete(kind: str, id_: str, as_error: bool, recorded_by: str) -> None:
    """Delete a record; its history stays, and `careplan history` brings it back.

    With the next push servers are told: a plan is revoked, a goal cancelled, and so on. Answers and scores are left as
    they are there, unless they were an error.
    """
    from adapter.bootstrap import Services

    _known(kind)
    with Services() as services:
        services.delete(kind, id_, as_error=as_error, by=recorded_by)
    click.echo(f"deleted {kind}/{id_}")


@records.command("export")
@click.option("--kind", help="Only records of this kind.")
@click.option("--out", metavar="FILE", help="Write here instead of to stdout.")
@PACK
@example(
    "careplan records export > records.json",
    "careplan records export --kind plan --out plans.json",
    "careplan records export --pack intake-flat > export.json",
)
def export(kind: str | None, out: str | None, pack: str | None) -> None:
    """Every record of the store as one JSON list, which `records import` and `convert to-fhir` take.

    With a pack that has kinds of its own, what the store holds in the provider's shape, changes from elsewhere included.
    """
    from adapter.bootstrap import Services
    from adapter.cli.files import sink
    from adapter.fhir_json import dumps

    with Services(pack=pack) as services, sink(out) as target:
        found = _exported(services, kind)
        target.write(b"[")
        for number, record in enumerate(found):
            target.write((b",\n" if number else b"\n") + dumps(record))
        target.write(b"\n]\n")


def _exported(services: Services, kind: str | None) -> Iterator[Tree]:
    from adapter.errors import UsageError

    provider = services.provider()
    if provider is None:
        return services.store().records(_known(kind))
    if kind is not None and kind not in provider.kinds:
        raise UsageError("The pack has no such kind of record.", remedy=f"Its kinds: {', '.join(provider.kinds)}.")
    return (record for record in provider.records() if kind in (None, record["kind"]))
