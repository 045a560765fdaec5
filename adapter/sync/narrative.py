"""The narrative of a merged resource: it tells what is in it, and not what either side said before. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from adapter.errors import DataError
from adapter.fhir_json import Tree, same
from adapter.mapping import Mapper


def retold(mapper: Mapper, whose: tuple[str, str, str], parts: Mapping[str, Tree], merged: Tree, theirs: Tree) -> Tree:
    """The merged part of a record (kind, id, part key), whose resources are `parts` so far, with a narrative that fits:
    theirs where nothing of ours is in it, else written anew by the maps.
    """
    kind, id_, part = whose
    if same(_told_apart(merged), _told_apart(theirs)):
        return theirs
    try:
        record, _ = mapper.record(kind, {**parts, part: merged}, record_id=id_)
        made, _ = mapper.parts(record, parts)
    except (DataError, KeyError):
        return merged
    text = made.get(part, {}).get("text")
    return {**merged, "text": text} if text is not None and "text" in merged else merged


def _told_apart(tree: Tree) -> Tree:
    return {name: value for name, value in tree.items() if name != "text"}
