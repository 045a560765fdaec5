"""careplan pack coverage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from adapter.cli.app import example
from adapter.cli.convert import FHIR

Tree = dict[str, Any]
SHOWN = 15
MARKS = {"both": "↔", "one-way": "→", "remainder": "~", "never": "✗"}


@click.command("coverage")
@click.argument("pack", default="core", metavar="[NAME|PATH]")
@click.option("--data", "files", multiple=True, metavar="FILE", help="Count these too: NDJSON of resources, Bundles or records, or JSON; more than once for several.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print it.")  # fmt: skip
@click.option("--html", metavar="FILE", help="Write one page for people, which needs no network.")
@click.option("--fail-under", type=click.FloatRange(0, 100), metavar="N", help="Exit with 1 where less than N percent is covered: of the leaves of the data, else of the fields of the records.")  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Print every element, not only those without a rule.")
@FHIR
@example(
    "careplan pack coverage core",
    "careplan pack coverage mappings/lakeside --data export.ndjson --fail-under 90",
    "careplan pack coverage core --html coverage.html --format json > coverage.json",
)
def pack_coverage(
    pack: str,
    files: tuple[str, ...],
    form: str,
    html: str | None,
    fail_under: float | None,
    everything: bool,
    fhir: str | None,
) -> None:
    """What a pack covers of both sides: elements of the FHIR types, fields of the records, and real data.

    An element goes both ways, one way with its reason, is carried as remainder (no rule), or, in a record, never goes out.
    What FHIR or US Core demands stands first. With --data: the share of leaves that the records alone give back, what is
    left most often, and codes without a map. Exit status 1 where a document of the data cannot be converted.
    """
    from adapter.cli.files import documents, put, sink
    from adapter.services.coverage import by_data, by_definition
    from adapter.services.knowledge import Knowledge
    from adapter.services.sheets.coverage import page

    known = Knowledge.of(pack, fhir)
    found = by_definition(known)
    if files:
        found["data"] = by_data(known, (tree for name in files for tree in documents(name)), fhir).tree()
    if html:
        with sink(html) as target:
            target.write(page(found).encode())
    if form == "json":
        put(found)
    else:
        click.echo("\n".join(_lines(found, everything=everything)))
    refused = found["data"]["refused"] if files else 0
    if refused:
        click.echo(f"careplan: {refused} documents could not be converted and are in no share.", err=True)
    share = found["data"]["share"] if files else found["totals"]["records"]["share"]
    if fail_under is not None and share * 100 < fail_under:
        click.echo(f"careplan: {share:.1%} is covered, less than {fail_under:g} %.", err=True)
        refused += 1
    if refused:
        click.get_current_context().exit(1)


def _lines(found: Tree, *, everything: bool) -> Iterator[str]:
    yield f"{found['pack']} {found['version']}"
    for name, title in (("demanded", "demanded by FHIR or US Core"), ("fhir", "elements of FHIR"), ("records", "fields of records")):  # fmt: skip
        total = found["totals"][name]
        counts = ", ".join(f"{total[key]} {key}" for key in MARKS if total[key])
        yield f"  {title:28} {total['share']:6.1%} of {total['elements']:4}  ({counts})"
    for side, title in (("fhir", "FHIR"), ("records", "records")):
        rows = [row for row in found[side] if everything or row["status"] in ("remainder", "never")]
        yield from _section(title, rows, everything=everything)
    if "data" in found:
        yield from _data(found["data"])


def _section(title: str, rows: list[Tree], *, everything: bool) -> Iterator[str]:
    if rows:
        yield f"{title}{'' if everything else ': without a rule'}"
    owner = ""
    for row in rows:
        if row["owner"] != owner:
            owner = row["owner"]
            yield f"  {owner}"
        asked = " required" * ("required" in row) + " must-support" * ("must_support" in row)
        why = f": {row['reason']}" if "reason" in row else ""
        rule = f"  {row['rules'][0]}" if row["rules"] else ""
        yield f"    {MARKS[row['status']]} {row['path']}{asked}{why}{rule}"


def _data(data: Tree) -> Iterator[str]:
    refused = f", {data['refused']} could not be converted" if data["refused"] else ""
    yield f"data: {data['documents']} documents{refused}; {data['share']:.1%} of the leaves come back from the records alone"
    for owner, row in data["types"].items():
        yield f"  {owner:24} {row['share']:6.1%} of {row['leaves']}"
    for key, title in (("left", "left most often"), ("codes", "codes without a map")):
        rows = data[key]
        if rows:
            yield f"  {title}"
        for row in rows[:SHOWN]:
            yield (
                f"    {row['left']:6} of {row['of']:<6} {row['path']}"
                if key == "left"
                else f"    {row['count']:6} {row['code_map']}: {row['code']}"
            )
        if len(rows) > SHOWN:
            yield f"    and {len(rows) - SHOWN} more; --format json has them"
