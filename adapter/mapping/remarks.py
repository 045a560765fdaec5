"""The comments and blank lines of a YAML text, each beside the node that it belongs to."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml


@dataclass(slots=True)
class _Unit:
    """A key or an item: what may have a line of its own. `start` and `end` are offsets."""

    node: yaml.Node
    start: int
    end: int
    before: list[str] = field(default_factory=list)
    behind: str = ""


class Remarks:
    """What stands before and behind each key and item of a text; `last` is what stands below them all."""

    def __init__(self, text: str, root: yaml.Node) -> None:
        self._units = sorted(_units(root), key=lambda unit: (unit.start, -unit.end))
        self._starts = [unit.start for unit in self._units]
        self._by_node = {id(unit.node): unit for unit in self._units}
        self.last: list[str] = []
        self._inside = _scalars(text)
        offset = 0
        for line in text.split("\n"):
            self._line(line, offset)
            offset += len(line) + 1

    def before(self, node: yaml.Node) -> list[str]:
        """The comments above a node, and an empty text for a blank line."""
        unit = self._by_node.get(id(node))
        return unit.before if unit is not None else []

    def behind(self, node: yaml.Node) -> str:
        """The comment behind a node, with the blanks before it; empty where there is none."""
        unit = self._by_node.get(id(node))
        return f"  {unit.behind}" if unit is not None and unit.behind else ""

    def at(self, node: yaml.Node) -> bool:
        """Whether any comment belongs to a node."""
        unit = self._by_node.get(id(node))
        return unit is not None and bool(unit.behind or any(unit.before))

    def _line(self, line: str, offset: int) -> None:
        stripped = line.strip()
        if not stripped:
            if not self._within(offset):
                self._above(offset, "")
            return
        at = self._comment(line, offset)
        if at is None:
            return
        comment, end = line[at:].strip(), offset + at
        here = self._units[bisect_left(self._starts, offset) : bisect_left(self._starts, end)]
        if stripped.startswith("#") or not here:
            self._above(end, comment)
        else:
            whole = [unit for unit in here if unit.end <= end]
            (whole[0] if whole else here[-1]).behind = comment

    def _above(self, offset: int, comment: str) -> None:
        index = bisect_left(self._starts, offset)
        below = self._units[index].before if index < len(self._units) else self.last
        if comment or not below or below[-1]:
            below.append(comment)

    def _comment(self, line: str, offset: int) -> int | None:
        """Where in a line the comment begins, if there is one."""
        at = line.find("#")
        while at >= 0:
            if (at == 0 or line[at - 1].isspace()) and not self._within(offset + at):
                return at
            at = line.find("#", at + 1)
        return None

    def _within(self, offset: int) -> bool:
        """Whether a scalar stands there: a # inside of one is no comment."""
        index = bisect_right(self._inside, (offset, 1 << 60)) - 1
        return index >= 0 and offset < self._inside[index][1]


def _units(node: yaml.Node) -> Iterator[_Unit]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield _Unit(key, key.start_mark.index, _end(value))
            yield from _units(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield _Unit(item, item.start_mark.index, _end(item))
            yield from _units(item)


def _end(node: yaml.Node) -> int:
    """Where a node ends; a block ends where its last part does."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _scalars(text: str) -> list[tuple[int, int]]:
    """Where scalars stand, in their order."""
    tokens = yaml.scan(text, Loader=yaml.CSafeLoader)
    return [(t.start_mark.index, t.end_mark.index) for t in tokens if isinstance(t, yaml.ScalarToken)]
