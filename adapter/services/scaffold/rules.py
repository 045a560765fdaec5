"""The rules of a first pack: a place in Patient or QuestionnaireResponse for what has one, an answer for all the rest."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from adapter.records.dates import is_date
from adapter.services.scaffold import hints
from adapter.services.scaffold.fields import Field
from adapter.services.scaffold.forms import Own

Tree = dict[str, Any]
_VALUE = {"boolean": "valueBoolean", "integer": "valueInteger", "decimal": "valueDecimal", "date": "valueDate",
          "dateTime": "valueDateTime", "text": "valueString", "odd": "valueString"}  # fmt: skip
_ITEM = {"boolean": "boolean", "integer": "integer", "decimal": "decimal", "date": "date", "dateTime": "dateTime"}


@dataclass(slots=True)
class Rule:
    """One pair as it is written: its keys, what a person has to decide about it, the pairs of its items."""

    keys: Tree
    todo: str = ""
    items: list[Rule] = field(default_factory=list)

    def lines(self, indent: str) -> Iterator[str]:
        """The pair in YAML (a text of JSON is one of YAML)."""
        if self.todo:
            yield f"{indent}# todo: {self.todo}"
        keys = [f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in self.keys.items()]
        if not self.items:
            yield f"{indent}- {{{', '.join(keys)}}}"
            return
        for number, key in enumerate(keys):
            yield f"{indent}{'  ' if number else '- '}{key}"
        yield f"{indent}  items:"
        for rule in self.items:
            yield from rule.lines(f"{indent}    ")


@dataclass(frozen=True, slots=True)
class At:
    """Where in the record and in the response a field stands. `local` starts at the innermost list above it."""

    full: tuple[str, ...]
    local: tuple[str, ...]
    step: str
    rules: list[Rule]
    inside: bool = False

    def into(self, name: str) -> At:
        """A field of this one."""
        return replace(self, full=(*self.full, name), local=(*self.local, name))

    @property
    def record(self) -> str:
        """Its path in the record, as a rule has it."""
        return ".".join(self.local)


@dataclass(slots=True)
class Draft:
    """What is being made of one kind of record; `own` are the items of the provider's own form, by plain name."""

    core_maps: list[str]
    own: dict[str, Own] = field(default_factory=dict)
    patient: list[Rule] = field(default_factory=list)
    response: list[Rule] = field(default_factory=list)
    items: list[Tree] = field(default_factory=list)
    _places: set[str] = field(default_factory=set)
    _link_ids: set[str] = field(default_factory=set)

    def fill(self, top: Field) -> None:
        """Rules and items for every field of a record."""
        self._link_ids |= {own.link_id for own in self.own.values()}
        for name, found in top.parts.items():
            self.items += self._field(At((name,), (name,), "", self.response), found)

    def _field(self, at: At, found: Field) -> list[Tree]:
        """The items of a form for a field that has no other place; its rules are added."""
        if not at.inside and (self._in_patient(at, found) or self._in_response(at, found) or self._in_own(at, found)):
            return []
        link_id = self._link_id(at.full)
        step = f"{at.step}item[linkId={link_id}]"
        item: Tree = {"linkId": link_id, "text": hints.words(at.full[-1]), "type": _ITEM.get(found.type_, "string")}
        if found.type_ == "object":
            return self._object(at, found, step, item)
        value = _VALUE[found.type_]
        keys = {"record": at.record, "fhir": f"{step}.answer[!].{value}"}
        if found.many:
            keys = {"record": at.record, "fhir": f"{step}.answer", "leaf": value}
            item["repeats"] = True
        if found.via or found.type_ == "odd":
            keys["via"] = found.via or "json"
        at.rules.append(Rule(keys, found.todo or self._hint(at.full[-1], found)))
        return [item]

    def _object(self, at: At, found: Field, step: str, item: Tree) -> list[Tree]:
        """A group of items; for a list of objects one that repeats."""
        rules: list[Rule] = []
        inner = replace(at, local=(), step="", rules=rules, inside=True) if found.many else replace(at, step=f"{step}.")
        items = [row for name, part in found.parts.items() for row in self._field(inner.into(name), part)]
        if found.many:
            item["repeats"] = True
            at.rules.append(Rule({"record": at.record, "fhir": step, "key": "value"}, items=rules))
        return [{**item, "type": "group", "item": items}] if items else []

    def _in_patient(self, at: At, found: Field) -> bool:
        name = hints.plain(at.full[-1])
        if found.many:
            return False
        table = _sexes(found) if name in hints.SEX else None
        if table is not None and self._free("gender"):
            found.values, found.via = tuple(table), "values"
            values = {} if all(code == value for code, value in table.items()) else {"values": table}
            self.patient.append(Rule({"record": at.record, "fhir": "gender", **values}))
            return True
        place = hints.PATIENT.get(name)
        if place is not None and "date" in place.types and found.type_ == "text" and all(map(is_date, found.values)):
            found.type_, found.todo = "date", ""
        if place is None or found.type_ not in place.types or not self._free(place.fhir):
            return False
        self.patient.append(Rule({"record": at.record, "fhir": place.fhir, **_via(found)}, found.todo))
        return True

    def _in_response(self, at: At, found: Field) -> bool:
        name = hints.plain(at.full[-1])
        if found.many:
            return False
        place = hints.RESPONSE.get(name)
        if name in hints.AUTHOR and found.type_ == "text" and self._free("author"):
            self.response.append(Rule({"record": at.record, "fhir": "author", "display": "yes"}))
            return True
        if place is None or found.type_ not in place.types or not self._free(place.fhir):
            return False
        self.response.append(Rule({"record": at.record, "fhir": place.fhir, **_via(found)}))
        return True

    def _in_own(self, at: At, found: Field) -> bool:
        own = next((self.own[name] for name in _names(at.full) if name in self.own), None)
        keys = own.keys(found) if own is not None else None
        if own is None or keys is None or not self._free(own.step):
            return False
        self.response.append(Rule({"record": at.record, **keys, **_via(found)}, found.todo))
        return True

    def _free(self, place: str) -> bool:
        if place in self._places:
            return False
        self._places.add(place)
        return True

    def _link_id(self, names: tuple[str, ...]) -> str:
        base = ".".join(re.sub(r"[^\w-]+", "-", name).strip("-") or "x" for name in names)
        made, number = base, 1
        while made in self._link_ids:
            number += 1
            made = f"{base}-{number}"
        self._link_ids.add(made)
        return made

    def _hint(self, name: str, found: Field) -> str:
        map_ = hints.core_map(name, self.core_maps) if found.type_ == "text" else ""
        return f"core has a ConceptMap {map_}; with one of its own (choice) this could travel as a code" if map_ else ""


def _names(full: tuple[str, ...]) -> tuple[str, str]:
    return hints.plain("".join(full)), hints.plain(full[-1])


def _via(found: Field) -> Tree:
    return {"via": found.via} if found.via not in ("", "values") else {}


def _sexes(found: Field) -> dict[str, str] | None:
    """How the samples write FHIR's codes, where they do."""
    if found.type_ != "text":
        return None
    return next((dict(table) for table in hints.SEXES if set(found.values) <= table.keys()), None)
