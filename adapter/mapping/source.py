"""A mapping file as plain trees, every node with the line and column it came from; and the faults of files."""

from __future__ import annotations

from collections import abc
from typing import Any

from adapter.errors import Finding, PackError

# (file, text) by name of map.
Texts = abc.Mapping[str, tuple[str, str | bytes]]


class Mapping(dict[str, Any]):
    """An object of the file, with the line (from 1) where it begins and those of its keys."""

    line: int
    column: int
    lines: dict[str, tuple[int, int]]
    file: str = ""

    def copied(self, tree: dict[str, Any]) -> Mapping:
        """Another object at the same place."""
        made = Mapping(tree)
        made.line, made.column, made.lines, made.file = self.line, self.column, self.lines, self.file
        return made


class Sequence(list[Any]):
    """A list of the file, with the line and column (from 1) where it begins and those of its items."""

    line: int
    column: int
    spots: list[tuple[int, int]]

    def copied(self, rows: abc.Iterable[tuple[Any, tuple[int, int]]]) -> Sequence:
        """Another list at the same place, of items and their spots."""
        found = list(rows)
        made = Sequence(row for row, _ in found)
        made.line, made.column, made.spots = self.line, self.column, [spot for _, spot in found]
        return made


class Faults(list[Finding]):
    """All the faults of a pack, gathered before anything is raised."""

    def add(self, file: str, node: Any, id_: str, text: str, key: str | None = None, near: str = "") -> None:
        """Note a fault at a node of `read`, or at one of its keys."""
        line, column = place(node, key)
        self.append(Finding(file, line, column, id_, text, near=near))

    def check(self, what: str) -> None:
        """Raise PackError with every fault, in the order of files and lines, if there is any."""
        if self:
            rows = sorted(dict.fromkeys(self), key=lambda fault: (fault.file, fault.line, fault.column))
            raise PackError(f"{what} has {len(rows)} fault(s).", faults=rows)


def place(node: Any, key: str | None = None) -> tuple[int, int]:
    """Line and column of a node of `read`, or of one of its keys."""
    spot = (getattr(node, "line", 1), getattr(node, "column", 1))
    return node.lines.get(key, spot) if key is not None and isinstance(node, Mapping) else spot
