"""A mapping file as text: YAML read into plain trees, every node with the line and column it came from.

Scalars stay text (`NO`, `on`, `012`), tags and anchors are refused: a file cannot build objects or blow itself up.
"""

from __future__ import annotations

from collections import abc
from dataclasses import dataclass
from typing import Any

import yaml

from adapter.errors import Finding, PackError
from adapter.packs.reading import compose, note

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
            rows = sorted(self, key=lambda fault: (fault.file, fault.line, fault.column))
            raise PackError(f"{what} has {len(rows)} fault(s).", faults=rows)


def place(node: Any, key: str | None = None) -> tuple[int, int]:
    """Line and column of a node of `read`, or of one of its keys."""
    spot = (getattr(node, "line", 1), getattr(node, "column", 1))
    return node.lines.get(key, spot) if key is not None and isinstance(node, Mapping) else spot


def read(text: str | bytes, file: str, faults: list[Finding]) -> Mapping | None:
    """The tree of a YAML file; what is wrong is appended to `faults`, and then there is none."""
    before = len(faults)
    node = compose(text, file, faults)
    if len(faults) > before:
        return None
    if not isinstance(node, yaml.MappingNode):
        note(faults, file, None, "file-shape", "expected an object with the keys map, record, resource and rules")
        return None
    tree = _Reader(file, faults).mapping(node)
    return tree if len(faults) == before else None


@dataclass(frozen=True, slots=True)
class _Reader:
    file: str
    faults: list[Finding]

    def plain(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node)
        if isinstance(node, yaml.SequenceNode):
            made = Sequence(self.plain(child) for child in node.value)
            made.line, made.column = node.start_mark.line + 1, node.start_mark.column + 1
            made.spots = [(child.start_mark.line + 1, child.start_mark.column + 1) for child in node.value]
            return made
        return str(node.value)

    def mapping(self, node: yaml.MappingNode) -> Mapping:
        tree = Mapping()
        tree.line, tree.column = node.start_mark.line + 1, node.start_mark.column + 1
        tree.lines, tree.file = {}, self.file
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key_node, yaml.ScalarNode):
                note(self.faults, self.file, key_node.start_mark, "yaml-key", "expected a name")
            elif key in tree:
                text = f"the key {key} stands here twice"
                note(self.faults, self.file, key_node.start_mark, "yaml-key-twice", text)
            else:
                tree[key] = self.plain(value_node)
                tree.lines[key] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        return tree
