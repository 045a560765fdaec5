"""The group `careplan pack`: its commands, each imported when it is called."""

from __future__ import annotations

from importlib import import_module

import click

# Command → module of adapter.cli that holds it under its own name with `pack_` before it, and what `--help` shows, in
# the order that an integrator needs them.
COMMANDS = {
    "new": ("pack_new", "A first pack from sample records."),
    "lint": ("pack_lint", "What is wrong with a pack: file, line, column, remedy."),
    "fmt": ("pack_fmt", "Mapping files in one form."),
    "coverage": ("pack_coverage", "What a pack covers of both sides, by definition and by data."),
    "test": ("pack_test", "The examples of a pack both ways, and the laws on them."),
    "diff": ("pack_diff", "What a new version changes, and what that means for what is out there."),
    "docs": ("pack_docs", "The sheet of a pack for clinicians: one searchable page, and CSV."),
    "watch": ("pack_watch", "On saving a file: what is wrong, what changed, what fails."),
}


class Packs(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"adapter.cli.{COMMANDS[cmd_name][0]}"), f"pack_{cmd_name}")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of contents, without importing a single command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=Packs)
def pack() -> None:
    """Make, check and explain packs of mapping files."""
