"""What is made of a pack's files each time it is loaded, out of the cache and into it: the mapping files told out, with
the place of every node, and the JSON Schemas of the adapter's own kinds of record.

A node is its text, or a list: `[line, column, file, {key: [line, column]}, {key: node}]` of an object,
`[line, column, [[line, column]…], [node…]]` of a list. Groups that files share stand once.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from adapter import fhir_json
from adapter.mapping import source
from adapter.mapping.expanding import Files, expanded
from adapter.mapping.source import Faults, Mapping, Sequence
from adapter.packs import cache as disk

Tree = dict[str, Any]


def told(texts: source.Texts, release: str, faults: Faults) -> Files:
    """What `expanded` gives, from the cache where these very files were told out without a fault before."""
    key = disk.key_of(f"maps {release}", _parts(texts))
    kept = disk.read(key, _files)
    if kept is not None:
        return kept
    before = len(faults)
    files = expanded(texts, release, faults)
    if len(faults) == before:
        disk.put(key, json.dumps(_rows(files), separators=(",", ":")).encode())
    return files


@cache
def schemas() -> dict[str, Tree]:
    """The JSON Schema of each kind of record of the adapter's own; shared trees, not to be changed."""
    key = disk.key_of("schemas", ())
    kept: dict[str, Tree] | None = disk.read(key, dict)
    if kept is not None:
        return kept
    from adapter.records import KINDS, json_schema

    found = {kind: json_schema(kind) for kind in KINDS}
    disk.put(key, fhir_json.dumps(found))
    return found


def _parts(texts: source.Texts) -> list[bytes]:
    parts: list[bytes] = []
    for name, (file, text) in texts.items():
        parts += [each.encode(errors="surrogatepass") if isinstance(each, str) else each for each in (name, file, text)]
    return parts


def _rows(files: Files) -> list[Any]:
    """`[[node of a group…], {map: [file, node without groups, {group: its number} or null]}]`."""
    numbers: dict[str, int] = {}
    rows = {}
    for name, (file, tree) in files.items():
        groups = tree.get("groups")
        shared = None
        if isinstance(groups, dict):
            texts = {key: json.dumps(_plain(value)) for key, value in groups.items()}
            shared = {key: numbers.setdefault(text, len(numbers)) for key, text in texts.items()}
        plain = _plain(tree if shared is None else tree.copied({k: v for k, v in tree.items() if k != "groups"}))
        rows[name] = (file, plain, shared)
    return [[json.loads(text) for text in numbers], rows]


def _files(entry: list[Any]) -> Files:
    groups = [_node(row) for row in entry[0]]
    found = {}
    for name, (file, row, shared) in entry[1].items():
        tree = _node(row)
        if shared is not None:
            tree["groups"] = {key: groups[number] for key, number in shared.items()}
        found[name] = (file, tree)
    return found


def _plain(node: Any) -> Any:
    if isinstance(node, Mapping):
        rows = {key: _plain(value) for key, value in node.items()}
        return [node.line, node.column, node.file, node.lines, rows]
    if isinstance(node, Sequence):
        return [node.line, node.column, node.spots, [_plain(row) for row in node]]
    return node


def _node(row: Any) -> Any:
    if type(row) is str:
        return row
    if len(row) == 5:
        line, column, file, lines, rows = row
        made = Mapping((key, _node(inner)) for key, inner in rows.items())
        made.line, made.column, made.file = line, column, file
        made.lines = {key: (at[0], at[1]) for key, at in lines.items()}
        return made
    line, column, spots, rows = row
    listed = Sequence([_node(inner) for inner in rows])
    listed.line, listed.column = line, column
    listed.spots = [(at[0], at[1]) for at in spots]
    return listed
