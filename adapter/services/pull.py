"""Fetch what changed there: into the record where only they changed, merged where both did, a conflict where they clash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

from adapter.errors import Conflict, DataError, Gone, NotFound
from adapter.fhir_json import Tree, same
from adapter.identity import foreign_record_id
from adapter.ports import Link, Versioned
from adapter.services import receive
from adapter.services.partners import Partner, Report
from adapter.sync.merge import Clash, merge
from adapter.sync.plan import decide
from adapter.sync.references import remote_to_local

CHUNK = 40
# Patients are never taken over by themselves; the rest follows a patient who is linked.
ADOPTED = ("Condition", "Goal", "CareTeam", "ServiceRequest", "MedicationRequest", "QuestionnaireResponse", "CarePlan")


def pull(partner: Partner, *, dry_run: bool = False) -> Report:
    """Everything that changed there since the last look, deletions included. Raises Unavailable, DataError (wiped)."""
    report = Report()
    links = [link for link in partner.store.links(partner.server.name) if link.remote_id]
    by_type: dict[str, list[Link]] = {}
    for link in links:
        by_type.setdefault(link.type, []).append(link)
    missing = _missing(partner, by_type)
    _brake(len(missing), len(links), partner)
    job = _Pull(partner, report, dry_run)
    for link in missing:
        job.gone(link)
    for type_ in dict.fromkeys([*by_type, *ADOPTED]):
        job.type(type_, {link.remote_id: link for link in by_type.get(type_, [])})
    return report


def fetch(partner: Partner, links: Iterable[Link], report: Report) -> None:
    """Look again at these links alone."""
    job = _Pull(partner, report, dry_run=False)
    changes = []
    for link in links:
        try:
            changes.append((link, partner.client.read(link.type, link.remote_id)))
        except (NotFound, Gone):
            job.gone(link)
    job.apply(changes)


def _missing(partner: Partner, by_type: dict[str, list[Link]]) -> list[Link]:
    """Links whose resource is not there any more: a sweep of ids, each absence confirmed by a read."""
    found = []
    for type_, links in by_type.items():
        live = [link for link in links if link.state not in ("gone", "closed")]
        ids = {row.resource.get("id") for row in _by_ids(partner, type_, [link.remote_id for link in live])}
        found += [link for link in live if link.remote_id not in ids and not _is_there(partner, link)]
    return found


def _is_there(partner: Partner, link: Link) -> bool:
    try:
        partner.client.read(link.type, link.remote_id)
    except (NotFound, Gone):
        return False
    return True


def _by_ids(partner: Partner, type_: str, ids: list[str]) -> Iterator[Versioned]:
    rest = iter(ids)
    while chunk := list(islice(rest, CHUNK)):
        for page in partner.client.search(type_, {"_id": ",".join(chunk), "_count": str(CHUNK)}):
            yield from page


def _brake(missing: int, known: int, partner: Partner) -> None:
    if missing >= 5 and missing * 10 > known:
        raise DataError(
            f"{missing} of {known} known resources are gone there: it looks wiped or restored. Nothing was changed here.",
            place=partner.server.name,
            remedy="Find out what happened; `careplan server remove` and `add` start anew.",
        )


@dataclass(slots=True)
class _Pull:
    partner: Partner
    report: Report
    dry_run: bool
    taken: set[str] = field(default_factory=set)

    def gone(self, link: Link) -> None:
        """Deleted there: kept and marked here; a conflict where it was changed here too."""
        local = "same" if link.wanted == link.acked else "changed"
        action = decide(local, "deleted")  # type: ignore[arg-type]
        state = "gone" if action.verb == "gone" else "conflict"
        if not self.dry_run:
            self.partner.store.put_links([replace(link, state=state, reason=action.reason)])
        self.report.add(link, action.verb, action.reason)

    def type(self, type_: str, links: dict[str, Link]) -> None:
        """One type: what changed since the watermark, or what is linked where there is none yet."""
        store, server = self.partner.store, self.partner.server.name
        mark = store.watermark(server, type_)
        rows = list(self._since(type_, mark) if mark else _by_ids(self.partner, type_, list(links)))
        changed = []
        for row in rows:
            link = links.get(str(row.resource.get("id")))
            if link is None:
                self._adopt(type_, row)
            elif row.version != link.remote_version:
                changed.append((link, row))
        self.apply(changed)
        newest = max((row.last_updated for row in rows if row.last_updated), default=mark or "")
        if newest and not self.dry_run:
            store.set_watermark(server, type_, max(newest, mark, key=_moment) if mark else newest)

    def _since(self, type_: str, mark: str) -> Iterator[Versioned]:
        start = _moment(mark) - timedelta(seconds=self.partner.overlap)
        since = start.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for page in self.partner.client.search(type_, {"_lastUpdated": f"ge{since}", "_sort": "_lastUpdated"}):
            yield from page

    def apply(self, rows: list[tuple[Link, Versioned]]) -> None:
        """Write each record's changes; a fault in one holds up no other."""
        by_record: dict[tuple[str, str], list[tuple[Link, Versioned]]] = {}
        for link, row in rows:
            by_record.setdefault((link.kind, link.record_id), []).append((link, row))
        for changes in by_record.values():
            self._apply_record(changes)

    def _apply_record(self, rows: list[tuple[Link, Versioned]]) -> None:
        partner = self.partner
        changes: dict[receive.Key, Tree | None] = {}
        new_links = []
        for link, row in rows:
            theirs = as_ours(partner, row.resource, link.local_id)
            new = replace(link, remote_version=row.version, base_seen=theirs)
            local = "same" if link.wanted == link.acked else "changed"
            action = decide(local, "changed", link.state)  # type: ignore[arg-type]
            if action.verb in ("nothing", "conflict"):
                self._stop(link, action.reason, [])
            elif same(theirs, link.base_seen):
                new_links.append(new)
            elif action.verb == "pull":
                changes[link.type, link.local_id] = theirs
                new_links.append(replace(new, base_sent=theirs, acked=link.wanted, state="linked", reason=""))
            else:
                self._merge(link, new, theirs, changes, new_links)
        verb = "would pull" if self.dry_run else self._write(changes, new_links)
        for link in new_links:
            if verb and (link.type, link.local_id) in changes:
                self.report.add(link, "merged" if verb == "pulled" and link.wanted != link.acked else verb)

    def _merge(
        self, link: Link, new: Link, theirs: Tree, changes: dict[receive.Key, Tree | None], new_links: list[Link]
    ) -> None:
        try:
            ours = self.partner.store.resource(link.type, link.local_id).tree
        except DataError:
            self._stop(link, "deleted here, changed there", [])
            return
        base = link.base_seen or link.base_sent
        # Their words for our last writing are no edit of theirs, ours no edit of ours.
        mine, _ = merge(link.base_sent or {}, ours, base or {}) if link.base_sent else (ours, [])
        merged, clashes = merge(base or {}, mine, theirs)
        if clashes or base is None:
            self._stop(link, "changed on both sides", clashes)
            return
        changes[link.type, link.local_id] = merged
        done = same(merged, theirs)
        new_links.append(replace(new, base_sent=theirs, acked=link.wanted if done else link.acked, state="linked"))

    def _stop(self, link: Link, reason: str, clashes: list[Clash]) -> None:
        details = tuple(
            {"path": clash.path, "base": clash.base, "ours": clash.ours, "theirs": clash.theirs} for clash in clashes
        )
        if not self.dry_run and link.state != "conflict":
            self.partner.store.put_links([replace(link, state="conflict", reason=reason, details=details)])
            self.partner.store.journal(link.server, link, "conflict", reason)
        self.report.add(link, "conflict", reason)

    def _write(self, changes: dict[receive.Key, Tree | None], links: list[Link]) -> str:
        """All of one record, with its links, in one transaction; empty where that was not possible, and said."""
        store, partner = self.partner.store, self.partner
        try:
            plan = receive.plan(store, partner.mapper, changes, partner.check) if changes else None
            if plan is not None:
                partner.carry_out(plan, [_placed(link, plan) for link in links])
        except Conflict:
            for link in links:
                self.report.add(link, "waiting", "changed here meanwhile; the next run looks again")
            return ""
        except DataError as error:
            for link in links:
                if (link.type, link.local_id) in changes:
                    store.put_links([self._as_known(link, error.message)])
                    self.report.add(link, "refused", error.message)
            return ""
        written = {_key(write.record) for write in plan.writes} if plan is not None else set()
        store.put_links([link for link in links if (link.kind, link.record_id) not in written])
        return "pulled"

    def _as_known(self, link: Link, reason: str) -> Link:
        """The link as it was before theirs was read, so that nothing of theirs counts as taken over."""
        was = self.partner.store.link_of(link.server, link.type, local_id=link.local_id) or link
        return replace(was, state="refused", reason=reason)

    def _adopt(self, type_: str, row: Versioned) -> None:
        """A resource that is new there, about a patient who is linked, becomes ours."""
        partner = self.partner
        if type_ not in ADOPTED or not _about_known(partner, row.resource):
            return
        remote_id = str(row.resource.get("id"))
        local_id = foreign_record_id(partner.client.base, type_, remote_id)
        tree = as_ours(partner, row.resource, local_id)
        new = Link(partner.server.name, "", "", "", type_, local_id, remote_id, row.version, tree, tree, state="linked")
        if self.dry_run:
            self.report.add(new, "would adopt")
            return
        try:
            plan = receive.plan(partner.store, partner.mapper, {(type_, local_id): tree}, partner.check)
        except DataError as error:
            self.report.add(new, "left there", error.message)
            return
        link = replace(_placed(new, plan), wanted=1, acked=1)
        partner.carry_out(plan, [link])
        self.report.add(link, "adopted")


