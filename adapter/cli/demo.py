"""careplan demo."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from adapter.cli.app import example

if TYPE_CHECKING:
    from adapter.services.demo import Step

WIDTH = 100


@click.command()
@example("careplan demo")
def demo() -> None:
    """A guided run of the whole way, on this machine alone: about ten seconds, no network, no account.

    Two adapters: ours, with a store in a temporary folder, and a second one that plays the other hospital and is spoken
    to over HTTP. Seven steps, each of which checks what it shows; exit status 1 where one does not hold.
    """
    from adapter.cli.demonstration import demonstration

    begun = time.monotonic()
    with demonstration() as shown:
        for number, step in enumerate(shown.steps(), start=1):
            _print(number, step)
    click.echo(f"All seven steps did what they say, in {time.monotonic() - begun:.1f} s.")


def _print(number: int, step: Step) -> None:
    from textwrap import wrap

    from rich.console import Console
    from rich.text import Text

    Console(width=WIDTH, highlight=False).print(Text(f"{number} · {step.title}", style="bold"))
    for line in step.lines:
        indent = " " * (2 + len(line) - len(line.lstrip(" ")))
        for part in wrap(line.strip(), WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ") or [""]:
            click.echo(part)
    click.echo()
