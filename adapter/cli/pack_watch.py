"""careplan pack watch."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from adapter.cli.app import example

if TYPE_CHECKING:
    from adapter.services.testing.watching import Stamp, Watch

PAUSE = 0.2
SETTLED = 0.05


@click.command("watch")
@click.argument("pack", default=".", metavar="[NAME|PATH]")
@click.option("--once", is_flag=True, help="One round, for scripts; exit status 1 where something is wrong.")
@example("careplan pack watch mappings/lakeside", "careplan pack watch mappings/lakeside --once")
def pack_watch(pack: str, once: bool) -> None:
    """On saving a file of a pack: what is wrong with it, what its examples give now, which fail.

    The pack of the current folder where none is named. A save that breaks a file is told, and watching goes on; Ctrl-C
    ends it.
    """
    from adapter.bootstrap import validator
    from adapter.services.testing.watching import Watch

    watch = Watch(pack, lambda: validator(pack=pack).validate)
    # What is saved while a round runs is seen by the next; a pack that is not there is a wrong call.
    seen = watch.stamp()
    try:
        _look(watch)
        if not once:
            click.echo(f"watching {pack}; Ctrl-C ends", err=True)
            _go_on(watch, seen)
    except KeyboardInterrupt:
        click.echo("\nno longer watching", err=True)
        return
    if not watch.good:
        click.get_current_context().exit(1)


def _go_on(watch: Watch, seen: Stamp) -> None:
    """Look again after each save, for as long as nobody stops it."""
    while True:
        time.sleep(PAUSE)
        now = watch.stamp()
        if now == seen:
            continue
        time.sleep(SETTLED)
        seen = watch.stamp()
        _look(watch)


def _look(watch: Watch) -> None:
    started = time.monotonic()
    click.echo(f"— {time.strftime('%H:%M:%S')}")
    for line in watch.look():
        click.echo(line)
    click.echo(f"{'ok' if watch.good else 'not ok'}, {time.monotonic() - started:.1f} s")
