"""careplan pack new."""

from __future__ import annotations

from pathlib import Path

import click

from adapter.cli.app import example


@click.command("new")
@click.argument("name", metavar="NAME|PATH")
@click.option("--from", "samples", multiple=True, required=True, metavar="SAMPLES", help="Sample records: JSON (an object or a list), NDJSON or CSV; - is stdin.")  # fmt: skip
@click.option(
    "--questionnaire", metavar="FILE", help="Your own Questionnaire, whose linkIds are used where names match."
)
@click.option("--kind", default="", metavar="NAME", help="What these records are called; the name of the pack where nothing is said.")  # fmt: skip
@click.option("--url", "base", default="", metavar="URL", help="What the pack's own URLs begin with.  [default: https://example.org/fhir/NAME]")  # fmt: skip
@example(
    "careplan pack new lakeside --from intakes.json",
    "careplan pack new packs/lakeside --from export.csv --questionnaire intake-form.json --kind intake",
)
def pack_new(name: str, samples: tuple[str, ...], questionnaire: str | None, kind: str, base: str) -> None:
    """Make a first pack from sample records, which gives back exactly what it is given.

    The folder NAME must not be there yet. It holds the JSON Schema of the records, mapping files with likely rules (name,
    birth date, address, dates, authors), a Questionnaire that takes everything else as answers, and the samples as
    examples. It is clean for `careplan pack lint`; what you have to decide is marked `todo` in maps/.
    """
    from adapter.cli.files import read, tell
    from adapter.services.scaffold import new_pack

    files = [(sample, read(sample)) for sample in samples]
    form = read(questionnaire) if questionnaire is not None else None
    made = new_pack(Path(name), files, questionnaire=form, kind=kind, base=base)
    for file in made.files:
        click.echo(str(made.folder / file))
    tell(f"{made.placed} fields with a place of their own, {made.answers} as answers, {made.todos} marked todo.")
    for remark in made.remarks:
        tell(remark)
    tell(f"Next: careplan pack lint {name}; careplan pack test {name}; then the todo lines in {made.folder / 'maps'}.")
