"""What the commands on the store have in common: the services, and rows for people or programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from adapter.bootstrap import Services

JSON = click.option("--json", "as_json", is_flag=True, help="JSON for a program.")
DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
SERVER = click.argument("name", required=False)


@contextmanager
def services() -> Iterator[Services]:
    """The services over the store of the settings, closed afterwards."""
    from adapter.bootstrap import Services

    with Services() as made:
        yield made


def rows(lines: Sequence[Sequence[Any]], empty: str) -> None:
    """Lines in columns, on stdout; `empty` on stderr where there is none."""
    if not lines:
        click.echo(empty, err=True)
        return
    widths = [max(len(str(line[column])) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        click.echo("  ".join(str(cell).ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def each_server(made: Services, name: str | None, run: Callable[[str], Any]) -> tuple[list[Any], int]:
    """`run` for one server or all, and the exit status: a server that is out of reach holds up no other."""
    from adapter.cli.app import say
    from adapter.errors import AdapterError, Unavailable

    names = [made.store().server(name).name] if name else [server.name for server in made.store().servers()]
    if not names:
        click.echo("There is no server yet: careplan server add NAME URL.", err=True)
    found, exit_code = [], 0
    for one in names:
        try:
            found.append(run(one))
        except AdapterError as error:
            if name and not isinstance(error, Unavailable):
                raise
            click.echo(f"{one}:", err=True)
            say(error)
            exit_code = max(exit_code, error.exit_code)
    return found, exit_code
