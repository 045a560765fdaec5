"""One run of the exchange with one server or several: each by itself, so that a sick one holds up no other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from traceback import format_tb
from typing import Literal

from adapter.errors import AdapterError, Conflict, ServerRefused, Unavailable
from adapter.fhir_json import Tree
from adapter.mapping.pausing import seldom
from adapter.ports import Clock, ServerState, SyncLedger, instant, is_past
from adapter.sync.agreeing import agreed
from adapter.sync.partner import Partner, Report, Step, backoff
from adapter.sync.pull import pull
from adapter.sync.run import push
from adapter.sync.turn import TakenOver, Turn, connection

How = Literal["push", "pull", "both"]
_LOG = logging.getLogger("adapter.exchange")
Connect = Callable[[str], AbstractContextManager[Partner]]


@dataclass(slots=True)
class Ran:
    """What a run with one server did, and the error that ended it."""

    server: str
    report: Report = field(default_factory=Report)
    error: AdapterError | None = None

    @property
    def exit_code(self) -> int:
        """0 where all is well, 1 where something in the data waits for a person, else the error's."""
        return max(int(self.report.troubled), self.error.exit_code if self.error is not None else 0)


def exchange(
    partner: Partner,
    how: How = "both",
    *,
    dry_run: bool = False,
    hurry: bool = True,
    again: bool = False,
    turn: Turn | None = None,
    state: ServerState | None = None,
) -> Ran:
    """Pulls from a server and pushes to it, as its options allow. What went wrong is in the answer, and in its state.

    With `hurry` what was put off, or a server that asked to be left alone, is tried all the same: a person asks; with `again`
    also what was refused is sent. `turn` is kept up on the way; where another takes it over, the run ends. `state` is the server's, where it was just read.
    """
    ran = Ran(partner.name)
    try:
        _refuse_paused(partner)
        state = state or partner.store.state(partner.name)
        if not hurry and not is_past(state.not_before, partner.clock.now()):
            return ran
        with seldom():
            agreed(partner, ran.report, dry_run=dry_run)
            for verb in _verbs(partner, how):
                if verb == "pull":
                    _pull(partner, ran.report, dry_run=dry_run, hurry=hurry, within=turn)
                    state = None
                else:
                    push(partner, ran.report, dry_run=dry_run, hurry=hurry, again=again, state=state, turn=turn)
    except TakenOver:
        return ran
    except AdapterError as error:
        ran.error = error
    if not dry_run and not partner.server.paused:
        note(partner.store, partner.clock, partner.name, ran.error)
    return ran


def attempt(
    ledger: SyncLedger,
    clock: Clock,
    connect: Connect,
    name: str,
    how: How,
    *,
    shared: bool = False,
    state: ServerState | None = None,
) -> Ran:
    """One run by schedule. Whatever ends it, a fault of ours too, is noted and waited with, and ends nothing else.

    Where it is `shared` with other processes it takes one of the server's connections; where none is free, nothing is done.
    `state` is the server's, where it was just read.
    """
    try:
        with connect(name) as partner:
            held = connection(partner) if shared else None
            if shared and held is None:
                return Ran(name)
            with held or nullcontext():
                return exchange(partner, how, hurry=False, turn=held, state=state)
    except AdapterError as error:
        ended = error
    except Exception as error:  # noqa: BLE001 - whatever it is, the other servers go on
        # Where it was, and not what it says: that may hold a patient's values.
        _LOG.error("%s: %s\n%s", name, type(error).__name__, "".join(format_tb(error.__traceback__)))
        ended = AdapterError(f"A fault of ours ended the run ({type(error).__name__}).", place=name)
    with suppress(AdapterError):
        ledger.server(name)
        note(ledger, clock, name, ended)
    return Ran(name, error=ended)


def _pull(partner: Partner, report: Report, *, dry_run: bool, hurry: bool, within: Turn | None) -> None:
    turn = Turn(partner, within=within)
    if dry_run:
        pull(partner, report, dry_run=True)
    elif not turn.taken(force=hurry):
        report.done.append(Step(partner.name, "", "", "busy", "another process reads from it just now"))
    else:
        with turn, suppress(TakenOver):
            pull(partner, report, turn=turn)


def _verbs(partner: Partner, how: How) -> list[str]:
    # What changed there first, so that what goes out is put onto it.
    allowed = partner.server.options.direction
    return [verb for verb in ("pull", "push") if how in (verb, "both") and allowed in (verb, "both")]


def _refuse_paused(partner: Partner) -> None:
    if partner.server.paused:
        raise Unavailable(
            f"Nothing is exchanged with this server: {partner.server.paused}.",
            place=partner.name,
            remedy=f"When that is settled: careplan server resume {partner.name}.",
        )


def note(ledger: SyncLedger, clock: Clock, name: str, error: AdapterError | None) -> None:
    """What came of a run: after one that ended in an error, of whatever kind, the server is left alone for a while. Only
    where another process of ours was in its way, and that once, the next run begins as soon as it may.
    """
    now = clock.now()
    failures = ledger.state(name).failures + 1 if error is not None else 0
    values: Tree = {"last_try": instant(now), "error": "", "not_before": "", "failures": failures}
    if error is not None:
        asked = error.retry_after if isinstance(error, Unavailable) else None
        wait = timedelta(seconds=min(backoff(failures) if asked is None else asked, 86_400.0))
        met = isinstance(error, Conflict) and error.reason == "race" and failures == 1
        values |= {"error": error.message, "not_before": "" if met else instant(now + wait)}
    if isinstance(error, ServerRefused) and error.status == 403:
        ledger.set_server(replace(ledger.server(name), paused="the server does not let us (403)"))
    ledger.note(name, **values)


def run_all(
    connect: Connect, names: Iterable[str], how: How = "both", *, dry_run: bool = False, again: bool = False
) -> Iterator[Ran]:
    """One run with each server after the other, each told as it ends."""
    for name in names:
        try:
            with connect(name) as partner:
                yield exchange(partner, how, dry_run=dry_run, again=again)
        except AdapterError as error:
            yield Ran(name, error=error)


def row(step: Step) -> Tree:
    """A step as JSON."""
    return {"server": step.server, "record": step.record, "part": step.part, "result": step.verb, "reason": step.reason}
