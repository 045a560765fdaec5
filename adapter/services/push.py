"""Send what changed here: a record's parts in one transaction, creates on our identifier, updates under If-Match."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby

from adapter.errors import AdapterError, Conflict, Refused, ServerRefused, UnknownOutcome
from adapter.fhir_json import Tree, same
from adapter.identity import IDENTIFIER_SYSTEM
from adapter.mapping.scope import own_identifier
from adapter.ports import Link, StoredResource
from adapter.services.partners import ORDER, STOPPED, Partner, Report, bare, first_error
from adapter.services.pull import as_ours, fetch
from adapter.services.withdraw import withdraw
from adapter.sync.merge import merge
from adapter.sync.plan import Action, decide
from adapter.sync.references import local_to_remote, relative


def push(partner: Partner, *, dry_run: bool = False) -> Report:
    """Every record with something to send, parents first; one that fails holds up no other.

    Raises Unavailable where the server cannot be reached: what is not sent stays waiting.
    """
    report = Report()
    again: list[tuple[str, str]] = []
    for key, links in _groups(partner.store.links(partner.server.name, pending=True)):
        job = _Job(partner, links, report)
        if dry_run:
            job.say()
        elif job.run():
            again.append(key)
    for kind, id_ in again:
        # What was sent without a reference, because its target came later, is written once more with it.
        links = [
            link for link in partner.store.links(partner.server.name) if (link.kind, link.record_id) == (kind, id_)
        ]
        _Job(partner, [link for link in links if link.state == "linked"], report, force=True).run()
    return report


def _groups(links: Iterable[Link]) -> list[tuple[tuple[str, str], list[Link]]]:
    ready = [link for link in links if link.state not in STOPPED]
    ready.sort(key=lambda link: (ORDER.index(link.kind), link.record_id, link.part))
    return [(key, list(rows)) for key, rows in groupby(ready, key=lambda link: (link.kind, link.record_id))]


@dataclass(slots=True)
class _Send:
    """One part on its way: its link, the tree here, and the entry that goes out."""

    link: Link
    local: Tree
    entry: Tree


@dataclass(slots=True)
class _Job:
    """One record's waiting parts."""

    partner: Partner
    links: list[Link]
    report: Report
    force: bool = False
    incomplete: bool = False

    def say(self) -> None:
        """What would be done."""
        stored = self._stored()
        for link in self.links:
            action = self._action(link, stored)
            self.report.add(link, f"would {action.verb}", action.reason)

    def _stored(self) -> dict[str, StoredResource]:
        return self.partner.store.parts(self.links[0].kind, self.links[0].record_id) if self.links else {}

    def _action(self, link: Link, stored: dict[str, StoredResource]) -> Action:
        local = "changed" if link.part in stored else "deleted"
        return decide(local, "same" if _is_linked(link) else "absent", link.state)  # type: ignore[arg-type]

    def run(self, *, retried: bool = False) -> bool:
        """Send; True where a reference had to be left out that can be written later."""
        self.links = self.partner.store.lease(self.links, seconds=self.partner.lease)
        stored = self._stored()
        sends = []
        for link in self.links:
            action = self._action(link, stored)
            if action.verb in ("create", "push"):
                sends.append((link, stored[link.part].tree))
            elif action.verb in ("withdraw", "close"):
                withdraw(self.partner, link, self.report)
            else:
                self._keep(link, action.reason)
        ready = [send for send in self._valid(sends) if not self._waits(*send)]
        urns = {(link.type, link.local_id): f"urn:uuid:{link.local_id}" for link, _ in ready if not _is_linked(link)}
        made = [made for link, tree in ready if (made := self._entry(link, tree, urns)) is not None]
        if not made:
            return False
        try:
            answer = self.partner.client.transaction(
                {"resourceType": "Bundle", "type": "transaction", "entry": [send.entry for send in made]}
            )
        except Conflict:
            return self._after_conflict(made, retried=retried)
        except ServerRefused as error:
            said = first_error(list(error.issues)) or error.message
            self._set(made, "refused", f"the server answered {error.status}: {said}")
        except Refused as error:
            self._set(made, "refused", f"privacy: {error.message}")
        except AdapterError as error:
            for send in made:
                self._keep(send.link, error.message)
            raise
        else:
            self._record(made, answer)
        return self.incomplete and not self.force

    def _valid(self, sends: list[tuple[Link, Tree]]) -> list[tuple[Link, Tree]]:
        good = []
        for link, tree in sends:
            fault = first_error(self.partner.validate(tree))
            if fault:
                self._put(link, "refused", f"not valid: {fault}")
                self.report.add(link, "refused", f"not valid: {fault}")
            else:
                good.append((link, tree))
        return good

    def _waits(self, link: Link, tree: Tree) -> bool:
        """Whether a parent in the store has not got there yet."""
        for type_, id_ in _references(tree):
            parent = self.partner.store.link_of(link.server, type_, local_id=id_)
            if parent is None or parent.remote_id or (parent.kind, parent.record_id) == (link.kind, link.record_id):
                continue
            if ORDER.index(parent.kind) >= ORDER.index(link.kind):
                self.incomplete = True
                continue
            self._keep(link, f"waits for {type_}/{id_}")
            self.report.add(link, "waiting", f"waits for {type_}/{id_}")
            return True
        return False

    def _entry(self, link: Link, tree: Tree, urns: dict[tuple[str, str], str]) -> _Send | None:
        partner = self.partner
        base = partner.client.base
        if not _is_linked(link):
            resource = _identified(local_to_remote(tree, partner.remote_id, base, urns), link)
            del resource["id"]
            query = f"identifier={IDENTIFIER_SYSTEM}|{own_identifier(resource)}"
            request = {"method": "POST", "url": link.type, "ifNoneExist": query}
            entry = {"fullUrl": f"urn:uuid:{link.local_id}", "resource": resource, "request": request}
            return _Send(link, tree, entry)
        seen = link.base_seen or {}
        if not self.force and link.base_sent is not None and same(tree, link.base_sent):
            self._ack(link, tree, seen, link.remote_version)
            return None
        # What the server made of our last writing stays as it made it; only our edit goes on top.
        merged, _ = merge(link.base_sent or seen, tree, seen) if seen else (tree, [])
        resource = {**local_to_remote(merged, partner.remote_id, base, urns), "id": link.remote_id}
        request = {"method": "PUT", "url": f"{link.type}/{link.remote_id}", "ifMatch": f'W/"{link.remote_version}"'}
        return _Send(
            link, tree, {"fullUrl": f"{base}/{link.type}/{link.remote_id}", "resource": resource, "request": request}
        )

    def _after_conflict(self, made: list[_Send], *, retried: bool) -> bool:
        for send in made:
            self._keep(send.link, "changed there")
        # Looked at as they now stand: the lease was given back above.
        ids = [replace(send.link, lease_until="") for send in made if send.link.remote_id]
        if retried or not ids:
            for send in made:
                self.report.add(send.link, "waiting", "changed there; the next run looks again")
            return False
        fetch(self.partner, ids, self.report)
        links = {link.key: link for link in self.partner.store.links(self.partner.server.name, pending=True)}
        self.links = [links[send.link.key] for send in made if send.link.key in links]
        self.links = [link for link in self.links if link.state not in STOPPED]
        return bool(self.links) and self.run(retried=True)

    def _record(self, made: list[_Send], answer: Tree) -> None:
        entries = answer.get("entry")
        if not isinstance(entries, list) or len(entries) != len(made):
            for send in made:
                self._keep(send.link, "the answer does not fit the request")
            raise UnknownOutcome("The server's answer does not fit the request.", place=self.partner.server.name)
        answered = [self._answered(send, entry) for send, entry in zip(made, entries, strict=True)]
        # Every id first: what refers to what is compared by our ids.
        for send, link, _ in answered:
            self.partner.store.put_links([replace(link, reason="sent")], fence=send.link.fence)
        for send, link, created in answered:
            self._read_back(send, link, created=created)

    def _answered(self, send: _Send, entry: object) -> tuple[_Send, Link, bool]:
        """The link with the id that the server gave, and whether it was made just now."""
        response = entry.get("response", {}) if isinstance(entry, dict) else {}
        location = response.get("location") or send.entry["request"]["url"]
        key = relative(str(location).split("/_history/")[0].removeprefix(f"{self.partner.client.base}/"))
        if key is None or key[0] != send.link.type:
            self._keep(send.link, "the answer names no resource")
            raise UnknownOutcome("The server's answer names no resource.", place=self.partner.server.name)
        return send, replace(send.link, remote_id=key[1]), not str(response.get("status", "")).startswith("200")

    def _read_back(self, send: _Send, link: Link, *, created: bool) -> None:
        found = self.partner.client.read(link.type, link.remote_id)
        seen = as_ours(self.partner, found.resource, link.local_id)
        known = _is_linked(send.link)
        if not created and not known and not same(bare(seen), bare(_identified(send.local, link))):
            self._put(link, "conflict", "another version of it was there already")
            self.report.add(link, "conflict", "another version of it was there already")
            return
        self._ack(link, send.local, seen, found.version)
        self.report.add(link, "updated" if known else "created" if created else "found there")

    def _ack(self, link: Link, local: Tree, seen: Tree, version: str) -> None:
        done = replace(link, remote_version=version, base_sent=local, base_seen=seen, acked=link.wanted, attempts=0)
        self.partner.store.put_links([replace(done, state="linked", reason="", lease_until="")], fence=link.fence)

    def _put(self, link: Link, state: str, reason: str) -> None:
        new = replace(link, state=state, reason=reason, lease_until="", attempts=link.attempts + 1)
        self.partner.store.put_links([new], fence=link.fence)

    def _keep(self, link: Link, reason: str) -> None:
        self._put(link, link.state, reason)

    def _set(self, made: list[_Send], state: str, reason: str) -> None:
        for send in made:
            self._put(send.link, state, reason)
            self.report.add(send.link, state, reason)


def _is_linked(link: Link) -> bool:
    """Whether it is known there, and at which version: a run that was cut short may know the id alone."""
    return bool(link.remote_id and link.remote_version)


def _identified(tree: Tree, link: Link) -> Tree:
    """The resource with our identifier, on which it is created at most once."""
    if own_identifier(tree) is not None:
        return dict(tree)
    value = link.part.partition("/")[2] or link.record_id
    identifier = {"system": IDENTIFIER_SYSTEM, "value": value}
    if link.type == "QuestionnaireResponse":
        return {**tree, "identifier": tree.get("identifier", identifier)}
    return {**tree, "identifier": [*tree.get("identifier", []), identifier]}


def _references(node: object) -> Iterable[tuple[str, str]]:
    if isinstance(node, dict):
        literal = node.get("reference")
        key = relative(literal) if isinstance(literal, str) else None
        if key is not None:
            yield key
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
