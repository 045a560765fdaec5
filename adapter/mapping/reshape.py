"""Rules over records that are not objects of named fields: numbered columns, one text for a list, a field that stands in
one of several places or only sometimes. Each wraps an ordinary rule and hands it a tree of the ordinary form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from adapter.fhir_json import same
from adapter.mapping.codecs import Check
from adapter.mapping.lists import Items, Scalars
from adapter.mapping.parts import Parts
from adapter.mapping.paths import Path, get, put
from adapter.mapping.rules import Leaf, Names, current, write_value
from adapter.mapping.scope import Scope

Tree = dict[str, Any]
ROWS: Names = ("rows",)
Conditions = tuple[tuple[Names, Any], ...]


class Wrapper:
    """What stands where the wrapped rule stands."""

    __slots__ = ()
    inner: Any

    @property
    def source(self) -> str:
        """file:line:column of the rule."""
        return str(self.inner.source)

    @property
    def path(self) -> Path:
        """Where it stands in FHIR."""
        return self.inner.path  # type: ignore[no-any-return]


@dataclass(slots=True)
class Columns(Wrapper):
    """Numbered columns (`sub1_name`, `sub2_name`, …) ↔ a list, by a rule over `rows` whose items are known by number.

    `columns` gives, for each number, the column of each field.
    """

    inner: Items | Parts
    names: Names
    columns: Mapping[int, Mapping[str, str]]

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        held: Tree = {}
        self.inner.read(node, held, scope)
        for item in held.get("rows", ()):
            columns = self.columns.get(int(item["id"]))
            if columns is None:
                scope.say(
                    "information",
                    "too-long",
                    "map-no-column",
                    "The record has no column for a further element: it is carried along as it is.",
                    source=self.source,
                    path=self.path.text,
                )
                continue
            for name in item.keys() - {"id"}:
                put(out, (*self.names, columns[name]), item[name])

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        held: Tree = {}
        self.inner.read(node, held, scope)
        # Elements beyond the last column are nobody's: they stay.
        beyond = [item for item in held.get("rows", ()) if int(item["id"]) not in self.columns]
        self.inner.write(node, {"rows": self._rows(new) + beyond}, {"rows": self._rows(old) + beyond}, scope)

    def _rows(self, record: Tree) -> list[Tree]:
        flat = get(record, self.names) if self.names else record
        if type(flat) is not dict:
            return []
        rows = []
        for number, columns in self.columns.items():
            row = {name: flat[column] for name, column in columns.items() if column in flat}
            if row:
                rows.append({"id": str(number), **row})
        return rows


@dataclass(slots=True)
class Split(Wrapper):
    """One text with separators ↔ a list, by a rule over `rows` that takes texts without the separator."""

    inner: Scalars
    names: Names
    separator: str

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        held: Tree = {}
        self.inner.read(node, held, scope)
        if held:
            put(out, self.names, self.separator.join(held["rows"]))

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        self.inner.write(node, self._rows(new), self._rows(old), scope)

    def _rows(self, record: Tree) -> Tree:
        text = get(record, self.names)
        return {"rows": text.split(self.separator)} if type(text) is str else {}


@dataclass(frozen=True, slots=True)
class Worded:
    """A plain code of the record and the words beside it ↔ one concept. One of another system is not read."""

    leaf: Leaf
    words: Names
    check: Check

    @property
    def source(self) -> str:
        """file:line:column of the rule."""
        return self.leaf.source

    @property
    def names(self) -> Names:
        """The field of the code."""
        return self.leaf.names

    @property
    def path(self) -> Path:
        """Where it stands in FHIR."""
        return self.leaf.path

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        held: Tree = {}
        self.leaf.read(node, held, scope)
        concept = get(held, self.leaf.names) or {}
        if "system" in concept or "display" in concept or ("code" in concept and not self.check(concept["code"])):
            return
        for names, key in ((self.leaf.names, "code"), (self.words, "text")):
            if key in concept:
                put(out, names, concept[key])

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        wanted, before = self._concept(new), self._concept(old)
        if same(wanted, before):
            return
        stands = self.leaf.codec.decode(current(self.path, node), replace(scope, issues=[])) or {}
        also = {"also": stands["also"]} if before and "also" in stands else {}
        write_value(self.leaf, node, {**wanted, **also} or None, scope)

    def _concept(self, record: Tree) -> Tree:
        rows = (("code", get(record, self.leaf.names)), ("text", get(record, self.words)))
        return {key: value for key, value in rows if value is not None}


@dataclass(slots=True)
class Either:
    """One field that stands in the first of several places that can say its value: a code, else words."""

    source: str
    rules: list[Leaf]

    @property
    def paths(self) -> list[Path]:
        """Where it may stand in FHIR."""
        return [leaf.path for leaf in self.rules]

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        unread = replace(scope, issues=[])
        for leaf in self.rules:
            held: Tree = {}
            leaf.read(node, held, unread)
            if held:
                put(out, leaf.names, get(held, leaf.names))
                return
        scope.issues.extend(unread.issues)

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        names = self.rules[0].names
        value = get(new, names)
        if same(value, get(old, names)):
            return
        quiet = replace(scope, issues=[])
        chosen = self._chosen(value, node, quiet)
        for leaf in self.rules:
            stands = current(leaf.path, node)
            if leaf is not chosen and stands is not None and leaf.codec.decode(stands, quiet) is not None:
                write_value(leaf, node, None, scope)
        write_value(chosen or self.rules[-1], node, value, scope)

    def _chosen(self, value: Any, node: Tree, scope: Scope) -> Leaf | None:
        if value is None:
            return None
        rows = ((leaf, leaf.codec.encode(value, None, scope)) for leaf in self.rules)
        return next((leaf for leaf, encoded in rows if encoded is not None), None)


@dataclass(slots=True)
class When(Wrapper):
    """A rule for records that hold these values; read where they have been read. `others` are those of its neighbours."""

    inner: Any
    conditions: Conditions
    others: list[Conditions] = field(default_factory=list)

    def holds(self, record: Tree) -> bool:
        """Whether the rule is for this record."""
        return _holds(record, self.conditions)

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        if self.holds(out):
            self.inner.read(node, out, scope)

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        self.inner.write(node, new if self.holds(new) else {}, old if self.holds(old) else {}, scope)
        value = get(new, self.inner.names)
        said = self.holds(new) or any(_holds(new, conditions) for conditions in self.others)
        if value is not None and not said and not same(value, get(old, self.inner.names)):
            scope.say(
                "error",
                "business-rule",
                "map-when",
                "The value is of a field that no rule writes for such a record; it was left out.",
                source=self.source,
                path=self.path.text,
            )


def _holds(record: Tree, conditions: Conditions) -> bool:
    return all(get(record, names) == value for names, value in conditions)
