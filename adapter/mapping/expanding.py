"""The files of a pack as the compiler and the table of rules see them: of one FHIR release, with their short forms told out.

`only: R5` on a file or a pair is for that release alone (R4 stands for R4B too, which is the same tree). `object: GROUP`
is the pairs of a group, each below the two paths of the pair that names it. A file with `groups` alone (`groups.yaml`)
gives groups to all files of its pack.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapter.mapping import source
from adapter.mapping.source import Faults, Mapping, Sequence
from adapter.packs.extras import extra_of

RELEASES = ("R4", "R5")
_DEEPEST = 8
_INSIDE = ("items", "inline", "beside")
Files = dict[str, tuple[str, Mapping]]
Placed = tuple[Any, tuple[int, int]]


def expanded(texts: source.Texts, release: str, faults: Faults) -> Files:
    """(file, tree) by name of map, from (file, text). What cannot be read is told in `faults` and left out."""
    from adapter.mapping import parsing

    read = {name: (file, parsing.read(text, file, faults)) for name, (file, text) in texts.items()}
    trees = {name: (file, tree) for name, (file, tree) in read.items() if tree is not None}
    added = _added(trees)
    _unknown_kinds(trees, faults)
    shared: dict[str, Any] = {}
    for _, tree in trees.values():
        if _gives(tree):
            shared.update(tree["groups"])
    return {
        name: (file, _Expander(_with(tree, added), shared, release, faults).tree())
        for name, (file, tree) in trees.items()
        if not _gives(tree) and not _is_head(tree) and _serves(tree, release, faults)
    }


def _is_head(tree: Mapping) -> bool:
    """Whether it is a pack.yaml, which is among the files where the pack adds fields to kinds."""
    return "name" in tree and "version" in tree


def _added(trees: Files) -> dict[str, list[Mapping]]:
    """The pairs of the fields that pack.yaml adds, by kind, each with its place there."""
    found: dict[str, list[Mapping]] = {}
    for _, head in trees.values():
        extra = head.get("extra") if _is_head(head) else None
        for kind, fields in extra.items() if isinstance(extra, Mapping) else ():
            for name, keys in fields.items():
                declared = extra_of(head["name"], kind, name, keys)
                if not isinstance(declared, str):
                    found.setdefault(kind, []).append(_pair(declared.rule(), fields, name))
    return found


def _unknown_kinds(trees: Files, faults: Faults) -> None:
    """Kinds to which a pack adds fields and that none of its maps is for."""
    known = {str(tree.get("record")) for _, tree in trees.values() if "at" not in tree}
    for file, head in trees.values():
        extra = head.get("extra") if _is_head(head) else None
        for kind in extra if isinstance(extra, Mapping) else ():
            if kind not in known:
                faults.add(file, extra, "record-kind", f"there is no record kind {kind}", kind)


def _pair(rule: dict[str, str], fields: Mapping, name: str) -> Mapping:
    made = Mapping(rule)
    made.file, (made.line, made.column) = fields.file, fields.lines[name]
    made.lines = dict.fromkeys(rule, fields.lines[name])
    return made


def _with(tree: Mapping, added: dict[str, list[Mapping]]) -> Mapping:
    """A file with the pairs that are added to its kind; a file for the items of a list has none."""
    rows, more = tree.get("rules"), added.get(str(tree.get("record")), [])
    if "at" in tree or not more or not isinstance(rows, Sequence):
        return tree
    made = Mapping(tree)
    made.file, made.line, made.column, made.lines = tree.file, tree.line, tree.column, tree.lines
    pairs = [*zip(rows, rows.spots, strict=True), *((row, (row.line, row.column)) for row in more)]
    made["rules"] = rows.copied(pairs)
    return made


def _gives(tree: Mapping) -> bool:
    return tree.keys() == {"groups"} and isinstance(tree["groups"], dict)


def _serves(row: Mapping, release: str, faults: Faults) -> bool:
    only = row.get("only", release)
    if only not in RELEASES:
        faults.add(row.file, row, "release-unknown", f"expected a release: {' or '.join(RELEASES)}", "only")
    return bool(only == release)


class _Expander:
    """One file, of one release."""

    def __init__(self, tree: Mapping, shared: dict[str, Any], release: str, faults: Faults) -> None:
        self.source, self.release, self.faults = tree, release, faults
        own = tree.get("groups")
        self.groups = {**shared, **(own if isinstance(own, dict) else {})}

    def tree(self) -> Mapping:
        """The file, told out."""
        made = _without_only(self.source)
        if "rules" in made:
            made["rules"] = self.rows(made["rules"])
        if self.groups and isinstance(made.get("groups", {}), dict):
            made["groups"] = {name: self.rows(rows) for name, rows in self.groups.items()}
        return made

    def rows(self, rows: Any, depth: int = 0) -> Any:
        """A list of pairs, told out; anything else as it is."""
        if not isinstance(rows, Sequence):
            return rows
        pairs = zip(rows, rows.spots, strict=True)
        return rows.copied((told, spot) for row, spot in pairs for told in self._row(row, depth))

    def _row(self, row: Any, depth: int) -> Iterator[Any]:
        if not isinstance(row, Mapping):
            yield row
        elif _serves(row, self.release, self.faults):
            told = _without_only(row)
            for key in _INSIDE:
                if key in told:
                    told[key] = self.rows(told[key], depth)
            yield from self._object(told, depth) if "object" in told else [told]

    def _object(self, row: Mapping, depth: int) -> Iterator[Any]:
        rows = self.groups.get(str(row["object"]))
        if not isinstance(rows, Sequence):
            self.faults.add(row.file, row, "group-unknown", f"unknown group {row['object']}", "object")
        elif depth > _DEEPEST:
            self.faults.add(row.file, row, "group-loop", f"the group {row['object']} holds itself", "object")
        else:
            for inner in self.rows(rows, depth + 1):
                yield _below(row, inner) if isinstance(inner, Mapping) else inner


def _without_only(row: Mapping) -> Mapping:
    return row.copied({key: value for key, value in row.items() if key != "only"})


def _below(row: Mapping, inner: Mapping) -> Mapping:
    """A pair of a group, at the place of the pair that names the group and below its paths."""
    told = row.copied(dict(inner))
    for key in ("record", "fhir"):
        if key in inner and key in row:
            told[key] = f"{row[key]}.{inner[key]}"
    return told
