"""careplan schema KIND."""

from __future__ import annotations

import click

from adapter.cli.app import example


@click.command()
@click.argument("kind")
@click.option(
    "--pack", default="core", metavar="NAME|PATH", help="The pack whose kinds and fields are meant.", show_default=True
)
@example(
    "careplan schema plan",
    "careplan schema intake --pack intake-flat",
    "careplan schema assessment > assessment.schema.json",
    "careplan schema mapping > mapping.schema.json",
)
def schema(kind: str, pack: str) -> None:
    """The JSON Schema of a kind of record.

    KIND is patient, form, assessment, diagnosis, plan, goal, care_team, request or consent, or one of the pack's own;
    mapping is the form of mapping files, for editors: `# yaml-language-server: $schema=mapping.schema.json` in the
    first line of a file names it.
    """
    from adapter.cli.files import put
    from adapter.mapping import shape_of
    from adapter.mapping.file_schema import file_schema
    from adapter.packs import load
    from adapter.records import json_schema

    shape = shape_of(kind, load(pack))
    put(file_schema() if kind == "mapping" else shape.root if shape is not None else json_schema(kind))
