"""What is new there and becomes ours: what is about a patient who is linked, and patients where the server's options say so.

Whose it is, is told by a link or by an exact identifier; where several or none fit, it waits, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
from adapter.sync.references import relative, rewritten
from adapter.sync.scope import Scope, identifiers
from adapter.sync.theirs import as_ours

# The rest follows a patient, a score its answers as well. What others refer to comes first.
SCORE = "Observation"
ADOPTED = (
    "Condition", "Goal", "CareTeam", "ServiceRequest", "MedicationRequest", "QuestionnaireResponse", SCORE, "Consent",
    "CarePlan",
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
        rows = self._strange(type_, rows if type_ != SCORE else [row for row in rows if self._answers(row)])
        rows = self._listed(rows) if type_ == "Patient" else self._about_known(rows)
        if type_ == SCORE:
            rows = self._scores(rows)
        if not rows:
            return
        links = [self._link(type_, row) for row in rows]
        if self.dry_run:
            for link in links:
                self.report.add(link, "would adopt")
            return
        in_parts(list(zip(links, rows, strict=True)), self._adopt, self._alone)

    def _answers(self, row: Versioned) -> list[receive.Key]:
        """The QuestionnaireResponses there that an Observation is derived from."""
        found = row.resource.get("derivedFrom")
        literals = (one.get("reference") for one in found if isinstance(one, dict)) if isinstance(found, list) else ()
        keys = (relative(literal, self.partner.client.base) for literal in literals if isinstance(literal, str))
        return [key for key in keys if key is not None and key[0] == "QuestionnaireResponse"]

    def _scores(self, rows: Sequence[Versioned]) -> list[Versioned]:
        """Those of answers that are ours: a score is a part of its assessment, and no other Observation is taken over."""
        self.names.load_remote({key for row in rows for key in self._answers(row)})
        ours = [row for row in rows if any(self.names.local_id(*key) is not None for key in self._answers(row))]
        if self.more_comes and not self.dry_run:
            rest = [row for row in rows if not any(row is one for one in ours)]
            name = self.partner.name
            self.partner.store.arrive(
                [Arrival(name, SCORE, str(row.resource["id"]), "look", row.version) for row in rest]
            )
        return ours

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
        named = self._named(pairs)
        try:
            plan = receive.plan(
                partner.store, partner.mapper, trees | {one.local: tree for one, tree in named}, partner.check
            )
            others = [one.replace(lease_until="") for one, _ in named]
            placed = receive.placed([*(link for link, _ in pairs), *others], plan)
            partner.carry_out(plan, placed)
        except BaseException:
            partner.store.settle([one.replace(lease_until="") for one, _ in named])
            raise
        for link in placed:
            self.names.learn(link)
        placed = placed[: len(pairs)]
        for link in placed:
            self.report.add(link, "adopted")
        patients = [link for link in placed if link.type == "Patient"]
        partner.store.arrive([Arrival(partner.name, *link.remote) for link in patients])

    def _named(self, pairs: Sequence[tuple[Link, Versioned]]) -> list[tuple[Link, Tree]]:
        """The answers that scores among these are of: what names them by their address there names them as ours from now on,
        which is no news there. They are leased. Raises Conflict where they are not to be had.
        """
        scores = [(link, row) for link, row in pairs if link.type == SCORE]
        keys = {(key[0], self.names.local_id(*key) or "") for _, row in scores for key in self._answers(row)}
        stored = self.partner.store.resources(key for key in keys if key[1])
        here = [key for key, one in stored.items() if not one.deleted]
        # As they stand: an answer moves when the assessment comes that it is part of.
        links = list(self.partner.store.local(self.partner.name, here).values()) if here else []
        leased = self.partner.store.lease(links, seconds=self.partner.lease) if links else []
        held = [one for one in leased if one.state == "linked" and not one.in_flight]
        if len(held) < len(links):
            self.partner.store.settle([one.replace(lease_until="") for one in leased])
            raise Conflict("Another process is at work on the answers.", reason="race", place=self.partner.name)
        ours = {
            f"{self.partner.client.base}/{SCORE}/{link.remote_id}": f"{SCORE}/{link.local_id}" for link, _ in scores
        }
        return [(_in_step(one, ours), _renamed(stored[one.local].tree, ours)) for one in held]

    def _alone(self, pair: tuple[Link, Versioned]) -> None:
        link, row = pair
        try:
            self._adopt([pair])
        except Conflict:
            # Another process took it over at the same time, or something that it refers to: looked at once more.
            self.partner.store.arrive([Arrival(self.partner.name, *link.remote)])
        except DataError as error:
            again = self.more_comes and link.type != "Patient"
            if not again and _is_no_part(link, error):
                return
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


def _renamed(tree: Tree, names: Mapping[str, str]) -> Tree:
    return rewritten(tree, lambda literal: names.get(literal, literal))  # type: ignore[no-any-return]


def _in_step(link: Link, names: Mapping[str, str]) -> Link:
    """A link whose resource is written with other names for what it refers to: as far in step as it was."""
    seen = _renamed(link.seen, names) if link.seen is not None else None
    return link.replace(seen=seen, acked=THIS_WRITE, base=THIS_WRITE) if not link.todo else link.replace(seen=seen)


def _is_no_part(link: Link, error: DataError) -> bool:
    """Whether it is something else than a score that was made of the answers: none of ours to take, or to speak of."""
    return link.type == SCORE and any(one.message_id == "resource-without-record" for one in error.issues)
