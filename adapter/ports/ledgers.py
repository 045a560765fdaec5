"""`SyncLedger`: what the exchange asks of the database beside the records. The table is the truth; a queue only says "look"."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from adapter.fhir_json import Tree
from adapter.ports.ledger import Arrival, Conflict, Entry, Link, LinkKey, Server, ServerState

Key = tuple[str, str]


class SyncLedger(Protocol):
    """Servers, the state of exchange with each, and what was decided. Every method is one transaction."""

    def add_server(self, server: Server, patients: Sequence[str] = ()) -> None:
        """A new server; everything in the store is wanted there. Raises UsageError where the name is taken.

        `patients` are record ids or identifiers (`system|value`), for the option "listed".
        """

    def servers(self) -> list[Server]:
        """All, by name."""

    def server(self, name: str) -> Server:
        """One. Raises UsageError where there is none of that name."""

    def set_server(self, server: Server) -> None:
        """Changes its options, how it is signed in to, its hook, or why it is paused."""

    def remove_server(self, name: str) -> None:
        """Forgets a server and its links; nothing on it changes."""

    def patients(self, name: str) -> frozenset[str]:
        """The patients listed for a server."""

    def list_patients(self, name: str, patients: Sequence[str]) -> None:
        """These are listed from now on."""

    def look_anew(self, name: str) -> None:
        """Its options are others: what was not for it is looked at once more, and all of its changes are read from the start."""

    def state(self, name: str) -> ServerState:
        """What is known of a server."""

    def note(self, name: str, **values: Any) -> None:
        """Changes fields of a server's state."""

    def revise(self, name: str, change: Callable[[Tree], Tree]) -> None:
        """A server's facts are what `change` makes of those that stand, whoever else does the same just now."""

    def claim(self, server: str, *, limit: int, seconds: float) -> list[Link]:
        """Up to about `limit` links with something to send that is due, of one kind of record, parents first, all the due
        parts of a record together; they are ours until the lease runs out, each with a new fence.
        """

    def lease(self, links: Sequence[Link], *, seconds: float) -> list[Link]:
        """Those of the links that nobody else works on, as they now are, ours until the lease runs out."""

    def launch(self, links: Sequence[Link]) -> list[Link]:
        """Records what is in flight, before it leaves: `in_flight` and `flight` alone, under each fence; gives those that
        another has taken over.
        """

    def settle(
        self, links: Sequence[Link], journal: Sequence[Entry] = (), *, seen: Mapping[str, Callable[[Tree], Tree]] = {}
    ) -> list[Link]:
        """Records links as they are now known, each where its fence still stands; gives those that another has taken over.
        `seen` says for servers, by their names, what becomes of the sentinel that stands.

        What is wanted, and how a deletion is told, only the writes of records change.
        """

    def waiting(self) -> frozenset[str]:
        """The servers for which something is due to be sent."""

    def renew(self, server: str, *, everything: bool = False, refused: bool = False) -> None:
        """Links that wait for another are due again; with `everything` also those put off after a failure, with
        `refused` also what was refused.
        """

    def links(self, server: str, *, type_: str = "", pending: bool = False, flying: bool = False) -> Iterator[Link]:
        """The links of a server in the order of sending; only those of a type, or with something to send, or of which
        something was sent without an answer.
        """

    def link(self, key: LinkKey) -> Link | None:
        """By server, kind, record id and part."""

    def links_at(self, keys: Collection[LinkKey]) -> dict[LinkKey, Link]:
        """Those that there are, each by its key, as `link` gives one."""

    def local(self, server: str, keys: Iterable[Key]) -> dict[Key, Link]:
        """Links by type and id of ours."""

    def remote(self, server: str, keys: Iterable[Key]) -> dict[Key, Link]:
        """Links by type and id of theirs; of several the one that has not ended."""

    def counts(self, server: str) -> dict[str, int]:
        """How many links are in which state; "waiting" are those with something to send."""

    def unsettled(self, server: str, *, limit: int = 1000) -> list[Link]:
        """Links that wait, were refused, are in conflict, in quarantine or gone."""

    def take_turn(self, server: str, work: str, holder: str, *, seconds: float, force: bool = False) -> bool:
        """Whether a work at a server that one does at a time is the holder's for so many seconds; asked again, it goes on.

        With `force` it is, whoever had it.
        """

    def end_turn(self, server: str, work: str, holder: str) -> None:
        """The next one may."""

    def watermark(self, server: str, type_: str) -> str:
        """The instant of that server's clock from which its changes are to be read; empty at first."""

    def set_watermark(self, server: str, type_: str, value: str) -> None:
        """Moves it."""

    def arrive(self, arrivals: Sequence[Arrival]) -> None:
        """Notes what is to be read by its id, or why it was not taken over."""

    def arrivals(self, server: str, state: str = "") -> list[Arrival]:
        """What was noted."""

    def arrived(self, server: str, keys: Iterable[Key]) -> None:
        """Forgets what was noted of these (type, id)."""

    def clash(self, link: Link, conflicts: Sequence[Conflict], journal: Sequence[Entry] = ()) -> None:
        """Records the link, which is in conflict over these elements (none: no more), under its fence. Open ones of
        the part that are not the same are replaced, under another number.
        """

    def conflicts(self, server: str = "", *, state: str = "open") -> list[Conflict]:
        """Elements in conflict, oldest first."""

    def conflict(self, number: int) -> Conflict:
        """One. Raises NotFound."""

    def decide(self, conflicts: Sequence[Conflict]) -> None:
        """Records what was decided of elements, and a line of the journal for each."""

    def enter(self, entries: Sequence[Entry]) -> None:
        """Adds lines to what can only grow."""

    def enter_anew(self, entries: Sequence[Entry]) -> None:
        """Adds those that say otherwise than the last line with one of their verbs about the same part at the same server."""

    def entries(self, kind: str, record_id: str) -> list[Entry]:
        """The journal of a record, oldest first."""
