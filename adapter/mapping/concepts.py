"""Codes: our `{code}`, or a foreign concept, ↔ CodeableConcept and Coding. A code without a map is said, never guessed.

https://hl7.org/fhir/R4/datatypes.html#CodeableConcept
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adapter.fhir_json import copy, same
from adapter.mapping.codecs import Check, is_text

if TYPE_CHECKING:
    from adapter.mapping.scope import Scope
    from adapter.terminology import Table

Tree = dict[str, Any]
_CODING = ("system", "version", "code", "display")


@dataclass(frozen=True, slots=True)
class Choice:
    """A code of ours ↔ a Coding: of a table where there is one, else of one code system with the same codes."""

    table: Table | None
    system: str
    check: Check

    def decode(self, value: Any, scope: Scope) -> Any:
        if type(value) is not dict:
            return None
        system, code = value.get("system"), value.get("code")
        if type(code) is not str or type(system) is not str:
            return None
        if system == self.system:
            return code if self.check(code) else None
        found = self.table.internal(system, code) if self.table else ()
        return found[0] if found and self.check(found[0]) else None

    def encode(self, value: Any, old: Any, scope: Scope) -> Any:
        if type(value) is not str or not self.check(value):
            return None
        if self.table is None:
            return {"system": self.system, "code": value}
        codings = self.table.codings(value)
        if codings is None:
            return None
        if len(codings) == 1 and not self.table.ambiguous(value):
            return dict(codings[0])
        return _own(self.table, value)


def _own(table: Table, code: str) -> Tree:
    coding = {"system": table.code_system, "code": code}
    display = table.display(code)
    return {**coding, "display": display} if display else coding


# What the published code is to ours. https://hl7.org/fhir/R4/valueset-concept-map-equivalence.html
_SAYS = {
    "wider": "the published one is wider",
    "subsumes": "the published one is wider",
    "narrower": "the published one is narrower",
    "specializes": "the published one is narrower",
    "relatedto": "the two are related, and no more is known",
    "inexact": "the two overlap, and neither is within the other",
}


@dataclass(frozen=True, slots=True)
class Concept:
    """Our `{code}` or a foreign `{system, code, display}`, with `text` and `also` ↔ a CodeableConcept.

    https://hl7.org/fhir/R4/datatypes.html#CodeableConcept
    """

    table: Table | None
    system: str = ""

    def decode(self, value: Any, scope: Scope) -> Any:
        if type(value) is not dict:
            return None
        found = value.get("coding")
        codings = [coding for coding in found if _is_coding(coding)] if type(found) is list else []
        concept, rest = self._concept(codings, scope)
        if not concept and type(found) is list:
            concept = _first_display(found)
        text = value.get("text")
        if type(text) is str and text:
            concept["text"] = text
        if rest and concept:
            concept["also"] = [_also(coding) for coding in rest]
        return concept or None

    def _concept(self, codings: list[Tree], scope: Scope) -> tuple[Tree, list[Tree]]:
        code = self._internal(codings, scope)
        if code is not None and self.table is not None:
            ours = {(self.table.code_system, code)} | {
                (coding["system"], coding["code"]) for coding in self.table.codings(code) or ()
            }
            return {"code": code}, [c for c in codings if (c["system"], c["code"]) not in ours]
        if not codings:
            return {}, []
        first = codings[0]
        if self.table is None and first["system"] == self.system:
            return {"code": first["code"]}, codings[1:]
        return {key: first[key] for key in _CODING if is_text(first.get(key))}, codings[1:]

    def _internal(self, codings: list[Tree], scope: Scope | None) -> str | None:
        """Our code for these codings; `scope` is told what is not certain of it."""
        table = self.table
        if table is None:
            return None
        for coding in codings:
            if coding["system"] == table.code_system and coding["code"] in table.codes:
                return str(coding["code"])
        candidates = table.together([(coding["system"], coding["code"]) for coding in codings])
        if scope is not None and candidates:
            _uncertain(table, codings, candidates, scope)
        return str(candidates[0]) if candidates else None

    def encode(self, value: Any, old: Any, scope: Scope) -> Any:
        if type(value) is not dict:
            return None
        stands = copy(old) if type(old) is dict else {}
        before = self.decode(stands, scope) or {}
        codings = self._written(value, before, stands, scope)
        tree = {key: inner for key, inner in stands.items() if key not in ("coding", "text")}
        if codings:
            tree["coding"] = codings
        if is_text(value.get("text")):
            tree["text"] = value["text"]
        return tree or None

    def _written(self, value: Tree, before: Tree, stands: Tree, scope: Scope) -> list[Any]:
        """The codings of a concept, each that is already there with all that stands in it."""
        found = stands.get("coding")
        old = found if type(found) is list else []
        same_code = same(_without(value, "text", "also"), _without(before, "text", "also"))
        if same_code and same(value.get("also"), before.get("also")):
            return old
        also = [_taken(old, coding) for coding in value.get("also", [])]
        if not same_code:
            return self._made(value, also, scope)
        return _less(old, [_also(coding) for coding in before.get("also", [])]) + also

    def _made(self, value: Tree, also: list[Tree], scope: Scope) -> list[Tree]:
        """New codings: the further ones win in their systems, and ours goes along where the others would mislead."""
        codings = self._codings(value, scope)
        if self.table is None or "system" in value or type(value.get("code")) is not str:
            return codings + also
        taken = {coding.get("system") for coding in also}
        codings = [coding for coding in codings if coding["system"] not in taken]
        made = codings + also
        back = self._internal([coding for coding in made if _is_coding(coding)], None)
        if back != value["code"] and value["code"] in self.table.codes:
            return [*codings, _own(self.table, value["code"]), *also]
        return made

    def _codings(self, value: Tree, scope: Scope) -> list[Tree]:
        if self.table is None and "code" in value and "system" not in value:
            return [{"system": self.system, "code": value["code"]}]
        if "system" in value or "display" in value or self.table is None:
            coding: Tree = {key: value[key] for key in _CODING if key in value}
            return [coding] if coding else []
        code = value.get("code")
        if type(code) is not str:
            return []
        codings = self.table.codings(code)
        if codings is None:
            scope.say("error", "code-invalid", "code-unknown", "The code is not one of this pack's.", source="")
            return []
        near = [said for coding in codings if (said := self.table.relation(coding["system"], coding["code"], code))]
        if near:
            text = f"The code goes out as the nearest published one: {_SAYS[near[0]]}."
            scope.say("information", "business-rule", "code-near", text, source="")
        own = [_own(self.table, code)] if not codings or self.table.ambiguous(code) else []
        return [dict(coding) for coding in codings] + own


def _uncertain(table: Table, codings: list[Tree], candidates: tuple[str, ...], scope: Scope) -> None:
    """Say that a code stands for several of ours, or for one that is only near."""
    if len(candidates) > 1:
        scope.say("information", "business-rule", "code-several", "The code stands for several of ours.", source="")
    codes = [(coding["system"], coding["code"]) for coding in codings]
    found = [table.relation(*code, candidates[0]) for code in codes if candidates[0] in table.internal(*code)]
    if found and all(found):
        text = f"The code is read as the nearest of ours: {_SAYS[found[0]]}."
        scope.say("information", "business-rule", "code-near", text, source="")


@dataclass(frozen=True, slots=True)
class CodingConcept:
    """The same as `Concept`, where FHIR has only a Coding: text and further codings stand in extensions of ours."""

    concept: Concept
    extension: str

    def decode(self, value: Any, scope: Scope) -> Any:
        if type(value) is not dict:
            return None
        extensions = value.get("extension")
        rows = [row for row in extensions if type(row) is dict] if type(extensions) is list else []
        also = [row.get("valueCoding") for row in rows if row.get("url") == f"{self.extension}/concept-also"]
        text = [row.get("valueString") for row in rows if row.get("url") == f"{self.extension}/concept-text"]
        return self.concept.decode({"coding": [value, *also], "text": text[0] if text else None}, scope)

    def encode(self, value: Any, old: Any, scope: Scope) -> Any:
        tree = self.concept.encode(value, None, scope)
        if tree is None:
            return None
        first, *rest = tree.get("coding", [{}])
        extensions = [{"url": f"{self.extension}/concept-also", "valueCoding": coding} for coding in rest]
        if "text" in tree:
            extensions.append({"url": f"{self.extension}/concept-text", "valueString": tree["text"]})
        return {**first, "extension": extensions} if extensions else first


@dataclass(frozen=True, slots=True)
class Coded:
    """A code of ours, alone, ↔ a CodeableConcept or Coding."""

    concept: Concept | CodingConcept
    check: Check

    def decode(self, value: Any, scope: Scope) -> Any:
        found = self.concept.decode(value, scope)
        code = found.get("code") if found and "system" not in found else None
        return code if self.check(code) else None

    def encode(self, value: Any, old: Any, scope: Scope) -> Any:
        return self.concept.encode({"code": value}, None, scope)


def _first_display(codings: list[Any]) -> Tree:
    shown = (coding.get("display") for coding in codings if type(coding) is dict)
    return next(({"display": display} for display in shown if is_text(display)), {})


def _is_coding(coding: Any) -> bool:
    return type(coding) is dict and is_text(coding.get("system")) and is_text(coding.get("code"))


def _also(coding: Tree) -> Tree:
    keep = ("system", "code", "version", "display")
    return {key: coding[key] for key in keep if is_text(coding.get(key))}


def _without(concept: Tree, *names: str) -> Tree:
    return {key: value for key, value in concept.items() if key not in names}


def _less(old: list[Any], others: list[Tree]) -> list[Any]:
    """The codings without the further ones, which stand behind an equal first one."""
    kept = []
    for coding in reversed(old):
        if _is_coding(coding) and _also(coding) in others:
            others.remove(_also(coding))
        else:
            kept.append(coding)
    return kept[::-1]


def _taken(old: list[Any], coding: Tree) -> Tree:
    return next((stands for stands in old if _is_coding(stands) and same(_also(stands), coding)), copy(coding))
