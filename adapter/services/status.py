"""How the exchange with each server stands: what waits, was refused or is in conflict, and why; writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from adapter.fhir_json import Tree
from adapter.ports import Arrival, Conflict, Link, Server, ServerState, SyncLedger, is_past


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """One server: what is known of it, how many links are in which state, those that need a look, what it has that was
    not taken over, and what is in conflict.
    """

    server: Server
    state: ServerState
    counts: dict[str, int]
    open: list[Link] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)

    @property
    def troubled(self) -> bool:
        """Whether something waits for a person."""
        return any(self.counts.get(state) for state in ("refused", "conflict", "quarantine")) or bool(
            self.server.paused
        )


def state_of(link: Link) -> str:
    """linked, waiting, refused, conflict, quarantine, gone, closed or outside."""
    return "waiting" if link.todo else link.state


def status(ledger: SyncLedger, name: str | None = None) -> list[ServerStatus]:
    """Every server, or the one named. Raises UsageError where there is none of that name."""
    servers = [ledger.server(name)] if name else ledger.servers()
    return [
        ServerStatus(
            server, ledger.state(server.name), ledger.counts(server.name), ledger.unsettled(server.name),
            [one for one in ledger.arrivals(server.name) if one.state != "look"], ledger.conflicts(server.name),
        )
        for server in servers
    ]  # fmt: skip


def under_way(one: ServerStatus, now: datetime) -> list[str]:
    """Until when a run, or one that was cut off, holds each of the links that wait, as far as they are listed."""
    leases = [link.lease_until for link in one.open if state_of(link) == "waiting"]
    return sorted(until for until in leases if until and not is_past(until, now))


def lag(state: ServerState, now: datetime) -> float | None:
    """Seconds since the last exchange that went through; None where there was none."""
    last = max(state.last_pull, state.last_push)
    return (now - datetime.fromisoformat(last)).total_seconds() if last else None


def circuit(state: ServerState, now: datetime) -> str:
    """`closed` (all is well), `open` (left alone after failing) or `half-open` (to be tried again)."""
    if not state.failures:
        return "closed"
    return "half-open" if is_past(state.not_before, now) else "open"


def told(one: ServerStatus, now: datetime) -> Tree:
    """A server's status as JSON, without anything of a resource."""
    state, options = one.state, one.server.options
    behind, held = lag(state, now), under_way(one, now)
    return {
        "server": one.server.name, "url": one.server.url, "class": one.server.host_class,
        "direction": options.direction, "every": options.every, "paused": one.server.paused,
        "last_pull": state.last_pull, "last_push": state.last_push, "last_try": state.last_try,
        "lag": round(behind, 3) if behind is not None else None, "error": state.error, "failures": state.failures,
        "not_before": state.not_before, "circuit": circuit(state, now),
        "under_way": len(held), "under_way_until": held[-1] if held else "", "counts": one.counts, "open": [row(link) for link in one.open],
        "left_there": [{"resource": f"{a.type}/{a.remote_id}", "state": a.state, "reason": a.reason} for a in one.arrivals],
        "conflicts": len(one.conflicts),
    }  # fmt: skip


def row(link: Link) -> Tree:
    """A link as JSON, without anything of its resource."""
    return {
        "server": link.server,
        "record": f"{link.kind}/{link.record_id}",
        "part": link.part or link.type,
        "state": state_of(link),
        "reason": link.reason,
        "attempts": link.attempts,
        "not_before": link.not_before,
    }
