"""What was last seen of a server: where it is older there than it was, the server came back from a backup."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from adapter.errors import Gone, NotFound
from adapter.fhir_json import Tree
from adapter.ports import ENDED, Versioned, moment
from adapter.sync.partner import Partner
from adapter.sync.stamps import is_lower, same_moment

Change = Callable[[Tree], Tree]
# So many are kept from look to look, as one may be deleted: then the next one tells.
MOST = 3
# So many between two looks. A backup may come back in between, and what is seen after that says nothing of it: so each answer
# adds one, and the last that stood at a look stays.
BETWEEN = 8


def remember(partner: Partner, rows: Iterable[Versioned]) -> list[Versioned]:
    """What the server has just said that it has, before it is recorded: whoever dies in between has not missed it. Gives the
    newest, so that more can be read in any order.
    """
    found = _newest(rows)
    partner.store.settle([], seen=sighted(partner, found))
    return found


def _newest(rows: Iterable[Versioned]) -> list[Versioned]:
    """The one with the latest stamp, if any has one."""
    stamped = [row for row in rows if row.last_updated]
    return [max(stamped, key=lambda row: moment(row.last_updated))] if stamped else []


def sighted(partner: Partner, rows: Iterable[Versioned]) -> dict[str, Change]:
    """What becomes of what is kept of the server after these, by its name, to be written with what is recorded of them."""
    new = [_row(str(row.resource["resourceType"]), str(row.resource["id"]), row.version, row.last_updated)
           for row in _newest(rows)]  # fmt: skip
    names = {(one["type"], one["id"]) for one in new}

    def change(old: Tree) -> Tree:
        kept = [*new, *(one for one in old.get("seen", []) if (one["type"], one["id"]) not in names)]
        return {"seen": kept if len(kept) <= BETWEEN else [*kept[: BETWEEN - 1], kept[-1]]}

    return {partner.name: change} if new else {}


def forget(partner: Partner) -> None:
    """After an incident: what was seen before it says nothing any more."""
    partner.store.note(partner.name, sentinel={})


@dataclass(frozen=True, slots=True)
class Looked:
    """What was last seen there, looked at again: what `stood`, as it was or newer, and what `fell`, older or never there. What
    was deleted in the ordinary way leaves a trace, and is neither.
    """

    seen: list[Tree] = field(default_factory=list)
    stood: list[Tree] = field(default_factory=list)
    fell: list[Tree] = field(default_factory=list)


def look_again(partner: Partner) -> Looked:
    """Looks at all that was last seen there; where nothing of it is left, at something that is linked."""
    found = Looked()
    for kept in partner.store.state(partner.name).sentinel.get("seen", []):
        _look(partner, kept, found)
    known = iter(islice(_known(partner), MOST))
    while not (found.stood or found.fell) and (one := next(known, None)) is not None:
        _look(partner, one, found)
    return found


def _look(partner: Partner, kept: Tree, found: Looked) -> None:
    found.seen.append(kept)
    try:
        there = partner.client.read(kept["type"], kept["id"])
    except Gone:
        return
    except NotFound:
        found.fell.append(kept)
        return
    (found.stood if _not_older(kept, there) else found.fell).append(kept)


def keep(partner: Partner, found: Looked) -> None:
    """Of what was looked at the newest that stood; what has been seen since; nothing that is no sign any more."""

    def change(old: Tree) -> Tree:
        since = [one for one in old.get("seen", []) if one not in found.seen]
        return {"seen": [*since, *found.stood[:MOST]]}

    if found.seen != found.stood or len(found.stood) > MOST:
        partner.store.settle([], seen={partner.name: change})


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
