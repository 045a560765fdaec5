"""What who exchanges with one of the other clients has to do besides: check, convert, know again, keep, and do it again.

Kept in SQLite as durably as ours keeps it (WAL, synchronous NORMAL, as seldom a checkpoint), a page or an answer to a write in one transaction: each
record with its revisions; of each resource its id, version and tree on the server, without which the next write would wipe out
there what the record has no place for, and the versions that were there before, so that an earlier state can be brought back.
Records are found by their patient, resources by every identifier. A second pull asks for what changed since the last, with an
overlap, knows what it has seen by its version, and sets aside what was changed here as well. Written with the statements that
this takes and no more: a page is looked up and written by a few of them. It keeps no lease, tells no deletion, and can be
searched by nothing else. It needs nothing of ours.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bench.peers.people_back import BACK, OWN, own_id, plan

Tree = dict[str, Any]
Row = tuple[Any, ...]
Check = Callable[[Tree], object]
# The trees of a type, of those changed since an instant where one is given.
Fetch = Callable[[str, str], list[Tree]]
PAGE = 200
OVERLAP = timedelta(minutes=2)
ORDER = (*BACK, "CarePlan")
_TABLES = (
    "CREATE TABLE record (kind TEXT, id TEXT, revision INTEGER NOT NULL, patient TEXT, document TEXT NOT NULL, PRIMARY KEY (kind, id))",
    "CREATE INDEX record_patient ON record (patient, kind)",
    "CREATE TABLE record_was (kind TEXT, id TEXT, revision INTEGER, document TEXT NOT NULL, PRIMARY KEY (kind, id, revision))",
    "CREATE TABLE known (system TEXT, value TEXT, type TEXT, id TEXT NOT NULL, PRIMARY KEY (system, value, type))",
    "CREATE TABLE link (type TEXT, remote TEXT, version TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER, tree TEXT NOT NULL, PRIMARY KEY (type, remote))",
    "CREATE TABLE link_was (type TEXT, remote TEXT, version TEXT, tree TEXT NOT NULL, PRIMARY KEY (type, remote, version))",
    "CREATE TABLE aside (type TEXT, remote TEXT, version TEXT, tree TEXT NOT NULL, PRIMARY KEY (type, remote))",
    "CREATE TABLE watermark (type TEXT PRIMARY KEY, at TEXT NOT NULL)",
)
_WRITTEN = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode
_RECORD = "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?)"
_RECORD_WAS = "INSERT INTO record_was VALUES (?, ?, ?, ?)"
_KNOWN = "INSERT OR REPLACE INTO known VALUES (?, ?, ?, ?)"
_LINK = "INSERT OR REPLACE INTO link VALUES (?, ?, ?, ?, ?, ?)"
_LINK_WAS = "INSERT OR REPLACE INTO link_was VALUES (?, ?, ?, ?)"
_ASIDE = "INSERT OR REPLACE INTO aside VALUES (?, ?, ?, ?)"
_WATERMARK = "INSERT OR REPLACE INTO watermark VALUES (?, ?)"
_OF_PLANS = (
    "SELECT link.tree, value ->> 'reference' FROM link, json_each(link.tree, '$.goal') WHERE link.type = 'CarePlan'"
)


@dataclass(slots=True)
class _Run:
    """What is known in one pull: the id of the record that a literal leads to, and goals by their literals."""

    check: Check | None
    refs: dict[str, str]
    goals: dict[str, Tree]
    changed: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Page:
    """The rows to be written for some resources."""

    records: list[Row] = field(default_factory=list)
    revisions: list[Row] = field(default_factory=list)
    names: list[Row] = field(default_factory=list)
    links: list[Row] = field(default_factory=list)
    versions: list[Row] = field(default_factory=list)
    aside: list[Row] = field(default_factory=list)


class Keeper:
    """A database of its own, empty at first."""

    def __init__(self, place: Path) -> None:
        for old in place.parent.glob(f"{place.name}*"):
            old.unlink()
        self._database = sqlite3.connect(place, isolation_level=None)
        for text in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=NORMAL",
            "PRAGMA wal_autocheckpoint=4096",
            *_TABLES,
        ):
            self._database.execute(text)

    def close(self) -> None:
        """Ends it."""
        self._database.close()

    def documents(self) -> list[Tree]:
        """Every record, to be compared with ours."""
        return [json.loads(row[0]) for row in self._database.execute("SELECT document FROM record ORDER BY kind, id")]

    def edit(self, record: Tree) -> None:
        """A record of the provider's own, or changed by it."""
        kind, id_ = record.get("kind", "goal"), record["id"]
        (last,) = self._database.execute(
            "SELECT max(revision) FROM record WHERE kind = ? AND id = ?", (kind, id_)
        ).fetchone()
        row, text = (kind, id_, (last or 0) + 1), _WRITTEN(record)
        self._write(_Page([(*row, _patient(record), text)], [(*row, text)]))

    def count(self, table: str) -> int:
        """How many rows a table has."""
        return int(self._database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - a name of ours

    def pull(self, fetch: Fetch, check: Check | None) -> int:
        """All that changed there since the last time, type by type; how many resources were read."""
        run = _Run(check, self._refs(), self._goals())
        number = 0
        for type_ in ORDER:
            since = self._since(type_)
            trees = fetch(type_, since)
            number += len(trees)
            # What refers to a resource of the same type may stand on a page before it.
            for tree in trees:
                run.refs.setdefault(f"{type_}/{tree['id']}", own_id(tree) or f"{type_}-{tree['id']}")
            for some in _pages(trees):
                self._take(type_, some, run)
            if type_ == "CarePlan" and run.changed and since:
                for some in _pages(self._holding(run.changed)):
                    self._take(type_, some, run, known=True)
            if trees:
                newest = max(tree["meta"]["lastUpdated"] for tree in trees)
                self._database.execute(_WATERMARK, (type_, newest))
        return number

    def _since(self, type_: str) -> str:
        row = self._database.execute("SELECT at FROM watermark WHERE type = ?", (type_,)).fetchone()
        return (datetime.fromisoformat(row[0]) - OVERLAP).isoformat() if row else ""

    def _refs(self) -> dict[str, str]:
        rows = self._database.execute("SELECT type, remote, id FROM link")
        return {f"{type_}/{remote}": id_ for type_, remote, id_ in rows}

    def _goals(self) -> dict[str, Tree]:
        text = "SELECT remote, document FROM link JOIN record USING (id) WHERE type = 'Goal' AND kind = 'goal'"
        return {f"Goal/{remote}": json.loads(document) for remote, document in self._database.execute(text)}

    def _holding(self, goals: set[str]) -> list[Tree]:
        """The plans of which a goal changed."""
        rows = dict.fromkeys(tree for tree, literal in self._database.execute(_OF_PLANS) if literal in goals)
        return [json.loads(row) for row in rows]

    def _take(self, type_: str, trees: Sequence[Tree], run: _Run, *, known: bool = False) -> None:
        """A page in one transaction; what was seen in this version is left out, unless it is `known` and read anew."""
        text = f"SELECT remote, version, revision FROM link WHERE type = ? AND remote IN ({_marks(trees)})"  # noqa: S608 - marks alone
        rows = self._database.execute(text, (type_, *(tree["id"] for tree in trees)))
        links = {remote: (version, revision) for remote, version, revision in rows}
        new = [tree for tree in trees if known or links.get(tree["id"], ("",))[0] != tree["meta"]["versionId"]]
        if new:
            self._write(self._page(type_, new, links, run))

    def _page(self, type_: str, trees: Sequence[Tree], links: Mapping[str, Row], run: _Run) -> _Page:
        page, known = _Page(), self._found(type_, trees)
        made: list[tuple[Tree, str, Tree]] = []
        for tree in trees:
            if run.check is not None:
                run.check(tree)
            literal = f"{type_}/{tree['id']}"
            rows = [(row.get("system", ""), row["value"]) for row in tree.get("identifier", ()) if "value" in row]
            id_ = run.refs[literal] = next((known[row] for row in rows if row in known), run.refs[literal])
            record = plan(tree, id_, run.refs, run.goals) if type_ == "CarePlan" else BACK[type_](tree, id_, run.refs)
            if type_ == "Goal":
                run.goals[literal] = record
                run.changed.add(literal)
            page.names += [(*row, type_, id_) for row in rows]
            made.append((tree, id_, record))
        present = self._present(type_, [id_ for _, id_, _ in made])
        for tree, id_, record in made:
            _, acked = links.get(tree["id"], ("", None))
            _add(page, type_, tree, id_, record, present.get(id_), acked)
        return page

    def _present(self, type_: str, ids: Sequence[str]) -> dict[str, Row]:
        """Revision and document of those of these records that there are."""
        text = f"SELECT id, revision, document FROM record WHERE kind = ? AND id IN ({_marks(ids)})"  # noqa: S608 - marks alone
        return {row[0]: row[1:] for row in self._database.execute(text, (_KINDS[type_], *ids))}

    def _found(self, type_: str, trees: Iterable[Tree]) -> dict[tuple[str, str], str]:
        """What is here already of these, by identifier."""
        values: dict[str, list[str]] = {}
        for tree in trees:
            for row in tree.get("identifier", ()):
                if "value" in row:
                    values.setdefault(row.get("system", ""), []).append(row["value"])
        found: dict[tuple[str, str], str] = {}
        for system, some in values.items():
            text = f"SELECT value, id FROM known WHERE system = ? AND type = ? AND value IN ({_marks(some)})"  # noqa: S608 - marks alone
            found |= {(system, value): id_ for value, id_ in self._database.execute(text, (system, type_, *some))}
        return found

    def _write(self, page: _Page) -> None:
        run = self._database
        run.execute("BEGIN IMMEDIATE")
        run.executemany(_RECORD, page.records)
        run.executemany(_RECORD_WAS, page.revisions)
        run.executemany(_KNOWN, page.names)
        run.executemany(_LINK, page.links)
        run.executemany(_LINK_WAS, page.versions)
        run.executemany(_ASIDE, page.aside)
        run.execute("COMMIT")

    def push(self, rows: list[Tree], check: Check, send: Callable[[Tree, str], Tree]) -> int:
        """Entries (fullUrl and resource), parents first, each checked, sent under a condition, and kept; how many."""
        there: dict[str, str] = {}
        owns = {row["fullUrl"]: own_id(row["resource"]) for row in rows}
        for row in sorted(rows, key=lambda row: ORDER.index(row["resource"]["resourceType"])):
            tree = _placed(row["resource"], there, owns)
            check(tree)
            type_, own = tree["resourceType"], owns[row["fullUrl"]]
            answer = send(tree, f"identifier={OWN}|{own}")
            there[row["fullUrl"]] = f"{type_}/{answer['id']}"
            # Outside of a transaction each statement is one.
            self._database.execute(_LINK, (type_, answer["id"], answer["meta"]["versionId"], own, 1, ""))
        return len(rows)


_KINDS = {"Patient": "patient", "Condition": "diagnosis", "Goal": "goal", "CarePlan": "plan"}


def _add(page: _Page, type_: str, tree: Tree, id_: str, record: Tree, present: Row | None, acked: int | None) -> None:
    """The rows of one resource and its record; where the record is not as it was there last, nothing but what came."""
    text, remote, version = _WRITTEN(tree), tree["id"], tree["meta"]["versionId"]
    document = _WRITTEN(record)
    revision, old = present if present is not None else (0, "")
    if revision and revision != acked and old != document:
        page.aside.append((type_, remote, version, text))
        return
    if old != document:
        revision += 1
        page.records.append((_KINDS[type_], id_, revision, _patient(record), document))
        page.revisions.append((_KINDS[type_], id_, revision, document))
    page.links.append((type_, remote, version, id_, revision, text))
    page.versions.append((type_, remote, version, text))


def _patient(record: Tree) -> str | None:
    return record["id"] if record.get("kind") == "patient" else record.get("patient")


def _marks(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values))


def _pages(trees: Sequence[Tree]) -> Iterator[Sequence[Tree]]:
    return (trees[start : start + PAGE] for start in range(0, len(trees), PAGE))


def _placed(node: Any, there: dict[str, str], owns: dict[str, str | None]) -> Any:
    """With its references as the server has them; to what is not there yet, by identifier."""
    if type(node) is list:
        return [_placed(value, there, owns) for value in node]
    if type(node) is not dict:
        return node
    made = {key: _placed(value, there, owns) for key, value in node.items()}
    literal = made.get("reference")
    if type(literal) is str and literal in there:
        made["reference"] = there[literal]
    elif type(literal) is str and literal in owns:
        del made["reference"]
        made["identifier"] = {"system": OWN, "value": owns[literal]}
    return made
