"""A record that was deleted here and is kept after all: with everything that was deleted with it, and of the origin it had."""

from __future__ import annotations

from dataclasses import replace

from adapter.fhir_json import Tree
from adapter.mapping import Mapper
from adapter.ports import Link
from adapter.records.kinds import content_of
from adapter.sync import receive
from adapter.sync.partner import Store


def before_deletion(store: Store, link: Link) -> Tree:
    """The last state of a deleted record, where the link is of its main resource; else nothing."""
    revisions = store.revisions(link.kind, link.record_id) if not link.part else []
    if not revisions or "deleted" not in revisions[0]:
        return {}
    return next((one for one in revisions if "deleted" not in one), {})


def left_with(store: Store, mapper: Mapper, link: Link, old: Tree) -> dict[receive.Key, Tree | None]:
    """The resources of that state beside the link's, as they were when they were deleted."""
    if not old:
        return {}
    parts, _ = mapper.parts(content_of(old), None)
    keys = [(str(tree["resourceType"]), str(tree["id"])) for part, tree in parts.items() if part != link.part]
    return {key: one.tree for key, one in store.resources(keys).items() if one.deleted}


def of_origin(plan: receive.Plan, link: Link, old: Tree) -> receive.Plan:
    """The plan with the link's record of the origin that it had in that state."""
    if "origin" not in old:
        return plan
    whose = link.kind, link.record_id
    writes = [
        replace(one, record={**one.record, "origin": old["origin"]})
        if (one.record["kind"], one.record["id"]) == whose
        else one
        for one in plan.writes
    ]
    return replace(plan, writes=writes)
