"""A mapping file as text: YAML read into plain trees, every node with the line and column it came from.

Scalars stay text (`NO`, `on`, `012`), tags and anchors are refused: a file cannot build objects or blow itself up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from adapter.errors import PackError


class Mapping(dict[str, Any]):
    """An object of the file, with the line (from 1) where it begins and those of its keys."""

    line: int
    column: int
    lines: dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a file."""

    file: str
    line: int
    column: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.text}"


class Faults(list[Fault]):
    """All the faults of a file or pack, gathered before anything is raised."""

    def add(self, file: str, node: Any, text: str, key: str | None = None) -> None:
        """Note a fault at a node of `read`, or at one of its keys."""
        line, column = getattr(node, "line", 1), getattr(node, "column", 1)
        if key is not None and isinstance(node, Mapping):
            line, column = node.lines.get(key, (line, column))
        self.append(Fault(file, line, column, text))

    def check(self, what: str) -> None:
        """Raise PackError with every fault, in the order of files and lines, if there is any."""
        if self:
            rows = sorted(self, key=lambda fault: (fault.file, fault.line, fault.column))
            raise PackError(f"{what} has {len(rows)} fault(s).", faults=[str(row) for row in rows])


class _Refused(ValueError):
    def __init__(self, node: yaml.Node, text: str) -> None:
        super().__init__(text)
        self.node = node


def read(text: str, file: str) -> Mapping:
    """The tree of a YAML file. Raises PackError."""
    faults = Faults()
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        tree = _plain(node, set()) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        faults.append(
            Fault(file, mark.line + 1 if mark else 1, mark.column + 1 if mark else 1, f"not YAML: {error.problem}")
        )
    except yaml.YAMLError:
        faults.append(Fault(file, 1, 1, "not YAML: a character that YAML does not allow"))
    except _Refused as refused:
        mark = refused.node.start_mark
        faults.append(Fault(file, mark.line + 1, mark.column + 1, str(refused)))
    except RecursionError:
        faults.append(Fault(file, 1, 1, "nests too deeply"))
    else:
        if isinstance(tree, Mapping):
            return tree
        faults.append(Fault(file, 1, 1, "expected an object with the keys map, record, resource and rules"))
    faults.check(file)
    raise AssertionError("unreachable")


def _plain(node: yaml.Node, seen: set[int]) -> Any:
    if id(node) in seen:
        raise _Refused(node, "aliases are not part of the language")
    seen.add(id(node))
    if node.tag.startswith("!") or ":python/" in node.tag:
        raise _Refused(node, f"the tag {node.tag} is not part of the language")
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, seen)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, seen) for child in node.value]
    return str(node.value)


def _mapping(node: yaml.MappingNode, seen: set[int]) -> Mapping:
    tree = Mapping()
    tree.line, tree.column = node.start_mark.line + 1, node.start_mark.column + 1
    tree.lines = {}
    for key_node, value_node in node.value:
        key = _plain(key_node, seen)
        if not isinstance(key, str):
            raise _Refused(key_node, "expected a name")
        if key in tree:
            raise _Refused(key_node, f"the key {key} stands here twice")
        tree[key] = _plain(value_node, seen)
        tree.lines[key] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
    return tree
