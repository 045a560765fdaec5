"""What a record holds, read from its JSON Schema: the type of each path, and a check for its values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from adapter.fhir_json import same
from adapter.identity import is_uuid
from adapter.mapping.codecs import is_number, is_text
from adapter.records.dates import is_date, is_datetime

Tree = dict[str, Any]
Check = Callable[[Any], bool]

_FORMATS: dict[str, Check] = {
    "fhir-date": is_date,
    "date": is_date,
    "fhir-datetime": is_datetime,
    "fhir-dateTime": is_datetime,
    "date-time": is_datetime,
    "uuid": is_uuid,
}

_NAMES: dict[type, str] = {str: "string", bool: "boolean", int: "integer", Decimal: "number"}


@dataclass(frozen=True, slots=True)
class Shape:
    """A JSON Schema and the place in it that paths start from."""

    root: Tree
    here: Tree
    # The fields of each object of the schema that was asked for, by its identity; shared by all places of one schema.
    _known: dict[int, tuple[Tree, Tree]] = field(default_factory=dict, compare=False, repr=False)

    def at(self, names: tuple[str, ...]) -> Shape | None:
        """The schema of a path, or None where the record has no such field."""
        node = self.resolve(self.here)
        for name in names:
            fields = self._fields(node)
            if name not in fields:
                return None
            node = self.resolve(fields[name])
        return self._place(node)

    def _place(self, node: Tree) -> Shape:
        return Shape(self.root, node, self._known)

    def resolve(self, node: Any) -> Tree:
        """The schema itself, behind any `$ref`."""
        while isinstance(node, dict) and "$ref" in node:
            found: Any = self.root
            for name in str(node["$ref"]).removeprefix("#/").split("/"):
                found = found[name]
            node = found
        return node if isinstance(node, dict) else {}

    @property
    def type_(self) -> str:
        """string, boolean, integer, number, array or object."""
        found = self.here.get("type")
        if found is None and ("enum" in self.here or "const" in self.here):
            value = next(iter(self.here.get("enum", ())), self.here.get("const"))
            found = _NAMES.get(type(value))
        return str(found or "object")

    def is_either(self) -> bool:
        """Whether a text or an object may stand here."""
        return "anyOf" in self.here and "properties" not in self.here

    def item(self) -> Shape:
        """The schema of the items of an array."""
        return self._place(self.resolve(self.here.get("items")))

    def names(self) -> list[str]:
        """The fields of an object."""
        return list(self.properties())

    def properties(self) -> Tree:
        """The schema of each field of an object; of a field that several branches speak of, what its type is."""
        return self._fields(self.resolve(self.here))

    def _fields(self, here: Tree) -> Tree:
        known = self._known.get(id(here))
        if known is None:
            # The object is kept beside its fields, so that no other takes its identity.
            known = self._known[id(here)] = (here, self._properties(here))
        return known[1]

    def _properties(self, here: Tree) -> Tree:
        own: Tree = here.get("properties", {})
        branches = self._branches(here)
        if not branches:
            return own
        found: Tree = {}
        for branch in branches:
            for name, node in branch.get("properties", {}).items():
                found[name] = {"type": self.resolve(node).get("type", "string")} if name in found else node
        return {**found, **own}

    def _branches(self, node: Tree) -> list[Tree]:
        return [self.resolve(row) for name in ("allOf", "oneOf", "anyOf") if name in node for row in node[name]]

    def variant(self, keys: Mapping[str, str]) -> Shape:
        """The schema of an object that has these keys: with what the branch of `oneOf` or `anyOf` that is for them says."""
        here = self.resolve(self.here)
        for branch in self._branches(here):
            fields = branch.get("properties", {})
            if all(_allows(self.resolve(fields.get(key)), value) for key, value in keys.items()):
                return self._place({**here, **branch, "properties": {**here.get("properties", {}), **fields}})
        return self._place(here)

    def typed(self, text: str) -> Any:
        """The text of a mapping file as a value of this type."""
        if self.type_ == "boolean":
            return text == "true"
        return int(text) if self.type_ == "integer" and text.removeprefix("-").isdecimal() else text

    def check(self) -> Check:
        """Whether a value is one that may stand here."""
        return _check(self.here)


@dataclass(frozen=True, slots=True)
class OneOf:
    """Whether a value is one of these texts."""

    allowed: frozenset[str]

    def __call__(self, value: Any) -> bool:
        return type(value) is str and value in self.allowed


def is_flag(value: Any) -> bool:
    """True or false."""
    return type(value) is bool


def is_given(value: Any) -> bool:
    """Anything but null."""
    return value is not None


def _allows(node: Tree, text: str) -> bool:
    return str(node.get("const")) == text or text in map(str, node.get("enum", ()))


def _one_of(values: list[Any]) -> Check:
    allowed = frozenset((type(value), value) for value in values)  # True equals 1 to Python
    scalars = frozenset(type(value) for value in values)
    return lambda value: type(value) in scalars and (type(value), value) in allowed


def _check(node: Tree) -> Check:
    if "enum" in node or "const" in node:
        allowed = node.get("enum", [node.get("const")])
        if any(isinstance(value, (dict, list)) for value in allowed):
            return lambda value: any(same(value, one) for one in allowed)
        return OneOf(frozenset(allowed)) if all(type(value) is str for value in allowed) else _one_of(allowed)
    type_ = node.get("type")
    if type_ == "boolean":
        return is_flag
    if type_ in ("integer", "number"):
        return _numbers(node, type_)
    if type_ == "string":
        return _strings(node)
    return is_given


def _numbers(node: Tree, type_: str) -> Check:
    low, high = node.get("minimum"), node.get("maximum")
    above = node.get("exclusiveMinimum")
    if type_ == "number" and low is high is above is None:
        return is_number

    def check(value: Any) -> bool:
        if type(value) is not int if type_ == "integer" else not is_number(value):
            return False
        return (low is None or value >= low) and (high is None or value <= high) and (above is None or value > above)

    return check


def _strings(node: Tree) -> Check:
    by_format = _FORMATS.get(str(node.get("format")))
    if by_format is not None:
        return by_format
    pattern = node.get("pattern")
    if pattern is None:
        return is_text
    compiled = re.compile(pattern)
    return lambda value: is_text(value) and compiled.search(value) is not None
