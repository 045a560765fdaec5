"""Each pair against both schemas: do the two values have one type, and do both sides hold one, or both several."""

from __future__ import annotations

from collections.abc import Callable

from adapter.mapping.choosing import nearest
from adapter.mapping.lint.subject import Subject
from adapter.mapping.lint.walking import Spot, Walker
from adapter.mapping.shapes import Shape
from adapter.mapping.table import Row

_TEXT = frozenset(
    {"string", "markdown", "code", "uri", "url", "canonical", "id", "oid", "uuid", "base64Binary", "xhtml"}
)
_WHOLE = frozenset({"integer", "positiveInt", "unsignedInt", "integer64"})
# The format of a text in the record → the FHIR primitives that hold it.
_FORMATS = {
    "fhir-date": frozenset({"date", "dateTime"}),
    "date": frozenset({"date", "dateTime"}),
    "fhir-datetime": frozenset({"dateTime", "instant"}),
    "fhir-dateTime": frozenset({"dateTime", "instant"}),
    "date-time": frozenset({"dateTime", "instant"}),
    "fhir-instant": frozenset({"instant", "dateTime"}),
    "fhir-time": frozenset({"time"}),
    "time": frozenset({"time"}),
}
# What each two-way function gives on FHIR's side.
VIA = {
    "affix": _TEXT,
    "date": frozenset({"date", "dateTime"}),
    "join": _TEXT,
    "json": _TEXT,
    "number": _WHOLE | {"decimal"},
    "scale": _WHOLE | {"decimal"},
    "text": _TEXT,
}


def check(subject: Subject) -> None:
    """Types and cardinalities of every row that leads somewhere on both sides."""
    for index, spot in subject.spots.items():
        row = subject.rows[index]
        if spot is None:
            continue
        if row.keyword in ("set", "derive", "companion", "template", "inherit"):
            _written(subject, row, spot)
            continue
        shape = subject.shape(row)
        if shape is not None:
            _pair(subject, row, spot, shape)


def _pair(subject: Subject, row: Row, spot: Spot, shape: Shape) -> None:
    keys = row.keys or {}
    selected = row.selector.endswith("]")
    if row.keyword in ("order", "split") or "repeats" in keys:
        _several(subject, row, spot)
    elif row.keyword in ("items", "parts") or shape.type_ == "array":
        _list(subject, row, spot, shape)
    elif spot.lists and not selected:
        last = spot.path.rpartition(".")[2]
        text = f"{row.record} holds one value and {spot.path} is a list: expected {last}[!] or a selector"
        subject.say(row, "list-single", text)
        return
    inner = shape.item() if shape.type_ == "array" else shape
    if "leaf" in keys:
        walked = _leaf(subject, row, spot, str(keys["leaf"]))
        if walked is None:
            return
        spot = walked
    rule = _RULES.get(row.keyword)
    if rule is not None and spot.type:
        rule(subject, row, spot, inner)


def _several(subject: Subject, row: Row, spot: Spot) -> None:
    if not spot.lists or spot.single:
        subject.say(row, "list-single", f"{row.record} goes through several values: expected a list at {spot.path}")


def _list(subject: Subject, row: Row, spot: Spot, shape: Shape) -> None:
    if shape.type_ != "array":
        text = f"{row.record} is no list, and {row.keyword} goes through one: expected a list of objects"
        subject.say(row, "list-single", text, "record")
    elif not spot.lists:
        subject.say(row, "list-single", f"{row.record} is a list and {spot.path} holds one value: expected a list")
    elif spot.single:
        subject.say(row, "list-single", f"{row.record} is a list and {spot.path} may stand there once")


def _leaf(subject: Subject, row: Row, spot: Spot, text: str) -> Spot | None:
    path = subject.path(text)
    walker = Walker(subject.definitions)
    found = walker.walk(spot, path) if path is not None else None
    for wrong in walker.wrong:
        subject.say(row, wrong.id, wrong.text, "leaf", wrong.near)
    return found


