"""What a remainder brings into the store: the resources that records were read from, with all that no rule knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from adapter.fhir_json import Tree
from adapter.identity import IDENTIFIER_SYSTEM, resource_id
from adapter.issues import Issue
from adapter.mapping import Mapper, versions
from adapter.mapping.apart import from_remainder
from adapter.mapping.bundle import Analysis, Owned
from adapter.mapping.scope import link_of


@dataclass(frozen=True, slots=True)
class Foreign:
    """The resources of each record (kind, id) by part key, and what cannot be kept."""

    parts: dict[tuple[str, str], dict[str, Tree]] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)


def foreign_parts(mapper: Mapper, remainder: Any) -> Foreign:
    """Each resource as the store holds it: with an id, and known to the others by it. Raises BadInput for no remainder of
    ours; None is none.
    """
    if remainder is None:
        return Foreign()
    source = from_remainder(remainder)
    release = versions.release_of(versions.of_remainder(remainder, None))
    if release != mapper.release:
        text = (
            f"The store holds FHIR {mapper.release}: of this input, which is {release}, it keeps what the records say."
        )
        return Foreign(issues=[Issue("warning", "not-supported", "remainder-release", text, pointer="/remainder")])
    analysis = Analysis(mapper, source)
    records = analysis.records()
    names: dict[str, _Name] = {}
    for owned in records:
        for part, index in owned.parts.items():
            names |= dict.fromkeys(source.name_of(index), _named(source.resources[index], owned, part))
    parts = {
        (owned.map.kind, str(owned.record["id"])): {
            part: _held(source.resources[index], names) for part, index in owned.parts.items()
        }
        for owned in records
    }
    lost = [index for index, reader in enumerate(analysis.readers) if reader is None and index not in analysis.owners]
    return Foreign(parts, [_left(index) for index in lost])


class _Name(NamedTuple):
    """How the store knows a resource: by a literal, and as the record that it is the main resource of."""

    literal: str
    type: str
    record_id: str


def _named(tree: Tree, owned: Owned, part: str) -> _Name:
    """Gives a resource that has none an id."""
    known, record_id = tree.get("id"), str(owned.record["id"])
    id_ = tree["id"] = known if isinstance(known, str) else resource_id(owned.map.kind, record_id, part)
    return _Name(f"{tree['resourceType']}/{id_}", tree["resourceType"], "" if part else record_id)


def _held(tree: Any, names: Mapping[str, _Name]) -> Any:
    """A tree whose References lead to where the store has what they meant, and say whose record that is."""
    if isinstance(tree, dict):
        found = {key: _held(value, names) for key, value in tree.items()}
        literal = tree.get("reference")
        name = names.get(literal) if isinstance(literal, str) else None
        return found if name is None else _reference(found, name)
    return [_held(item, names) for item in tree] if isinstance(tree, list) else tree


def _reference(tree: Tree, name: _Name) -> Tree:
    tree = {**tree, "reference": name.literal}
    if not name.record_id or "identifier" in tree or link_of(tree, "none") == (name.type, name.record_id):
        return tree
    return {**tree, "type": name.type, "identifier": {"system": IDENTIFIER_SYSTEM, "value": name.record_id}}


def _left(index: int) -> Issue:
    text = "No record here can hold this resource: it stays in the file, and is not brought in."
    return Issue("warning", "not-supported", "resource-not-held", text, pointer=f"/remainder/resources/{index}")
