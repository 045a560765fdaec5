"""Which two-way function a rule asks for, and what every rule of a pack is compiled against."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from adapter.identity import NS
from adapter.mapping import source
from adapter.mapping.codecs import Codec, Copy, Template, Values
from adapter.mapping.concepts import Choice, Coded, CodingConcept, Concept
from adapter.mapping.functions import Amount, flag, via
from adapter.mapping.links import Link, Party, Related
from adapter.mapping.maps import ResourceMap
from adapter.mapping.paths import Path, expand
from adapter.mapping.registered import FunctionError
from adapter.mapping.shapes import Shape
from adapter.mapping.units import is_unit
from adapter.terminology import Table

# Where a code of ours, or words, stand beside what FHIR has room for: the same for every pack, so that all can read it.
OWN_EXTENSIONS = f"{NS}/StructureDefinition"


@dataclass(slots=True)
class Context:
    """What the rules of a pack are compiled against. `shape_of` gives the schema of a record kind."""

    prefixes: Mapping[str, str]
    tables: Mapping[str, Table]
    shape_of: Callable[[str], Shape | None]
    faults: source.Faults = field(default_factory=source.Faults)
    maps: dict[str, ResourceMap] = field(default_factory=dict)
    release: str = "R4"
    rows: dict[str, source.Sequence] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)
    shapes: dict[str, Shape | None] = field(default_factory=dict)

    def shape(self, kind: str) -> Shape | None:
        """The schema of a record kind: one for all maps, so that each of its objects is looked at once."""
        if kind not in self.shapes:
            self.shapes[kind] = self.shape_of(kind)
        return self.shapes[kind]


class RuleError(ValueError):
    """What is wrong with a rule: the id of the message, the key that it is about, the name that was probably meant."""

    def __init__(self, id_: str, text: str, key: str = "record", near: str = "") -> None:
        super().__init__(text)
        self.id = id_
        self.key = key
        self.near = near


def unknown(what: str, name: str, known: Iterable[str], key: str) -> RuleError:
    """That there is no map, group, ConceptMap or function of this name."""
    return RuleError(f"{what.lower()}-unknown", f"unknown {what} {name}", key, nearest(name, known))


def nearest(word: str, known: Iterable[str]) -> str:
    """The name that was probably meant; empty where none is near."""
    return next(iter(get_close_matches(word, known, 1)), "")


def codec_of(row: source.Mapping, context: Context, here: Shape) -> Codec:
    """The two-way function between values of this shape and FHIR. Raises RuleError, PathError."""
    if "concept" in row:
        concept = _concept(row, context)
        return CodingConcept(concept, OWN_EXTENSIONS) if row.get("wrap") == "coding" else concept
    if "choice" in row and "words" in row:
        concept = Concept(_table(row, context, "choice"))
        return concept if row.get("wrap") == "concept" else CodingConcept(concept, OWN_EXTENSIONS)
    if "choice" in row and "wrap" in row:
        concept = Concept(_table(row, context, "choice"))
        return Coded(CodingConcept(concept, OWN_EXTENSIONS) if row["wrap"] == "coding" else concept, here.check())
    if "choice" in row:
        if row["choice"].startswith("$"):
            return Choice(None, expand(row["choice"], context.prefixes), here.check())
        table = _table(row, context, "choice")
        return Choice(table, table.code_system, here.check())
    if "via" in row or "flag" in row:
        return _function(row, here)
    if "quantity" in row:
        if not is_unit(row["quantity"]):
            raise RuleError(
                "unit-unknown", f"expected a UCUM unit that has a size here, not {row['quantity']}", "quantity"
            )
        return Amount(row["quantity"], here.check())
    if "values" in row:
        forward: dict[Any, str] = {here.typed(key): value for key, value in row["values"].items()}
        return Values(forward, {value: key for key, value in forward.items()})
    if "link" in row:
        return Related(Link(row["link"])) if here.is_either() else Link(row["link"])
    if "display" in row:
        return Party(whole=row["display"] == "whole")
    return Copy(here.check())


def _function(row: source.Mapping, here: Shape) -> Codec:
    try:
        return flag(row["flag"], here.typed, here.check()) if "flag" in row else via(row["via"], here.check())
    except FunctionError as error:
        raise RuleError(error.id, str(error), "flag" if "flag" in row else "via", error.near) from None


def _concept(row: source.Mapping, context: Context) -> Concept:
    if row["concept"] == "none":
        return Concept(None, expand("$cs/local", context.prefixes))
    if row["concept"].startswith("$"):
        return Concept(None, expand(row["concept"], context.prefixes))
    return Concept(_table(row, context, "concept"))


def _table(row: source.Mapping, context: Context, key: str) -> Table:
    if row[key] not in context.tables:
        raise unknown("ConceptMap", row[key], context.tables, key)
    return context.tables[row[key]]


def template(text: str) -> tuple[tuple[str, ...], Template]:
    """The fields of a template in their order, and its two-way function. Raises RuleError."""
    head, _, tail = text.partition("[")
    tail = tail.removesuffix("]")
    fields = tuple(re.findall(r"{(\w+)}", text))
    if not fields or len(set(fields)) < len(fields):
        raise RuleError("template", "expected each field once, in braces", "template")
    pattern = _template_pattern(head) + (f"(?:{_template_pattern(tail)})?" if tail else "")
    return fields, Template(re.compile(pattern), head, tail)


def _template_pattern(text: str) -> str:
    return re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^|]+)", re.escape(text))
