"""What may leave, and for whom: the one gate, called where the exchange sends and where API and FHIR face answer.

A record has an origin (synthetic, test, real; absent is real), a recipient a class (own, partner, public). To a public
server only synthetic records go, with a run tag. What the consents of a patient say is asked here too (`consent`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from adapter.errors import Refused, UsageError
from adapter.identity import NS
from adapter.ports import HostClass, Owner
from adapter.privacy.consent import Recipient, Said, asked, part_of, weigh

__all__ = [
    "ALLOWED", "RUN_TAG_SYSTEM", "Asking", "Decision", "Recipient", "Refusal", "classify", "is_loopback", "let_out",
    "public_hosts", "release",
]  # fmt: skip

Tree = dict[str, Any]
Owners = Callable[[Sequence[Tree]], Sequence[Owner]]
RUN_TAG_SYSTEM = f"{NS}/CodeSystem/run"
TEST_DATA = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
ALLOWED: dict[HostClass, frozenset[str]] = {
    "own": frozenset({"synthetic", "test", "real"}),
    "partner": frozenset({"synthetic", "test", "real"}),
    "public": frozenset({"synthetic"}),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What may not leave: the records as kind/id (empty where none is known), and why. `consent` says that it is for want
    of one, `places` which resources of the tree, counted from 0.
    """

    records: tuple[str, ...]
    reason: str
    consent: bool = False
    places: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What consents decided of a resource for a recipient: its record as kind/id, which part of it (its type, with the id
    of the item where it is one of several), whether it went, and why.
    """

    record: str
    part: str
    went: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Asking:
    """What the gate asks: whose resources are, which consents there are of these patients (by record id), and the time;
    `note` is told what they decided.
    """

    owners: Owners
    consents: Callable[[Collection[str]], Mapping[str, Sequence[Tree]]] = lambda _: {}
    now: Callable[[], datetime] | None = None
    note: Callable[[Sequence[Decision]], None] = lambda _: None


@cache
def public_hosts() -> frozenset[str]:
    """Hosts that are known to be public; they can't be re-classed."""
    tree = json.loads((files("adapter.privacy") / "public_hosts.json").read_text("utf-8"))
    return frozenset(tree["hosts"])


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine's."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def classify(url: str, declared: str | None = None) -> HostClass:
    """The class of a server: own on loopback, public where nothing else is said. Raises UsageError for a listed public
    host that is declared to be another.
    """
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    if host in public_hosts() or any(host.endswith(f".{name}") for name in public_hosts()):
        if declared not in (None, "public"):
            raise UsageError("This host is known to be public; no class changes that.", place=host)
        return "public"
    if declared is not None:
        if declared not in ALLOWED:
            raise UsageError("A server is of class own, partner or public.", place="--class")
        return declared
    return "own" if is_loopback(host) else "public"


def release(tree: Tree, recipient: Recipient, asking: Asking) -> Tree | Refusal:
    """The tree as it may leave, or why it may not. Of a search or a history, what consents withhold is left out."""
    if recipient.host_class == "public" and not recipient.run_tag:
        return Refusal((), "To a public server nothing goes without a run tag.")
    inner = list(_inner(tree))
    owners = asking.owners(inner)
    allowed = ALLOWED[recipient.host_class]
    if held := [owner.record for owner in owners if owner.origin not in allowed]:
        return Refusal(_named(held), f"To a {recipient.host_class} server only synthetic records go.")
    withheld = _withheld(inner, owners, recipient, asking)
    if withheld and not _is_list(tree):
        records = _named(owners[place].record for place in withheld)
        return Refusal(records, next(iter(withheld.values())), consent=True, places=tuple(withheld))
    left = _without(tree, {id(inner[place]) for place in withheld}) if withheld else tree
    return _tagged(left, recipient.run_tag) if recipient.host_class == "public" else left


def _named(records: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({record for record in records if record}))


def _withheld(inner: Sequence[Tree], owners: Sequence[Owner], recipient: Recipient, asking: Asking) -> dict[int, str]:
    """Which resources consents keep back, by their place, and why."""
    patients = {owner.patient for owner in owners if owner.patient}
    consents = asking.consents(patients) if patients else {}
    if (not consents and not recipient.needs_consent) or asking.now is None:
        return {}
    now, decided, found = asking.now(), list[Decision](), dict[int, str]()
    for place, (tree, owner) in enumerate(zip(inner, owners, strict=True)):
        if not owner.patient:
            continue
        said = weigh(consents.get(owner.patient, ()), asked(tree, recipient, now))
        if not said.word and recipient.needs_consent and owner.origin == "real":
            said = Said("ended", "no consent permits it")
        if said.word:
            decided.append(Decision(owner.record, part_of(tree, owner.record), not said.stops, said.reason))
        if said.stops:
            found[place] = said.reason
    if decided:
        asking.note(decided)
    return found


def let_out(tree: Tree, recipient: Recipient, asking: Asking) -> Tree:
    """`release`, for callers that cannot go on without: raises Refused."""
    found = release(tree, recipient, asking)
    if isinstance(found, Refusal):
        which = f"{len(found.records)} record(s): {', '.join(found.records)}." if found.records else ""
        raise Refused(found.reason, place=recipient.name, remedy=which, consent=found.consent, places=found.places)
    return found


def _is_list(tree: Tree) -> bool:
    return tree.get("resourceType") == "Bundle" and tree.get("type") in ("searchset", "history")


def _without(tree: Tree, withheld: Collection[int]) -> Tree:
    """A search or history without these resources; how many there are in all is then not said."""
    kept = [row for row in tree["entry"] if id(row.get("resource")) not in withheld]
    rest = {key: value for key, value in tree.items() if key not in ("total", "entry")}
    return {**rest, "entry": kept} if kept else rest


def _inner(tree: Tree) -> Iterator[Tree]:
    """The resources and records of a tree."""
    if tree.get("resourceType") == "Bundle":
        for entry in tree.get("entry") or []:
            if isinstance(entry, dict) and isinstance(entry.get("resource"), dict):
                yield entry["resource"]
    elif tree.get("resourceType") == "Parameters":
        for parameter in tree.get("parameter") or []:
            if isinstance(parameter, dict) and isinstance(parameter.get("resource"), dict):
                yield parameter["resource"]
    else:
        yield tree


def _tagged(tree: Tree, run_tag: str) -> Tree:
    if tree.get("resourceType") in ("Bundle", "Parameters"):
        name = "entry" if tree["resourceType"] == "Bundle" else "parameter"
        rows = [
            {**row, "resource": _tagged(row["resource"], run_tag)} if isinstance(row.get("resource"), dict) else row
            for row in tree.get(name) or []
        ]
        return {**tree, name: rows}
    meta = tree.get("meta", {})
    tags = [*meta.get("tag", []), {"system": RUN_TAG_SYSTEM, "code": run_tag}]
    return {**tree, "meta": {**meta, "tag": tags, "security": [*meta.get("security", []), TEST_DATA]}}
