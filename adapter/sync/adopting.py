"""What is new there and becomes ours: what is about a patient who is linked, and patients where the server's options say so.

Whose it is, is told by a link or by an exact identifier; where several or none fit, it waits, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Sequence

from adapter.errors import Conflict, DataError
from adapter.fhir_json import Tree
from adapter.identity import foreign_record_id
from adapter.mapping.scope import own_identifier
from adapter.ports import THIS_WRITE, Arrival, Link, LinkKey, Versioned
from adapter.sync import receive
from adapter.sync.incoming import Incoming
from adapter.sync.outgoing import own_value
from adapter.sync.pages import in_parts
from adapter.sync.partner import Names, Partner, Report
from adapter.sync.references import relative
from adapter.sync.scope import Scope, identifiers
from adapter.sync.theirs import as_ours

# The rest follows a patient. What others refer to comes first.
ADOPTED = (
    "Condition", "Goal", "CareTeam", "ServiceRequest", "MedicationRequest", "QuestionnaireResponse", "Consent", "CarePlan",
)  # fmt: skip


class Adopting:
    """Takes over what is new on one server."""

    def __init__(self, partner: Partner, names: Names, report: Report, *, dry_run: bool = False) -> None:
        self.partner = partner
        self.names = names
        self.report = report
        self.dry_run = dry_run
        self.scope = Scope(partner)
        # What cannot be held yet may belong to what comes on a later page.
        self.more_comes = True

    def take(self, type_: str, rows: Sequence[Versioned]) -> None:
        """Those of a page that are ours to take: all together where that is possible, else each by itself."""
        if type_ != "Patient" and type_ not in ADOPTED:
            return
        rows = self._strange(type_, rows)
        rows = self._listed(rows) if type_ == "Patient" else self._about_known(rows)
        if not rows:
            return
        links = [self._link(type_, row) for row in rows]
        if self.dry_run:
            for link in links:
                self.report.add(link, "would adopt")
            return
        in_parts(list(zip(links, rows, strict=True)), self._adopt, self._alone)

    def _strange(self, type_: str, rows: Sequence[Versioned]) -> list[Versioned]:
        """Those that are not ours already, by our own identifier: what was sent and whose answer was lost is found by the
        next push, and a second one beside it is said.
        """
        named = [(row, own) for row in rows if (own := own_identifier(row.resource)) is not None]
        if not named:
            return list(rows)
        store, name = self.partner.store, self.partner.name
        owners = [one.record for one in store.owners([row.resource for row, _ in named])]
        flying = {own_value(link) for link in store.links(name, type_=type_, flying=True) if not link.remote_id}
        met = [(row, own, owner) for (row, own), owner in zip(named, owners, strict=True)]
        self._met(type_, [one for one in met if one[2]])
        ours = {id(row) for row, own, owner in met if owner or own in flying}
        return [row for row in rows if id(row) not in ours]

    def _met(self, type_: str, rows: Sequence[tuple[Versioned, str, str]]) -> None:
        """What bears our identifier (given with the record that it names): where it is what we sent, and heard no more of,
        others may refer to it from now on; another than what we know there is set aside.
        """
        keys = [self._key(type_, own, owner) for _, own, owner in rows]
        links = self.partner.store.links_at(set(keys))
        for (row, _, _), key in zip(rows, keys, strict=True):
            if (link := links.get(key)) is None:
                continue
            there = link.replace(remote_id=str(row.resource["id"]))
            if not link.remote_id:
                # The next push finds it there. What is read until then, and refers to it, means ours.
                self.names.learn(there)
            elif link.remote_id != there.remote_id:
                self._aside(row, "refused", "it bears our identifier of a resource that is another there")

    def _key(self, type_: str, own: str, owner: str) -> LinkKey:
        """Of the link of a record's part that an identifier of ours names."""
        kind, _, id_ = owner.partition("/")
        return self.partner.name, kind, id_, "" if own == id_ else f"{type_}/{own}"

    def _link(self, type_: str, row: Versioned) -> Link:
        remote_id = str(row.resource["id"])
        local_id = foreign_record_id(self.partner.client.base, type_, remote_id)
        return Link(
            self.partner.name, "", "", "", type_, local_id, remote_id, row.version, row.last_updated,
            acked=THIS_WRITE, base=THIS_WRITE, state="linked",
        )  # fmt: skip

    def _adopt(self, pairs: Sequence[tuple[Link, Versioned]]) -> None:
        """In one transaction. Raises DataError where no record can hold one of them."""
        partner = self.partner
        for link, _ in pairs:
            self.names.learn(link)
        base = partner.client.base
        trees: dict[receive.Key, Tree | None] = {
            link.local: as_ours(self.names, base, row.resource, link.local_id) for link, row in pairs
        }
        plan = receive.plan(partner.store, partner.mapper, trees, partner.check)
        placed = receive.placed((link for link, _ in pairs), plan)
        partner.carry_out(plan, placed)
        for link in placed:
            self.names.learn(link)
            self.report.add(link, "adopted")
        patients = [link for link in placed if link.type == "Patient"]
        partner.store.arrive([Arrival(partner.name, *link.remote) for link in patients])

    def _alone(self, pair: tuple[Link, Versioned]) -> None:
        link, row = pair
        try:
            self._adopt([pair])
        except Conflict:
            # Another process took it over at the same time, or something that it refers to: looked at once more.
            self.partner.store.arrive([Arrival(self.partner.name, *link.remote)])
        except DataError as error:
            again = self.more_comes and link.type != "Patient"
            state = "look" if again else "refused"
            self.partner.store.arrive([Arrival(self.partner.name, *link.remote, state, row.version, error.message)])
            if not again:
                self.report.add(link, "left there", error.message)

    def _about_known(self, rows: Sequence[Versioned]) -> list[Versioned]:
        """Those that are about a patient of ours; one who is named by identifiers that do not say whose waits."""
        found = [(row, *self._subject(row.resource)) for row in rows]
        self.names.load_remote({("Patient", id_) for _, id_, _ in found if id_})
        owners = self._owners([names for _, _, names in found])
        known: list[Versioned] = []
        for (row, id_, names), fitting in zip(found, owners, strict=True):
            if (id_ and self.names.local_id("Patient", id_) is not None) or (names and len(fitting) == 1):
                known.append(row)
            elif names:
                several = "several fit" if fitting else "nobody has its identifier"
                self._waits(row, f"whose it is cannot be told: {several}")
        return known

    def _subject(self, resource: Tree) -> tuple[str, list[str]]:
        """The id there of the Patient that it is about, or where it names none so, the identifiers that it names."""
        subject = resource.get("subject", resource.get("patient"))
        reference: Tree = subject if isinstance(subject, dict) else {}
        literal = str(reference.get("reference", ""))
        key = relative(literal, self.partner.client.base)
        if key is not None and key[0] == "Patient":
            return key[1], []
        return "", [] if literal else identifiers({"identifier": [reference.get("identifier")]})

    def _owners(self, named: Sequence[Sequence[str]]) -> list[list[str]]:
        """For each of these: the patients of ours with one of its identifiers, exactly."""
        wanted = {name for names in named for name in names}
        found = self.partner.store.identified("Patient", wanted) if wanted else {}
        return [sorted({id_ for name in names for id_ in found.get(name, ())}) for names in named]

    def _waits(self, row: Versioned, reason: str) -> None:
        self._aside(row, "waiting", reason)

    def _aside(self, row: Versioned, state: str, reason: str) -> None:
        if not self.dry_run:
            type_, id_ = str(row.resource["resourceType"]), str(row.resource["id"])
            self.partner.store.arrive([Arrival(self.partner.name, type_, id_, state, row.version, reason)])

    def _listed(self, rows: Sequence[Versioned]) -> list[Versioned]:
        """Those Patients that are to be taken over, and are none of ours."""
        listed = [row for row in rows if self.scope.lists(row.resource)]
        owners = self._owners([identifiers(row.resource) for row in listed])
        return [row for row, fitting in zip(listed, owners, strict=True) if not self._matched(row, fitting)]

    def _matched(self, row: Versioned, owners: list[str]) -> bool:
        """Whether a Patient of theirs is one of ours by an exact identifier: then they are linked, and not made twice."""
        if not owners:
            return False
        link = self.names.link("Patient", owners[0])
        if len(owners) > 1 or link is None or link.remote_id:
            self._waits(row, "several patients fit" if len(owners) > 1 else "its identifiers are those of another")
            return True
        if self.dry_run:
            self.report.add(link, "would adopt", "the same identifiers")
            return True
        found = link.replace(remote_id=str(row.resource["id"]))
        for leased in self.partner.store.lease([link], seconds=self.partner.lease):
            known = found.replace(fence=leased.fence, lease_until=leased.lease_until)
            self.names.learn(known)
            Incoming(self.partner, self.names, self.report).take([(known, row)])
            self.partner.store.arrive([Arrival(self.partner.name, *known.remote)])
        return True
