"""How much of a resource the records alone give back: its leaves, counted before and after a round without remainder.

A leaf is a primitive at an element path (`Goal.target.dueDate`; places in lists are left out). Not counted are `id`,
`meta`, `text`, `contained`, `implicitRules` and extensions of others. A Reference is one leaf, whatever names its
target: what counts is that it still leads to the same record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from adapter.identity import NS
from adapter.mapping.apart import take_apart
from adapter.mapping.bundle import Analysis
from adapter.mapping.convert import from_fhir, to_fhir
from adapter.mapping.mapper import PackMaps
from adapter.mapping.scope import Scope

Tree = dict[str, Any]
Leaf = tuple[str, str]
_NOT_COUNTED = frozenset({"resourceType", "id", "meta", "text", "contained", "implicitRules"})
_NOT_INSIDE = frozenset({"id"})


@dataclass(slots=True)
class Tally:
    """Leaves by path: all that there are, and those that came back."""

    total: Counter[str] = field(default_factory=Counter)
    back: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Count the leaves of another one too."""
        self.total.update(other.total)
        self.back.update(other.back)

    def share(self, path: str = "") -> float:
        """The share that came back, of the paths that begin so; 1 where there are none."""
        total = sum(count for name, count in self.total.items() if name.startswith(path))
        return sum(count for name, count in self.back.items() if name.startswith(path)) / total if total else 1.0

    def lost(self) -> list[tuple[str, int]]:
        """Paths that lost leaves and how many, the most first."""
        rows = ((path, count - self.back[path]) for path, count in self.total.items())
        return sorted((row for row in rows if row[1]), key=lambda row: (-row[1], row[0]))


def understood(pack: PackMaps, tree: Tree, *, fhir: str | None = None) -> Tally:
    """The leaves of a resource or Bundle, and those that its records give back with the remainder thrown away."""
    read = from_fhir(pack, tree, fhir=fhir)
    written = to_fhir(pack, read.records).tree
    there, again = _counted(pack, tree), _counted(pack, written)
    tally = Tally()
    for leaf, count in there.items():
        tally.total[leaf[0]] += count
        tally.back[leaf[0]] += min(count, again[leaf])
    return tally


def leaves(pack: PackMaps, tree: Tree) -> Iterator[Leaf]:
    """(path, value as text) of every leaf of a resource, or of the resources of a Bundle, that is counted."""
    analysis = Analysis(pack, take_apart(tree))
    refs = analysis.refs({})
    for index, resource in enumerate(analysis.input.resources):
        type_, scope = resource.get("resourceType"), Scope(refs, "", analysis.ids[index], {}, resource)
        for key, value in resource.items():
            if key not in _NOT_COUNTED:
                yield from _walk(f"{type_}.{key}", value, scope)


def _counted(pack: PackMaps, tree: Tree) -> Counter[Leaf]:
    return Counter(leaves(pack, tree))


def _target(reference: Tree, scope: Scope) -> str | None:
    """The id of the record that a Reference leads to, or the literal itself where it leads to none."""
    found = scope.refs.link(reference) or scope.contained(reference)
    if found is not None:
        return found[1]
    literal = reference.get("reference")
    return literal if type(literal) is str else None


def _walk(path: str, node: Any, scope: Scope) -> Iterator[Leaf]:
    if type(node) is list:
        for inner in node:
            yield from _walk(path, inner, scope)
    elif type(node) is dict:
        yield from _object(path, node, scope)
    elif node is not None:
        yield path, f"{type(node).__name__} {node}"


def _object(path: str, node: Tree, scope: Scope) -> Iterator[Leaf]:
    url = node.get("url")
    if path.endswith("xtension") and not (type(url) is str and _is_ours(path, url)):
        return
    target = _target(node, scope)
    if target is not None:
        yield f"{path}.reference", target
    for key, value in node.items():
        if key not in _NOT_INSIDE and not (key == "reference" and target is not None):
            yield from _walk(f"{path}.{key.removeprefix('_')}", value, scope)


def _is_ours(path: str, url: str) -> bool:
    return url.startswith(NS) or path.endswith("xtension.extension")
