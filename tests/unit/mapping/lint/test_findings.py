"""All that lint says of a pack in which everything is wrong, word by word, each at its place.

`python -m tests.unit.mapping.lint.test_findings` writes down what it says now, to be read before it is kept.
"""

from __future__ import annotations

from pathlib import Path

from adapter.errors import Finding
from adapter.services.lint import lint

WRONG = Path(__file__).parent / "packs" / "wrong"
EXPECTED = WRONG.parent / "wrong.txt"


def line(row: Finding, folder: Path) -> str:
    """A finding in one line: place and rule, severity, id, sentence."""
    file = row.file.rpartition(f"{folder.name}/")[2] if f"{folder.name}/" in row.file else row.file
    rule = f" ({row.rule})" if row.rule not in (0, row.line) else ""
    return f"{file}:{row.line}:{row.column}{rule}: {row.severity} {row.id}: {row.sentence}"


def said(folder: Path) -> str:
    """What lint says of a pack."""
    return "".join(f"{line(row, folder)}\n" for row in lint(str(folder)))


def test_everything_wrong_is_said_as_it_is_written_down() -> None:
    assert said(WRONG).splitlines() == EXPECTED.read_text("utf-8").splitlines()


if __name__ == "__main__":
    EXPECTED.write_text(said(WRONG), "utf-8")
