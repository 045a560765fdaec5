"""A Questionnaire, read once into what its responses are held against.

https://hl7.org/fhir/R4/questionnaire.html; limits stand in extensions:
https://hl7.org/fhir/R4/questionnaire-profiles.html#extensions
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapter.definitions import Definitions
from adapter.definitions.packages import LayeredTerms
from adapter.definitions.terms import Expansion
from adapter.validation.questionnaires.expressions import Expressions, read_expressions

Tree = dict[str, Any]
BASE = "http://hl7.org/fhir/StructureDefinition/"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
LIMITS = {
    BASE + "minValue": "min_value",
    BASE + "maxValue": "max_value",
    SDC + "minQuantity": "min_value",
    SDC + "maxQuantity": "max_value",
    BASE + "maxDecimalPlaces": "decimal_places",
    BASE + "minLength": "min_length",
    BASE + "regex": "regex",
    BASE + "maxSize": "max_size",
    BASE + "questionnaire-minOccurs": "min_occurs",
    BASE + "questionnaire-maxOccurs": "max_occurs",
    BASE + "questionnaire-unitValueSet": "unit_value_set",
}
LISTS = {
    BASE + "mimeType": "mime_types",
    BASE + "questionnaire-unitOption": "units",
    BASE + "questionnaire-referenceResource": "reference_types",
}


@dataclass(frozen=True, slots=True)
class FormItem:
    """One item of a Questionnaire. `options` are (JSON name of the value, value, whether it excludes all others).

    `scopes` are, for each condition of `enable_when`, the linkId of the nearest group that holds both this item and the
    question: empty for the whole form, None where there is no such question. `known` are the children by linkId. Where
    `quick` names a property, a value there is a right answer: any, or a Coding that is among `codes`.
    """

    link_id: str
    type: str
    text: str
    required: bool
    repeats: bool
    parent: str
    order: int
    items: tuple[FormItem, ...] = ()
    options: tuple[tuple[str, Any, bool], ...] = ()
    has_value_set: bool = False
    expansion: Expansion | None = None
    units_expansion: Expansion | None = None
    enable_when: tuple[Tree, ...] = ()
    enable_behaviour: str = ""
    scopes: tuple[str | None, ...] = ()
    max_length: int | None = None
    limits: Mapping[str, Any] = field(default_factory=dict)
    expressions: Expressions | None = None
    known: Mapping[str, FormItem] = field(default_factory=dict)
    quick: str = ""
    codes: frozenset[tuple[str, str]] | None = None
    bounded: bool = False
    excludes: bool = False
    is_free: bool = True


@dataclass(frozen=True, slots=True)
class Form:
    """A Questionnaire: its top items, every item by linkId, when it is in use; `tree` is the whole of it."""

    items: tuple[FormItem, ...]
    by_link_id: Mapping[str, FormItem]
    known: Mapping[str, FormItem]
    period: Tree = field(default_factory=dict)
    expressions: Expressions | None = None
    tree: Tree = field(default_factory=dict)
    expressed: bool = False


def read_form(tree: Tree, defs: Definitions) -> Form:
    """Reads a Questionnaire; what has a wrong shape is left out, its own validation says so."""
    contained: dict[str, Tree] = {}
    for row in _rows(tree.get("contained")):
        if row.get("resourceType") in ("ValueSet", "CodeSystem"):
            names = [f"#{row.get('id')}", row.get("url")]
            contained |= {name: row for name in names if isinstance(name, str)}
    reader = _Reader(LayeredTerms(defs, contained), set(contained))
    items = reader.items(tree.get("item"), "")
    reader.scope()
    period = tree.get("effectivePeriod")
    whole = read_expressions(defs, tree, "QuestionnaireResponse")
    expressed = whole is not None or any(item.expressions is not None for item in reader.found.values())
    known, period = by_link_id(items), period if isinstance(period, dict) else {}
    return Form(items, reader.found, known, period, whole, tree, expressed)


def by_link_id(items: tuple[FormItem, ...]) -> dict[str, FormItem]:
    """Items by their linkId."""
    return {item.link_id: item for item in items}


# The property that an answer of a type has, where only one is right.
ONLY = {
    "boolean": "valueBoolean",
    "decimal": "valueDecimal",
    "integer": "valueInteger",
    "date": "valueDate",
    "dateTime": "valueDateTime",
    "time": "valueTime",
    "string": "valueString",
    "text": "valueString",
    "url": "valueUri",
}
OCCURS = {"min_occurs", "max_occurs"}


def _type(row: Tree) -> str:
    """The type of an item as R4 has it: R5 says `coding`, and beside it whether other answers may be given.

    https://hl7.org/fhir/R5/questionnaire-definitions.html#Questionnaire.item.answerConstraint
    """
    kind = str(row.get("type"))
    if kind != "coding":
        return kind
    return "open-choice" if row.get("answerConstraint") == "optionsOrString" else "choice"


def _quick(row: Tree, options: Options, limits: Mapping[str, Any]) -> tuple[str, frozenset[tuple[str, str]] | None]:
    """What makes an answer right at a glance; empty where more has to be looked at."""
    kind = _type(row)
    if not limits.keys() <= OCCURS or "maxLength" in row or "answerValueSet" in row:
        return "", None
    if kind in ("choice", "open-choice"):
        pairs = [(value.get("system"), value.get("code")) for _, value, _ in options if isinstance(value, dict)]
        codes = frozenset((one, two) for one, two in pairs if isinstance(one, str) and isinstance(two, str))
        return ("valueCoding", codes) if codes else ("", None)
    return ("" if options else ONLY.get(kind, "")), None


def by_canonical(trees: Iterable[Any]) -> dict[str, Tree]:
    """Questionnaires by url and by url|version."""
    found: dict[str, Tree] = {}
    for tree in trees:
        url, version = (tree.get("url"), tree.get("version")) if isinstance(tree, dict) else (None, None)
        if isinstance(url, str):
            found.setdefault(url, tree)
            if isinstance(version, str):
                found[f"{url}|{version}"] = tree
    return found


def _rows(value: Any) -> list[Tree]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


Options = tuple[tuple[str, Any, bool], ...]


class _Reader:
    def __init__(self, terms: LayeredTerms, local: set[str]) -> None:
        self.terms = terms
        self.local = local
        self.found: dict[str, FormItem] = {}

    def items(self, rows: Any, parent: str) -> tuple[FormItem, ...]:
        made = [self.item(row, parent, order) for order, row in enumerate(_rows(rows))]
        return tuple(item for item in made if item.link_id)

    def item(self, row: Tree, parent: str, order: int) -> FormItem:
        link_id = row.get("linkId") if isinstance(row.get("linkId"), str) else ""
        free = row.get("answerConstraint") == "optionsOrType"  # what is listed is only offered
        value_set = None if free else row.get("answerValueSet")
        limits = limits_of(row)
        length = row.get("maxLength")
        items = self.items(row.get("item"), str(link_id))
        options = () if free else tuple(_option(each) for each in _rows(row.get("answerOption")))
        quick, codes = _quick(row, options, limits)
        expressions = read_expressions(self.terms.defs, row, "QuestionnaireResponse.item")
        item = FormItem(
            link_id=str(link_id),
            type=_type(row),
            text=row["text"] if isinstance(row.get("text"), str) else "",
            required=row.get("required") is True,
            repeats=row.get("repeats") is True,
            parent=parent,
            order=order,
            items=items,
            known=by_link_id(items),
            quick=quick,
            codes=codes,
            bounded=not OCCURS.isdisjoint(limits),
            is_free="enableWhen" not in row and expressions is None,
            excludes=any(exclusive for _, _, exclusive in options),
            options=options,
            has_value_set=isinstance(value_set, str),
            expansion=self.expansion(value_set),
            units_expansion=self.expansion(limits.get("unit_value_set")),
            enable_when=tuple(_rows(row.get("enableWhen"))),
            enable_behaviour=str(row.get("enableBehavior", "")),
            max_length=length if type(length) is int else None,
            limits=limits,
            expressions=expressions,
        )
        self.found.setdefault(item.link_id, item)
        return item

    def scope(self) -> None:
        """Says of each condition where its question's answers are looked for."""
        for item in self.found.values():
            if item.enable_when:
                scopes = tuple(self._common(item.link_id, each.get("question")) for each in item.enable_when)
                object.__setattr__(item, "scopes", scopes)

    def _common(self, link_id: str, question: Any) -> str | None:
        if not isinstance(question, str) or question not in self.found:
            return None
        above = self._groups(question)
        return next((each for each in self._groups(link_id) if each in above), "")

    def _groups(self, link_id: str) -> list[str]:
        """The groups that an item is in, the nearest first, then the whole."""
        found: list[str] = []
        while link_id in self.found and len(found) < len(self.found):
            link_id = self.found[link_id].parent
            if not link_id or self.found[link_id].type == "group":
                found.append(link_id)
        return found

    def expansion(self, value_set: Any) -> Expansion | None:
        if not isinstance(value_set, str):
            return None
        plain = value_set.partition("|")[0]
        try:
            found = self.terms.expand(plain) if plain in self.local or self.terms.defs.expansion(plain) else None
        except (KeyError, TypeError, AttributeError, ValueError):
            return None
        return found


def _option(row: Tree) -> tuple[str, Any, bool]:
    name = next((key for key in row if key.startswith("value")), "")
    exclusive = any(
        each.get("url") == BASE + "questionnaire-optionExclusive" and each.get("valueBoolean") is True
        for each in _rows(row.get("extension"))
    )
    return name, row.get(name), exclusive


def limits_of(row: Tree) -> dict[str, Any]:
    """The limits that stand in an item's extensions."""
    found: dict[str, Any] = {}
    for each in _rows(row.get("extension")):
        url = each.get("url")
        value = next((each[key] for key in each if key.startswith("value")), None)
        if value is None or not isinstance(url, str):
            continue
        if url in LIMITS:
            found[LIMITS[url]] = value
        elif url in LISTS:
            found.setdefault(LISTS[url], []).append(value)
    return found
