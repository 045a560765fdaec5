"""What the gate of privacy asks of the store, for each recipient: whose a resource is, and what its patient consents to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from adapter.ports import Clock, Entry, Server, SystemClock, Tree

if TYPE_CHECKING:
    from adapter.privacy import Asking, Decision, Recipient, Refusal
    from adapter.store import Store


def recipient_of(server: Server) -> Recipient:
    """Who stands behind a server."""
    from adapter.privacy import Recipient

    options = server.options
    return Recipient(
        server.name, server.host_class, server.run_tag, frozenset({server.url, *options.recipient}), options.purpose,
        options.consent == "require",
    )  # fmt: skip


def asking(store: Store, recipient: Recipient, *, server: str = "", clock: Clock | None = None) -> Asking:
    """What decides about what leaves for this recipient; every decision by a consent that is new stands in the journal."""
    from adapter.privacy import Asking

    def note(decisions: Sequence[Decision]) -> None:
        store.enter_anew([_entry(recipient, one) for one in decisions])

    return Asking(lambda some: store.owners(some, server), store.consents, (clock or SystemClock()).now, note)


def withheld_by(recipient: Recipient, asked: Asking) -> Callable[[Tree], Refusal | None]:
    """Why a resource would be kept here, None where it may leave; nothing leaves, so nothing is noted."""
    from adapter.privacy import Refusal, release

    silent = replace(asked, note=lambda _: None)

    def withheld(tree: Tree) -> Refusal | None:
        found = release(tree, recipient, silent)
        return found if isinstance(found, Refusal) else None

    return withheld


def _entry(recipient: Recipient, one: Decision) -> Entry:
    kind, _, id_ = one.record.partition("/")
    verb = "released" if one.went else "withheld"
    return Entry(recipient.name, kind, id_, one.part, verb, one.reason, by="consent")
