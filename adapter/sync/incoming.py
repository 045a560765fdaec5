"""What comes in, taken into the records: theirs where only they changed, merged where both did, a conflict where they clash.

Every link that is given has been leased; what is written is written under its fence, with the records, in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from adapter.errors import Conflict as Raced
from adapter.errors import DataError
from adapter.fhir_json import Tree, same
from adapter.ports import THIS_WRITE, Arrival, Conflict, Entry, Link, StoredResource, Versioned
from adapter.sync import receive
from adapter.sync.anew import not_there
from adapter.sync.ending import WITHDRAWAL, is_withdrawal
from adapter.sync.merge import Clash, merge
from adapter.sync.narrative import retold
from adapter.sync.pages import in_parts
from adapter.sync.partner import Names, Partner, Report
from adapter.sync.plan import DELETED, Action, plan
from adapter.sync.policy import Policies, Times, times
from adapter.sync.stamps import is_known, went_back
from adapter.sync.theirs import as_ours, overrun
from adapter.sync.words import edited, says_all

Row = tuple[Link, Versioned]
BOTH = "changed on both sides"
WENT_BACK = "its version there went back: restored from a backup?"


@dataclass(slots=True)
class _Change:
    """What one resource of theirs means here: the link as it is then, what is written here, what was decided on the way."""

    old: Link
    link: Link
    action: Action
    tree: Tree | None = None
    entries: tuple[Entry, ...] = ()
    clashes: tuple[Clash, ...] = ()
    row: Versioned = field(default_factory=lambda: Versioned({}))
    verb: str = ""

    @property
    def stopped(self) -> bool:
        return self.verb in ("conflict", "quarantine")


class Incoming:
    """Takes resources of one server in. `dry_run` says what would be done, and does nothing."""

    def __init__(self, partner: Partner, names: Names, report: Report, *, dry_run: bool = False) -> None:
        self.partner = partner
        self.names = names
        self.report = report
        self.dry_run = dry_run

    def take(self, rows: Sequence[Row]) -> None:
        """All of them together where that is possible, else each record by itself: a fault in one holds up no other."""
        if not rows:
            return
        stored = self.partner.store.resources(link.local for link, _ in rows)
        bases = self.partner.store.versions((*link.local, link.base) for link, _ in rows if link.base)
        changes = [self._change(link, row, stored.get(link.local), bases.get(link.local)) for link, row in rows]
        for change in changes:
            self._one_piece(change, stored)
        if self.dry_run:
            for change in changes:
                self.report.add(change.old, f"would {change.action.verb}", change.action.reason)
            return
        for change in [change for change in changes if change.stopped]:
            self._stop(change, stored.get(change.old.local))
        going = [change for change in changes if not change.stopped]
        quiet = [change for change in going if change.tree is None]
        self.partner.store.settle([change.link for change in quiet])
        for change in quiet:
            self.names.learn(change.link)
        self._write([change for change in going if change.tree is not None])

    def gone(self, links: Sequence[Link]) -> None:
        """Deleted there: kept and marked here; a conflict where it was changed here too."""
        stored = self.partner.store.resources(link.local for link in links)
        for link in links:
            if link.state == "quarantine" or (link.state == "conflict" and link.theirs is None):
                # Waits for a decision already: the overlap of two looks tells a deletion twice.
                if not self.dry_run:
                    self.partner.store.settle([link.replace(lease_until="")])
                continue
            # A decision is to be about what is there now.
            known = link.replace(state="linked") if link.state == "conflict" else link
            action = plan(known, stored.get(link.local), DELETED)
            verb = action.verb if action.verb != "nothing" else "gone"
            if self.dry_run:
                self.report.add(link, f"would {verb}", action.reason)
                continue
            new = link.replace(
                lease_until="", in_flight="", reason=action.reason, seen=None, theirs=None, theirs_version=""
            )
            self.report.add(link, verb, action.reason)
            # Whether somebody deleted it, or a backup had it not yet, nobody can tell.
            shown = [Entry(*link.key, "replaced", action.reason, before=link.theirs)] if link.theirs is not None else []
            shown += overrun(self.partner, self.names, link)
            if verb == "conflict":
                whole = Clash("", None, _tree(stored.get(link.local)), None)
                self._clash(new.replace(state="conflict"), [whole], stored.get(link.local), Versioned({}), shown)
                continue
            closed = not_there(new).replace(state="closed", acked=link.wanted)
            entry = Entry(*link.key, verb, action.reason)
            self.partner.store.clash(closed if verb == "close" else new.replace(state="gone"), [], [*shown, entry])

    def _change(self, link: Link, row: Versioned, local: StoredResource | None, base: Tree | None) -> _Change:
        theirs = as_ours(self.names, self.partner.client.base, row.resource, link.local_id)
        known = link.seen if link.seen is not None else base
        new = link.replace(
            remote_version=row.version, remote_updated=row.last_updated, seen=_unless(theirs, base),
            lease_until="", in_flight="", flight=0,
        )  # fmt: skip
        action = plan(link.replace(seen=known), local, theirs)
        if link.state in ("conflict", "quarantine"):
            return self._again(link, row, theirs, local, base)
        if went_back(link, row) and not (known is not None and same(theirs, known)):
            return _Change(link, link, Action("conflict", WENT_BACK), row=row, verb="quarantine")
        unchanged = known is not None and same(theirs, known) and link.state != "gone"
        if action.verb in ("nothing", "push", "withdraw", "create") or unchanged:
            return _Change(link, new, action, row=row)
        ends = {link.ending, "", "error"} if link.in_flight == WITHDRAWAL else {link.ending}
        if known is not None and local is not None and any(is_withdrawal(end, known, theirs) for end in ends):
            if local.deleted:
                closed = new.replace(state="closed", acked=link.wanted, base=0, seen=theirs, reason="")
                return _Change(link, closed, Action("close", "withdrawn there, as it was deleted here"), row=row)
            if link.in_flight == WITHDRAWAL:
                kept = new.replace(acked=0, base=0, seen=None, state="linked")
                return _Change(link, kept, Action("push", "withdrawn there, and kept here after all"), row=row)
        if action.verb == "pull" and local is not None:
            tree = edited(local.tree, link.seen, theirs)
            tree = self._retold(link, tree, theirs) if tree is not theirs else theirs
            taken = new.replace(acked=THIS_WRITE, base=THIS_WRITE, seen=_unless(theirs, tree), state="linked")
            return _Change(link, taken.replace(reason="", attempts=0), action, tree, row=row, verb="pulled")
        if action.verb == "merge" and local is not None:
            return self._merged(link, new, theirs, local, base, row)
        clash = Clash("", known, _tree(local), theirs)
        return _Change(link, new, action, clashes=(clash,), row=row, verb="conflict")

    def _again(
        self, link: Link, row: Versioned, theirs: Tree, local: StoredResource | None, old: Tree | None
    ) -> _Change:
        """Changed there while a decision is waited for: it is to be about what is there now, where one is to be made still."""
        seen = link.replace(remote_version=link.theirs_version)
        if is_known(seen, row) or link.state == "quarantine":
            return _Change(link, link.replace(lease_until=""), Action("nothing", "waits for a decision"), row=row)
        base, live = link.seen or old, local is not None and not local.deleted
        clashes = merge(base or {}, local.tree, theirs)[1] if local is not None and live else []
        # After a backup came back the server itself may have forgotten it.
        reason = WENT_BACK if went_back(seen, row) else "changed there again, before it was decided"
        known = link.theirs is not None and not same(link.theirs, theirs)
        lost = (Entry(*link.key, "replaced", reason, before=link.theirs, after=theirs),) if known else ()
        if live and not clashes and link.reason == BOTH and reason != WENT_BACK:
            change = self._change(
                link.replace(state="linked", reason="", theirs=None, theirs_version=""), row, local, old
            )
            change.entries = (*lost, *change.entries)
            return change
        found = tuple(clashes) or (Clash("", base, _tree(local), theirs),)
        return _Change(
            link, link, Action("conflict", link.reason), entries=lost, clashes=found, row=row, verb="conflict"
        )

    def _merged(
        self, link: Link, new: Link, theirs: Tree, local: StoredResource, base: Tree | None, row: Versioned
    ) -> _Change:
        choice = Policies(self.partner.server.options.policies, self._times(local, row), [])
        if base is None:
            merged, clashes = merge(link.seen or {}, local.tree, theirs, choice)
        else:
            merged, clashes = merge(base, local.tree, edited(base, link.seen, theirs), choice)
        action = Action("merge", BOTH)
        if clashes:
            return _Change(link, new, action, clashes=tuple(clashes), row=row, verb="conflict")
        merged = self._retold(link, merged, theirs)
        entries = tuple(choice.entries(link))
        # What could not be referred to yet is still to be sent, whatever is there.
        partial = link.state == "partial"
        done = not partial and (same(merged, theirs) if base is None else says_all(theirs, base, merged))
        there = new.replace(base=THIS_WRITE if done else link.base, seen=_unless(theirs, merged if done else None))
        there = there.replace(
            acked=THIS_WRITE if done else link.acked, state="partial" if partial else "linked", reason=""
        )
        return _Change(link, there, action, merged, entries, row=row, verb="merged")

    def _retold(self, link: Link, tree: Tree, theirs: Tree) -> Tree:
        parts = {part: stored.tree for part, stored in self.partner.store.parts(link.kind, link.record_id).items()}
        return retold(self.partner.mapper, (link.kind, link.record_id, link.part), parts, tree, theirs)

    def _one_piece(self, change: _Change, stored: dict[receive.Key, StoredResource]) -> None:
        """Answers and scores of one assessment are never mixed: theirs is not taken while another part of it changed here."""
        link = change.old
        if link.kind != "assessment" or change.verb not in ("pulled", "merged"):
            return
        parts = self.partner.store.parts(link.kind, link.record_id).values()
        others = {(part.type, part.id): part for part in parts if (part.type, part.id) != link.local}
        links = self.partner.store.local(link.server, others)
        if any(others[key].version != other.acked for key, other in links.items()):
            change.clashes = (Clash("", None, _tree(stored.get(link.local)), change.tree),)
            change.verb, change.tree = "conflict", None
            change.action = Action("conflict", "answers and scores of one assessment changed on different sides")

    def _times(self, local: StoredResource, row: Versioned) -> Times:
        return times(local.last_updated, row.last_updated, self.partner.store.state(self.partner.name).skew)

    def _write(self, changes: list[_Change]) -> None:
        by_record: dict[tuple[str, str], list[_Change]] = {}
        for change in changes:
            by_record.setdefault((change.link.kind, change.link.record_id), []).append(change)
        if by_record:
            in_parts(list(by_record.values()), self._together, self._alone)

    def _alone(self, changes: Sequence[_Change]) -> None:
        """One record's changes; where they cannot be written now, they are looked at again, or set aside and said."""
        store, name = self.partner.store, self.partner.name
        try:
            self._together([changes])
        except Raced:
            store.settle([change.old.replace(lease_until="") for change in changes])
            store.arrive([Arrival(name, change.old.type, change.old.remote_id) for change in changes])
            for change in changes:
                self.report.add(change.old, "waiting", "changed here meanwhile; the next run looks again")
        except DataError as error:
            refused = [one.old.replace(state="refused", reason=error.message, lease_until="") for one in changes]
            store.settle(refused)
            for change in changes:
                self.report.add(change.old, "refused", error.message)

    def _together(self, records: Sequence[Sequence[_Change]]) -> None:
        partner, changes = self.partner, [change for some in records for change in some]
        trees: dict[receive.Key, Tree | None] = {change.link.local: change.tree for change in changes}
        written = receive.plan(partner.store, partner.mapper, trees, partner.check)
        links = receive.placed((change.link for change in changes), written)
        partner.carry_out(written, links)
        partner.store.enter([entry for change in changes for entry in change.entries])
        for change, link in zip(changes, links, strict=True):
            self.names.learn(link)
            self.report.add(change.link, change.verb, change.action.reason if change.verb == "merged" else "")

    def _stop(self, change: _Change, local: StoredResource | None) -> None:
        self.report.add(change.old, change.verb, change.action.reason)
        self.partner.store.enter(change.entries)
        new = change.old.replace(reason=change.action.reason, lease_until="", in_flight="")
        theirs = as_ours(self.names, self.partner.client.base, change.row.resource, new.local_id)
        new = new.replace(theirs=theirs, theirs_version=change.row.version, remote_updated=change.row.last_updated)
        clashes = change.clashes if change.verb == "conflict" else (Clash("", new.seen, _tree(local), theirs),)
        self._clash(new.replace(state=change.verb), list(clashes), local, change.row)

    def _clash(
        self,
        link: Link,
        clashes: list[Clash],
        local: StoredResource | None,
        row: Versioned,
        shown: Sequence[Entry] = (),
    ) -> None:
        who: dict[str, Any] = {
            "ours_by": self._author(link), "ours_at": local.last_updated if local is not None else "",
            "theirs_by": str(row.resource.get("meta", {}).get("source", "")), "theirs_at": row.last_updated,
        }  # fmt: skip
        found = [Conflict(*link.key, one.path, one.base, one.ours, one.theirs, **who) for one in clashes]
        self.partner.store.clash(link, found, shown)

    def _author(self, link: Link) -> str:
        try:
            return str(self.partner.store.record(link.kind, link.record_id).get("recorded_by", ""))
        except DataError:
            return ""


def _unless(tree: Tree, base: Tree | None) -> Tree | None:
    """What the server holds, None where it is as we sent it."""
    return None if base is not None and same(tree, base) else tree


def _tree(stored: StoredResource | None) -> Tree | None:
    return stored.tree if stored is not None and not stored.deleted else None
