"""All that lint says of a pack in which everything is wrong, and of one that extends it: word by word, each at its place.

`python -m tests.unit.mapping.lint.test_findings` writes down what it says now, to be read before it is kept.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.errors import Finding
from adapter.mapping.lint import messages
from adapter.mapping.lint.messages import Message
from adapter.services.lint import lint

PACKS = Path(__file__).parent / "packs"
NAMES = ("site", "wrong")


def line(row: Finding, folder: Path) -> str:
    """A finding in one line: place and rule, severity, id, sentence."""
    file = row.file.rpartition(f"{folder.name}/")[2] if f"{folder.name}/" in row.file else row.file
    rule = f" ({row.rule})" if row.rule not in (0, row.line) else ""
    return f"{file}:{row.line}:{row.column}{rule}: {row.severity} {row.id}: {row.sentence}"


def said(folder: Path) -> str:
    """What lint says of a pack."""
    return "".join(f"{line(row, folder)}\n" for row in lint(str(folder)))


@pytest.mark.parametrize("name", NAMES)
def test_everything_wrong_is_said_as_it_is_written_down(name: str) -> None:
    assert said(PACKS / name).splitlines() == (PACKS / f"{name}.txt").read_text("utf-8").splitlines()


def test_a_message_is_an_error_or_a_warning() -> None:
    assert messages._error("a", "b") == Message("error", "a", "b")
    assert messages._warning("a", "b") == Message("warning", "a", "b")


if __name__ == "__main__":
    for each in NAMES:
        (PACKS / f"{each}.txt").write_text(said(PACKS / each), "utf-8")
