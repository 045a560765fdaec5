"""What a rule may know beside the two trees: references, the resources of the same record, where to say a fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from adapter.identity import IDENTIFIER_SYSTEM, TYPE_OF_KIND, foreign_record_id, resource_id
from adapter.issues import Issue

Tree = dict[str, Any]


class Refs(Protocol):
    """References between resources, both ways."""

    def link(self, reference: Tree) -> tuple[str, str] | None:
        """(type or "", record id) of the record that a Reference leads to, or None where it names nothing."""

    def part(self, reference: Tree) -> str | None:
        """The part key of a resource of this same record, or None."""

    def to_record(self, type_: str, record_id: str) -> Tree:
        """A Reference to the main resource of another record."""

    def own(self, type_: str, id_: str, part: str) -> Tree:
        """A Reference to a resource of this same record, which is now known as `part`."""

    def to_part(self, part: str, resource: Tree) -> Tree:
        """A Reference to a part that is already known."""


def own_identifier(resource: Tree) -> str | None:
    """The value of our identifier on a resource or reference, or None."""
    found = resource.get("identifier")
    for identifier in found if type(found) is list else (found,):
        if type(identifier) is dict and identifier.get("system") == IDENTIFIER_SYSTEM:
            value = identifier.get("value")
            if type(value) is str and value:
                return value
    return None


def item_id(resource: Tree, base: str = "none", container: str = "") -> str:
    """The id of the record that a resource is: ours by our identifier, else derived."""
    own = own_identifier(resource)
    if own is not None:
        return own
    return foreign_record_id(base, str(resource.get("resourceType")), f"{container}{resource.get('id')}")


def split_reference(text: str) -> tuple[str, str, str] | None:
    """(base or "none", type, id) of a literal reference, versions left aside; None where it is of another form."""
    head = text.partition("/_history/")[0].partition("|")[0].partition("#")[0]
    if head.startswith("urn:"):
        return None
    base, _, id_ = head.rpartition("/")
    base, _, type_ = base.rpartition("/")
    if not id_ or not type_ or not type_[0].isupper():
        return None
    return base or "none", type_, id_


def link_of(reference: Tree, base: str) -> tuple[str, str] | None:
    """(type or "", record id) by what a Reference itself says: our identifier, else its literal at a server `base`."""
    literal = reference.get("reference")
    split = split_reference(literal) if isinstance(literal, str) else None
    type_ = split[1] if split else reference.get("type")
    name = type_ if isinstance(type_, str) else ""
    own = own_identifier(reference)
    if own is not None:
        return name, own
    if split:
        return split[1], foreign_record_id(base if split[0] == "none" else split[0], split[1], split[2])
    if isinstance(literal, str) and literal.startswith("urn:"):
        return name, foreign_record_id(base, "urn", literal)
    return None


def target_of(literal: str, targets: Mapping[str, int]) -> int | None:
    """The index of the resource that a literal names, in whatever version."""
    index = targets.get(literal)
    if index is None and "/_history/" in literal:
        return targets.get(literal.partition("/_history/")[0])
    return index


@dataclass(slots=True)
class RelativeRefs:
    """References as the store holds them: `Type/id` with our identifier beside it; `parts` by `Type/id`."""

    base: str = "none"
    parts: dict[str, str] = field(default_factory=dict)

    def link(self, reference: Tree) -> tuple[str, str] | None:
        return link_of(reference, self.base)

    def part(self, reference: Tree) -> str | None:
        literal = reference.get("reference")
        return self.parts.get(literal) if isinstance(literal, str) else None

    def to_record(self, type_: str, record_id: str) -> Tree:
        kind = next((kind for kind, name in TYPE_OF_KIND.items() if name == type_), type_)
        return {
            "reference": f"{type_}/{resource_id(kind, record_id)}",
            "type": type_,
            "identifier": {"system": IDENTIFIER_SYSTEM, "value": record_id},
        }

    def own(self, type_: str, id_: str, part: str) -> Tree:
        self.parts[f"{type_}/{id_}"] = part
        return {"reference": f"{type_}/{id_}"}

    def to_part(self, part: str, resource: Tree) -> Tree:
        return {"reference": f"{resource.get('resourceType')}/{resource.get('id')}"}


@dataclass(slots=True)
class Scope:
    """One record being read or written. `parts` holds its resources by part key; `root` the one at hand.

    `owner` and `owner_base` are the record that an item belongs to, as it is to be and as it was. `container` is the
    resource that the one at hand is contained in.
    """

    refs: Refs
    kind: str
    record_id: str
    parts: dict[str, Tree]
    root: Tree
    part: str = ""
    issues: list[Issue] = field(default_factory=list)
    owner: Tree = field(default_factory=dict)
    owner_base: Tree = field(default_factory=dict)
    container: Tree | None = None

    def of(self, part: str, root: Tree) -> Scope:
        """The same record, at another of its resources."""
        return Scope(
            self.refs, self.kind, self.record_id, self.parts, root, part, self.issues, self.owner, self.owner_base
        )

    def inside(self, resource: Tree) -> Scope:
        """The same record, at a contained resource."""
        inner = self.of(self.part, resource)
        inner.container = self.holder
        return inner

    @property
    def holder(self) -> Tree:
        """The resource that has the contained ones: contained resources hold none."""
        return self.root if self.container is None else self.container

    def contained(self, reference: Tree) -> tuple[str, str] | None:
        """(type, record id) of the contained resource that a Reference leads to, or None."""
        literal = reference.get("reference")
        found = self.holder.get("contained") if type(literal) is str and literal.startswith("#") else None
        for resource in found if type(found) is list else []:
            if type(resource) is dict and resource.get("id") == str(literal)[1:]:
                return str(resource.get("resourceType")), item_id(resource, self.record_id, str(literal))
        return None

    def say(self, severity: Any, code: str, message_id: str, text: str, *, source: str, path: str = "") -> None:
        """Add an issue at a path of the resource at hand."""
        type_ = self.root.get("resourceType")
        place = f"{type_}.{path}" if path and isinstance(type_, str) else path
        self.issues.append(Issue(severity, code, message_id, text, expression=place, source=source))
