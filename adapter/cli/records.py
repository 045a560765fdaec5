"""careplan records import, list, show, export."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from adapter.cli.app import example
from adapter.cli.store import JSON, rows, services

KIND = click.option("--kind", metavar="KIND", help="Only records of this kind.")


@click.group()
def records() -> None:
    """The store: bring records in, list, show, export."""


@records.command("import")
@click.argument("files", nargs=-1, type=click.Path())
@click.option(
    "--origin",
    type=click.Choice(["synthetic", "test", "real"]),
    help="The origin of records that say none; without it they are real.",
)
@click.option("--by", "recorded_by", default="", metavar="NAME", help="Who brings them in, for the history.")
@JSON
@example("careplan records import fixtures/dual-diagnosis/records.json", "careplan records import < records.json")
def import_(files: tuple[str, ...], origin: Any, recorded_by: str, as_json: bool) -> None:
    """Check records and take them in: a new revision where something changed, nothing where not.

    FILE holds a record, a list of records, or what `convert from-fhir` gave. A faulty record is refused whole, the others
    are taken.
    """
    from adapter.cli.files import label, names, put, read, tree_of
    from adapter.records import check, clinical_issues
    from adapter.services.records import import_records, taken_apart

    failed = False
    done: list[dict[str, str]] = []
    with services() as made:
        for name in names(files):
            trees, remainder = taken_apart(tree_of(name, read(name)))
            found = import_records(
                made.store(), _mapper(made), check, trees,
                remainder=remainder, origin=origin, recorded_by=recorded_by,
            )  # fmt: skip
            good = [tree for tree in trees if not check(tree)]
            for issue in [*found.issues, *clinical_issues(good)]:
                where = f"{label(name)} {issue.place}".strip()
                click.echo(f"{issue.severity}: {where}: {issue.text} [{issue.message_id}]", err=True)
            done += [{"record": record, "done": verb} for record, verb in found.rows]
            failed = failed or found.refused > 0
    if as_json:
        put(done)
    else:
        rows([(row["done"], row["record"]) for row in done], "Nothing to take in.")
    click.get_current_context().exit(1 if failed else 0)


def _mapper(made: Any) -> Any:
    from adapter.bootstrap import mapper

    return mapper(made.pack)


@records.command("list")
@KIND
@JSON
@example("careplan records list", "careplan records list --kind plan --json")
def list_(kind: str | None, as_json: bool) -> None:
    """Every record: kind, id, revision, origin, when recorded. Nothing of what is in it."""
    from adapter.cli.files import put

    with services() as made:
        found = [_head(record) for record in made.store().records(_known(kind))]
    if as_json:
        put(found)
    else:
        rows([tuple(row.values()) for row in found], "The store holds no such record.")


def _head(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": record["kind"],
        "id": record["id"],
        "revision": record.get("revision", 0),
        "origin": record.get("origin", "real"),
        "recorded_at": record.get("recorded_at", ""),
    }


def _known(kind: str | None) -> str | None:
    from adapter.errors import UsageError
    from adapter.records import KINDS

    if kind is not None and kind not in KINDS:
        raise UsageError("There is no such kind of record.", remedy=f"Known kinds: {', '.join(KINDS)}.")
    return kind


@records.command()
@click.argument("kind")
@click.argument("id_", metavar="ID")
@example("careplan records show plan 3f0c1d3e-5b1a-4b1e-9d55-0c5f8e9a7b11")
def show(kind: str, id_: str) -> None:
    """One record, as JSON, with its envelope."""
    from adapter.cli.files import put

    with services() as made:
        put(made.store().record(str(_known(kind)), id_))


@records.command()
@KIND
@click.option("--ndjson", is_flag=True, help="One record a line.")
@example("careplan records export > records.json", "careplan records export --kind plan --ndjson")
def export(kind: str | None, ndjson: bool) -> None:
    """Every record as JSON: a list, or one a line."""
    from adapter.cli.files import put
    from adapter.fhir_json import dumps

    with services() as made:
        found: Iterator[dict[str, Any]] = made.store().records(_known(kind))
        if not ndjson:
            put(list(found))
            return
        for record in found:
            click.echo(dumps(record).decode())
