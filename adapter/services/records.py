"""The store's records: checked and brought in, listed, shown, sent out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

from adapter.errors import BadInput
from adapter.fhir_json import Tree
from adapter.issues import Issue
from adapter.mapping import Mapper
from adapter.mapping.bundle import Analysis, from_remainder
from adapter.ports import RecordStore, Saved

Origin = Literal["synthetic", "test", "real"]


@dataclass(slots=True)
class Imported:
    """What an import did: (kind/id, "new" | "changed" | "unchanged" | "refused") for each record, and all issues."""

    rows: list[tuple[str, str]] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)

    @property
    def refused(self) -> int:
        """How many were not taken in."""
        return sum(1 for _, verb in self.rows if verb == "refused")


def import_records(  # noqa: PLR0913 - the options of one call
    store: RecordStore,
    mapper: Mapper,
    check: Callable[[Any], list[Issue]],
    records: Sequence[Any],
    *,
    remainder: Any = None,
    origin: Origin | None = None,
    recorded_by: str = "",
    expect_revision: int | None = None,
) -> Imported:
    """Each record by itself: one that is faulty is refused whole, and its neighbours are taken.

    With the remainder that `convert from-fhir` gave, everything foreign is kept too. `origin` is for those that say none.
    Raises Conflict where `expect_revision` is given and a record has another one.
    """
    done = Imported()
    foreign = _foreign(mapper, remainder) if remainder is not None else {}
    save = partial(store.save, recorded_by=recorded_by, expect_revision=expect_revision)
    for index, record in enumerate(records):
        faults = [replace(issue, pointer=f"/{index}{issue.pointer or ''}") for issue in check(record)]
        done.issues += faults
        name = f"{record.get('kind')}/{record.get('id')}" if isinstance(record, dict) and not faults else f"/{index}"
        if faults:
            done.rows.append((name, "refused"))
            continue
        done.rows.append((name, _take(store, mapper, record, foreign, origin, save, done)))
    return done


def _take(
    store: RecordStore,
    mapper: Mapper,
    record: Tree,
    foreign: dict[tuple[str, str], dict[str, Tree]],
    origin: Origin | None,
    save: Callable[..., Saved],
    done: Imported,
) -> str:
    key = (str(record["kind"]), str(record["id"]))
    present = store.parts(*key)
    onto = {part: stored.tree for part, stored in present.items()} or foreign.get(key)
    # A pull that writes in between would otherwise be undone: the versions seen must still be there.
    expect = {(stored.type, stored.id): str(stored.version) for stored in present.values()}
    parts, issues = mapper.parts(record, onto)
    done.issues += issues
    new = {**record, "pack": f"{mapper.name}@{mapper.version}"}
    if origin is not None and "origin" not in record:
        new["origin"] = origin
    saved = save(new, parts, expect=expect)
    if not saved.changed:
        return "unchanged"
    return "new" if saved.record.get("revision") == 1 else "changed"


def _foreign(mapper: Mapper, remainder: Any) -> dict[tuple[str, str], dict[str, Tree]]:
    """The resources that each record of a remainder was read from."""
    source = from_remainder(remainder)
    found = {}
    for owned in Analysis(mapper, source).records():
        trees = {part: source.resources[index] for part, index in owned.parts.items()}
        if all(isinstance(tree.get("id"), str) for tree in trees.values()):
            found[str(owned.record["kind"]), str(owned.record["id"])] = trees
    return found


def taken_apart(tree: Any) -> tuple[list[Any], Any]:
    """A record, a list of them, or what from-fhir or an export gave → records and remainder. Raises BadInput."""
    if isinstance(tree, list):
        return tree, None
    if isinstance(tree, dict) and isinstance(tree.get("records"), list):
        return tree["records"], tree.get("remainder")
    if isinstance(tree, dict) and "kind" in tree:
        return [tree], None
    text = "Expected a record, a list of records, or what from-fhir gave."
    raise BadInput(text, issues=[Issue("fatal", "structure", "record-no-kind", text, pointer="/kind")])
