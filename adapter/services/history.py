"""The history of a record: every revision, what was decided and when; and any earlier state brought back as a new one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapter.errors import DataError, Gone, NotFound, UsageError
from adapter.fhir_json import Tree
from adapter.issues import Issue
from adapter.mapping import Mapper
from adapter.ports import ORDER, Entry
from adapter.services.telling import content
from adapter.sync.differences import differences
from adapter.sync.partner import Store


def found(store: Store, name: str) -> tuple[str, str]:
    """`kind/id`, or an id that only one kind has → kind and id. Raises NotFound, UsageError."""
    kind, slash, id_ = name.partition("/")
    if slash and kind not in ORDER:
        raise UsageError("There is no such kind of record.", remedy=f"Known kinds: {', '.join(ORDER)}.")
    kinds = [kind] if slash else [one for one in ORDER if _known(store, one, name)]
    if not kinds:
        raise NotFound("There is no such record.", place=name)
    if len(kinds) > 1:
        raise UsageError("Records of several kinds have this id.", remedy=f"Write {kinds[0]}/{name}.")
    return kinds[0], id_ if slash else name


def _known(store: Store, kind: str, id_: str) -> bool:
    try:
        return bool(store.revisions(kind, id_))
    except NotFound:
        return False


def history(store: Store, kind: str, id_: str) -> list[Tree]:
    """Revisions and decisions as rows, oldest first; each revision with the fields that it changed. Raises NotFound."""
    revisions = list(reversed(store.revisions(kind, id_)))
    rows = []
    before: Tree = {}
    for one in revisions:
        changed = [path for path, _, _ in differences(content(before), content(one))] if before else []
        rows.append({"at": one["recorded_at"], "what": "revision", "revision": one["revision"],
                     "by": one.get("recorded_by", ""), "fields": changed, "deleted": "deleted" in one})  # fmt: skip
        before = one
    rows += [_row(entry) for entry in store.entries(kind, id_)]
    return sorted(rows, key=lambda row: str(row["at"]))


def _row(entry: Entry) -> Tree:
    return {
        "at": entry.at, "what": entry.verb, "by": entry.by, "server": entry.server, "part": entry.part,
        "element": entry.path, "reason": entry.reason, "before": entry.before, "after": entry.after,
    }  # fmt: skip


def bring_back(
    store: Store, mapper: Mapper, check: Callable[[Any], list[Issue]], kind: str, id_: str, revision: int, by: str = ""
) -> Tree:
    """An earlier revision as a new one, also of a record that was deleted. Raises NotFound, DataError, Conflict."""
    old = next((one for one in store.revisions(kind, id_) if one["revision"] == revision), None)
    if old is None:
        raise NotFound("The record has no such revision.", place=f"{kind}/{id_}")
    record = content(old)
    if faults := check(record):
        raise DataError("That state is not valid by the rules of today.", issues=faults, place=f"{kind}/{id_}")
    present = store.parts(kind, id_)
    parts, _ = mapper.parts(record, {part: stored.tree for part, stored in present.items()} or None)
    expect = {(one.type, one.id): str(one.version) for one in present.values()}
    before = _revision(store, kind, id_)
    came = {"origin": old["origin"]} if "origin" in old else {}
    new = {**record, **came, "pack": f"{mapper.name}@{mapper.version}"}
    saved = store.save(new, parts, expect=expect, recorded_by=by)
    reason = f"revision {revision} brought back"
    if saved.changed:
        store.enter([Entry("", kind, id_, "", "back", reason, by, before=before, after=saved.record["revision"])])
    return saved.record


def _revision(store: Store, kind: str, id_: str) -> int | None:
    try:
        return int(store.record(kind, id_)["revision"])
    except (NotFound, Gone):
        return None
