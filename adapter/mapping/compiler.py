"""Mapping files → compiled rules. Every fault of every file is told at once, with file, line and column."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from adapter.mapping import source
from adapter.mapping.codecs import Codec, Copy, Display, Link, Template, Values
from adapter.mapping.concepts import Choice, Coded, CodingConcept, Concept
from adapter.mapping.derived import DERIVED
from adapter.mapping.lists import Items, Keys, Scalars
from adapter.mapping.oneway import Constant, Derived, OneWay
from adapter.mapping.parts import Companion, Parts, ResourceMap
from adapter.mapping.paths import Path, PathError, Step, expand, parse, record_steps
from adapter.mapping.rules import Group, Leaf, OwnCode, Rule, WithCodes
from adapter.mapping.shapes import Shape
from adapter.terminology import Table

KEYWORDS = {
    "record", "fhir", "concept", "choice", "values", "link", "display", "template", "leaf", "items", "key",
    "parts", "at", "inline", "companion", "one_way", "set", "unless", "derive", "rest", "names",
    "inherit", "wrap", "also", "except", "default", "own",
}  # fmt: skip
FILE_KEYS = {"map", "record", "resource", "rules", "groups", "match", "when", "at", "notes"}


@dataclass(slots=True)
class Context:
    """What the rules of a pack are compiled against. `shape_of` gives the schema of a record kind."""

    prefixes: Mapping[str, str]
    tables: Mapping[str, Table]
    shape_of: Callable[[str], Shape | None]
    faults: source.Faults = field(default_factory=source.Faults)
    maps: dict[str, ResourceMap] = field(default_factory=dict)


def compile_maps(texts: Mapping[str, tuple[str, str]], context: Context) -> dict[str, ResourceMap]:
    """The maps of a pack by name, from (file, text) by name. Raises PackError with all faults."""
    files = {}
    for name, (file, text) in texts.items():
        tree = source.read(text, file)
        files[name] = (file, tree)
        for key in tree.keys() - FILE_KEYS:
            context.faults.add(file, tree, _unknown(key, FILE_KEYS), key)
        for key in ("record", "resource", "rules"):
            if key not in tree:
                context.faults.add(file, tree, f"expected the key {key}")
        context.maps[name] = ResourceMap(
            name, str(tree.get("record")), str(tree.get("resource")), [], source=file, part_only="at" in tree
        )
    context.faults.check("The pack")
    for name, (file, tree) in files.items():
        _File(file, tree, context).compile(context.maps[name])
    context.faults.check("The pack")
    return context.maps


def _unknown(word: str, known: set[str]) -> str:
    near = get_close_matches(word, known, 1)
    return f"unknown keyword {word}" + (f"; did you mean {near[0]}?" if near else "")


@dataclass(slots=True)
class _File:
    file: str
    tree: source.Mapping
    context: Context
    groups: dict[str, list[Rule]] = field(default_factory=dict)

    def compile(self, map_: ResourceMap) -> None:
        shape = self.context.shape_of(map_.kind)
        if shape is not None and "at" in self.tree:
            found = shape.at(record_steps(self.tree["at"]))
            shape = found.item() if found is not None else None
        if shape is None:
            self.context.faults.add(self.file, self.tree, f"there is no record kind {map_.kind}", "record")
            return
        map_.match = tuple(
            (self._path(self.tree, path), expand(value, self.context.prefixes))
            for path, value in self.tree.get("match", {}).items()
        )
        map_.when = tuple(
            (record_steps(path), None if value == "none" else expand(value, self.context.prefixes))
            for path, value in self.tree.get("when", {}).items()
        )
        map_.rules.extend(self.rules(self.tree["rules"], shape))

    def rules(self, rows: Any, shape: Shape) -> list[Rule]:
        """One list of rules, over the same two nodes."""
        made = []
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, source.Mapping):
                made.append((row, self._rule(row, shape)))
            else:
                self.context.faults.add(self.file, self.tree, "expected a rule: an object with record and fhir")
        return rank([rule for _, rule in made if rule is not None])

    def _rule(self, row: source.Mapping, shape: Shape) -> Rule | None:
        for key in row.keys() - KEYWORDS:
            self._fault(row, _unknown(key, KEYWORDS), key)
        try:
            return self._build(row, shape)
        except PathError as error:
            self._fault(row, str(error), "fhir")
        except _Wrong as wrong:
            self._fault(row, str(wrong), wrong.key)
        return None

    def _fault(self, row: Any, text: str, key: str | None = None) -> None:
        self.context.faults.add(self.file, row, text, key)

    def _path(self, row: source.Mapping, text: Any) -> Path:
        if not isinstance(text, str):
            raise _Wrong("expected a FHIR path", "fhir")
        return parse(text, self.context.prefixes)

    def _build(self, row: source.Mapping, shape: Shape) -> Rule:
        where = f"{self.file}:{row.line}:{row.column}"
        path = self._path(row, row.get("fhir"))
        if "set" in row:
            unless = row.get("unless", [])
            fields = [unless] if isinstance(unless, str) else unless
            return Constant(where, path, self._expanded(row["set"]), tuple(record_steps(name) for name in fields))
        if "derive" in row:
            return self._derived(row, where, path)
        if "companion" in row:
            fields = frozenset(str(name) for name in row.get("names", []))
            return Companion(where, path, self._map(row, row["companion"]), fields)
        if "template" in row:
            return _template(row, where, path, expand(row["template"], self.context.prefixes))
        if "inherit" in row:
            return Leaf(where, (str(row["inherit"]),), path, Link(row["link"]))
        names = record_steps(str(row.get("record")))
        here = shape.at(names)
        if here is None:
            near = get_close_matches(names[-1], shape.names(), 1)
            raise _Wrong(f"the record has no {row.get('record')}" + (f"; did you mean {near[0]}?" if near else ""))
        if "parts" in row:
            return self._parts(row, where, names, path, here)
        if "items" in row:
            return self._items(row, where, names, path, here)
        if here.type_ == "array":
            leaf = self._path(row, row["leaf"]) if "leaf" in row else None
            without = frozenset(str(code) for code in row.get("except", []))
            return Scalars(where, names, path, self._codec(row, here.item()), leaf, without)
        leaf_rule = Leaf(where, names, path, self._codec(row, here), row.get("default"))
        if "own" in row:
            return OwnCode(leaf_rule, dict(row["own"]), expand("$ext/code", self.context.prefixes))
        if "also" in row:
            return WithCodes(leaf_rule, record_steps(row["also"]))
        return OneWay(leaf_rule) if "one_way" in row else leaf_rule

    def _derived(self, row: source.Mapping, where: str, path: Path) -> Rule:
        maker = DERIVED.get(row["derive"])
        if maker is None:
            raise _Wrong(_unknown(row["derive"], set(DERIVED)), "derive")
        return Derived(where, path, maker([str(name) for name in row.get("names", [])]))

    def _expanded(self, value: Any) -> Any:
        if isinstance(value, str):
            return expand(value, self.context.prefixes)
        if isinstance(value, dict):
            return {key: self._expanded(inner) for key, inner in value.items()}
        return [self._expanded(inner) for inner in value]

    def _map(self, row: source.Mapping, name: str) -> ResourceMap:
        if name not in self.context.maps:
            raise _Wrong(_unknown(name, set(self.context.maps)).replace("keyword", "map"), "parts")
        return self.context.maps[name]

    def _parts(self, row: source.Mapping, where: str, names: tuple[str, ...], path: Path, here: Shape) -> Rule:
        maps = [self._map(row, name) for name in row["parts"]]
        inline = None
        if "inline" in row:
            inline = Items(where, names, path, Keys(uuid=True), self.rules(row["inline"], here.item()))
        return Parts(where, names, path, maps, str(row.get("at", "")), inline)

    def _items(self, row: source.Mapping, where: str, names: tuple[str, ...], path: Path, here: Shape) -> Rule:
        link = Link(row["link"]) if "link" in row else None
        made = Items(where, names, path, Keys(str(row.get("key", "id")), link))
        if "rest" in row:
            made.others = (Step("rest"),)
        for text in row.get("except", []):
            made.never += (self._path(row, f"x[{text}]").last,)
        inner = row["items"]
        if isinstance(inner, str):
            made.rules = self._group(row, inner, here.item())
        else:
            made.rules = self.rules(inner, here.item())
        return made

    def _group(self, row: source.Mapping, name: str, shape: Shape) -> list[Rule]:
        if name in self.groups:
            return self.groups[name]
        rows = self.tree.get("groups", {}).get(name)
        if rows is None:
            raise _Wrong(f"there is no group {name} in this file", "items")
        rules = self.groups[name] = []
        rules.extend(self.rules(rows, shape))
        return rules

    def _codec(self, row: source.Mapping, here: Shape) -> Codec:
        if "concept" in row:
            concept = self._concept(row)
            extensions = expand("$ext", self.context.prefixes)
            return CodingConcept(concept, extensions) if row.get("wrap") == "coding" else concept
        if "choice" in row and row.get("wrap") == "concept":
            return Coded(Concept(self._table(row, "choice")), here.check())
        if "choice" in row:
            if row["choice"].startswith("$"):
                return Choice(None, expand(row["choice"], self.context.prefixes), here.check())
            table = self._table(row, "choice")
            return Choice(table, table.code_system, here.check())
        if "values" in row:
            forward: dict[Any, str] = dict(row["values"])
            if here.type_ == "boolean":
                forward = {key == "true": value for key, value in forward.items()}
            return Values(forward, {value: key for key, value in forward.items()})
        if "link" in row:
            return Link(row["link"])
        if "display" in row:
            return Display()
        return Copy(here.check())

    def _concept(self, row: source.Mapping) -> Concept:
        if row["concept"] == "none":
            return Concept(None, expand("$cs/local", self.context.prefixes))
        if row["concept"].startswith("$"):
            return Concept(None, expand(row["concept"], self.context.prefixes))
        return Concept(self._table(row, "concept"))

    def _table(self, row: source.Mapping, key: str) -> Table:
        if row[key] not in self.context.tables:
            raise _Wrong(_unknown(row[key], set(self.context.tables)).replace("keyword", "ConceptMap"), key)
        return self.context.tables[row[key]]


class _Wrong(ValueError):
    def __init__(self, text: str, key: str = "record") -> None:
        super().__init__(text)
        self.key = key


def _template(row: source.Mapping, where: str, path: Path, text: str) -> Rule:
    head, _, tail = text.partition("[")
    tail = tail.removesuffix("]")
    fields = tuple(re.findall(r"{(\w+)}", text))
    pattern = _template_pattern(head) + (f"(?:{_template_pattern(tail)})?" if tail else "")
    return Group(where, fields, path, Template(re.compile(pattern), head, tail))


def _template_pattern(text: str) -> str:
    return re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^|]+)", re.escape(text))


def rank(rules: list[Rule]) -> list[Rule]:
    """Tell each path which elements its neighbours select from the same arrays, in the order of the rules."""
    siblings: dict[tuple[Any, ...], list[Step]] = {}
    for rule in rules:
        path = _path_of(rule)
        steps = (*path.steps, path.last) if path is not None else ()
        for index, step in enumerate(steps):
            row = siblings.setdefault((*steps[:index], step.name), [])
            if step.shape == "element" and step not in row:
                row.append(step)
    for rule in rules:
        path = _path_of(rule)
        if path is None:
            continue
        ranks = {
            index: tuple(siblings[(*path.steps[:index], step.name)])
            for index, step in enumerate((*path.steps, path.last))
            if siblings[(*path.steps[:index], step.name)]
        }
        if isinstance(rule, Items) and rule.others:
            rule.others = ranks.get(len(path.steps), ())
        object.__setattr__(path, "ranks", ranks)
    return rules


def _path_of(rule: Any) -> Path | None:
    found = rule.leaf.path if isinstance(rule, OneWay) else getattr(rule, "path", None)
    return found if isinstance(found, Path) else None
