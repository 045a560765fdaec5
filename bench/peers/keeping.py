"""What who exchanges with one of the other clients has to do besides: check, convert, know again, and keep.

Kept in SQLite as durably as ours keeps it (WAL, synchronous NORMAL): each record, and of each resource its id and version on
the server; of what is pulled the tree too, without which the next write would wipe out there what the record has no place for; a page in one
transaction, an answer to a write in one. It keeps no history, no lease, and of what can be searched for the identifiers
alone. It needs nothing of ours.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bench.peers.people_back import BACK, OWN, own_id, plan

Tree = dict[str, Any]
Check = Callable[[Tree], object]
PAGE = 200
ORDER = (*BACK, "CarePlan")
_TABLES = (
    "CREATE TABLE record (kind TEXT, id TEXT, document TEXT NOT NULL, PRIMARY KEY (kind, id))",
    "CREATE TABLE known (system TEXT, value TEXT, type TEXT, id TEXT NOT NULL, PRIMARY KEY (system, value, type))",
    "CREATE TABLE link (type TEXT, remote TEXT, version TEXT NOT NULL, id TEXT NOT NULL, tree TEXT NOT NULL, PRIMARY KEY (type, remote))",
)
_WRITTEN = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode
_RECORD = "INSERT OR REPLACE INTO record VALUES (?, ?, ?)"
_KNOWN = "INSERT OR REPLACE INTO known VALUES (?, ?, ?, ?)"
_LINK = "INSERT OR REPLACE INTO link VALUES (?, ?, ?, ?, ?)"


class Keeper:
    """A database of its own, empty at first."""

    def __init__(self, place: Path) -> None:
        for old in place.parent.glob(f"{place.name}*"):
            old.unlink()
        self._database = sqlite3.connect(place, isolation_level=None)
        for text in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", *_TABLES):
            self._database.execute(text)

    def close(self) -> None:
        """Ends it."""
        self._database.close()

    def documents(self) -> list[Tree]:
        """Every record, to be compared with ours."""
        return [json.loads(row[0]) for row in self._database.execute("SELECT document FROM record ORDER BY kind, id")]

    def pull(self, fetch: Callable[[str], list[Tree]], check: Check | None) -> int:
        """All that is there, type by type; how many resources."""
        refs: dict[str, str] = {}
        goals: dict[str, Tree] = {}
        number = 0
        for type_ in ORDER:
            trees = fetch(type_)
            number += len(trees)
            # What refers to a resource of the same type may stand on a page before it.
            refs |= {f"{type_}/{tree['id']}": own_id(tree) or f"{type_}-{tree['id']}" for tree in trees}
            for start in range(0, len(trees), PAGE):
                self._page(type_, trees[start : start + PAGE], check, refs, goals)
        return number

    def _page(
        self, type_: str, trees: list[Tree], check: Check | None, refs: dict[str, str], goals: dict[str, Tree]
    ) -> None:
        known = self._found(type_, trees)
        records, names, links = [], [], []
        for tree in trees:
            if check is not None:
                check(tree)
            literal = f"{type_}/{tree['id']}"
            rows = [(row.get("system", ""), row["value"]) for row in tree.get("identifier", ()) if "value" in row]
            id_ = refs[literal] = next((known[row] for row in rows if row in known), refs[literal])
            record = plan(tree, id_, refs, goals) if type_ == "CarePlan" else BACK[type_](tree, id_, refs)
            if type_ == "Goal":
                goals[literal] = record
            records.append((record.get("kind", "goal"), id_, _WRITTEN(record)))
            names += [(*row, type_, id_) for row in rows]
            links.append((type_, tree["id"], tree["meta"]["versionId"], id_, _WRITTEN(tree)))
        run = self._database
        run.execute("BEGIN IMMEDIATE")
        run.executemany(_RECORD, records)
        run.executemany(_KNOWN, names)
        run.executemany(_LINK, links)
        run.execute("COMMIT")

    def _found(self, type_: str, trees: Iterable[Tree]) -> dict[tuple[str, str], str]:
        """What is here already of these, by identifier."""
        values: dict[str, list[str]] = {}
        for tree in trees:
            for row in tree.get("identifier", ()):
                if "value" in row:
                    values.setdefault(row.get("system", ""), []).append(row["value"])
        found: dict[tuple[str, str], str] = {}
        for system, some in values.items():
            marks = ",".join("?" * len(some))
            text = f"SELECT value, id FROM known WHERE system = ? AND type = ? AND value IN ({marks})"  # noqa: S608 - marks alone
            found |= {(system, value): id_ for value, id_ in self._database.execute(text, (system, type_, *some))}
        return found

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
            self._database.execute(_LINK, (type_, answer["id"], answer["meta"]["versionId"], own, ""))
        return len(rows)


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