def _placed(link: Link, plan: receive.Plan) -> Link:
    """The link of a resource, at the record and part that it belongs to when the plan is carried out."""
    for write in plan.writes:
        for part, tree in write.parts.items():
            if (tree.get("resourceType"), tree.get("id")) == (link.type, link.local_id):
                kind, id_ = _key(write.record)
                return replace(link, kind=kind, record_id=id_, part=part)
    return link


def _key(record: Tree) -> tuple[str, str]:
    return str(record["kind"]), str(record["id"])


def _about_known(partner: Partner, resource: Tree) -> bool:
    subject = resource.get("subject")
    literal = subject.get("reference") if isinstance(subject, dict) else None
    if not isinstance(literal, str) or not literal.removeprefix(f"{partner.client.base}/").startswith("Patient/"):
        return False
    id_ = literal.rpartition("Patient/")[2].split("/")[0]
    return partner.local_id("Patient", id_) is not None


def as_ours(partner: Partner, tree: Tree, local_id: str) -> Tree:
    """A resource of theirs as the store holds it: our ids, no version or time of theirs."""
    local = remote_to_local(tree, partner.local_id, partner.client.base)
    meta = {key: value for key, value in local.get("meta", {}).items() if key not in ("versionId", "lastUpdated")}
    out = {**local, "id": local_id, "meta": meta}
    if not meta:
        del out["meta"]
    return out


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
