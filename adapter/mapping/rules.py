"""One rule of a mapping file, compiled: how it reads a value from a resource and how it writes an edit onto one.

Writing compares the record with the record that was read from the same resource and touches only what differs: what no
rule owns stays, and a write that changes nothing gives back what was there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from adapter.fhir_json import same
from adapter.mapping.codecs import Codec
from adapter.mapping.paths import Path, get, put, replace_only
from adapter.mapping.scope import Scope

Tree = dict[str, Any]
Names = tuple[str, ...]


class Rule(Protocol):
    """Both directions of one pair."""

    @property
    def source(self) -> str:
        """file:line:column of the rule."""

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        """FHIR → record, into `out`."""

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        """Record → FHIR: what differs between `new` and `old` (read from `node`) is written onto `node`."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value on each side."""

    source: str
    names: Names
    path: Path
    codec: Codec
    default: str | None = None

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        value = current(self.path, node)
        if value is None or value == self.default:
            return
        found = self.codec.decode(value, scope)
        if found is not None:
            put(out, self.names, found)
        else:
            self.not_understood(value, scope)

    def not_understood(self, value: Any, scope: Scope) -> None:
        """Say that a value of the resource has no place in the record."""
        if not (type(value) is dict and "extension" in value):
            scope.say(
                "information",
                "not-supported",
                "map-not-understood",
                "The value is carried along as it is: the record has no place for it.",
                source=self.source,
                path=self.path.text,
            )

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        value, before = get(new, self.names), get(old, self.names)
        if same(value, before) and (old or self.default is None):
            return
        if value is None and self.default is not None:
            self.path.make_holder(node)[self.path.name] = self.default
        else:
            write_value(self, node, value, scope)


@dataclass(frozen=True, slots=True)
class WithCodes:
    """A concept whose further codings are a field of their own (`codes` beside `disorder`)."""

    leaf: Leaf
    also: Names

    @property
    def source(self) -> str:
        return self.leaf.source

    @property
    def path(self) -> Path:
        """Where it stands in FHIR."""
        return self.leaf.path

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        self.leaf.read(node, out, scope)
        concept = get(out, self.leaf.names)
        if concept and "also" in concept:
            put(out, self.also, concept.pop("also"))

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        self.leaf.write(node, self._joined(new), self._joined(old), scope)

    def _joined(self, record: Tree) -> Tree:
        concept, also = get(record, self.leaf.names), get(record, self.also)
        if not also:
            return record
        joined: Tree = {}
        put(joined, self.leaf.names, {**(concept or {}), "also": also})
        return joined


@dataclass(frozen=True, slots=True)
class Named:
    """A link whose record is called something here: its id and its name are fields of their own."""

    leaf: Leaf
    called: Names

    @property
    def source(self) -> str:
        return self.leaf.source

    @property
    def path(self) -> Path:
        """Where it stands in FHIR."""
        return self.leaf.path

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        found: Tree = {}
        Leaf(self.source, ("it",), self.path, self.leaf.codec).read(node, found, scope)
        for names, key in ((self.leaf.names, "id"), (self.called, "text")):
            if key in found.get("it", {}):
                put(out, names, found["it"][key])

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        value, before = self._joined(new), self._joined(old)
        if not same(value, before):
            write_value(self.leaf, node, value or None, scope)

    def _joined(self, record: Tree) -> Tree:
        pairs = (("id", get(record, self.leaf.names)), ("text", get(record, self.called)))
        return {key: value for key, value in pairs if value is not None}


def write_value(rule: Leaf, node: Tree, value: Any, scope: Scope) -> None:
    """Put a value of the record at the rule's path, or take away what is there."""
    encoded = None if value is None else rule.codec.encode(value, current(rule.path, node), scope)
    if encoded is not None:
        set_value(rule.path, rule.path.make_holder(node), encoded)
        return
    if value is not None:
        not_written(rule.source, rule.path, scope)
    take_away(rule.path, node)


def not_written(source: str, path: Path, scope: Scope) -> None:
    """Say that a value of the record could not be written."""
    text = "The value is not one that FHIR can say here; it was left out."
    scope.say("error", "value", "map-not-written", text, source=source, path=path.text)


