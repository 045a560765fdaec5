"""The group `careplan`: its commands, loaded when called, and the one place where an error becomes an exit status."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from importlib import import_module
from inspect import cleandoc
from typing import Any

import click

from adapter import __version__
from adapter.errors import AdapterError, DataError, ServerRefused, UsageError

# Command → module of adapter.cli and what it shows in `careplan --help`, in the order that a newcomer needs them.
COMMANDS = {
    "demo": ("demo", "A guided run of the whole way, on this machine alone."),
    "convert": ("convert", "Records to FHIR, and FHIR to records."),
    "validate": ("validate", "Say what is wrong with resources or records."),
    "pack": ("pack", "Make, check and explain packs of mapping files."),
    "explain": ("explain", "Why an element is what it is: its rule, the other side, the way between."),
    "schema": ("schema", "The JSON Schema of a kind of record."),
    "records": ("records", "The store: bring records in, list, show, export."),
    "server": ("servers", "The FHIR servers that the store exchanges with."),
    "push": ("exchange", "Send what changed to a server, or to all."),
    "pull": ("exchange", "Fetch what changed on a server, or on all."),
    "sync": ("exchange", "Both, once or by schedule."),
    "status": ("standing", "What is waiting, refused or in conflict, and why."),
    "conflicts": ("standing", "What both sides changed: list, show, resolve."),
    "history": ("standing", "Every revision of a record and every decision about it."),
    "token": ("tokens", "Who may ask the service from another machine."),
    "worker": ("worker", "A worker, or the scheduler, of the exchange."),
    "serve": ("serve", "The service: HTTP API and FHIR face."),
    "db": ("db", "The database of the store."),
}

# Why a file or stdout cannot take what is written to it, where that is no fault of ours.
UNWRITABLE = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota of the disk is used up",
    errno.EFBIG: "a file may not become so large here",
    errno.EIO: "the disk or terminal does not take it",
    errno.EBADF: "standard output is closed",
}


class Careplan(click.Group):
    """A group whose commands are imported when they are called, and whose errors are sentences."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"adapter.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of contents, without importing a single command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def main(self, *args: Any, **extra: Any) -> Any:
        """Also `--help`, and also where stdout is closed: output that cannot be written is a sentence and status 2."""
        if sys.stdout is None:
            # A stream that fails when it is written to, and only then: not every command has something to say there.
            sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
        try:
            return super().main(*args, **extra)
        except OSError as error:
            if error.errno not in UNWRITABLE:
                raise
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            say(UsageError(f"The output cannot be written: {UNWRITABLE[error.errno]}."))
            sys.exit(2)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of ours becomes its message, its issues and its exit status."""
        try:
            return super().invoke(ctx)
        except AdapterError as error:
            say(error)
            ctx.exit(error.exit_code)
        except BrokenPipeError:
            # Who read our output has gone; Python would complain once more when it closes the stream.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(1)


def say(error: AdapterError) -> None:
    """Print an error to stderr: what, where, what to do next, and each of its issues."""
    click.echo(f"careplan: {error}", err=True)
    if isinstance(error, (DataError, ServerRefused)):
        for issue in error.issues:
            if issue.text != error.message or issue.place not in ("", error.place):
                place = f"{issue.place}: " if issue.place else ""
                click.echo(f"  {issue.severity}: {place}{issue.text} [{issue.message_id}]", err=True)


def example(*lines: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Ends the help of a command with its examples."""

    def ended(function: Callable[..., Any]) -> Callable[..., Any]:
        shown = "\n".join(f"  {line}" for line in lines)
        function.__doc__ = f"{cleandoc(function.__doc__ or '')}\n\n\b\nExamples:\n{shown}\n"
        return function

    return ended


@click.group(cls=Careplan, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="careplan")
def main() -> None:
    """Carry addiction-treatment assessments and care plans across system borders as FHIR, and back, without loss.

    Data goes to stdout, progress and logs go to stderr. Exit status: 0 done, 1 done and something in the data is wrong,
    2 the call is wrong, 3 another system is unavailable, 4 clean-up is incomplete.
    """
