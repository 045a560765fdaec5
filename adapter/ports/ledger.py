"""The rows of the ledger: servers and what is known of them, links, conflicts, arrivals, the journal (docs/sync.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from msgspec import Struct, structs

from adapter.ports.rows import HostClass, Tree

Direction = Literal["both", "push", "pull"]
Take = Literal["ours", "theirs", "newest", "ask"]
# A part of a record at a server: server, kind, record id, part.
LinkKey = tuple[str, str, str, str]

# Parents before children: what is referred to goes first.
ORDER = ("patient", "form", "diagnosis", "goal", "care_team", "request", "assessment", "consent", "plan")
# SMART Backend Services, then mutual TLS.
ACCESS = ("token_url", "audience", "client_id", "key", "key_id", "scope", "certificate", "certificate_key", "ca")
# A link in one of these states sends nothing until a person, or a change, says otherwise.
STOPPED = frozenset({"refused", "conflict", "quarantine", "gone", "closed", "outside"})
# It is not there any more, and that is known.
ENDED = frozenset({"gone", "closed"})
# How the reason begins of what waits for a consent of its patient.
FOR_CONSENT = "consent: "
# Seconds: no instant of ours lies farther ahead. One that does was written by a clock that was wrong, and does not count.
FARTHEST = 2 * 86_400.0
# The version of our resource that the write at hand makes: only the store knows its number.
THIS_WRITE = -1


@dataclass(frozen=True, slots=True)
class Options:
    """How a server is exchanged with.

    `direction`; `kinds` of record (empty: all); `patients`: "linked" (those that it has from us), "all", or "listed"
    (the lists are the ledger's); `every`: seconds between two runs of `sync --watch`; `policies`: who wins where both
    changed, by FHIR path (`Goal.statusReason`, `CarePlan`, `*`); `removal`: whether what is deleted here is withdrawn
    there or deleted; `bundle`: the most entries of one request; `connections`: the most at once (which number of them is quick is found out); `sweep`: seconds between
    two looks at every id, where the server has no history of a type; `rate`: the most requests a second (0: no limit);
    `access`: what signing in needs beside the secret, by the names of `ACCESS`, paths of files among them; `recipient`: what
    consents call who stands behind it, beside its name and address (`system|value` of an identifier, or a name); `purpose`:
    what it is sent for, by the code of v3-ActReason; `consent`: whether consents are heeded where there are any, or a real
    record goes only with one.
    """

    direction: Direction = "both"
    kinds: tuple[str, ...] = ()
    patients: Literal["linked", "all", "listed"] = "linked"
    every: int = 300
    policies: Mapping[str, Take] = field(default_factory=dict)
    removal: Literal["withdraw", "delete"] = "withdraw"
    bundle: int = 100
    connections: int = 4
    sweep: int = 86_400
    rate: float = 0.0
    access: Mapping[str, str] = field(default_factory=dict)
    recipient: tuple[str, ...] = ()
    purpose: str = "TREAT"
    consent: Literal["heed", "require"] = "heed"


@dataclass(frozen=True, slots=True)
class Server:
    """A FHIR server that the store exchanges with.

    `auth` is "none", "bearer", "basic" or "smart"; `auth_env` names the environment variable that holds the secret: a
    token for bearer, USER:PASSWORD for basic. The secret itself is never stored, nor is a key: `access` says where it is. `paused` says why nothing is
    exchanged with it until a person resumes it; `hook` is the hash of the secret that its webhooks must bear.
    """

    name: str
    url: str
    host_class: HostClass = "public"
    auth: str = "none"
    auth_env: str = ""
    run_tag: str = ""
    paused: str = ""
    hook: str = ""
    options: Options = field(default_factory=Options)


@dataclass(frozen=True, slots=True)
class ServerState:
    """What is known of a server from the exchange with it.

    `facts` is what was measured once (capability, largest Bundle, what it gives back as it was sent); `sentinel` what
    was last seen there (type, id, version, stamp); `skew` the seconds that its clock is ahead of ours. Instants are
    FHIR's, in UTC; empty where there is none.
    """

    server: str
    facts: Tree = field(default_factory=dict)
    sentinel: Tree = field(default_factory=dict)
    last_pull: str = ""
    last_push: str = ""
    last_try: str = ""
    last_sweep: str = ""
    error: str = ""
    failures: int = 0
    not_before: str = ""
    skew: float = 0.0


class OfPart:
    """What is about one part of a record at one server."""

    __slots__ = ()
    server: str
    kind: str
    record_id: str
    part: str

    @property
    def key(self) -> LinkKey:
        """Which part of which record, and at which server."""
        return self.server, self.kind, self.record_id, self.part


class Link(OfPart, Struct, frozen=True):
    """One part of a record at one server.

    `wanted` is the version of our resource that the server is to have, `acked` the newest that it has, `base` the one
    that its present version was made of (0: `seen` alone says). `seen` is the resource as the server gave it back, with
    our ids; None where it is as we sent it. `in_flight` is the hash of a request whose outcome is not known, `flight` the
    version of ours that it held. `theirs` and `theirs_version` are kept while it is in conflict. `ending` says how a
    deletion is told: "" (withdrawn), "error" or "remove".
    """

    server: str
    kind: str
    record_id: str
    part: str
    type: str
    local_id: str
    remote_id: str = ""
    remote_version: str = ""
    remote_updated: str = ""
    wanted: int = 0
    acked: int = 0
    base: int = 0
    seen: Tree | None = None
    in_flight: str = ""
    flight: int = 0
    lease_until: str = ""
    fence: int = 0
    not_before: str = ""
    attempts: int = 0
    state: str = "waiting"
    reason: str = ""
    pack: str = ""
    ending: str = ""
    theirs: Tree | None = None
    theirs_version: str = ""

    def replace(self, **changes: Any) -> Link:
        """The link with these fields changed."""
        return structs.replace(self, **changes)

    @property
    def local(self) -> tuple[str, str]:
        """Type and id of our resource."""
        return self.type, self.local_id

    @property
    def remote(self) -> tuple[str, str]:
        """Type and id of theirs."""
        return self.type, self.remote_id

    @property
    def linked(self) -> bool:
        """Whether it is known there, and at which version: a run that was cut short may know the id alone."""
        return bool(self.remote_id and self.remote_version)

    @property
    def todo(self) -> bool:
        """Whether it has something to send."""
        return self.wanted != self.acked and self.state not in STOPPED


@dataclass(frozen=True, slots=True)
class Conflict(OfPart):
    """An element that both sides changed, its three values (None: not there), and who changed it when.

    `path` is FHIR's, empty for the resource as a whole (deleted on one side). `state` is "open", "decided" (not carried out
    yet), "resolved" or "replaced" (other values are in conflict since, or none); `taken` says whose was taken, `value` what
    it then was.
    """

    server: str
    kind: str
    record_id: str
    part: str
    path: str
    base: Any = None
    ours: Any = None
    theirs: Any = None
    ours_by: str = ""
    ours_at: str = ""
    theirs_by: str = ""
    theirs_at: str = ""
    opened_at: str = ""
    state: str = "open"
    taken: str = ""
    value: Any = None
    decided_by: str = ""
    decided_at: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Entry(OfPart):
    """A line of the journal, which only grows: what was done with a part, why, by whom, and its state before and after; of a
    decision, what was given up (of both sides theirs, as ours is in the record's own history) and what stands.
    """

    server: str
    kind: str
    record_id: str
    part: str
    verb: str
    reason: str = ""
    by: str = ""
    path: str = ""
    before: Any = None
    after: Any = None
    at: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something on a server that has no link yet, or was named by a webhook, and is to be read by its id.

    `state`: "look" (to be read), "waiting" (whose it is cannot be told yet), "refused" (no record can hold it).
    """

    server: str
    type: str
    remote_id: str
    state: str = "look"
    version: str = ""
    reason: str = ""
    at: str = ""

    @property
    def remote(self) -> tuple[str, str]:
        """(type, id) there."""
        return self.type, self.remote_id
