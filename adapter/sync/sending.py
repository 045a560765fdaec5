"""Requests and their answers: what the server refuses whole is halved, until what is at fault is alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from adapter.errors import Conflict, DataError, Refused, ServerRefused, Unavailable, UnknownOutcome
from adapter.fhir_json import Tree
from adapter.ports import FOR_CONSENT
from adapter.sync import probe
from adapter.sync.answers import Outcome, outcomes
from adapter.sync.facts import Facts
from adapter.sync.incoming import Incoming
from adapter.sync.outgoing import Send, entry, urn
from adapter.sync.partner import LOOK_AT_CONSENT, Partner, first_error
from adapter.sync.recording import record, strays
from adapter.sync.split import bundles, halves

if TYPE_CHECKING:
    from adapter.sync.round import Round

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
        """Everything, in requests of a size that the server takes."""
        # One by one, each can refer to those before it.
        limit = (
            1
            if not self.facts.capability.transaction
            else min([self.facts.bundle, *(max(1, 100 >> send.link.attempts) for send in sends)])
        )
        flying = []
        for send in sends:
            link = replace(send.link, in_flight=send.fingerprint, flight=send.version)
            flying.append(replace(send, link=link))
        lost = {link.key for link in self.partner.store.settle([send.link for send in flying])}
        self.round.open |= {send.link.local: send.link for send in flying}
        self.partner.point("in flight")
        for bundle in bundles([send for send in flying if send.link.key not in lost], limit):
            self._send(bundle)

    def _send(self, bundle: list[Send]) -> None:
        """One request; where the server refuses it whole, its halves, until what is at fault is alone."""
        made = self._entries(bundle)
        if not made:
            return
        sends, entries = [send for send, _ in made], [row for _, row in made]
        try:
            found = self._asked(entries)
        except Conflict as error:
            self._met(sends, error)
        except (ServerRefused, DataError, Refused) as error:
            self._refused(sends, error)
        except UnknownOutcome as error:
            self._unknown(sends, str(error.message))
            self.round.shared.failed(error)
        except Unavailable as error:
            # Nothing was sent, so nothing is in flight.
            self.round.settle(
                [replace(send.link, in_flight="", lease_until="", reason=error.message) for send in sends]
            )
            raise
        else:
            self.round.shared.failures = 0
            self.partner.point("answered")
            self._record(sends, found)

    def _entries(self, bundle: list[Send]) -> list[tuple[Send, Tree]]:
        partner = self.partner
        urns = {send.link.local: urn(send.link) for send in bundle if not send.link.linked}
        made = []
        for send in bundle:
            try:
                row = entry(send, self.round.names.remote_id, urns, partner.client.base, self.facts.capability)
            except DataError as error:
                self.round.stop([send.link], "refused", error.message)
            else:
                made.append((send, row))
        return made

    def _asked(self, entries: list[Tree]) -> Sequence[Outcome | None]:
        client = self.partner.client
        if self.facts.capability.transaction:
            answer = client.transaction({"resourceType": "Bundle", "type": "transaction", "entry": entries})
            return outcomes(entries, answer, client.base)
        return [self._alone(row) for row in entries]

    def _alone(self, row: Tree) -> Outcome:
        request, resource = row["request"], row["resource"]
        if request["method"] == "PUT":
            found = self.partner.client.update(resource, if_match=request["ifMatch"])
        else:
            found = self.partner.client.create(resource, if_none_exist=request["ifNoneExist"])
        # Whether it was there before is seen from what it is.
        return Outcome(200, str(found.resource["id"]), found.version, found.resource)

    def _record(self, sends: list[Send], found: Sequence[Outcome | None]) -> None:
        pairs = list(zip(sends, found, strict=True))
        unknown = [send for send, outcome in pairs if outcome is None]
        for send, outcome in pairs:
            if outcome is not None and not outcome.done:
                self.round.stop([send.link], "refused", f"the server answered {outcome.status}")
        if unknown:
            self._unknown(unknown, "the answer does not say what came of it")
        done = [(send, outcome) for send, outcome in pairs if outcome is not None and outcome.done]
        if odd := strays(self.round.names, done):
            self._unknown(odd, "the server answered with a resource that belongs to another part")
            done = [(send, outcome) for send, outcome in done if send not in odd]
        self.round.closed(record(self.partner, self.round.names, self.facts, done, self.round.report))
        # Only what is new there can be waited for.
        self.round.shared.progress |= any(not send.link.linked for send, _ in done)

    def _refused(self, sends: list[Send], error: ServerRefused | DataError | Refused) -> None:
        if isinstance(error, Refused) and error.consent:
            self._withheld(sends, error)
            return
        status = error.status if isinstance(error, ServerRefused) else 0
        if status in (401, 403):
            self.round.settle(
                [replace(send.link, in_flight="", lease_until="", reason=error.message) for send in sends]
            )
            raise error
        parts = halves(sends)
        if status == 413 and parts:
            self.facts.smaller(len(sends) // 2)
        if parts:
            for part in parts:
                self._send(part)
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
        held = [replace(sends[place].link, in_flight="", flight=0) for place in error.places]
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
        links = [replace(send.link, attempts=send.link.attempts + 1, in_flight="") for send in sends]
        often = [link for link in links if link.attempts > MOST_MEETINGS]
        if often:
            self.round.stop(links, "quarantine", "its version there changes at every write; stopped after three")
            return
        if error.reason != "version" or not any(link.linked for link in links):
            self.round.later(links, "another write was met; sent again", 0.2 * 2 ** links[0].attempts)
            return
        known = [link for link in links if link.linked]
        self.round.settle([replace(link, lease_until="") for link in links if not link.linked])
        self.round.closed(
            probe.look_again(self.partner, Incoming(self.partner, self.round.names, self.round.report), known)
        )

    def _unknown(self, sends: list[Send], reason: str) -> None:
        """Its hash stays in flight: the next round looks what came of it."""
        for send in sends:
            link = replace(send.link, attempts=send.link.attempts + 1)
            if link.attempts >= MOST_ATTEMPTS:
                self.round.stop([link], "quarantine", f"{reason}; given up after {MOST_ATTEMPTS} times")
            else:
                self.round.later([link], reason, self.partner.backoff(link.attempts))
