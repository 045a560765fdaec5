"""careplan pack docs."""

from __future__ import annotations

from pathlib import Path

import click

from adapter.cli.app import example


@click.command("docs")
@click.argument("packs", nargs=-1, metavar="[NAME|PATH]...")
@click.option("-o", "--out", default=".", metavar="DIR", show_default=True, help="Write into this folder; it is made where it is not there.")  # fmt: skip
@click.option(
    "--check", is_flag=True, help="Write nothing; exit with 1 where a sheet there is not what the pack says now."
)
@example("careplan pack docs core -o sheets", "careplan pack docs mappings/lakeside -o sheets --check")
def pack_docs(packs: tuple[str, ...], out: str, check: bool) -> None:
    """The sheet of a pack: one searchable HTML page, and the same as CSV.

    For each pair: the question that a form asks, the field of the record, the element of FHIR, codes, direction, reason and
    an example; then code maps, forms, extensions and examples. The page needs no network. The same pack gives the same
    bytes, so that CI can hold a sheet with --check.
    """
    from adapter.services.knowledge import Knowledge
    from adapter.services.sheets.pack import sheet

    stale = []
    for name in packs or ("core",):
        known = Knowledge.of(name)
        for end, text in zip(("html", "csv"), sheet(known), strict=True):
            path = Path(out) / f"{known.pack.name}.{end}"
            if check:
                stale += [] if _is(path, text) else [path]
            else:
                _write(path, text)
                click.echo(path)
    for path in stale:
        click.echo(f"careplan: {path} is not what the pack says now; careplan pack docs writes it.", err=True)
    if stale:
        click.get_current_context().exit(1)


def _is(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode()
    except OSError:
        return False


def _write(path: Path, text: str) -> None:
    from adapter.errors import UsageError
    from adapter.whole import write_whole

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
    except OSError as error:
        raise UsageError(f"Cannot be written: {error.strerror}.", place=str(path)) from None
