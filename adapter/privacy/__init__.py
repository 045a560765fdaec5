"""What may leave, and for whom: the one gate, called where the exchange sends and where API and FHIR face answer.

A record has an origin (synthetic, test, real; absent is real), a recipient a class (own, partner, public). To a public
server only synthetic records go, with a run tag. Consent will be asked for in the same place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from adapter.errors import Refused, UsageError
from adapter.identity import NS
from adapter.ports import HostClass

Tree = dict[str, Any]
Origin = Callable[[Tree], tuple[str, str]]
Origins = Callable[[Sequence[Tree]], Sequence[tuple[str, str]]]
RUN_TAG_SYSTEM = f"{NS}/CodeSystem/run"
TEST_DATA = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
ALLOWED: dict[HostClass, frozenset[str]] = {
    "own": frozenset({"synthetic", "test", "real"}),
    "partner": frozenset({"synthetic", "test", "real"}),
    "public": frozenset({"synthetic"}),
}


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is to get it: a name for messages, the class of its host, and the run tag that goes to a public one."""

    name: str
    host_class: HostClass
    run_tag: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What may not leave: the records as kind/id (empty where none is known), and why."""

    records: tuple[str, ...]
    reason: str


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


def release(tree: Tree, recipient: Recipient, origin_of: Origin) -> Tree | Refusal:
    """The tree as it may leave, or why it may not. `origin_of` gives (origin, "kind/id") of a resource or record."""
    if recipient.host_class == "public" and not recipient.run_tag:
        return Refusal((), "To a public server nothing goes without a run tag.")
    allowed = ALLOWED[recipient.host_class]
    held: list[str] = []
    for resource in _inner(tree):
        origin, record = origin_of(resource)
        if origin not in allowed:
            held.append(record)
    if held:
        named = tuple(sorted({record for record in held if record}))
        return Refusal(named, f"To a {recipient.host_class} server only synthetic records go.")
    return _tagged(tree, recipient.run_tag) if recipient.host_class == "public" else tree


def let_out(tree: Tree, recipient: Recipient, origin_of: Origin) -> Tree:
    """`release`, for callers that cannot go on without: raises Refused."""
    found = release(tree, recipient, origin_of)
    if isinstance(found, Refusal):
        which = f"{len(found.records)} record(s): {', '.join(found.records)}." if found.records else ""
        raise Refused(found.reason, place=recipient.name, remedy=which)
    return found


def together(tree: Tree, origins: Origins) -> Origin:
    """`origin_of` for one tree, everything in it looked up at once."""
    inner = list(_inner(tree))
    found = dict(zip(map(id, inner), origins(inner), strict=True))
    return lambda resource: found[id(resource)]


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
