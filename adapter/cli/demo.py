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
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(width=WIDTH, highlight=False)
    console.print(Text(f"{number} · {step.title}", style="bold"))
    for line in step.lines:
        text = line.lstrip(" ")
        console.print(Padding(Text(text), (0, 0, 0, 2 + len(line) - len(text))))
    console.print()
