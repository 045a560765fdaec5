"""One write of a record: its revision, its resources and their histories, and what every server is to get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from adapter.errors import Conflict, DataError, NotFound
from adapter.fhir_json import reloads, same
from adapter.ports import THIS_WRITE, Link, Saved, StoredResource, Tree
from adapter.records.kinds import content_of
from adapter.store.consents import consents_changed
from adapter.store.database import alone_with_servers
from adapter.store.indexing import index_rows
from adapter.store.rows import (
    link_of,
    patient_of,
    plain,
    resource_of,
    row_of_link,
    row_of_resource,
    stricter,
    text_of,
)
from adapter.store.tables import link, record, record_revision, resource, resource_history, resource_index, server
from adapter.store.vault import vault_of
from adapter.store.waking import tell

Expected = Mapping[tuple[str, str], str | None]


def tree_of(text: str) -> Tree:
    """A kept document."""
    tree: Tree = reloads(text)
    return tree


def one_resource(connection: Connection, type_: str, id_: str) -> StoredResource | None:
    """The row of a resource, deleted or not."""
    query = select(resource).where(resource.c.type == type_, resource.c.id == id_)
    row = connection.execute(query).mappings().first()
    return resource_of(row) if row is not None else None


def resources_of(connection: Connection, kind: str, id_: str) -> dict[str, StoredResource]:
    """Every resource of a record by part key, deleted ones too."""
    query = select(resource).where(resource.c.kind == kind, resource.c.record_id == id_)
    rows = connection.execute(query.with_for_update()).mappings()
    return {row["part"]: resource_of(row) for row in rows}


class Write:
    """One write transaction."""

    def __init__(self, connection: Connection, now: str, recorded_by: str) -> None:
        self.connection = connection
        self.now = now
        self.recorded_by = recorded_by

    def save(
        self, tree: Tree, parts: Mapping[str, Tree], expect: Expected, revision: int | None, links: Sequence[Link]
    ) -> Saved:
        """See `adapter.ports.RecordStore.save`."""
        kind, id_ = str(tree["kind"]), str(tree["id"])
        self.check(expect)
        row = self._row(kind, id_)
        if revision is not None and revision != (row["revision"] if row is not None else 0):
            raise Conflict("The record has been changed in between.", place=f"{kind}/{id_}")
        present = resources_of(self.connection, kind, id_)
        changed = [key for key, part in parts.items() if self._put(kind, id_, key, part, present.get(key))]
        for key, stored in present.items():
            if key not in parts and not stored.deleted:
                self._drop(stored)
                changed.append(key)
        saved, new = self._put_record(tree, row)
        self._want(kind, id_, changed, links, str(tree.get("pack", "")))
        if kind == "consent" and new:
            consents_changed(self.connection, patient_of(tree))
        return Saved(saved, new or bool(changed), tuple(changed))

    def delete(self, kind: str, id_: str, expect: Expected, ending: str = "") -> None:
        """See `adapter.ports.RecordStore.delete`."""
        self.check(expect)
        row = self._row(kind, id_)
        if row is None:
            raise NotFound("There is no such record.", place=f"{kind}/{id_}")
        if row["deleted"]:
            return
        present = [stored for stored in resources_of(self.connection, kind, id_).values() if not stored.deleted]
        for stored in present:
            self._drop(stored)
        self._revise(tree_of(row["document"]), row["revision"] + 1, deleted=True)
        self._want(kind, id_, [stored.part for stored in present], (), ending=ending)
        if kind == "consent":
            consents_changed(self.connection, patient_of(tree_of(row["document"])))

    def _row(self, kind: str, id_: str) -> Any:
        query = select(record).where(record.c.kind == kind, record.c.id == id_).with_for_update()
        return self.connection.execute(query).mappings().first()

    def check(self, expect: Expected) -> None:
        """Raises Conflict where a resource has not the version that is expected of it."""
        for (type_, id_), version in expect.items():
            stored = one_resource(self.connection, type_, id_)
            present = str(stored.version) if stored is not None and not stored.deleted else None
            if present != version:
                raise Conflict("The version given is not the present one.", place=f"{type_}/{id_}")

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
        key = {"kind": tree["kind"], "id": tree["id"]}
        values = {"revision": revision, "document": text_of(new), "recorded_at": self.now, "deleted": deleted}
        whose = {"origin": new.get("origin", "real"), "patient": patient_of(new)}
        self.connection.execute(delete(record).where(record.c.kind == key["kind"], record.c.id == key["id"]))
        self.connection.execute(insert(record).values(**key, **values, **whose))
        self.connection.execute(insert(record_revision).values(**key, **values, recorded_by=self.recorded_by))
        return new

    def _put(self, kind: str, record_id: str, part: str, tree: Tree, old: StoredResource | None) -> bool:
        new = plain(tree)
        if old is not None and not old.deleted and same(old.tree, new):
            return False
        type_, id_ = new["resourceType"], new["id"]
        there = old or one_resource(self.connection, type_, id_)
        if there is not None and (there.kind, there.record_id, there.part, there.id) != (kind, record_id, part, id_):
            raise DataError("The resource belongs to another record or part.", place=f"{type_}/{id_}")
        version = there.version + 1 if there is not None else 1
        method = "PUT" if there is not None and not there.deleted else "POST"
        self._write(StoredResource(type_, id_, version, self.now, new, kind, record_id, part, method=method))
        rows = list(index_rows(new, vault_of(self.connection.dialect)))
        if rows:
            self.connection.execute(insert(resource_index), rows)
        return True

    def _drop(self, old: StoredResource) -> None:
        row = row_of_resource(old) | {"version": old.version + 1, "last_updated": self.now}
        self._write(resource_of(row | {"deleted": True, "method": "DELETE"}))

    def _write(self, stored: StoredResource) -> None:
        row = row_of_resource(stored)
        for table in (resource, resource_index):
            self.connection.execute(delete(table).where(table.c.type == stored.type, table.c.id == stored.id))
        self.connection.execute(insert(resource).values(**row))
        self.connection.execute(insert(resource_history).values(**row))

    def _want(
        self, kind: str, id_: str, changed: Sequence[str], given: Sequence[Link], pack: str = "", ending: str = ""
    ) -> None:
        """Every server is to get what changed, in the transaction that changed it; `given` links know better."""
        alone_with_servers(self.connection, shared=True)
        where = (link.c.kind == kind, link.c.record_id == id_)
        query = select(link).where(*where).with_for_update()
        known = {(row["server"], row["part"]): link_of(row) for row in self.connection.execute(query).mappings()}
        told = {(one.server, one.part) for one in given}
        present = resources_of(self.connection, kind, id_) if changed or given else {}
        extra: dict[str, Any] = {"ending": ending, **({"pack": pack} if pack else {})}
        for name in self.connection.scalars(select(server.c.name)).all() if changed else []:
            for part in [part for part in changed if (name, part) not in told]:
                self._bump(name, present[part], known.get((name, part)), extra)
        if changed:
            tell(self.connection)
        for one in given:
            self._put_link(one, present[one.part].version, known.get((one.server, one.part)))

    def _bump(self, name: str, stored: StoredResource, old: Link | None, extra: dict[str, Any]) -> None:
        wanted = stored.version
        if old is None:
            if not stored.deleted:
                new = Link(name, stored.kind, stored.record_id, stored.part, stored.type, stored.id, wanted=wanted)
                self.connection.execute(insert(link).values(**row_of_link(new.replace(**extra))))
            return
        # What was refused, or had ended, gets another chance with another content.
        again: dict[str, Any] = {"state": "waiting", "reason": "", "attempts": 0, "not_before": ""}
        new = old.replace(wanted=wanted, **extra, **(again if old.state in {"refused", "closed"} else {}))
        self._write_link(new)

    def _put_link(self, one: Link, version: int, old: Link | None) -> None:
        """A link as the write at hand leaves it; Conflict where somebody else has taken it over."""
        made: dict[str, Any] = {name: version for name in ("acked", "base") if getattr(one, name) == THIS_WRITE}
        new = one.replace(wanted=version, **made)
        if old is None:
            self.connection.execute(insert(link).values(**row_of_link(new)))
            return
        if old.fence != one.fence:
            raise Conflict(
                "Another process has taken this work over.", reason="race", place=f"{one.kind}/{one.record_id}"
            )
        self._write_link(new)

    def _write_link(self, one: Link) -> None:
        at = link.c
        where = (at.server == one.server, at.kind == one.kind, at.record_id == one.record_id, at.part == one.part)
        self.connection.execute(update(link).where(*where).values(**row_of_link(one)))
