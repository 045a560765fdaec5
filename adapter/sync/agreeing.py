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
    keys = dict.fromkeys(one.key for one in store.conflicts(partner.name))
    held = [link for key in keys if (link := store.link(key)) is not None and link.state == "conflict"]
    stored = store.resources(link.local for link in held)
    alike = [link for link in held if _alike(link.theirs, stored.get(link.local))]
    if dry_run:
        for link in alike:
            report.add(link, "would agree", REASON)
        return
    for link in store.lease(alike, seconds=partner.lease):
        local = stored[link.local]
        if link.state == "conflict" and _alike(link.theirs, local):
            store.clash(_settled(link, local), [], [Entry(*link.key, "agreed", REASON)])
            report.add(link, "agreed", REASON)
        else:
            store.settle([link.replace(lease_until="")])


def _alike(theirs: Tree | None, local: StoredResource | None) -> bool:
    return theirs is not None and local is not None and not local.deleted and same(bare(local.tree), bare(theirs))


def _settled(link: Link, local: StoredResource) -> Link:
    known = link.replace(
        state="linked", reason="", attempts=0, not_before="", lease_until="", in_flight="", theirs=None,
        theirs_version="", remote_version=link.theirs_version,
    )  # fmt: skip
    if link.theirs is not None and same(local.tree, link.theirs):
        return known.replace(acked=local.version, base=local.version, seen=None)
    return known.replace(acked=0, base=0, seen=link.theirs)
