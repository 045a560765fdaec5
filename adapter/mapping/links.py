"""Two-way functions on References: to records of ours, and to what others keep.

https://hl7.org/fhir/R4/references.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adapter.fhir_json import copy, same
from adapter.mapping.codecs import is_text
from adapter.mapping.scope import own_identifier

if TYPE_CHECKING:
    from adapter.mapping.scope import Scope

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Link:
    """The id of another record ↔ a Reference to its main resource, of type `type_`."""

    type_: str

    def decode(self, value: Any, scope: Scope) -> Any:
        if type(value) is not dict:
            return None
        if type(value.get("reference")) is not str:
            # Without a literal only our identifier can say which record is meant, whatever the references are.
            own, type_ = own_identifier(value), value.get("type")
            return own if type_ == self.type_ or type(type_) is not str or type_ == "" else None
        inner = scope.contained(value)
        if inner is not None:
            return inner[1] if inner[0] == self.type_ else None
        part = scope.refs.part(value)
        if part is not None and part.startswith(f"{self.type_}/"):
            return str(part.partition("/")[2])
        found = scope.refs.link(value)
        return found[1] if found and found[0] in ("", self.type_) else None

    def encode(self, value: Any, old: Any, scope: Scope) -> Any:
        if not is_text(value):
            return None
        part = f"{self.type_}/{value}"
        if part in scope.parts:
            return scope.refs.to_part(part, scope.parts[part])
        return scope.refs.to_record(self.type_, value)


@dataclass(frozen=True, slots=True)
class Party:
    """A name in words, or `{text, reference, type, identifier}` where others keep it, ↔ a Reference.

    Another name is another party: what stands in the Reference goes with the old one. References to contained resources
    are not understood: records hold none. With `whole`, a name alone is an object too.
    """

    whole: bool = False

    def decode(self, value: Any, scope: Scope) -> Any:
        if type(value) is not dict:
            return None
        found = _said(value)
        if found.keys() == {"text"} and not self.whole:
            return found["text"]
        return found or None

    def encode(self, value: Any, old: Any, scope: Scope) -> Any:
        if is_text(value):
            return {"display": value}
        if type(value) is not dict:
            return None
        made = {key: copy(value[key]) for key in ("reference", "type", "identifier") if key in value}
        if "text" in value:
            made["display"] = value["text"]
        return made or None


def _said(reference: Tree) -> Tree:
    found: Tree = {}
    if is_text(reference.get("display")):
        found["text"] = reference["display"]
    literal = reference.get("reference")
    if type(literal) is str and literal and not literal.startswith("#"):
        found["reference"] = literal
    if is_text(reference.get("type")):
        found["type"] = reference["type"]
    identifier = reference.get("identifier")
    if type(identifier) is dict:
        kept = {key: identifier[key] for key in ("system", "value") if is_text(identifier.get(key))}
        if kept:
            found["identifier"] = kept
    return found


@dataclass(frozen=True, slots=True)
class Related:
    """The id of another record, `{id, text}` where it is called something here, or what others keep, ↔ a Reference."""

    link: Link

    def decode(self, value: Any, scope: Scope) -> Any:
        id_ = self.link.decode(value, scope)
        if id_ is None:
            return Party(whole=True).decode(value, scope)
        text = value.get("display")
        return {"id": id_, "text": text} if is_text(text) else id_

    def encode(self, value: Any, old: Any, scope: Scope) -> Any:
        if type(value) is not dict or "id" not in value:
            return Party().encode(value, old, scope) if type(value) is dict else self.link.encode(value, old, scope)
        reference = self.link.encode(value["id"], old, scope)
        if reference is None or not is_text(value.get("text")):
            return reference
        return {**reference, "display": value["text"]}


@dataclass(frozen=True, slots=True)
class Called:
    """A record by its id and what it is called here, each a field of its own: `{id, text}` ↔ a Reference.

    The Reference stays while the id does, with all that others put there.
    """

    related: Related

    def decode(self, value: Any, scope: Scope) -> Any:
        if type(value) is not dict:
            return None
        found = self.related.link.decode(value, scope)
        text = value.get("display")
        pairs = (("id", found), ("text", text if is_text(text) else None))
        return {key: inner for key, inner in pairs if inner is not None} or None

    def encode(self, value: Any, old: Any, scope: Scope) -> Any:
        stands = old if type(old) is dict else {}
        before = self.decode(stands, scope) or {}
        if same(before.get("id"), value.get("id")):
            made = {key: inner for key, inner in stands.items() if key != "display"}
        else:
            made = self.related.link.encode(value.get("id"), None, scope) or {}
        if is_text(value.get("text")):
            made["display"] = value["text"]
        return made or None
