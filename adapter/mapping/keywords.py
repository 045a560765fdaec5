"""The words of a mapping file: what each is for and what form its value has. There is no second list.

The compiler refuses what is not here, `pack fmt` writes keys in this order, and the JSON Schema that editors use is made
from it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

Tree = dict[str, Any]


class Form(NamedTuple):
    """The form of a value: in words, as JSON Schema, and whether a value read from YAML (scalars are text) has it."""

    words: str
    schema: Tree
    fits: Callable[[Any], bool]


class Keyword(NamedTuple):
    """One key: the form of its value and what it says."""

    form: Form
    says: str


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _all_text(rows: Any) -> bool:
    return all(map(_is_text, rows))


# An editor's YAML reader makes numbers and booleans of plain scalars; a mapping file takes them as the text they are.
SCALAR: Tree = {"type": ["string", "number", "boolean"]}
RULES: Tree = {"type": "array", "items": {"$ref": "#/$defs/rule"}}

TEXT = Form("text", SCALAR, _is_text)
TEXTS = Form("a list of texts", {"type": "array", "items": SCALAR}, lambda v: isinstance(v, list) and _all_text(v))
ONE_OR_TEXTS = Form(
    "text or a list of texts", {"anyOf": [SCALAR, TEXTS.schema]}, lambda v: _is_text(v) or TEXTS.fits(v)
)
PAIRS = Form(
    "an object of texts",
    {"type": "object", "additionalProperties": SCALAR},
    lambda v: isinstance(v, dict) and _all_text(v.values()),
)
ROWS = Form("a list of rules", RULES, lambda v: isinstance(v, list))
ROWS_OR_GROUP = Form(
    "a list of rules or the name of a group",
    {"anyOf": [{"type": "string"}, RULES]},
    lambda v: _is_text(v) or isinstance(v, list),
)
GROUPS = Form(
    "an object of lists of rules",
    {"type": "object", "additionalProperties": RULES},
    lambda v: isinstance(v, dict) and all(isinstance(row, list) for row in v.values()),
)
VALUE = Form("a value", {}, lambda v: True)

# Keys of a rule, in the order in which they are written.
KEYWORDS: dict[str, Keyword] = {
    "record": Keyword(TEXT, "The path in the record: names joined by dots."),
    "set": Keyword(VALUE, "One way: a constant, written when the resource or element is made."),
    "derive": Keyword(TEXT, "One way: a value made from the record: narrative, owner, reference or contained-member."),
    "companion": Keyword(TEXT, "The map of a second resource that holds further fields of the same item."),
    "template": Keyword(TEXT, "Several texts of the record in one: `x/{a}[|{version}]`."),
    "inherit": Keyword(TEXT, "A field that a part has from its record: patient."),
    "fhir": Keyword(TEXT, "The FHIR path: steps joined by dots, with selectors in brackets."),
    "leaf": Keyword(TEXT, "Where in each element of the list the plain value stands."),
    "at": Keyword(TEXT, "Where in each element the reference to the part stands, or the reference of a link."),
    "key": Keyword(TEXT, "How an item of a list is known again: id, value, or a field such as linkId."),
    "concept": Keyword(TEXT, "A ConceptMap of the pack, or none: a code ↔ CodeableConcept."),
    "choice": Keyword(TEXT, "A ConceptMap, or a code system as $cs/name: a plain code ↔ Coding."),
    "wrap": Keyword(TEXT, "coding: a concept as Coding; concept: a choice as CodeableConcept."),
    "also": Keyword(TEXT, "The field that keeps the further codings of a concept."),
    "words": Keyword(TEXT, "The field that keeps the words beside a code."),
    "values": Keyword(PAIRS, "A short table: record value to FHIR value."),
    "own": Keyword(PAIRS, "For a code element that has fewer codes than ours: the nearest of FHIR's for each of ours."),
    "via": Keyword(TEXT, "A two-way function and its argument: `date MM/DD/YYYY`, `number`, `scale 2.54`."),
    "flag": Keyword(PAIRS, "Codes of the record's for yes and no ↔ true and false."),
    "quantity": Keyword(TEXT, "A UCUM unit: a number, or the text of its digits, ↔ Quantity of that unit."),
    "repeats": Keyword(TEXT, "yes: all rows that have the keys, each with one of FHIR's values."),
    "split": Keyword(TEXT, "A separator: one text of the record ↔ a list in FHIR."),
    "link": Keyword(TEXT, "The FHIR type: the id of another record ↔ Reference."),
    "called": Keyword(TEXT, "The field that keeps what a linked record is called here: the display of its Reference."),
    "display": Keyword(TEXT, "yes: a name in words, or a party that others keep ↔ a Reference; whole: always an object."),
    "default": Keyword(TEXT, "FHIR's value for a field that the record leaves out; it does not come back as data."),
    "names": Keyword(TEXTS, "Fields of the record that a derived value or a companion is made of."),
    "unless": Keyword(ONE_OR_TEXTS, "Fields whose presence takes a constant away again."),
    "except": Keyword(TEXTS, "Codes, or key=value, of elements that are not ours."),
    "rest": Keyword(TEXT, "yes: all elements that no other rule of the same list selects."),
    "one_way": Keyword(TEXT, "The pair is written and not read; the text is the reason."),
    "either": Keyword(ROWS, "Several places for one field: the first that can say its value."),
    "order": Keyword(TEXT, "The field by which the order of a list of rows is kept, where it is not that of the rules."),
    "when": Keyword(PAIRS, "Record path and value: the pair is for records that have it."),
    "apart": Keyword(TEXT, "yes: the companion is a thing of its own, with an id of its own."),
    "parts": Keyword(TEXTS, "Maps of the resources that the items of this list are."),
    "under": Keyword(TEXT, "Where the resource of an item refers to the one that the item belongs to."),
    "inline": Keyword(ROWS, "Rules for elements that hold an item themselves instead of a reference."),
    "object": Keyword(TEXT, "A group: its pairs, each below both paths of this one."),
    "only": Keyword(TEXT, "R4 or R5: the pair is for that release alone; R4 is R4B too."),
    "second": Keyword(TEXT, "A second FHIR element: where a value of the table has two words, the second stands there."),
    "alone": Keyword(TEXT, "yes: only elements that hold the value at leaf and nothing beside it."),
    "held": Keyword(TEXT, "The flag of an item that stands in the element itself."),
    "beside": Keyword(ROWS, "Rules for what an element says of a part beyond the reference to it."),
    "items": Keyword(ROWS_OR_GROUP, "The rules of each item of a list, or the name of a group of them."),
}  # fmt: skip

# What says something only beside one of these.
NEEDS: dict[str, tuple[str, ...]] = {
    "wrap": ("concept", "choice"),
    "also": ("concept",),
    "key": ("items", "parts"),
    "words": ("choice",),
    "rest": ("items",),
    "inline": ("parts",),
    "unless": ("set",),
    "names": ("derive", "companion"),
    "apart": ("companion",),
    "under": ("parts",),
    "repeats": ("leaf",),
}

# Keys of a file, in the order in which they are written.
FILE_KEYS: dict[str, Keyword] = {
    "map": Keyword(TEXT, "The name of this map in its pack: that of the file."),
    "record": Keyword(TEXT, "The kind of record."),
    "resource": Keyword(TEXT, "The FHIR type."),
    "only": Keyword(TEXT, "R4 or R5: the file is for that release alone."),
    "at": Keyword(TEXT, "The list of the record whose items this file is for."),
    "match": Keyword(PAIRS, "FHIR path and value: the file reads only resources that have it."),
    "when": Keyword(PAIRS, "Record path and value: the file makes resources only of records that have it."),
    "notes": Keyword(VALUE, "Words for people; they are not read."),
    "groups": Keyword(GROUPS, "Named lists of rules, for items that hold items."),
    "rules": Keyword(ROWS, "The pairs."),
}
REQUIRED = ("record", "resource", "rules")