def _copy(subject: Subject, row: Row, spot: Spot, shape: Shape) -> None:
    allowed = _types_of(shape)
    if allowed is not None and spot.type not in allowed:
        text = f"{row.record} is {_said(shape)} and {spot.path} is {spot.type}: expected {_words(allowed)}"
        subject.say(row, "type-differs", text)


def _types_of(shape: Shape) -> frozenset[str] | None:
    """The FHIR types that hold such a value as it is; None where the schema leaves it open."""
    type_ = shape.here.get("type")
    if type_ == "boolean":
        return frozenset({"boolean"})
    if type_ == "integer":
        return _WHOLE | {"decimal"}
    if type_ == "number":
        return frozenset({"decimal"})
    if type_ == "string" or "enum" in shape.here:
        return _FORMATS.get(str(shape.here.get("format")), _TEXT)
    return frozenset() if type_ in ("object", "array") else None


def _said(shape: Shape) -> str:
    """What a value of the record is, in words."""
    type_, format_ = shape.here.get("type"), shape.here.get("format")
    if "enum" in shape.here:
        return "one of its codes"
    names = {"string": "a text", "number": "a number", "integer": "a whole number", "boolean": "yes or no"}
    said = names.get(str(type_), "a list" if type_ == "array" else "an object")
    return f"{said} ({format_})" if format_ else said


def _words(allowed: frozenset[str]) -> str:
    if not allowed:
        return "a rule for each of its fields"
    return "a text, such as string or code" if allowed == _TEXT else " or ".join(sorted(allowed))


def _of(*types: str, objects: bool = False) -> Callable[[Subject, Row, Spot, Shape], None]:
    """A check for a keyword whose FHIR side is of one of these types, and whose record side is an object, or a text."""

    def rule(subject: Subject, row: Row, spot: Spot, shape: Shape) -> None:
        if spot.type not in types:
            text = f"{spot.path} is {spot.type}: {row.keyword} expected {' or '.join(types)}"
            subject.say(row, "type-differs", text, row.keyword)
        whole = objects or (row.keys or {}).get("display") == "whole"
        if (shape.type_ == "object") is not whole and not shape.here.keys() & {"anyOf", "oneOf"}:
            expected = (
                "an object with code, system, display and text" if objects else "an object" if whole else "a text"
            )
            subject.say(row, "type-differs", f"{row.record} is {_said(shape)}: expected {expected}", "record")

    return rule


def _concept(subject: Subject, row: Row, spot: Spot, shape: Shape) -> None:
    wanted = "Coding" if (row.keys or {}).get("wrap") == "coding" else "CodeableConcept"
    _of(wanted, objects=True)(subject, row, spot, shape)


def _choice(subject: Subject, row: Row, spot: Spot, shape: Shape) -> None:
    wanted = "CodeableConcept" if (row.keys or {}).get("wrap") == "concept" else "Coding"
    _of(wanted)(subject, row, spot, shape)


def _link(subject: Subject, row: Row, spot: Spot, shape: Shape) -> None:
    _of("Reference")(subject, row, spot, shape)
    _target(subject, row, spot, str((row.keys or {}).get("link")), "link")


def _target(subject: Subject, row: Row, spot: Spot, type_: str, key: str) -> None:
    if type_ not in subject.definitions.resource_types:
        near = nearest(type_, subject.definitions.resource_types)
        subject.say(row, "resource-unknown", f"FHIR has no resource {type_}", key, near)
    elif spot.targets and type_ not in spot.targets:
        names = ", ".join(sorted(spot.targets))
        subject.say(row, "reference-target", f"{spot.path} does not refer to a {type_}: expected {names}", key)


