"""One write of records: their revisions, their resources and histories, and what every server is to get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from adapter.errors import Conflict, DataError, NotFound
from adapter.fhir_json import reloads, same
from adapter.ports import THIS_WRITE, Link, Saved, StoredResource, Tree
from adapter.records.kinds import content_of
from adapter.store.consents import consents_changed
from adapter.store.database import alone_with_servers
from adapter.store.present import Key, Place, Present
from adapter.store.rows import patient_of, plain, stricter
from adapter.store.tables import server
from adapter.store.waking import tell
from adapter.store.written import Written

Expected = Mapping[Key, str | None]


class Whole(NamedTuple):
    """A record with all its parts as they are to be; the revision that it must have, if any, the links that know what of the
    write a server has already, and by what its parts were found valid.
    """

    record: Tree
    parts: Mapping[str, Tree]
    revision: int | None = None
    links: Sequence[Link] = ()
    valid: str = ""


def tree_of(text: str) -> Tree:
    """A kept document."""
    tree: Tree = reloads(text)
    return tree


class Write:
    """One write transaction: what it may touch is read at its start, what it changes is written at its end, each together."""

    def __init__(self, connection: Connection, now: str, recorded_by: str) -> None:
        self.connection = connection
        self.now = now
        self.recorded_by = recorded_by
        self._written = Written(connection)
        self._servers: Sequence[str] = ()
        self._consents: list[str] = []

    def carry_out(
        self,
        wholes: Sequence[Whole],
        deletes: Sequence[Key] = (),
        expect: Expected | None = None,
        *,
        ending: str = "",
        move: bool = False,
    ) -> list[Saved]:
        """Writes these records and deletes those (kind, id). With `move`, a resource that is part of another record comes
        from there. Raises Conflict where a version in `expect`, or a revision, is not the present one; DataError, NotFound.
        """
        # Before anything is locked, so that two writes never wait for each other.
        alone_with_servers(self.connection, shared=True)
        wanted = _places(wholes)
        keys = {_key(one.record) for one in wholes} | set(deletes)
        self._present = Present(self.connection, keys, wanted, move=move)
        self._servers = self.connection.scalars(select(server.c.name)).all()
        self._check(expect or {})
        saved = [self._save(one) for one in wholes]
        for kind, id_ in deletes:
            self._delete(kind, id_, ending)
        self._written.flush(self._present.known)
        for patient in self._consents:
            consents_changed(self.connection, patient)
        if self._written.parts:
            tell(self.connection)
        return saved

    def _save(self, one: Whole) -> Saved:
        kind, id_ = _key(one.record)
        row = self._present.records.get((kind, id_))
        if one.revision is not None and one.revision != (row["revision"] if row is not None else 0):
            raise Conflict("The record has been changed in between.", place=f"{kind}/{id_}")
        present = dict(self._present.parts(kind, id_))
        changed = [key for key, part in one.parts.items() if self._put(one, key, part, present.get(key))]
        for key, stored in present.items():
            if key not in one.parts and not stored.deleted:
                self._drop(stored)
                changed.append(key)
        saved, new = self._put_record(one.record, row)
        self._want(kind, id_, changed, one.links, str(one.record.get("pack", "")))
        if kind == "consent" and new:
            self._consents.append(patient_of(one.record))
        return Saved(saved, new or bool(changed), tuple(changed))

    def _delete(self, kind: str, id_: str, ending: str) -> None:
        row = self._present.records.get((kind, id_))
        if row is None:
            raise NotFound("There is no such record.", place=f"{kind}/{id_}")
        if row["deleted"]:
            return
        live = [stored for stored in self._present.parts(kind, id_).values() if not stored.deleted]
        for stored in live:
            self._drop(stored)
        document = tree_of(row["document"])
        self._revise(document, row["revision"] + 1, deleted=True)
        self._want(kind, id_, [stored.part for stored in live], (), ending=ending)
        if kind == "consent":
            self._consents.append(patient_of(document))

    def _check(self, expect: Expected) -> None:
        """Raises Conflict where a resource has not the version that is expected of it."""
        versions = self._present.versions(expect)
        for key, version in expect.items():
            present = versions.get(key)
            if (str(present) if present is not None else None) != version:
                raise Conflict("The version given is not the present one.", place="/".join(key))

    def _put_record(self, tree: Tree, row: Any) -> tuple[Tree, bool]:
        old = tree_of(row["document"]) if row is not None else None
        origin = tree.get("origin", "real") if old is None else stricter(old.get("origin"), tree.get("origin"))
        head = {**content_of(tree), **({"pack": tree["pack"]} if "pack" in tree else {})}
        unchanged = old is not None and not row["deleted"] and same(content_of(old), content_of(tree))
        if old is not None and unchanged and old.get("origin", "real") == origin:
            return old, False
        if origin != "real":
            head["origin"] = origin
        if self.recorded_by:
            head["recorded_by"] = self.recorded_by
        return self._revise(head, (row["revision"] if row is not None else 0) + 1), True

    def _revise(self, tree: Tree, revision: int, *, deleted: bool = False) -> Tree:
        new = {**tree, "revision": revision, "recorded_at": self.now}
        if deleted:
            new = {key: value for key, value in new.items() if key != "recorded_by"}
            new |= {"recorded_by": self.recorded_by} if self.recorded_by else {}
        self._written.revised(new, self.recorded_by, deleted=deleted)
        return new

    def _put(self, whole: Whole, part: str, tree: Tree, old: StoredResource | None) -> bool:
        new = plain(tree)
        if old is not None and not old.deleted and same(old.tree, new):
            return False
        key = new["resourceType"], new["id"]
        kind, record_id = _key(whole.record)
        place = self._present.places.get(key)
        if place not in (None, (kind, record_id, part)) or (old is not None and old.id != key[1]):
            raise DataError("The resource belongs to another record or part.", place="/".join(key))
        version = old.version + 1 if old is not None else 1
        method = "PUT" if old is not None and not old.deleted else "POST"
        self._write(
            StoredResource(*key, version, self.now, new, kind, record_id, part, method=method, valid=whole.valid)
        )
        return True

    def _drop(self, old: StoredResource) -> None:
        self._write(
            replace(old, version=old.version + 1, last_updated=self.now, deleted=True, method="DELETE", valid="")
        )

    def _write(self, stored: StoredResource) -> None:
        self._present.put(stored)
        self._written.resource(stored)

    def _want(
        self, kind: str, id_: str, changed: Sequence[str], given: Sequence[Link], pack: str = "", ending: str = ""
    ) -> None:
        """Every server is to get what changed, in the transaction that changed it; `given` links know better."""
        known = self._present.links.get((kind, id_), {})
        told = {(one.server, one.part) for one in given}
        present = self._present.parts(kind, id_)
        extra: dict[str, Any] = {"ending": ending, **({"pack": pack} if pack else {})}
        for name in self._servers if changed else ():
            for part in [part for part in changed if (name, part) not in told]:
                self._bump(name, present[part], known.get((name, part)), extra)
        for one in given:
            self._put_link(one, present[one.part].version, known.get((one.server, one.part)))

    def _bump(self, name: str, stored: StoredResource, old: Link | None, extra: dict[str, Any]) -> None:
        wanted = stored.version
        if old is None:
            if not stored.deleted:
                new = Link(name, stored.kind, stored.record_id, stored.part, stored.type, stored.id, wanted=wanted)
                self._written.link(new.replace(**extra), new=True)
            return
        # What was refused, or had ended, gets another chance with another content.
        again: dict[str, Any] = {"state": "waiting", "reason": "", "attempts": 0, "not_before": ""}
        if old.state == "closed" and not old.linked:
            # It was removed there: what is brought back is another one there.
            again["remote_id"] = ""
        changed = old.replace(wanted=wanted, **extra, **(again if old.state in {"refused", "closed"} else {}))
        self._written.link(changed, new=False)

    def _put_link(self, one: Link, version: int, old: Link | None) -> None:
        """A link as the write at hand leaves it; Conflict where somebody else has taken it over."""
        made: dict[str, Any] = {name: version for name in ("acked", "base") if getattr(one, name) == THIS_WRITE}
        if old is not None and old.fence != one.fence:
            raise Conflict(
                "Another process has taken this work over.", reason="race", place=f"{one.kind}/{one.record_id}"
            )
        self._written.link(one.replace(wanted=version, **made), new=old is None)


def _key(record: Tree) -> Key:
    return str(record["kind"]), str(record["id"])


def _places(wholes: Iterable[Whole]) -> dict[Key, Place]:
    """Where each resource is to be."""
    return {
        (str(tree["resourceType"]), str(tree["id"])): (*_key(one.record), part)
        for one in wholes
        for part, tree in one.parts.items()
    }
