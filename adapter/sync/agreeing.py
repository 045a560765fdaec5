"""Conflicts that are none any more: somebody wrote here what stands there, without deciding anything."""

from __future__ import annotations

from adapter.fhir_json import Tree, same
from adapter.ports import Entry, Link, StoredResource
from adapter.sync.partner import Partner, Report, bare

REASON = "both sides say the same by now"


def agreed(partner: Partner, report: Report, *, dry_run: bool = False) -> None:
    """Ends what is in conflict and has become the same on both sides; what only a server's habits tell apart (the narrative)
    is then ours to send.
    """
    store = partner.store
    links = store.links_at({one.key for one in store.conflicts(partner.name)})
    held = [link for link in links.values() if link.state == "conflict"]
    stored = store.resources(link.local for link in held)
    alike = [link for link in held if _alike(link.theirs, stored.get(link.local))]
    if dry_run:
        for link in alike:
            report.add(link, "would agree", REASON)
        return
    for link in store.lease(alike, seconds=partner.lease):
        local = stored[link.local]
        if link.state == "conflict" and _alike(link.theirs, local):
            done = settled_on(link, local.tree, local.version).replace(not_before="")
            store.clash(done, [], [Entry(*link.key, "agreed", REASON)])
            report.add(link, "agreed", REASON)
        else:
            store.settle([link.replace(lease_until="")])


def _alike(theirs: Tree | None, local: StoredResource | None) -> bool:
    return theirs is not None and local is not None and not local.deleted and same(bare(local.tree), bare(theirs))


def settled_on(link: Link, tree: Tree, version: int) -> Link:
    """A link in conflict as it is where ours is this tree, of that version, from now on: theirs is what was last seen."""
    known = link.replace(
        state="linked", reason="", attempts=0, lease_until="", in_flight="", theirs=None, theirs_version="",
        remote_version=link.theirs_version,
    )  # fmt: skip
    if same(tree, link.theirs):
        return known.replace(acked=version, base=version, seen=None)
    return known.replace(acked=0, base=0, seen=link.theirs)
