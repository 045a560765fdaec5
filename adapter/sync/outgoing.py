"""A part as it goes out: our edit on top of what the server made of our last one, under a condition, always. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from adapter.errors import DataError
from adapter.fhir_json import canonical
from adapter.identity import IDENTIFIER_SYSTEM, foreign_record_id, is_uuid
from adapter.mapping.scope import own_identifier
from adapter.ports import Capability, Link, Tree
from adapter.sync.merge import merge, ours
from adapter.sync.partner import bare
from adapter.sync.references import applied, is_told_back, literals, outward, relative, rewritten

Key = tuple[str, str]
# No resource has this version: under it, what is not there is created, and what is or was there is not touched.
NEVER = "0"
Rename = Callable[[str, str], str | None]


@dataclass(frozen=True, slots=True)
class Send:
    """One part on its way: its link, our resource and its version, what is to stand there, with our ids, and what it refers
    to. `left` is what it could not refer to yet, as it comes later. `placed` says that it is created at our own id. `sent` is
    what went there, where that would come back as our resource, word for word.
    """

    link: Link
    version: int
    local: Tree
    wanted: Tree
    refers: tuple[Key, ...] = ()
    left: tuple[Key, ...] = ()
    placed: bool = False
    sent: Tree | None = None

    @property
    def fingerprint(self) -> str:
        """What is in flight, as it can be known again when it comes back."""
        return fingerprint(identified(self.wanted, self.link))


def fingerprint(tree: Tree) -> str:
    """A hash of a resource without what servers add by habit."""
    return sha256(canonical(bare(tree))).hexdigest()


def wanted(link: Link, local: Tree, base: Tree | None) -> Tree:
    """What is to stand there: what the server made of our last writing stays as it made it, only our edit goes on top."""
    if not link.linked or link.seen is None or base is None:
        return local
    if link.state == "partial":
        there = set(references(link.seen))
        base = rewritten(base, lambda literal: literal if relative(literal) in there else None)
    return merge(base, local, link.seen, ours)[0]


def identified(tree: Tree, link: Link) -> Tree:
    """The resource with our identifier, on which it is created at most once."""
    if own_identifier(tree) is not None:
        return dict(tree)
    identifier = {"system": IDENTIFIER_SYSTEM, "value": own_value(link)}
    if link.type == "QuestionnaireResponse":
        return {**tree, "identifier": tree.get("identifier", identifier)}
    return {**tree, "identifier": [*tree.get("identifier", []), identifier]}


def own_value(link: Link) -> str:
    """The value of our identifier for a part."""
    return link.part.partition("/")[2] or link.record_id


def condition(link: Link, tree: Tree) -> str:
    """The query on which a part is created at most once, and found again."""
    return f"identifier={IDENTIFIER_SYSTEM}|{own_identifier(tree) or own_value(link)}"


def name(send: Send) -> str:
    """What refers in a Bundle to a part that is created by it: its place where that is known, so that the server has nothing
    to rename; else a URN of a UUID, as some servers know no other.
    """
    type_, id_ = send.link.type, send.link.local_id
    if send.placed:
        return f"{type_}/{id_}"
    return f"urn:uuid:{id_ if is_uuid(id_) else foreign_record_id('', type_, id_)}"


def entry(send: Send, names: Rename, urns: Mapping[Key, str], base: str, capability: Capability) -> tuple[Send, Tree]:
    """The entry of a Bundle for it, and what is sent. Raises DataError where the server can create it under no condition."""
    link = send.link
    new = outward(send.wanted, names, base, urns)
    tree: Tree = applied(send.wanted, new)
    if send.wanted is send.local and own_identifier(tree) is not None and is_told_back(new):
        send = replace(send, sent=tree)
    return send, _entry(send, tree if link.linked else identified(tree, link), base, capability)


def _entry(send: Send, resource: Tree, base: str, capability: Capability) -> Tree:
    link = send.link
    if link.linked:
        resource = {**resource, "id": link.remote_id}
        request = {"method": "PUT", "url": f"{link.type}/{link.remote_id}", "ifMatch": f'W/"{link.remote_version}"'}
        return {"fullUrl": f"{base}/{link.type}/{link.remote_id}", "resource": resource, "request": request}
    if send.placed:
        request = {"method": "PUT", "url": name(send), "ifMatch": f'W/"{NEVER}"'}
        return {"fullUrl": f"{base}/{name(send)}", "resource": {**resource, "id": link.local_id}, "request": request}
    if link.type in capability.conditional_create:
        del resource["id"]
        request = {"method": "POST", "url": link.type, "ifNoneExist": condition(link, resource)}
    else:
        raise DataError("The server does not create under a condition; without one nothing is created.")
    return {"fullUrl": name(send), "resource": resource, "request": request}


def references(tree: Any) -> tuple[Key, ...]:
    """Every (type, id) that a resource of ours refers to."""
    found = map(relative, literals(tree))
    return tuple(dict.fromkeys(key for key in found if key is not None))