def _items(subject: Subject, row: Row, spot: Spot, shape: Shape) -> None:
    keys = row.keys or {}
    if "link" in keys:
        at = _leaf(subject, row, spot, str(keys["at"])) if "at" in keys else spot
        if at is not None and at.type != "Reference":
            subject.say(row, "type-differs", f"{at.path} is {at.type}: link expected Reference", "link")
        if at is not None:
            _target(subject, row, at, str(keys["link"]), "link")
    by = str(keys.get("key", "id"))
    if by not in ("id", "value") and by not in shape.names():
        subject.say(row, "record-path", f"the items of {row.record} have no {by}", "key")
    facts = Walker(subject.definitions).facts(spot)
    if facts is not None and facts.kind == "primitive":
        subject.say(row, "type-differs", f"{spot.path} is {spot.type}: items expected elements that hold others")


def _parts(subject: Subject, row: Row, spot: Spot, shape: Shape) -> None:
    keys = row.keys or {}
    if "at" in keys:
        walked = _leaf(subject, row, spot, str(keys["at"]))
        if walked is None:
            return
        spot = walked
    if spot.type != "Reference":
        subject.say(row, "type-differs", f"{spot.path} is {spot.type}: parts expected Reference", "parts")
        return
    for name in keys.get("parts", []):
        if name in subject.maps:
            _target(subject, row, spot, subject.maps[name].type_, "parts")


def _values(subject: Subject, row: Row, spot: Spot, shape: Shape) -> None:
    if spot.type not in _TEXT:
        subject.say(row, "type-differs", f"{spot.path} is {spot.type}: values expected a text, such as code", "values")


def _via(subject: Subject, row: Row, spot: Spot, shape: Shape) -> None:
    name = str((row.keys or {})["via"]).partition(" ")[0]
    allowed = VIA.get(name)
    if allowed is not None and spot.type not in allowed:
        text = f"{spot.path} is {spot.type}: {name} gives {_words(allowed)}"
        subject.say(row, "type-differs", text, "via")


def _written(subject: Subject, row: Row, spot: Spot) -> None:
    """Rules whose record side is no single field."""
    wanted = {
        "derive": {"narrative": "Narrative"}.get(str((row.keys or {}).get("derive")), "Reference"),
        "companion": "Reference",
        "inherit": "Reference",
    }.get(row.keyword)
    if row.keyword == "template" and spot.type not in _TEXT:
        subject.say(row, "type-differs", f"{spot.path} is {spot.type}: template expected a text, such as uri")
    elif wanted is not None and spot.type and spot.type != wanted:
        subject.say(row, "type-differs", f"{spot.path} is {spot.type}: {row.keyword} expected {wanted}")
    elif row.keyword == "set":
        _constant(subject, row, spot)


def _constant(subject: Subject, row: Row, spot: Spot) -> None:
    value = (row.keys or {})["set"]
    selected = row.selector.endswith("]")
    if isinstance(value, list) is not (spot.lists and not selected):
        holds, expected = ("several values", "a list") if spot.lists and not selected else ("one value", "no list")
        subject.say(row, "list-single", f"{spot.path} holds {holds} here: expected {expected}", "set")
        return
    for each in value if isinstance(value, list) else [value]:
        _constant_value(subject, row, spot, each)


def _constant_value(subject: Subject, row: Row, spot: Spot, value: object) -> None:
    facts = Walker(subject.definitions).facts(spot)
    if facts is None:
        return
    if facts.kind == "primitive":
        if isinstance(value, dict):
            subject.say(row, "type-differs", f"{spot.path} is {spot.type}: expected a plain value", "set")
    elif not isinstance(value, dict):
        subject.say(row, "type-differs", f"{spot.path} is {spot.type}: expected an object", "set")
    else:
        for name in value:
            if name not in facts.elements:
                near = nearest(name, facts.elements)
                subject.say(row, "fhir-path-unknown", f"{spot.path} has no element {name}", "set", near)


_RULES = {
    "copy": _copy,
    "own": _of("code"),
    "flag": _of("boolean"),
    "quantity": _of("Quantity", "SimpleQuantity", "Age", "Duration"),
    "concept": _concept,
    "choice": _choice,
    "link": _link,
    "display": _of("Reference"),
    "items": _items,
    "parts": _parts,
    "values": _values,
    "via": _via,
}
