"""What is waiting, refused or in conflict, and why: one row for each server, one for each part that is not in step."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapter.fhir_json import Tree
from adapter.ports import Link, SyncLedger


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """One server: its address and class, how many links are in which state, and those that need a look."""

    name: str
    url: str
    host_class: str
    counts: dict[str, int]
    open: list[Link] = field(default_factory=list)


def state_of(link: Link) -> str:
    """linked, waiting, refused, conflict, gone or closed."""
    return "waiting" if link.state == "linked" and link.wanted != link.acked else link.state


def status(ledger: SyncLedger, name: str | None = None) -> list[ServerStatus]:
    """Every server, or the one named. Raises UsageError where there is none of that name."""
    servers = [ledger.server(name)] if name else ledger.servers()
    found = []
    for server in servers:
        counts: dict[str, int] = {}
        rows = []
        for link in ledger.links(server.name):
            state = state_of(link)
            counts[state] = counts.get(state, 0) + 1
            if state not in ("linked", "closed"):
                rows.append(link)
        found.append(ServerStatus(server.name, server.url, server.host_class, counts, rows))
    return found


def row(link: Link) -> Tree:
    """A link as JSON, without anything of its resource."""
    return {
        "server": link.server,
        "record": f"{link.kind}/{link.record_id}",
        "part": link.part or link.type,
        "state": state_of(link),
        "reason": link.reason,
        "elements": [detail.get("path") for detail in link.details],
    }
