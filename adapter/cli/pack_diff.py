"""careplan pack diff."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from adapter.cli.app import example

Tree = dict[str, Any]
TITLES = {
    "breaks": "breaks the reverse: what was sent is not read as it was",
    "re-send": "needs re-send: the same records give other FHIR",
    "compatible": "compatible",
}
SHOWN = 20


@click.command("diff")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--data", "files", multiple=True, metavar="FILE", help="Compare on these instead of the examples: records or FHIR, JSON or NDJSON.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@example(
    "careplan pack diff released/lakeside mappings/lakeside",
    "careplan pack diff released/lakeside mappings/lakeside --data export.ndjson --json",
)
def pack_diff(first: str, second: str, files: tuple[str, ...], as_json: bool) -> None:
    """What the second version of a pack does differently: to its rules and codes, and to the same data.

    A and B are packs by name or path. Each change is compatible, needs what was sent to be sent again, or breaks the
    reverse. Exit status 1 where the step from A's version to B's is smaller than the change: at least a patch for what is
    compatible, a minor step for what needs re-send, a major one for what breaks the reverse. So it is where a document of
    the data cannot be converted: nothing is known of it.
    """
    from adapter.cli.files import put
    from adapter.services.diff import diff, examples
    from adapter.services.knowledge import Knowledge

    one, two = Knowledge.of(first), Knowledge.of(second)
    found = diff(one, two, _documents(files) if files else examples(one, two))
    if as_json:
        put(found)
    else:
        click.echo("\n".join(_lines(found)))
    if found["refused"]:
        step = "no step" if found["bump"] == "none" else f"a {found['bump']} step"
        click.echo(
            f"careplan: {found['from']} → {found['to']} is {step}; the change needs a {found['needed']} one.", err=True
        )
    lost = found["data"]["refused"]
    if lost:
        click.echo(f"careplan: {lost} documents could not be converted and were not compared.", err=True)
    if found["refused"] or lost:
        click.get_current_context().exit(1)


def _documents(files: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    from adapter.cli.files import documents

    for name in files:
        for number, tree in enumerate(documents(name), start=1):
            yield f"{name}:{number}", tree


def _lines(found: Tree) -> Iterator[str]:
    yield f"{found['from']} → {found['to']}: {found['class']}"
    for class_, title in TITLES.items():
        rows = [row for row in found["changes"] if row["class"] == class_]
        if rows:
            yield title
        for row in rows:
            places = " → ".join(row.get("rules", []))
            yield f"  {row['what']} {row['act']}: {row['text']}" + (f"  {places}" if places else "")
    data = found["data"]
    yield f"data: of {data['documents']} documents {data['sent_differently']} are sent differently, {data['read_differently']} read differently" + (f", {data['refused']} cannot be converted" if data["refused"] else "")  # fmt: skip
    for row in data["places"][:SHOWN]:
        yield f"  {row['document']} {row['way']}: {row['place']}"
        yield from (f"    {sign} {_text(row[key])}" for sign, key in (("-", "was"), ("+", "is")))
    if len(data["places"]) > SHOWN:
        yield "  and more; --json has them"


def _text(value: Any) -> str:
    from adapter.fhir_json import dumps

    return "nothing" if value is None else dumps(value).decode()
