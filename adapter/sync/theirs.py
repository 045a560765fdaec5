"""A resource of theirs as one of ours; and what they wrote that our deletion took with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapter.errors import Gone, NotFound, ServerRefused
from adapter.fhir_json import Tree
from adapter.ports import Entry, Link
from adapter.sync.partner import Names, Partner
from adapter.sync.references import remote_to_local


def as_ours(names: Names, base: str, tree: Tree, local_id: str) -> Tree:
    """A resource of theirs as the store holds it: our ids, and not what theirs notes of each write."""
    local = remote_to_local(tree, names.local_id, base)
    out = {**local, "id": local_id, "meta": _meta(local)}
    if not out["meta"]:
        del out["meta"]
    return out


def as_sent(tree: Tree) -> Tree:
    """A resource without its id, and without what a server notes of each write."""
    rest = {key: value for key, value in tree.items() if key not in ("id", "meta")}
    meta = _meta(tree)
    return {**rest, "meta": meta} if meta else rest


def _meta(tree: Tree) -> Tree:
    return {key: value for key, value in tree.get("meta", {}).items() if not _noted(key, value)}


def _noted(key: str, value: Any) -> bool:
    """Whether a server notes this in `meta` at each write: its version and time; HAPI also the request, as a source that is
    nothing but a fragment.
    """
    return key in ("versionId", "lastUpdated") or (key == "source" and type(value) is str and value[:1] == "#")


def versions_there(partner: Partner, type_: str, remote_id: str) -> Iterator[Tree]:
    """The versions of a resource of theirs, the newest first, deletions left out; none where the server keeps no history."""
    try:
        for page in partner.client.history(type_, remote_id):
            yield from (entry["resource"] for entry in page if "resource" in entry)
    except (NotFound, Gone, ServerRefused):
        return


def overrun(partner: Partner, names: Names, link: Link, version: str = "") -> list[Entry]:
    """For the journal, what was written there after the `version` that was known (the link's), and is deleted: it may have
    been by us, late, and servers delete whatever the version, so that nobody has seen it. Empty where it was as it was known,
    or where the server keeps no history.
    """
    last = next(versions_there(partner, link.type, link.remote_id), None)
    known = {version or link.remote_version, link.theirs_version}
    if last is None or str(last.get("meta", {}).get("versionId", "")) in known:
        return []
    lost = as_ours(names, partner.client.base, last, link.local_id)
    return [Entry(*link.key, "replaced", "changed there just before it was removed", before=lost)]
