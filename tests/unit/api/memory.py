"""The resources of a store, in memory: what `adapter.services.face.Rows` asks for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from adapter.errors import Conflict, Gone, NotFound
from adapter.ports import Versioned
from adapter.services.face import Change, Found, Row, Written
from adapter.services.searching import Search, page_token

START = datetime(2026, 1, 1, tzinfo=UTC)


class Memory:
    def __init__(self) -> None:
        self.log: dict[tuple[str, str], list[Row]] = {}
        self.clock = 0

    def read(self, type_: str, id_: str) -> Versioned:
        row = self.versions(type_, id_)[0]
        return self._given(row)

    def vread(self, type_: str, id_: str, version: str) -> Versioned:
        for row in self.versions(type_, id_):
            if row.version == version:
                return self._given(row)
        raise NotFound("There is no such version.")

    def _given(self, row: Row) -> Versioned:
        if row.resource is None:
            raise Gone("It has been deleted.")
        return Versioned(row.resource, row.version, row.last_updated)

    def versions(self, type_: str, id_: str | None = None) -> list[Row]:
        if id_ is None:
            rows = [row for (held, _), log in self.log.items() if held == type_ for row in log]
            return sorted(rows, key=lambda row: row.last_updated, reverse=True)
        if (type_, id_) not in self.log:
            raise NotFound("There is no such resource.")
        return self.log[type_, id_][::-1]

    def find(self, search: Search) -> Found:
        rows = [log[-1] for (type_, _), log in self.log.items() if type_ == search.type_]
        rows = [row for row in rows if row.resource is not None and self._matches(row, search)]
        descending = search.sort.startswith("-")
        key = "id" if search.sort.endswith("_id") else "last_updated"
        rows.sort(key=lambda row: (getattr(row, key), row.id), reverse=descending)
        total = len(rows)
        if search.after is not None:
            after = search.after
            rows = [row for row in rows if ((getattr(row, key), row.id) > after) is not descending]
        page = rows[: search.count]
        more = len(rows) > len(page) and bool(page)
        last = page_token(getattr(page[-1], key), page[-1].id) if more else None
        return Found([self._given(row) for row in page], total, last)

    def _matches(self, row: Row, search: Search) -> bool:
        tree = row.resource or {}
        if search.ids is not None and row.id not in search.ids:
            return False
        identifiers = tree.get("identifier", [])
        held = identifiers if isinstance(identifiers, list) else [identifiers]
        for tokens in search.identifiers:
            if not any(
                token.value in ("", one.get("value")) and token.system in (None, one.get("system"))
                for token in tokens
                for one in held
            ):
                return False
        subject = tree.get("subject", {}).get("reference", "").rpartition("/")[2]
        return all(subject in patients for patients in search.patients)

    def write(self, changes: Sequence[Change]) -> list[Written]:
        for change in changes:
            log = self.log.get((change.type_, change.id), [])
            if change.version is not None and (not log or log[-1].version != change.version):
                raise Conflict("The version given is not the present one.")
        return [self._one(change) for change in changes]

    def _one(self, change: Change) -> Written:
        log = self.log.setdefault((change.type_, change.id), [])
        created = not log or log[-1].resource is None
        self.clock += 1
        stamp = (START + timedelta(seconds=self.clock)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        version = str(len(log) + 1)
        tree = None
        if change.resource is not None:
            meta = {**change.resource.get("meta", {}), "versionId": version, "lastUpdated": stamp}
            tree = {**change.resource, "meta": meta}
        log.append(Row(change.type_, change.id, version, stamp, tree, "POST" if version == "1" else "PUT"))
        return Written(log[-1], created=created)
