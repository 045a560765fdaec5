"""What was last seen of a server: where it is older there than it was, the server came back from a backup."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice

from adapter.errors import Gone, NotFound
from adapter.fhir_json import Tree
from adapter.ports import ENDED, Versioned, moment
from adapter.sync.partner import Partner
from adapter.sync.stamps import is_lower, same_moment

# So many, as one may be deleted: then the next one tells.
MOST = 3


def _newest(rows: Iterable[Versioned]) -> list[Versioned]:
    """Those with the latest stamps, the latest first."""
    stamped = [row for row in rows if row.last_updated]
    return sorted(stamped, key=lambda row: moment(row.last_updated), reverse=True)[:MOST]


def remember(partner: Partner, rows: Iterable[Versioned]) -> list[Versioned]:
    """What the server has just said that it has, before it is recorded: whoever dies in between has not missed it. Gives the
    newest, so that more can be read in any order.
    """
    found = _newest(rows)
    for name, seen in sentinels(partner, found).items():
        partner.store.note(name, sentinel=seen)
    return found


def sentinels(partner: Partner, rows: Iterable[Versioned]) -> dict[str, Tree]:
    """What is to be kept of the server after these, by its name, to be written with what is recorded of them; nothing where
    that is known.
    """
    new = [_row(str(row.resource["resourceType"]), str(row.resource["id"]), row.version, row.last_updated)
           for row in _newest(rows)]  # fmt: skip
    if len(new) == MOST:
        return {partner.name: {"seen": new}}
    old = partner.store.state(partner.name).sentinel.get("seen", []) if new else []
    names = {(one["type"], one["id"]) for one in new}
    kept = [*new, *(one for one in old if (one["type"], one["id"]) not in names)][:MOST]
    return {partner.name: {"seen": kept}} if kept != old else {}


def forget(partner: Partner) -> None:
    """After an incident: what was seen before it says nothing any more."""
    partner.store.note(partner.name, sentinel={})


def stands(partner: Partner) -> bool:
    """Whether what was last seen there is there as it was, or newer. What was deleted in the ordinary way leaves a trace, and
    is no sign.
    """
    for kept in islice(chain(partner.store.state(partner.name).sentinel.get("seen", []), _known(partner)), MOST):
        try:
            found = partner.client.read(kept["type"], kept["id"])
        except Gone:
            continue
        except NotFound:
            return False
        return _not_older(kept, found)
    return True


def _not_older(kept: Tree, found: Versioned) -> bool:
    old, new = str(kept["version"]), found.version
    if old == new:
        return same_moment(str(kept["updated"]), found.last_updated)
    return not is_lower(new, old)


def _known(partner: Partner) -> Iterator[Tree]:
    """Where nothing was seen there yet: something that is linked."""
    for link in partner.store.links(partner.name):
        if link.linked and link.state not in ENDED:
            yield _row(link.type, link.remote_id, link.remote_version, link.remote_updated)


def _row(type_: str, id_: str, version: str, updated: str) -> Tree:
    return {"type": type_, "id": id_, "version": version, "updated": updated}
