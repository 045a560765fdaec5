"""careplan schema KIND."""

from __future__ import annotations

import click

from adapter.cli.app import example


@click.command()
@click.argument("kind")
@example("careplan schema plan", "careplan schema assessment > assessment.schema.json")
def schema(kind: str) -> None:
    """The JSON Schema of a kind of record.

    KIND is patient, form, assessment, diagnosis, plan, goal, care_team or request.
    """
    from adapter.cli.files import put
    from adapter.records import json_schema

    put(json_schema(kind))
