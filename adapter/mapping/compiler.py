"""Mapping files → compiled rules. Every fault of every file is told at once, with file, line and column."""

from __future__ import annotations

from collections.abc import ItemsView, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapter.errors import Finding
from adapter.mapping import source
from adapter.mapping.choosing import OWN_EXTENSIONS, Context, RuleError, codec_of, nearest, template, unknown
from adapter.mapping.codecs import Values
from adapter.mapping.companions import Companion
from adapter.mapping.derived import DERIVED
from adapter.mapping.kept import told
from adapter.mapping.keys import Keys
from adapter.mapping.keywords import FILE_KEYS, KEYWORDS, NEEDS, REQUIRED, Keyword
from adapter.mapping.links import Called, Link, Related
from adapter.mapping.lists import Items, Scalars
from adapter.mapping.maps import ResourceMap
from adapter.mapping.oneway import Constant, Derived, OneWay
from adapter.mapping.paired import Paired
from adapter.mapping.parts import PartKeys, Parts
from adapter.mapping.paths import Path, PathError, Step, again, expand, parse, record_steps
from adapter.mapping.ranking import rank
from adapter.mapping.reshape import Worded
from adapter.mapping.rules import Group, Leaf, Named, OwnCode, Rule, WithCodes
from adapter.mapping.shapes import Shape
from adapter.mapping.wrapping import fields_of, item_shape, lonely, settled, wrapped


def compile_maps(texts: source.Texts, context: Context) -> dict[str, ResourceMap]:
    """The maps of a pack by name, from (file, text) by name. Raises PackError with all faults."""
    maps = compile_all(texts, context)
    context.faults.check("The pack")
    return maps


def compile_all(texts: source.Texts, context: Context) -> dict[str, ResourceMap]:
    """The same, as far as the files can be used; their faults stand in the context."""
    files = {}
    for name, (file, tree) in told(texts, context.release, context.faults).items():
        if not _checked(file, tree, FILE_KEYS, context.faults, REQUIRED):
            continue
        files[name] = (file, tree)
        context.rows[name] = tree["rules"]
        context.maps[name] = ResourceMap(
            name, tree["record"], tree["resource"], [], source=file, part_only="at" in tree
        )
        # In R4 a QuestionnaireResponse has one identifier, every other type mapped here a list.
        context.maps[name].one_identifier = (tree["resource"], context.release) == ("QuestionnaireResponse", "R4")
    for name, (file, tree) in files.items():
        _File(file, tree, context).compile(context.maps[name])
    return context.maps


def _checked(
    file: str, row: source.Mapping, known: Mapping[str, Keyword], faults: source.Faults, required: tuple[str, ...] = ()
) -> bool:
    """Whether every key is one of the language and its value of the form it must have."""
    before = len(faults)
    for key, value in row.items():
        if key not in known:
            faults.add(file, row, "keyword-unknown", f"unknown keyword {key}", key, nearest(key, known))
        elif not known[key].form.fits(value):
            faults.add(file, row, "keyword-value", f"expected {known[key].form.words} for {key}", key)
    for key in required:
        if key not in row:
            faults.add(file, row, "keyword-missing", f"expected the key {key}")
    for key in [key for key in row if key in NEEDS] if known is KEYWORDS else ():
        others = NEEDS[key]
        if row.keys().isdisjoint(others):
            faults.add(file, row, "keyword-idle", f"{key} says nothing here: expected {' or '.join(others)}", key)
    return len(faults) == before


