"""One value of the record that FHIR says by two elements: a question of type coding, and whether other answers may be given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapter.fhir_json import same
from adapter.mapping.codecs import Values
from adapter.mapping.paths import Path, get, put
from adapter.mapping.rules import Leaf, current, not_written, set_value, take_away
from adapter.mapping.scope import Scope

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Paired:
    """`values` of the leaf are one word, or two of which the second stands at `second`.

    A second word that the table does not know is left alone, and the first one counts.
    """

    leaf: Leaf
    values: Values
    second: Path

    @property
    def source(self) -> str:
        return self.leaf.source

    @property
    def path(self) -> Path:
        """Where the first word stands in FHIR."""
        return self.leaf.path

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        one, two = current(self.path, node), current(self.second, node)
        if one is None:
            return
        found = self.values.decode(f"{one} {two}", scope) or self.values.decode(one, scope)
        if found is None:
            self.leaf.not_understood(one, scope)
        else:
            put(out, self.leaf.names, found)

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        value = get(new, self.leaf.names)
        if same(value, get(old, self.leaf.names)):
            return
        said = self.values.encode(value, None, scope)
        if said is None:
            if value is not None:
                not_written(self.source, self.path, scope)
            take_away(self.path, node)
            take_away(self.second, node)
            return
        for path, word in zip((self.path, self.second), (*said.split(" "), ""), strict=False):
            if word:
                set_value(path, path.make_holder(node), word)
            else:
                take_away(path, node)
