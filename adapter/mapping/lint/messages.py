"""Every message of `pack lint`: its stable id, how much it matters, and what to do. docs/pack-messages.md is made from it.

They stand in the order in which they are told: what keeps a file from being read comes first.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Severity = Literal["error", "warning"]


class Message(NamedTuple):
    """`says` is what it is about; `remedy` one sentence of what to do."""

    severity: Severity
    says: str
    remedy: str


def _error(says: str, remedy: str) -> Message:
    return Message("error", says, remedy)


def _warning(says: str, remedy: str) -> Message:
    return Message("warning", says, remedy)


_READING = {
    "file-unreadable": _error("A file cannot be read.", "Put a readable file there, or remove what names it."),
    "file-outside": _error("A file lies outside its pack.", "Put the file itself into the pack, not a link to it."),
    "file-too-large": _error("A file is larger than a pack's may be.", "Split it."),
    "yaml-encoding": _error("A file is not UTF-8.", "Save it as UTF-8."),
    "yaml-syntax": _error("A file is not YAML.", "Mend it at that place; a quote or an indent is often missing there."),
    "yaml-alias": _error("Anchors and aliases could blow a file up.", "Write the value out."),
    "yaml-tag": _error("Tags could build objects.", "Leave the tag out: every scalar is text."),
    "yaml-too-deep": _error("A file nests too deeply.", "Use a group for items that hold items."),
    "yaml-key": _error("A key is no text.", "Give the key a name."),
    "yaml-key-twice": _error("A key stands twice.", "Remove one of the two."),
    "file-shape": _error("A mapping file is an object.", "Begin it with map, record, resource and rules."),
    "head-key": _error("pack.yaml has a key that is not known.", "Use the keys that docs/packs.md lists."),
    "head-value": _error("pack.yaml has a value of the wrong form.", "Write it in the form that the message names."),
    "kind-id": _error(
        "The field that names a record is not one that can.", "Name a field of the schema; one called id holds UUIDs."
    ),
    "kind-schema": _error(
        "A kind of the pack's own has no schema that can be used.", "Name a JSON Schema of the pack, of an object."
    ),
    "resource-not-json": _error("A resource of the pack is not JSON.", "Mend it at that place."),
    "resource-type": _error("A folder holds a resource of another type.", "Move it to the folder of its type."),
    "resource-url": _error("A resource has no url.", "Give it one: other files name it by that."),
    "resource-version": _error("A Questionnaire has no version.", "Give it one: responses name it."),
    "resource-twice": _error("Two resources have one url.", "Remove one, or give it a url of its own."),
    "definition": _error("A definition of the pack cannot be used.", "Mend it by the FHIR page of its type."),
}

_LANGUAGE = {
    "keyword-unknown": _error("There is no such keyword.", "Use a keyword of docs/mapping.md."),
    "keyword-value": _error("A keyword has a value of the wrong form.", "Write the value in the form that is named."),
    "keyword-missing": _error("A keyword is missing.", "Add it."),
    "keyword-idle": _error("A keyword says nothing here.", "Remove it, or add the keyword that it belongs to."),
    "rule-shape": _error("A rule is an object.", "Write it as {record: …, fhir: …}."),
    "rule-path-missing": _error("A rule has only one side.", "Give it a record path and a FHIR path."),
    "path-syntax": _error("A path cannot be read.", "Write names joined by dots, with selectors in brackets."),
    "function-argument": _error("A function cannot be made with its argument.", "Write it as docs/mapping.md shows."),
    "unit-unknown": _error("A unit has no size here.", "Use a UCUM unit of mass, volume, length, time or number."),
    "rule-rows": _error(
        "Rows of a list would be lost.", "Add a pair with items for the rows that no other pair selects."
    ),
    "rule-wrapped": _error(
        "Rows, columns or places of a rule cannot be made sense of.", "Write them as docs/mapping.md shows."
    ),
    "function-unknown": _error("There is no such function.", "Use one that docs/mapping.md lists."),
    "map-unknown": _error("There is no such map.", "Name a file of maps/, without its ending."),
    "group-unknown": _error("There is no such group in the file.", "Define it under groups."),
    "group-loop": _error("A group of an object holds itself.", "Write the fields out, or use items."),
    "release-unknown": _error("There is no such release.", "Write R4, which is R4B too, or R5."),
    "conceptmap-unknown": _error("There is no such ConceptMap.", "Name a file of conceptmaps/, without its ending."),
    "template": _error("A template cannot be turned around.", "Name each field once, with text between them."),
    "conceptmap-shape": _error("A ConceptMap has another shape than FHIR gives it.", "Write a list of objects."),
    "conceptmap-sources": _error("A ConceptMap has several sources.", "Make one ConceptMap for each."),
    "conceptmap-cycle": _error("A ConceptMap leads to itself.", "Name the published system as target."),
    "conceptmap-unmapped": _error("`unmapped` would be a guess.", "Give each code its own target, or unmatched."),
    "conceptmap-code-missing": _error("An element has no code.", "Give it our code."),
    "conceptmap-equivalence": _error(
        "An equivalence is none of FHIR's.", "Use equivalent, wider, narrower or unmatched."
    ),
    "conceptmap-target-missing": _error(
        "A target says no code, or its group no system.", "Name both, or say unmatched."
    ),
    "conceptmap-depends": _error("A target holds only sometimes.", "Give what it depends on a code of its own."),
    "conceptmap-contradiction": _error("A code has a target and is said to have none.", "Keep one of the two."),
    "conceptmap-target-twice": _error("A target stands twice.", "Remove one."),
    "conceptmap-preferences": _error("A published code has several preferences.", "Mark one of them."),
}

_PATHS = {
    "record-kind": _error(
        "There is no such kind of record.", "Name a kind that `careplan schema` knows, or one of the pack's."
    ),
    "record-path": _error("The record has no such field.", "Use a field of `careplan schema KIND`."),
    "resource-unknown": _error("FHIR has no such resource.", "Name a resource type of this FHIR version."),
    "fhir-path-unknown": _error("FHIR has no such element there.", "Use an element of the type's definition."),
    "fhir-path-list": _error("The way leads through a list.", "Say which element: [!] or [key=value]."),
    "fhir-path-single": _error("A selector stands where there is no list.", "Leave the brackets out."),
    "selector-never": _error(
        "A selector asks for a code that never stands there.", "Use a code of the element's value set."
    ),
    "extension-unknown": _error(
        "No definition of the extension is at hand.", "Put its StructureDefinition, with a snapshot, into the pack."
    ),
    "extension-part-unknown": _error("The extension has no such part.", "Use a part of its StructureDefinition."),
    "extension-context": _error(
        "The extension may not stand there.", "Move it, or widen the context of its definition."
    ),
    "extension-value": _error("The extension holds another type.", "Use the value that its definition allows."),
    "profile-unknown": _warning(
        "A profile is not at hand.", "Check the URL, or put its StructureDefinition into the pack."
    ),
    "profile-type": _error("A profile is of another type.", "Name a profile of the map's resource."),
}

_TYPES = {
    "list-single": _error(
        "One side holds several values and the other one.", "Select one element, or make the field a list."
    ),
    "type-differs": _error(
        "The two sides are of different types.", "Use another element, or a keyword that turns one into the other."
    ),
    "reference-target": _error("A Reference does not lead to that type.", "Link a type that the element may refer to."),
    "not-invertible": _error(
        "The rule cannot be turned around.", "Give each value one of its own, or mark the rule one_way."
    ),
}

_OWNERS = {
    "fhir-twice": _error("Two rules own one element.", "Remove one, or select different elements."),
    "record-twice": _error("Two rules own one field.", "Remove one, or mark it one_way with the reason."),
    "rule-never": _error("It never applies.", "Remove it, or mend its condition."),
    "map-unused": _warning("A map of parts is never used.", "Name it under parts or companion, or remove the file."),
    "group-unused": _warning("A group is never used.", "Name it under items, or remove it."),
}

_CODES = {
    "code-not-ours": _error("A short table has a code that the record never holds.", "Remove it, or correct it."),
    "code-outside": _error(
        "A code goes out that the element does not take.", "Map it to a code of the bound value set."
    ),
    "code-untranslated": _error("A code of the record has no translation.", "Add it to the ConceptMap."),
    "code-unread": _warning("Codes of a required value set are not read.", "Map them, or allow it with the reason."),
    "code-ambiguous": _warning(
        "A published code stands for several of ours.", "Mark one with the extension preferred, or allow it."
    ),
}

_COMPLETE = {
    "element-unfilled": _error("No rule fills a required element.", "Add a rule, or a constant with set."),
    "profile-unfilled": _error(
        "No rule fills what the map's profile requires.", "Add a rule or constant, or drop the profile."
    ),
    "record-uncarried": _error("No rule carries a field of the record.", "Add a rule for it: what has none is lost."),
    "file-ignored": _warning("Nothing reads a file.", "Mend its folder or its ending, or take it out of the pack."),
    "allow-reason": _error("An allowance has no reason.", "Write why, behind the colon."),
    "allow-unused": _warning("An allowance allows nothing.", "Remove it."),
}

MESSAGES: dict[str, Message] = {**_READING, **_LANGUAGE, **_PATHS, **_TYPES, **_OWNERS, **_CODES, **_COMPLETE}
ORDER = {id_: rank for rank, id_ in enumerate(MESSAGES)}
