"""careplan schema KIND."""

from __future__ import annotations

import click

from adapter.cli.app import example


@click.command()
@click.argument("kind")
@example(
    "careplan schema plan",
    "careplan schema assessment > assessment.schema.json",
    "careplan schema mapping > mapping.schema.json",
)
def schema(kind: str) -> None:
    """The JSON Schema of a kind of record.

    KIND is patient, form, assessment, diagnosis, plan, goal, care_team or request; mapping is the form of mapping files,
    for editors: `# yaml-language-server: $schema=mapping.schema.json` in the first line of a file names it.
    """
    from adapter.cli.files import put
    from adapter.mapping.file_schema import file_schema
    from adapter.records import json_schema

    put(file_schema() if kind == "mapping" else json_schema(kind))
