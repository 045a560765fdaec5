"""careplan pack fmt."""

from __future__ import annotations

import click

from adapter.cli.app import example


@click.command("fmt")
@click.argument("packs", nargs=-1, metavar="[NAME|PATH]...")
@click.option("--check", is_flag=True, help="Write nothing; exit status 1 where a file would differ.")
@example("careplan pack fmt mappings/lakeside", "careplan pack fmt --check core")
def pack_fmt(packs: tuple[str, ...], check: bool) -> None:
    """Write mapping files in one form: keys in one order, one style, comments where they are.

    Nothing changes its meaning, and a second run changes nothing. Where no pack is named it is that of the current
    folder, else every pack that comes with the adapter.
    """
    from adapter.cli.files import tell
    from adapter.services.formatting import reform
    from adapter.services.lint import present

    differ = 0
    for name in packs or present():
        for file, differs in reform(name, write=not check):
            if differs:
                differ += 1
                click.echo(file)
    tell(f"{differ} file{'' if differ == 1 else 's'} {'to be formatted' if check else 'formatted'}")
    if check and differ:
        click.get_current_context().exit(1)
