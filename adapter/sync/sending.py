"""Requests and their answers: what the server refuses whole is halved, until what is at fault is alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from adapter.errors import Conflict, DataError, Gone, NotFound, Refused, ServerRefused, Unavailable, UnknownOutcome
from adapter.fhir_json import Tree
from adapter.ports import FOR_CONSENT, Versioned
from adapter.sync import probe
from adapter.sync.answers import Outcome, outcomes
from adapter.sync.facts import Facts
from adapter.sync.incoming import Incoming
from adapter.sync.outgoing import Key, Send, entry, identified, name
from adapter.sync.partner import LOOK_AT_CONSENT, Partner, backoff, first_error
from adapter.sync.recording import record, strays
from adapter.sync.split import bundles, halves, layers, targets_first
from adapter.sync.turn import TakenOver

if TYPE_CHECKING:
    from adapter.sync.round import Round

T = TypeVar("T")
# So often a request may fail by its own fault, or meet another version, before a person is asked.
MOST_ATTEMPTS = 8
MOST_MEETINGS = 3


@dataclass(slots=True)
class Sending:
    """Sends what a round has ready."""

    round: Round

    @property
    def partner(self) -> Partner:
        """The server."""
        return self.round.partner

    @property
    def facts(self) -> Facts:
        """What is known of it."""
        return self.round.shared.facts

    def all(self, sends: list[Send]) -> None:
        """Everything, in requests of the size that is in use, and that the server takes."""
        flying = []
        for send in sends:
            link = send.link.replace(in_flight=send.fingerprint, flight=send.version)
            flying.append(replace(send, link=link))
        lost = {link.key for link in self.partner.store.launch([send.link for send in flying])}
        self.round.open |= {send.link.local: send.link for send in flying}
        self.partner.point("in flight")
        going = self._placed([send for send in flying if send.link.key not in lost])
        limit = self._limit(going)
        if limit == 1:
            self._singly(going)
            return
        for bundle in bundles(going, limit):
            for layer in [bundle] if self.facts.capability.transaction else layers(bundle):
                self._send(layer)

    def _placed(self, sends: list[Send]) -> list[Send]:
        """These, with what is to be created at our own id marked so; without the one with which that was tried."""
        placing = self.round.shared.placing
        # Lazily: it is mostly known, and then nothing is looked at.
        whole = [] if self.facts.placing else [send for send in sends if not self._aware(send, {}).left]
        with placing.trial(self.partner, whole) as first:
            if first is not None:
                self._tried(first)
                sends = [send for send in sends if send.link.key != first.link.key]
        return placing.placed(self.partner, sends)

    def _tried(self, send: Send) -> None:
        placing = self.round.shared.placing
        for one, row in self._entries([send], alone=True):
            ask = partial(placing.tried, self.partner, row["resource"])
            if (found := self._answered([one], ask)) is not None:
                self._record([one], [_outcome(found)])

    def _limit(self, sends: list[Send]) -> int:
        """The most entries of a request."""
        capability = self.facts.capability
        if len(sends) == 1 or not (capability.transaction or capability.batch):
            return 1
        size = self.round.shared.tempo.way.size
        return min([size, self.facts.bundle, *(max(1, 100 >> send.link.attempts) for send in sends)])

    def _singly(self, sends: list[Send]) -> None:
        """One after the other, so that each can refer to those before it; what came of them is recorded together."""
        done: list[tuple[Send, Outcome]] = []
        try:
            for send in targets_first(sends):
                for one, row in self._entries([send], alone=True):
                    if (outcome := self._answered([one], lambda row=row: self._alone(row))) is not None:  # type: ignore[misc]
                        self.round.names.placed(one.link.replace(remote_id=outcome.id, remote_version=outcome.version))
                        done.append((one, outcome))
        finally:
            if done:
                self._record([send for send, _ in done], [outcome for _, outcome in done])

    def _send(self, bundle: list[Send]) -> None:
        """One request; where the server refuses it whole, its halves, until what is at fault is alone."""
        if len(bundle) == 1:
            self._singly(bundle)
            return
        made = self._entries(bundle)
        if not made:
            return
        sends, entries = [send for send, _ in made], [row for _, row in made]
        found = self._answered(sends, lambda: self._asked(entries))
        if found is not None:
            self._record(sends, found)

    def _answered(self, sends: list[Send], ask: Callable[[], T]) -> T | None:
        """What the server said; None where it is a no, or nothing, and that has been seen to."""
        try:
            with self.round.shared.under_way():
                found = ask()
        except Conflict as error:
            self._met(sends, error)
        except (NotFound, Gone):
            # What was linked is not there any more: that is another version, too.
            self._met(sends, Conflict("What was linked is gone."))
        except (ServerRefused, DataError, Refused) as error:
            self._refused(sends, error)
        except UnknownOutcome as error:
            self._unknown(sends, str(error.message))
            self.round.shared.failed(error)
        except Unavailable as error:
            # Nothing was sent, so nothing is in flight.
            reason = "" if isinstance(error, TakenOver) else error.message
            self.round.settle([send.link.replace(in_flight="", lease_until="", reason=reason) for send in sends])
            raise
        else:
            self.partner.point("answered")
            return found
        return None

    def _entries(self, bundle: list[Send], *, alone: bool = False) -> list[tuple[Send, Tree]]:
        partner = self.partner
        # Only in a transaction can one refer to another by a name that is none yet.
        together = self.facts.capability.transaction and not alone
        urns = {send.link.local: name(send) for send in bundle if together and not send.link.linked}
        made = []
        for send in (self._aware(send, urns) for send in bundle):
            try:
                made.append(entry(send, self.round.names.remote_id, urns, partner.client.base, self.facts.capability))
            except DataError as error:
                self.round.stop([send.link], "refused", error.message)
        return made

    def _aware(self, send: Send, urns: Mapping[Key, str]) -> Send:
        """With what it can not refer to yet: that is written once more, when its target is there."""
        link = self.round.names.link
        missing = [key for key in send.refers if key not in urns and not self.round.names.remote_id(*key)]
        left = tuple(key for key in missing if (target := link(*key)) is not None and target.todo)
        return replace(send, left=left) if left != send.left else send

    def _asked(self, entries: list[Tree]) -> Sequence[Outcome | None]:
        kind = "transaction" if self.facts.capability.transaction else "batch"
        answer = self.partner.client.transaction({"resourceType": "Bundle", "type": kind, "entry": entries})
        return outcomes(entries, answer, self.partner.client.base)

    def _alone(self, row: Tree) -> Outcome:
        request, resource = row["request"], row["resource"]
        if request["method"] == "PUT":
            found = self.partner.client.update(resource, if_match=request["ifMatch"])
        else:
            found = self.partner.client.create(resource, if_none_exist=request["ifNoneExist"])
        return _outcome(found)

    def _record(self, sends: list[Send], found: Sequence[Outcome | None]) -> None:
        pairs = list(zip(sends, found, strict=True))
        unknown = [send for send, outcome in pairs if outcome is None]
        # An entry of a batch that is refused says why when it is sent alone.
        refused = [send for send, outcome in pairs if outcome is not None and not outcome.done]
        self._singly(refused)
        if unknown:
            self._unknown(unknown, "the answer does not say what came of it")
        done = [(send, outcome) for send, outcome in pairs if outcome is not None and outcome.done]
        if odd := strays(self.round.names, done):
            self._unknown(odd, "the server answered with a resource that belongs to another part")
            done = [(send, outcome) for send, outcome in done if send not in odd]
        astray = self._astray(refused, done)
        done = [(send, outcome) for send, outcome in done if send.link.local not in astray]
        self.round.closed(record(self.partner, self.round.names, self.facts, done, self.round.report))
        self.round.shared.wrote(len(done))
        # Only what is new there can be waited for.
        self.round.shared.progress |= any(not send.link.linked for send, _ in done)
        self._singly(list(astray.values()))

    def _astray(self, refused: Sequence[Send], done: Sequence[tuple[Send, Outcome]]) -> dict[Key, Send]:
        """What a server wrote though it refused others of the same transaction, and that names one of them, by an id that
        nothing has there: to be written once more, with what there is.
        """
        if not (refused and done and self.facts.capability.transaction):
            return {}
        self.facts.tore()
        missing = {send.link.local for send in refused}
        found = {}
        for send, outcome in done:
            if missing.intersection(send.refers):
                link = send.link.replace(remote_id=outcome.id, remote_version=outcome.version)
                found[link.local] = replace(send, link=link, wanted=identified(send.wanted, link))
        return found

    def _refused(self, sends: list[Send], error: ServerRefused | DataError | Refused) -> None:
        if isinstance(error, Refused) and error.consent:
            self._withheld(sends, error)
            return
        status = error.status if isinstance(error, ServerRefused) else 0
        if status in (401, 403):
            self.round.settle([send.link.replace(in_flight="", lease_until="", reason=error.message) for send in sends])
            raise error
        parts = halves(sends)
        if status == 413 and parts:
            self.facts.smaller(len(sends) // 2)
        if parts:
            for part in parts:
                self._send(part)
            return
        if sends[0].placed and not isinstance(error, Refused):
            # For what it is, or for its id: whether the server still takes ids of ours is tried again.
            self.facts.placed("")
            self._send(_unplaced(sends))
            return
        links = [send.link for send in sends]
        if isinstance(error, Refused):
            self.round.stop(links, "refused", f"privacy: {error.message}")
        elif status == 412:
            self.round.stop(links, "quarantine", "several resources there bear our identifier")
        else:
            issues = [] if isinstance(error, Refused) else list(error.issues)
            told = f"the server answered {status}: " if status else ""
            self.round.stop(links, "refused", f"{told}{first_error(issues) or error.message}")

    def _withheld(self, sends: list[Send], error: Refused) -> None:
        """What its patient's consents keep back waits for another one; what was to go with it goes."""
        held = [sends[place].link.replace(in_flight="", flight=0) for place in error.places]
        self.round.later(held, f"{FOR_CONSENT}{error.message}", LOOK_AT_CONSENT)
        rest = [send for place, send in enumerate(sends) if place not in error.places]
        if rest:
            self._send(rest)

    def _met(self, sends: list[Send], error: Conflict) -> None:
        """Somebody wrote in between: looked at again, and sent in the next round as it then is."""
        parts = halves(sends)
        if parts and len({(send.link.kind, send.link.record_id) for send in sends}) > 1:
            for part in parts:
                self._send(part)
            return
        if any(send.placed for send in sends):
            # Something is, or was, at one of these ids.
            self._send(_unplaced(sends))
            return
        links = [send.link.replace(attempts=send.link.attempts + 1, in_flight="") for send in sends]
        often = [link for link in links if link.attempts > MOST_MEETINGS]
        if parts and (often or not any(link.linked for link in links)):
            # What is new has no version that could be met, and by one that meets another always, its neighbours are not held up.
            for part in parts:
                self._send(part)
            return
        if often:
            self.round.stop(links, "quarantine", "its version there changes at every write; stopped after three")
            return
        if error.reason != "version" or not any(link.linked for link in links):
            self.round.later(links, "another write was met; sent again", 0.2 * 2 ** links[0].attempts)
            return
        known = [link for link in links if link.linked]
        self.round.settle([link.replace(lease_until="") for link in links if not link.linked])
        self.round.closed(
            probe.look_again(self.partner, Incoming(self.partner, self.round.names, self.round.report), known)
        )

    def _unknown(self, sends: list[Send], reason: str) -> None:
        """Its hash stays in flight: the next round looks what came of it."""
        for send in sends:
            link = send.link.replace(attempts=send.link.attempts + 1)
            if link.attempts >= MOST_ATTEMPTS:
                self.round.stop([link], "quarantine", f"{reason}; given up after {MOST_ATTEMPTS} times")
            else:
                self.round.later([link], reason, backoff(link.attempts))


def _unplaced(sends: Sequence[Send]) -> list[Send]:
    """The same, to be created under a condition on our identifier."""
    return [replace(send, placed=False) for send in sends]


def _outcome(found: Versioned) -> Outcome:
    # Where the server does not say whether it was there before, that is seen from what it is.
    return Outcome(201 if found.created else 200, str(found.resource["id"]), found.version, found.resource)
