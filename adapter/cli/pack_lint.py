"""careplan pack lint."""

from __future__ import annotations

import click

from adapter.cli.app import example


@click.command("lint")
@click.argument("packs", nargs=-1, metavar="[NAME|PATH]...")
@example("careplan pack lint core", "careplan pack lint mappings/lakeside")
def pack_lint(packs: tuple[str, ...]) -> None:
    """Say what is wrong with packs: each fault with its file, line and column.

    NAME is a pack that comes with the adapter, PATH the folder of another; core where none is named. Exit status 1 where
    there is a fault.
    """
    from adapter.errors import PackError
    from adapter.mapping import load

    clean = True
    for name in packs or ("core",):
        try:
            load(name)
        except PackError as error:
            if not error.faults:
                raise
            clean = False
            click.echo("\n".join(map(str, error.faults)))
    if not clean:
        click.get_current_context().exit(1)
