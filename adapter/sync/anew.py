"""A part that is sent anew, as what there was of it there is no more: it gets another id there, and what refers to it is
written once more, with that.
"""

from __future__ import annotations

from collections.abc import Iterable

from adapter.fhir_json import Tree
from adapter.ports import Link
from adapter.sync.outgoing import references
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


def refer_anew(store: Store, server: str, links: Iterable[Link]) -> None:
    """What is there and refers to these is as if it had been sent without them, and waits for them."""
    lost = {link.local for link in links}
    # The list is made first: nothing is written while it is read.
    there = [link for link in store.links(server) if link.linked and link.state in ("linked", "partial")]
    for some in chunks(there, CHUNK):
        stored = store.resources(link.local for link in some)
        asked = [link for link in some if link.local in stored and lost & set(references(stored[link.local].tree))]
        leased = store.lease(asked, seconds=LEASE)
        bases = store.versions((*link.local, link.base) for link in leased if link.base)
        store.settle([_without(link, bases.get(link.local), lost) for link in leased])


def _without(link: Link, base: Tree | None, lost: set[tuple[str, str]]) -> Link:
    seen = link.seen if link.seen is not None else base
    rest = rewritten(seen, lambda literal: None if relative(literal) in lost else literal) if seen is not None else None
    return link.replace(seen=rest, acked=0, state="partial", reason="a reference is written anew", lease_until="")
