"""One-way values that are made from the record: the narrative, references to the resource that an item belongs to.

A maker takes the names given in the rule and returns a function (what stands there, new record, old record, scope) →
the value to write, or None to leave what stands there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from html import escape
from typing import Any

from adapter.fhir_json import same
from adapter.identity import content_id, is_uuid, resource_id
from adapter.mapping.paths import get
from adapter.mapping.scope import Scope

Tree = dict[str, Any]
Make = Callable[[Any, Tree, Tree, Scope], Any]
MEMBER = "member-"
_FHIR_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_SPECIAL = re.compile("[&<>\"'\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_FIRST = {
    name: place
    for place, name in enumerate(
        ("substance", "relation", "role", "name", "statement", "activity", "medication", "measure", "detail", "title")
    )
}
_NOT_SAID = frozenset({"id", "system", "also", "problems", "goals", "linkId", "definition"})
_XHTML = "http://www.w3.org/1999/xhtml"


def narrative(names: list[str]) -> Make:
    """A Narrative of the named fields. https://hl7.org/fhir/R4/narrative.html

    A foreign narrative that says more than the data (`additional`) is kept, and said to be stale.
    """
    wanted = [(_label(name), tuple(name.split("."))) for name in names]

    def make(stands: Any, new: Tree, old: Tree, scope: Scope) -> Any:
        if same(new, old):
            return None
        if type(stands) is dict and stands.get("status") not in ("generated", "extensions", "empty"):
            scope.say(
                "warning",
                "business-rule",
                "narrative-stale",
                "The narrative was written elsewhere and says more than the data: it is kept, and may be out of date.",
                source="",
                path="text",
            )
            return None
        said = [(label, _said(get(new, steps))) for label, steps in wanted]
        inner = "".join([f"<p><b>{label}</b>: {text}</p>" for label, text in said if text])
        kept = stands if type(stands) is dict else {}
        return {**kept, "status": "generated", "div": f'<div xmlns="{_XHTML}">{inner or "<p>-</p>"}</div>'}

    return make


def _label(name: str) -> str:
    return escape(name.rpartition(".")[2].replace("_", " ").capitalize())


def _said(value: Any) -> str:
    """Words for a value: the texts inside it, escaped; ids and systems are for machines."""
    kind = type(value)
    if kind is str:
        if len(value) == 36 and is_uuid(value):
            return ""
        return _escaped(value) if _SPECIAL.search(value) else value
    if kind is dict:
        return _said_of(value)
    if kind is list:
        return "; ".join([text for inner in value if (text := _said(inner))])
    if kind is bool:
        return "yes" if value else "no"
    return str(value) if kind is int or kind is Decimal else ""


def _said_of(value: Tree) -> str:
    best = value.get("text") or value.get("display")
    if best:
        return _said(best)
    if "value" in value:
        parts = [_said(value.get(key, "")) for key in ("comparator", "value", "unit")]
        return " ".join([part for part in parts if part])
    code = value.get("code")
    if type(code) is str:
        return _said(code.replace("-", " "))
    names = sorted(value, key=_place) if len(value) > 1 else value
    return ", ".join([f"{_key(key)} {text}" for key in names if key not in _NOT_SAID and (text := _said(value[key]))])


@lru_cache(maxsize=1024)
def _place(name: str) -> tuple[int, str]:
    """What a thing is called comes first; the rest by name, so that equal records are told in the same words."""
    return _FIRST.get(name, len(_FIRST)), name


@lru_cache(maxsize=1024)
def _key(name: str) -> str:
    return _escaped(name.replace("_", " "))


def _escaped(text: str) -> str:
    return escape(_HIDDEN.sub("", text), quote=False)


def owner(names: list[str]) -> Make:
    """A list of one Reference: to the part of the same record named by the rule (`Type`), with the same item id."""
    type_ = names[0]

    def make(stands: Any, new: Tree, old: Tree, scope: Scope) -> Any:
        key = f"{type_}/{new.get('id')}"
        if old or key not in scope.parts:
            return None
        return [scope.refs.to_part(key, scope.parts[key])]

    return make


def reference(names: list[str]) -> Make:
    """A Reference to another resource of the same record: its main one, or the one of that type beside it."""
    type_ = names[0]

    def make(stands: Any, new: Tree, old: Tree, scope: Scope) -> Any:
        if old:
            return None
        if not type_:
            return scope.refs.to_part("", scope.parts[""])
        id_ = resource_id(scope.kind, scope.record_id, type_)
        key = f"{type_}/{id_}"
        if key in scope.parts:
            return scope.refs.to_part(key, scope.parts[key])
        return scope.refs.own(type_, resource_id(scope.kind, scope.record_id, key), key)

    return make


def contained_member(names: list[str]) -> Make:
    """The Reference to a member of a team: a Practitioner of that name, contained in the resource at hand.

    https://hl7.org/fhir/R4/careteam.html — `member` demands a resource; a site's own directory may put its own there.
    """

    def make(stands: Any, new: Tree, old: Tree, scope: Scope) -> Any:
        name = new.get("name")
        if type(name) is not str or name == old.get("name"):
            return None
        id_ = _contained_id(str(new.get("id", "")))
        drop_contained(scope.holder, {id_})
        member = {"resourceType": "Practitioner", "id": id_, "name": [{"text": name}]}
        scope.holder["contained"] = [*scope.holder.get("contained", []), member]
        return {"reference": f"#{id_}", "display": name}

    return make


def _contained_id(item_id: str) -> str:
    id_ = f"{MEMBER}{item_id}"
    return id_ if _FHIR_ID.fullmatch(id_) else f"{MEMBER}{content_id(item_id.encode(), 0)}"


def drop_contained(resource: Tree, ids: set[str]) -> None:
    """Take contained resources of these ids away."""
    found = resource.get("contained")
    if not isinstance(found, list):
        resource.pop("contained", None)
        return
    kept = [inner for inner in found if not (isinstance(inner, dict) and inner.get("id") in ids)]
    if kept:
        resource["contained"] = kept
    else:
        del resource["contained"]


def drop_unused_members(resource: Tree) -> None:
    """Take the contained members away that nobody refers to any more (dom-3)."""
    found = resource.get("contained")
    ids = {inner["id"] for inner in found if _is_member(inner)} if isinstance(found, list) else set()
    if ids:
        used = set(_references(resource))
        drop_contained(resource, {id_ for id_ in ids if f"#{id_}" not in used})


def _is_member(inner: Any) -> bool:
    return isinstance(inner, dict) and isinstance(inner.get("id"), str) and inner["id"].startswith(MEMBER)


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            yield node["reference"]
        for inner in node.values():
            yield from _references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _references(inner)


DERIVED: dict[str, Callable[[list[str]], Make]] = {
    "narrative": narrative,
    "owner": owner,
    "reference": reference,
    "contained-member": contained_member,
}
