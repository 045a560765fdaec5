"""Writes the pages of docs/ that the program itself knows best: docs/commands.md from `careplan --help`, and
docs/pack-messages.md from the messages of `careplan pack lint`.

    python tools/write_docs.py [--check]

Running it again gives the same bytes; `--check` writes nothing and exits with 1 where a page would differ.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from adapter.cli import main as careplan
from adapter.mapping.lint.messages import MESSAGES

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = DOCS / "commands.md"
MESSAGES_PAGE = DOCS / "pack-messages.md"
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
    # A command keeps the help option of the context that first asked for it: here the one that the program gives.
    names = careplan.context_settings["help_option_names"]
    context = click.Context(
        command, info_name=name, terminal_width=WIDTH, max_content_width=WIDTH, help_option_names=names
    )
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


def page(root: click.Command) -> str:
    """The whole page."""
    sections = [f"## {name}\n\n```text\n{help_of(name, command)}\n```\n" for name, command in commands(root)]
    return "\n".join([INTRODUCTION, *sections])


MESSAGES_HEAD = """\
# What `careplan pack lint` says

This page is written by `make docs` from `adapter/mapping/lint/messages.py`. The id is stable: it stands behind each finding,
and as `ruleId` in SARIF. Findings are told in this order: what keeps a file from being read comes first. Errors give exit
status 1, warnings only with `--strict`.

A finding that is right as it is can be allowed, by a reason that stands in the file: on its line or that of its rule, or
above it.

```yaml
# lint: allow code-unread: our clinic never uses the other codes
- {record: course, fhir: clinicalStatus, choice: course, wrap: concept}
```

Above the first key of a file it is for the whole file. JSON has no comments: there it stands in `pack.yaml`, with the file
behind the id, as `# lint: allow code-ambiguous in conceptmaps/disorders.json: …`.

| Id | Severity | What is wrong | What to do |
|---|---|---|---|
"""


def messages_page() -> str:
    """The messages of `careplan pack lint`."""
    rows = (f"| `{id_}` | {row.severity} | {row.says} | {row.remedy} |\n" for id_, row in MESSAGES.items())
    return MESSAGES_HEAD + "".join(rows)


def pages() -> dict[Path, str]:
    """Every page with its text."""
    return {PAGE: page(careplan), MESSAGES_PAGE: messages_page()}


def main() -> int:
    """Writes the pages, or says whether they are as they should be."""
    wanted = pages()
    if "--check" in sys.argv[1:]:
        return 0 if all(path.exists() and path.read_text("utf-8") == text for path, text in wanted.items()) else 1
    for path, text in wanted.items():
        path.write_text(text, "utf-8")
        print(f"wrote {path.name}: {len(text.splitlines())} lines")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