@dataclass(slots=True)
class _File:
    file: str
    tree: source.Mapping
    context: Context
    groups: dict[str, list[Rule]] = field(default_factory=dict)

    def compile(self, map_: ResourceMap) -> None:
        shape = self.context.shape(map_.kind)
        if shape is None:
            self._fault(self.tree, "record-kind", f"there is no record kind {map_.kind}", "record")
            return
        key = "match"
        try:
            map_.match = tuple((self._path(path), self._expanded(value)) for path, value in self._pairs(key))
            key = "when"
            map_.when = tuple(
                (record_steps(path), None if value == "none" else self._expanded(value))
                for path, value in self._pairs(key)
            )
            key = "at"
            shape = self._start(shape)
        except (PathError, RuleError) as error:
            id_, near = getattr(error, "id", "path-syntax"), getattr(error, "near", "")
            self._fault(self.tree, id_, str(error), key, near)
            return
        map_.rules.extend(self.rules(self.tree["rules"], shape))

    def _pairs(self, key: str) -> ItemsView[str, str]:
        pairs: dict[str, str] = self.tree.get(key, {})
        return pairs.items()

    def _start(self, shape: Shape) -> Shape:
        """The shape that the rules of the file start from: that of the kind, or of the items of its list `at`."""
        if "at" not in self.tree:
            return shape
        return item_shape(self.tree["at"], shape, self._field)

    def _field(self, shape: Shape, text: str, key: str = "record") -> Shape:
        """The shape of a field."""
        found = shape.at(record_steps(text))
        if found is None:
            near = nearest(text.rpartition(".")[2], shape.names())
            raise RuleError("record-path", f"the record has no {text}", key, near)
        return found

    def rules(self, rows: source.Sequence, shape: Shape) -> list[Rule]:
        """One list of rules, over the same two nodes."""
        made = []
        for row, spot in zip(rows, rows.spots, strict=True):
            if isinstance(row, source.Mapping):
                made.append(self._rule(row, shape))
            else:
                self.context.faults.append(
                    Finding(self.file, *spot, "rule-shape", "expected a rule: an object with record and fhir")
                )
        found = settled([rule for rule in made if rule is not None])
        for names in lonely(found):
            self._lonely(rows, ".".join(names))
        return rank(found)

    def _lonely(self, rows: source.Sequence, path: str) -> None:
        pairs = (row for row in rows if isinstance(row, source.Mapping))
        row = next(row for row in pairs if str(row.get("record", "")).startswith(f"{path}["))
        text = f"rows of {path} that no pair selects would be lost: expected a pair with items for them"
        self._fault(row, "rule-rows", text, "record")

    def _rule(self, row: source.Mapping, shape: Shape) -> Rule | None:
        places = [each for each in row.get("either", ()) if isinstance(each, source.Mapping)]
        if [each for each in (row, *places) if not _checked(row.file, each, KEYWORDS, self.context.faults)]:
            return None
        try:
            return self._build(row, shape)
        except PathError as error:
            self._fault(row, "path-syntax", str(error), "fhir")
        except RuleError as wrong:
            self._fault(row, wrong.id, str(wrong), wrong.key, wrong.near)
        return None

    def _fault(self, row: source.Mapping, id_: str, text: str, key: str | None = None, near: str = "") -> None:
        self.context.faults.add(row.file, row, id_, text, key, near)

    def _path(self, text: str) -> Path:
        known = self.context.paths.get(text)
        if known is not None:
            return again(known)
        path = self.context.paths[text] = parse(text, self.context.prefixes)
        return path

    def _build(self, row: source.Mapping, shape: Shape) -> Rule:
        found = wrapped(row, shape, self._build)
        if found is not None:
            return found
        where = f"{row.file}:{row.line}:{row.column}"
        if "fhir" not in row:
            raise RuleError("rule-path-missing", "expected a FHIR path", "record")
        path = self._path(row["fhir"].removeprefix("/") if "parts" in row else row["fhir"])
        if "set" in row:
            unless = row.get("unless", [])
            fields = [unless] if isinstance(unless, str) else unless
            return Constant(where, path, self._expanded(row["set"]), tuple(record_steps(name) for name in fields))
        if "derive" in row:
            return self._derived(row, where, path)
        if "companion" in row:
            return self._companion(row, where, path)
        if "template" in row:
            return self._template(row, where, path)
        if "inherit" in row:
            if "link" not in row:
                raise RuleError("keyword-missing", "expected the key link beside inherit", "inherit")
            return Leaf(where, (row["inherit"],), path, Link(row["link"]))
        if "record" not in row:
            raise RuleError("rule-path-missing", "expected a path in the record", "fhir")
        names = record_steps(row["record"])
        here = self._field(shape, row["record"])
        if "parts" in row:
            return self._parts(row, where, names, path, here)
        if "items" in row:
            return self._items(row, where, names, path, here)
        if here.type_ == "array":
            return self._scalars(row, where, names, path, here)
        return self._single(row, where, names, path, here, shape)

    def _scalars(self, row: source.Mapping, where: str, names: tuple[str, ...], path: Path, here: Shape) -> Rule:
        leaf = self._path(row["leaf"]) if "leaf" in row else None
        without = frozenset(str(code) for code in row.get("except", []))
        codec = codec_of(row, self.context, here.item())
        return Scalars(where, names, path, codec, leaf, without, here.here.get("default"), "alone" in row)

    def _single(
        self, row: source.Mapping, where: str, names: tuple[str, ...], path: Path, here: Shape, shape: Shape
    ) -> Rule:
        if "called" in row:
            called = Leaf(where, names, path, Called(Related(Link(row["link"]))))
            return Named(called, record_steps(row["called"]))
        leaf_rule = Leaf(where, names, path, codec_of(row, self.context, here), row.get("default"))
        if "words" in row:
            self._field(shape, row["words"], "words")
            return Worded(leaf_rule, record_steps(row["words"]), here.check())
        if "second" in row and isinstance(leaf_rule.codec, Values):
            return Paired(leaf_rule, leaf_rule.codec, self._path(row["second"]))
        if "own" in row:
            return OwnCode(leaf_rule, dict(row["own"]), f"{OWN_EXTENSIONS}/code")
        if "also" in row:
            return WithCodes(leaf_rule, record_steps(row["also"]))
        return OneWay(leaf_rule) if "one_way" in row else leaf_rule

    def _companion(self, row: source.Mapping, where: str, path: Path) -> Rule:
        """Without `names` its fields are those that the other map's own pairs name."""
        map_ = self._map(row["companion"], "companion")
        map_.part_only = True
        fields = row.get("names") or fields_of(self.context.rows[map_.name])
        return Companion(where, path, map_, frozenset(fields), "apart" in row)

    def _template(self, row: source.Mapping, where: str, path: Path) -> Rule:
        fields, codec = template(expand(row["template"], self.context.prefixes))
        return Group(where, fields, path, codec)

    def _derived(self, row: source.Mapping, where: str, path: Path) -> Rule:
        maker = DERIVED.get(row["derive"])
        if maker is None:
            raise unknown("function", row["derive"], DERIVED, "derive")
        if row["derive"] != "contained-member" and not row.get("names"):
            raise RuleError("keyword-missing", "expected the key names beside derive", "derive")
        names = row.get("names", [])
        if row["derive"] == "reference":
            names = ["" if name == "main" else self._map(name, "names").type_ for name in names]
        return Derived(where, path, maker(names))

    def _expanded(self, value: Any) -> Any:
        if isinstance(value, str):
            return expand(value, self.context.prefixes)
        if isinstance(value, dict):
            return {key: self._expanded(inner) for key, inner in value.items()}
        return [self._expanded(inner) for inner in value]

    def _map(self, name: str, key: str) -> ResourceMap:
        if name not in self.context.maps:
            raise unknown("map", name, self.context.maps, key)
        return self.context.maps[name]

    def _parts(self, row: source.Mapping, where: str, names: tuple[str, ...], path: Path, here: Shape) -> Rule:
        maps = [self._map(name, "parts") for name in row["parts"]]
        beside = self.rules(row["beside"], here.item()) if "beside" in row else []
        inline = None
        if "inline" in row:
            rules = self.rules(row["inline"], here.item()) + beside
            inline = Items(where, names, path, Keys(uuid=True), rules)
        under = self._path(row["under"]) if "under" in row else None
        keys = PartKeys(row.get("key", "id"), names)
        made = Parts(where, names, path, maps, row.get("at", ""), inline, keys, under)
        made.from_main = row["fhir"].startswith("/")
        made.held, made.beside = row.get("held", ""), beside
        made.beside_names = frozenset(str(inner["record"]) for inner in row.get("beside", ()))
        return made

    def _items(self, row: source.Mapping, where: str, names: tuple[str, ...], path: Path, here: Shape) -> Rule:
        link = Link(row["link"]) if "link" in row else None
        made = Items(where, names, path, Keys(str(row.get("key", "id")), link, at=str(row.get("at", ""))))
        if "rest" in row:
            made.others = (Step("rest"),)
        for text in row.get("except", []):
            made.never += (self._path(f"x[{text}]").last,)
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
            raise unknown("group", name, self.tree.get("groups", {}), "items")
        rules = self.groups[name] = []
        rules.extend(self.rules(rows, shape))
        return rules