def take_away(path: Path, node: Tree) -> None:
    """Remove what stands at a path, and its holders where nothing is left in them."""
    holder = path.holder(node)
    if holder is not None:
        holder.pop(path.name, None)
        holder.pop(f"_{path.name}", None)
        path.prune(node)


def current(path: Path, node: Tree) -> Any:
    """The value at the end of a path, or None."""
    holder = path.holder(node)
    if holder is None:
        return None
    value = holder.get(path.name)
    if path.last.shape == "object":
        return value
    elements = value if type(value) is list else []
    if path.last.shape == "only":
        return path.last.only(elements)
    return next((element for element in elements if path.last.matches(element)), None)


def set_value(path: Path, holder: Tree, encoded: Any) -> None:
    """Put a FHIR value at the last step of a path."""
    if path.last.shape == "object":
        holder[path.name] = encoded
    elif path.last.shape == "only":
        replace_only(holder, path.last, encoded)
    else:
        elements = holder.get(path.name)
        if type(elements) is not list:
            elements = holder[path.name] = []
        for index, element in enumerate(elements):
            if path.last.matches(element):
                elements[index] = {**path.last.make(), **encoded}
                return
        elements.append({**path.last.make(), **encoded})


@dataclass(frozen=True, slots=True)
class OwnCode:
    """A `code` element that has fewer codes than we have: `own` gives for each of ours the nearest of FHIR's.

    Ours goes along as an extension on the element, and counts while FHIR's code is still the one that it maps to.
    """

    leaf: Leaf
    own: Mapping[str, str]
    extension: str

    @property
    def source(self) -> str:
        return self.leaf.source

    @property
    def path(self) -> Path:
        """Where it stands in FHIR."""
        return self.leaf.path

    def _extensions(self, node: Tree) -> list[Any]:
        holder = self.path.holder(node)
        sibling = holder.get(f"_{self.path.name}") if holder is not None else None
        found = sibling.get("extension") if type(sibling) is dict else None
        return found if type(found) is list else []

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        self.leaf.read(node, out, scope)
        stands = current(self.path, node)
        for extension in self._extensions(node):
            code = extension.get("valueCode") if type(extension) is dict else None
            if (
                code is not None
                and extension.get("url") == self.extension
                and code in self.own
                and self.own[code] == stands
            ):
                put(out, self.leaf.names, code)

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        code = get(new, self.leaf.names)
        if same(code, get(old, self.leaf.names)) and (old or self.leaf.default is None):
            return
        others = [row for row in self._extensions(node) if type(row) is dict and row.get("url") != self.extension]
        if code in self.own:
            write_value(self.leaf, node, self.own[code], scope)
            others.append({"url": self.extension, "valueCode": code})
        else:
            self.leaf.write(node, new, old, scope)
        holder = self.path.holder(node)
        if holder is None or self.path.name not in holder:
            return
        sibling = {**(holder.get(f"_{self.path.name}") or {}), "extension": others}
        if not others:
            del sibling["extension"]
        if sibling:
            holder[f"_{self.path.name}"] = sibling
        else:
            holder.pop(f"_{self.path.name}", None)


@dataclass(frozen=True, slots=True)
class Group:
    """Several texts of the record that make one value (a template)."""

    source: str
    fields: tuple[str, ...]
    path: Path
    codec: Codec

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        found = self.codec.decode(current(self.path, node), scope)
        if found:
            out.update(found)

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        value = {name: new[name] for name in self.fields if name in new}
        before = {name: old[name] for name in self.fields if name in old}
        if not same(value, before):
            leaf = Leaf(self.source, (), self.path, self.codec)
            write_value(leaf, node, value or None, scope)


def read_all(rules: Sequence[Rule], node: Tree, out: Tree, scope: Scope) -> Tree:
    """Every rule's reading of one node."""
    for rule in rules:
        rule.read(node, out, scope)
    return out


def write_all(rules: Sequence[Rule], node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
    """Every rule's writing onto one node: what is removed first, so that one choice can take another's place."""
    for rule in rules:
        rule.write(node, new, old, scope)
