"""Writes the pages of docs/ that the program itself knows best: docs/commands.md from `careplan --help`.

    python tools/write_docs.py [--check]

Running it again gives the same bytes; `--check` writes nothing and exits with 1 where a page would differ.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from adapter.cli import main as careplan

PAGE = Path(__file__).resolve().parent.parent / "docs" / "commands.md"
WIDTH = 110
INTRODUCTION = """\
# Commands

This page is written by `make docs` from the help of each command. Data goes to stdout, progress and logs go to stderr.

| Exit status | Meaning |
|--:|---|
| 0 | done |
| 1 | done, and something in the data is wrong |
| 2 | the call is wrong: an option, a setting, a pack |
| 3 | another system is unavailable; no verdict on the data |
| 4 | clean-up is incomplete |
"""


def commands(command: click.Command, name: str = "careplan") -> Iterator[tuple[str, click.Command]]:
    """Every command under `command` with its full name, depth first; hidden ones left out."""
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=name)
        for part in command.list_commands(context):
            child = command.get_command(context, part)
            if child is not None and not child.hidden:
                yield from commands(child, f"{name} {part}")


def help_of(name: str, command: click.Command) -> str:
    """What `NAME --help` prints, at a fixed width."""
    context = click.Context(command, info_name=name, terminal_width=WIDTH, max_content_width=WIDTH)
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


def page(root: click.Command) -> str:
    """The whole page."""
    sections = [f"## {name}\n\n```text\n{help_of(name, command)}\n```\n" for name, command in commands(root)]
    return "\n".join([INTRODUCTION, *sections])


def main() -> int:
    """Writes the page, or says whether it is as it should be."""
    text = page(careplan)
    if "--check" in sys.argv[1:]:
        return 0 if PAGE.exists() and PAGE.read_text("utf-8") == text else 1
    PAGE.write_text(text, "utf-8")
    print(f"wrote {PAGE.name}: {text.count(chr(10) + '## ')} commands")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
