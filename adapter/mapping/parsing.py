"""A mapping file as text: YAML read into the trees of `source`.

Scalars stay text (`NO`, `on`, `012`), tags and anchors are refused: a file cannot build objects or blow itself up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from adapter.errors import Finding
from adapter.mapping.source import Mapping, Sequence
from adapter.packs.yaml_text import compose, note


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
