"""The exchange in numbers, for whoever watches over it: of servers and states, never of a record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from adapter.ports import Server, SyncLedger
from adapter.services.status import circuit, lag

_STATES = ("linked", "waiting", "partial", "refused", "conflict", "quarantine", "gone", "closed", "outside")


@dataclass(frozen=True, slots=True)
class Sample:
    """One number: its name, what it says, its labels in order."""

    name: str
    help: str
    labels: tuple[tuple[str, str], ...]
    value: float


def samples(ledger: SyncLedger, now: datetime) -> list[Sample]:
    """Every number of every server, those of one name together."""
    found = [one for server in ledger.servers() for one in _of(ledger, server, now)]
    return sorted(found, key=lambda one: (one.name, one.labels))


def _of(ledger: SyncLedger, server: Server, now: datetime) -> list[Sample]:
    label = (("server", server.name),)
    state, counts = ledger.state(server.name), ledger.counts(server.name)
    behind = lag(state, now)
    rows = [
        Sample(
            "careplan_links",
            "Parts of records by their state of exchange.",
            (*label, ("state", name)),
            counts.get(name, 0),
        )
        for name in _STATES
    ]
    rows.append(
        Sample("careplan_conflicts", "Elements that wait for a decision.", label, len(ledger.conflicts(server.name)))
    )
    rows.append(Sample("careplan_failures", "Exchanges in a row that failed.", label, state.failures))
    rows.append(
        Sample(
            "careplan_paused",
            "Whether the exchange is stopped until a person resumes it.",
            label,
            int(bool(server.paused)),
        )
    )
    left_alone = int(circuit(state, now) == "open")
    rows.append(
        Sample("careplan_circuit_open", "Whether it is left alone for a while after failing.", label, left_alone)
    )
    if behind is not None:
        rows.append(
            Sample("careplan_lag_seconds", "Since the last exchange that went through.", label, round(behind, 3))
        )
    return rows
