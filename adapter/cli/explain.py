"""careplan explain FILE PATH."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from adapter.cli.app import example
from adapter.cli.convert import FHIR, PACK

Tree = dict[str, Any]
SHOWN = 30


@click.command()
@click.argument("file", type=click.Path())
@click.argument("path")
@PACK
@FHIR
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@example(
    "careplan explain plan.json 'CarePlan.goal[0]'",
    "careplan explain records.json 'goals[0].target'",
    "careplan explain bundle.json 'Bundle.entry[3].resource.code' --json",
    "careplan explain bundle.json /entry/3/resource/code",
)
def explain(file: str, path: str, pack: str, fhir: str | None, as_json: bool) -> None:
    """Why an element is what it is: its rule, the other side, each step between; or why it is not there.

    FILE holds records, or a resource or Bundle; `-` is stdin. PATH is of either side, whichever the file holds: a record
    path (goals[0].target), a FHIRPath-like path that begins with a type (CarePlan.goal[0]), or a JSON pointer into the file.
    """
    from adapter.cli.files import put, read, tree_of
    from adapter.services import explain as service
    from adapter.services.knowledge import Knowledge

    known = Knowledge.of(pack, fhir)
    answer = service.explain(known, tree_of(file, read(file)), path, fhir=fhir)
    if as_json:
        put(answer)
    else:
        click.echo("\n".join(_lines(answer)))


def _lines(answer: Tree) -> Iterator[str]:
    yield f"{answer['place']}  ({answer['status']})"
    yield f"  {answer['text']}"
    if "note" in answer:
        yield f"  {answer['note']}"
    rule = answer["rule"]
    if rule:
        yield f"  rule   {rule['file']}:{rule['line']}:{rule['column']}"
        yield f"         {', '.join(rule['record']) or '(no field)'} ↔ {rule['fhir']}: {rule['how']}"
    for other in answer["other"]:
        yield f"  other  {other}"
    for name, title in (("from_fhir", "FHIR → record"), ("to_fhir", "record → FHIR")):
        steps = answer.get("steps", {}).get(name)
        if steps:
            yield f"  {title}"
            yield from _steps(steps)
    inside = answer.get("inside", [])
    if inside:
        yield "  inside"
    for row in inside[:SHOWN]:
        yield f"    {row['path']} ↔ {', '.join(row['other']) or '(one way)'}  {row['rule']}"
    if len(inside) > SHOWN:
        yield f"    and {len(inside) - SHOWN} more; --json has them"


def _steps(steps: list[Tree]) -> Iterator[str]:
    from adapter.fhir_json import dumps

    for step in steps:
        if "by" in step:
            yield f"    ↓ {step['by']}"
            yield from (f"        {line}" for line in step["codes"])
        else:
            yield f"    {step['at']}"
            yield f"        {dumps(step['value']).decode()}"
