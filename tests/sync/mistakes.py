"""Mistakes that somebody could make, in the exchange or in a server: planted one at a time, they show whether the histories
would find them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from adapter.exchange.memory import MemoryFhirServer
from adapter.store import ledger
from adapter.store.decisions import Decisions
from adapter.sync import merge, sending, withdraw
from adapter.sync.answers import Outcome, _outcome
from adapter.sync.outgoing import NEVER
from adapter.sync.partner import Partner
from adapter.sync.placing import Placing

Planted = Callable[[], AbstractContextManager[object]]


def if_match_is_ignored() -> AbstractContextManager[object]:
    """The server updates whatever the version."""
    heeded = MemoryFhirServer._update

    def update_(self: MemoryFhirServer, resource: Any, if_match: str | None) -> Any:
        return heeded(self, resource, NEVER if if_match == NEVER else None)

    return patch.object(MemoryFhirServer, "_update", update_)


@contextmanager
def own_ids_overwrite() -> Iterator[None]:
    """The server creates at an id whatever is there, and it is not noticed when that is tried."""
    heeded = MemoryFhirServer._update

    def update_(self: MemoryFhirServer, resource: Any, if_match: str | None) -> Any:
        return heeded(self, resource, None if if_match == NEVER and self._own_ids else if_match)

    def tried(self: Placing, partner: Partner, tree: Any) -> Any:
        found = partner.client.update(tree, if_match=NEVER)
        self.facts.placed("yes" if found.created else "no")
        return found

    with patch.object(MemoryFhirServer, "_update", update_), patch.object(Placing, "tried", tried):
        yield


def if_none_exist_is_ignored() -> AbstractContextManager[object]:
    """The server creates whatever it has."""
    heeded = MemoryFhirServer._create

    def create(self: MemoryFhirServer, resource: Any, condition: str | None, id_: str = "") -> Any:
        return heeded(self, resource, None, id_)

    return patch.object(MemoryFhirServer, "_create", create)


def theirs_wins() -> AbstractContextManager[object]:
    """Where both changed an element, theirs is taken, and nothing is said."""

    def clash(_: object, base: Any, ours: Any, theirs: Any, path: str) -> Any:
        return theirs

    return patch.object(merge._Merger, "clash", clash)


def a_crash_forgets() -> AbstractContextManager[object]:
    """What is about to be sent counts as sent: whoever dies then never sends it."""
    early = _other(ledger._LAUNCHED, "in_flight = ?", "in_flight = substr(?, 1, 0), acked = wanted, todo = 0")
    return patch.object(ledger, "_LAUNCHED", early)


def _other(statement: str, part: str, instead: str) -> str:
    assert part in statement, "what is planted is to be a mistake in what is there"
    return statement.replace(part, instead)


def withdrawn_unseen() -> AbstractContextManager[object]:
    """What was deleted here is withdrawn there whatever it has become."""
    return patch.object(withdraw, "_is_withdrawal", lambda *_: True)


def no_overlap() -> AbstractContextManager[object]:
    """Each look begins where the last one ended."""
    made = Partner.__init__

    def init(self: Partner, *given: Any, **more: Any) -> None:
        made(self, *given, **{**more, "overlap": 0})

    return patch.object(Partner, "__init__", init)


def the_journal_loses() -> AbstractContextManager[object]:
    """The first entry of each writing is lost."""
    kept = Decisions._enter

    def enter(self: Decisions, connection: Any, entries: Sequence[Any]) -> None:
        kept(self, connection, entries[1:])

    return patch.object(Decisions, "_enter", enter)


def answers_by_place() -> AbstractContextManager[object]:
    """The answers of a Bundle are taken in the order of the requests, whatever they name."""

    def outcomes(requests: Sequence[Any], answer: Any, base: str) -> list[Outcome | None]:
        found = [_outcome(row, base) for row in answer["entry"]]
        return [*found, *[None] * len(requests)][: len(requests)]

    return patch.object(sending, "outcomes", outcomes)


def nothing_is_deleted_there() -> AbstractContextManager[object]:
    """A deletion there is not noticed where a history tells it."""
    return patch.object(MemoryFhirServer, "history", lambda *_, **__: iter([[]]))


# The quickest to be found first.
MISTAKES: dict[str, Planted] = {
    made.__name__: made
    for made in (
        theirs_wins, if_match_is_ignored, own_ids_overwrite, if_none_exist_is_ignored, a_crash_forgets, withdrawn_unseen,
        no_overlap, the_journal_loses, answers_by_place, nothing_is_deleted_there,
    )
}  # fmt: skip
