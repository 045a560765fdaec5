"""A part that is sent anew, as what there was of it there is no more: it gets another id there, and what refers to it is
written once more, with that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from adapter.fhir_json import Tree
from adapter.ports import ENDED, Link
from adapter.sync.outgoing import Key, references
from adapter.sync.pages import chunks
from adapter.sync.partner import Store
from adapter.sync.references import relative, rewritten

CHUNK = 500
LEASE = 60.0


def anew(link: Link) -> Link:
    """The link as it was before anything of it was sent."""
    return link.replace(
        remote_id="", remote_version="", base=0, seen=None, acked=0, state="waiting", reason="", attempts=0,
        not_before="", lease_until="", in_flight="", flight=0, theirs=None, theirs_version="",
    )  # fmt: skip


def not_there(link: Link) -> Link:
    """The link to what is not there any more: a record that is brought back is sent anew, and what comes back there is known."""
    return link.replace(remote_version="", remote_updated="", base=0, seen=None)


def refer_anew(store: Store, server: str, links: Iterable[Link]) -> None:
    """What is there and refers to these is as if it had been sent without them, and waits for them."""
    _without(store, server, {link.local for link in links}, named=True)


def refer_again(store: Store, server: str, links: Iterable[Link]) -> None:
    """What was sent without these, as they were gone there, is sent once more where they are there again."""
    present = store.local(server, [link.local for link in links])
    back = {one.local for one in present.values() if one.remote_id and one.state not in ENDED}
    if back:
        _without(store, server, back, named=False)


def _without(store: Store, server: str, lost: set[Key], *, named: bool) -> None:
    """What refers to these is as if it had been sent without them; unless `named`, only where theirs does not name them."""
    # The list is made first: nothing is written while it is read.
    there = [link for link in store.links(server) if link.linked and link.state in ("linked", "partial")]
    for some in chunks(there, CHUNK):
        stored = store.resources(link.local for link in some)
        asked = {link.key: lost & set(references(stored[link.local].tree)) for link in some if link.local in stored}
        leased = store.lease([link for link in some if asked.get(link.key)], seconds=LEASE)
        bases = store.versions((*link.local, link.base) for link in leased if link.base)
        rows = [(link, link.seen if link.seen is not None else bases.get(link.local)) for link in leased]
        store.settle(
            [
                sent_without(link, seen, lost)
                if named or asked[link.key] - set(references(seen))
                else link.replace(lease_until="")
                for link, seen in rows
            ]
        )


def sent_without(link: Link, seen: Tree | None, lost: Collection[Key]) -> Link:
    """The link as if it had been sent, as is seen there, without what it refers to that is lost."""
    rest = rewritten(seen, lambda literal: None if relative(literal) in lost else literal) if seen is not None else None
    return link.replace(seen=rest, acked=0, state="partial", reason="a reference is written anew", lease_until="")
