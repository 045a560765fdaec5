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
from adapter.mapping.bundle import Analysis, BundleRefs
from adapter.mapping.convert import from_fhir, to_fhir
from adapter.mapping.mapper import PackMaps
from adapter.mapping.scope import item_id

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
        type_ = resource.get("resourceType")
        for key, value in resource.items():
            if key not in _NOT_COUNTED:
                yield from _walk(f"{type_}.{key}", value, _Targets(refs, resource, analysis.ids[index]))


def _counted(pack: PackMaps, tree: Tree) -> Counter[Leaf]:
    return Counter(leaves(pack, tree))


@dataclass(frozen=True, slots=True)
class _Targets:
    """What the References of one resource lead to."""

    refs: BundleRefs
    resource: Tree
    record_id: str

    def of(self, reference: Tree) -> str | None:
        """The id of the record, or the literal itself where it leads to none."""
        found = self.refs.link(reference)
        if found is not None:
            return found[1]
        literal = reference.get("reference")
        if type(literal) is not str:
            return None
        inner = next(iter(self._contained(literal[1:])), None) if literal.startswith("#") else None
        return item_id(inner, self.record_id, literal) if inner is not None else literal

    def _contained(self, id_: str) -> Iterator[Tree]:
        found = self.resource.get("contained")
        for inner in found if type(found) is list else []:
            if type(inner) is dict and inner.get("id") == id_:
                yield inner


def _walk(path: str, node: Any, targets: _Targets) -> Iterator[Leaf]:
    if type(node) is list:
        for inner in node:
            yield from _walk(path, inner, targets)
    elif type(node) is dict:
        yield from _object(path, node, targets)
    elif node is not None:
        yield path, f"{type(node).__name__} {node}"


def _object(path: str, node: Tree, targets: _Targets) -> Iterator[Leaf]:
    url = node.get("url")
    if path.endswith(("xtension", "xtension.extension")) and not (type(url) is str and _is_ours(path, url)):
        return
    target = targets.of(node)
    if target is not None:
        yield f"{path}.reference", target
    for key, value in node.items():
        if key not in _NOT_INSIDE and not (key == "reference" and target is not None):
            yield from _walk(f"{path}.{key.removeprefix('_')}", value, targets)


def _is_ours(path: str, url: str) -> bool:
    return url.startswith(NS) or path.endswith("xtension.extension")
