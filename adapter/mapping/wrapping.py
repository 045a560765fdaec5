"""Pairs whose record side is not an object of named fields, or that hold only sometimes: compiled to an ordinary rule
and what wraps it (`adapter.mapping.reshape`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from adapter.mapping import source
from adapter.mapping.choosing import RuleError
from adapter.mapping.keys import NUMBER
from adapter.mapping.lists import Items, Scalars
from adapter.mapping.parts import Parts
from adapter.mapping.paths import PathError, record_steps
from adapter.mapping.reshape import ROWS, Columns, Conditions, Either, Split, When
from adapter.mapping.rowwise import Every, Order, Rest, Selected, Selects
from adapter.mapping.rules import Leaf, Names, Rule
from adapter.mapping.shapes import Shape

Tree = dict[str, Any]
Plain = Callable[[source.Mapping, Shape], Rule]
_SELECTED = re.compile(r"(?P<list>[^\[\]]+)\[(?P<keys>[^\[\]]+)\]\.(?P<field>.+)")
ID = "rule-wrapped"


def wrapped(row: source.Mapping, shape: Shape, plain: Plain) -> Rule | None:
    """The rule of a pair that wraps another, or None where it is an ordinary one. Raises RuleError, PathError."""
    record = str(row.get("record", ""))
    if "when" in row:
        return When(plain(_with(row, when=None), shape), _conditions(row, shape))
    if "[" in record:
        return _selected(row, record, shape, plain)
    if "either" in row:
        return _either(row, shape, plain)
    if "#" in record:
        return _columns(row, record, shape, plain)
    if "split" in row:
        return _split(row, record, plain)
    if "order" in row:
        return _order(row, shape, plain)
    return None


def _with(row: source.Mapping, **changes: Any) -> source.Mapping:
    """The pair with other values for some keys, at the same place of the file; None takes a key away."""
    made = source.Mapping({key: value for key, value in {**row, **changes}.items() if value is not None})
    made.file, made.line, made.column, made.lines = row.file, row.line, row.column, row.lines
    return made


def _conditions(row: source.Mapping, shape: Shape) -> Conditions:
    rows = row["when"]
    if not isinstance(rows, source.Mapping) or not rows:
        raise RuleError(ID, "expected when as an object of record paths and values", "when")
    return tuple((record_steps(path), _typed(shape, path, value)) for path, value in rows.items())


def _typed(shape: Shape, path: str, value: str) -> Any:
    """The text of a file as a value of the record's type."""
    here = shape.at(record_steps(path))
    if here is None:
        raise RuleError(ID, f"the record has no {path}", "when")
    return here.typed(value)


def _selected(row: source.Mapping, record: str, shape: Shape, plain: Plain) -> Rule:
    match = _SELECTED.fullmatch(record)
    names = record_steps(match["list"]) if match else ()
    rows = shape.at(names) if match else None
    if match is None:
        raise PathError(f"expected list[key=value].field, not {record!r}")
    if rows is None or rows.type_ != "array":
        raise RuleError(ID, f"the record has no list {match['list']}")
    pairs = [part.partition("=") for part in match["keys"].split(",")]
    if not all(key and equals and value for key, equals, value in pairs):
        raise PathError(f"expected key=value in [{match['keys']}]")
    item = rows.item().variant({key.strip(): value.strip() for key, _, value in pairs})
    keys = tuple((key.strip(), _typed(item, key.strip(), value.strip())) for key, _, value in pairs)
    if "repeats" not in row:
        return Selected(plain(_with(row, record=match["field"]), item), names, keys)
    if item.at((match["field"],)) is None:
        raise RuleError(ID, f"the rows have no {match['field']}")
    listed = _listed(item.properties()[match["field"]], item.root)
    inner = plain(_with(row, record="rows", repeats=None), listed)
    if not isinstance(inner, Scalars):
        raise RuleError(ID, "expected a list of plain values in FHIR", "repeats")
    return Every(inner, names, keys, match["field"])


def _either(row: source.Mapping, shape: Shape, plain: Plain) -> Rule:
    rows = row["either"]
    if not isinstance(rows, list) or len(rows) < 2 or not all(isinstance(each, source.Mapping) for each in rows):
        raise RuleError(ID, "expected either as a list of two places or more, each with fhir", "either")
    made = [plain(_with(each, record=row.get("record")), shape) for each in rows]
    leaves = [rule for rule in made if isinstance(rule, Leaf)]
    if len(leaves) != len(made) or any(leaf.default is not None for leaf in leaves):
        raise RuleError(ID, "expected one value at each place, without a default", "either")
    return Either(f"{leaves[0].source.rsplit(':', 2)[0]}:{row.line}:{row.column}", leaves)


def columns_of(text: str, shape: Shape) -> tuple[Names, dict[int, dict[str, str]], Shape]:
    """Numbered columns: the object they stand in, each column by number and field, and the shape of their list.

    In `sub#_*` the number is `#` and the field `*`; without `*` the one field is called `value`.
    """
    *prefix, pattern = text.split(".")
    if pattern.count("#") != 1 or pattern.count("*") > 1:
        raise RuleError(ID, f"expected one # and at most one * in the last name of {text}")
    names = record_steps(".".join(prefix)) if prefix else ()
    here = shape.at(names) if names else shape
    form = re.escape(pattern).replace(r"\#", "(?P<number>[1-9][0-9]?)").replace(r"\*", "(?P<field>[A-Za-z0-9_-]+)")
    properties = here.properties() if here is not None else {}
    columns: dict[int, dict[str, str]] = {}
    fields: Tree = {}
    for column, schema in properties.items():
        match = re.fullmatch(form, column)
        if match is not None:
            field = match.groupdict().get("field", "value")
            columns.setdefault(int(match["number"]), {})[field] = column
            fields.setdefault(field, schema)
    if not columns:
        raise RuleError(ID, f"the record has no columns {text}")
    for number, found in columns.items():
        if found.keys() != fields.keys():
            missing = sorted(fields.keys() - found.keys())
            raise RuleError(ID, f"the columns of number {number} have no {', '.join(missing)}, as others do")
    return names, dict(sorted(columns.items())), _listed({"properties": fields}, shape.root)


def _listed(item: Tree, root: Tree) -> Shape:
    """The shape of an object whose `rows` are a list of such items."""
    return Shape(root, {"properties": {"rows": {"type": "array", "items": item}}})


def _columns(row: source.Mapping, record: str, shape: Shape, plain: Plain) -> Rule:
    if "items" not in row and "parts" not in row:
        raise RuleError(ID, "expected items or parts: numbered columns are a list of objects")
    names, columns, listed = columns_of(record, shape)
    inner = plain(_with(row, record="rows", key=NUMBER), listed)
    if not isinstance(inner, Items | Parts):
        raise RuleError(ID, "expected items or parts: numbered columns are a list of objects")
    if isinstance(inner, Parts):
        inner.keys = type(inner.keys)(NUMBER, (record,))
    return Columns(inner, names, columns)


def _order(row: source.Mapping, shape: Shape, plain: Plain) -> Rule:
    names = record_steps(str(row.get("record")))
    rows = shape.at(names)
    found = rows.item().at(record_steps(row["order"])) if rows is not None and rows.type_ == "array" else None
    if found is None:
        raise RuleError(ID, f"the record has no list {row.get('record')} of objects with {row['order']}", "order")
    inner = plain(_with(row, record="rows", order=None), _listed({"type": "string"}, shape.root))
    if not isinstance(inner, Scalars):
        raise RuleError(ID, "expected a list of texts in FHIR for the order", "fhir")
    return Order(inner, names, str(row["order"]))


def _split(row: source.Mapping, record: str, plain: Plain) -> Rule:
    separator = row["split"]
    piece = {"type": "string", "pattern": f"^(?!.*{re.escape(separator)})"}
    inner = plain(_with(row, record="rows", split=None), _listed(piece, {}))
    if not isinstance(inner, Scalars):
        raise RuleError(ID, "expected a list of texts in FHIR", "split")
    return Split(inner, record_steps(record), separator)


def item_shape(text: str, shape: Shape, field: Callable[[Shape, str, str], Shape]) -> Shape:
    """The shape of what a part's map is for: the items of a list, of a list of lists, of numbered columns."""
    if "#" in text:
        return field(columns_of(text, shape)[2], ROWS[0], "at").item()
    for name in record_steps(text):
        shape = field(shape, name, "at")
        shape = shape.item() if shape.type_ == "array" else shape
    return shape


def follow(shape: Shape | None, text: str) -> Shape | None:
    """The shape at a path from the top as rows have it: `visits[].rows[name=age].value`, `sub#_*[].name`."""
    for part in re.findall(r"(?:[^.\[]|\[[^\]]*\])+", text):
        name, bracket, keys = part.partition("[")
        if shape is None:
            return None
        try:
            shape = columns_of(name, shape)[2].at(ROWS) if "#" in name else shape.at(record_steps(name))
        except (PathError, RuleError):
            return None
        if shape is not None and bracket:
            shape = shape.item() if shape.type_ == "array" else shape
            pairs = [pair.partition("=") for pair in keys.removesuffix("]").split(",") if "=" in pair]
            shape = shape.variant({key: value for key, _, value in pairs}) if pairs else shape
    return shape


def fields_of(rows: Any) -> list[str]:
    """The fields of the record that the pairs of a list name."""
    names = [str(row["record"]) for row in rows if isinstance(row, source.Mapping) and "record" in row]
    return [re.split(r"[.\[]", name)[0] for name in names]


def settled(rules: list[Rule]) -> list[Rule]:
    """The rules of one list, told of each other: what selects rows, what takes the rest, what depends on others."""
    selected: dict[Names, list[Selects]] = {}
    conditions: dict[Any, list[Conditions]] = {}
    for rule in rules:
        inner = rule.inner if isinstance(rule, When) else rule
        if isinstance(inner, Selects):
            known = selected.setdefault(inner.names, [])
            known += [inner] if all(inner.keys != other.keys for other in known) else []
        if isinstance(rule, When):
            conditions.setdefault(getattr(rule.inner, "names", None), []).append(rule.conditions)
    made = [_resting(rule, selected) for rule in rules]
    for rule in made:
        if isinstance(rule, When):
            rule.others = conditions[getattr(rule.inner, "names", None)]
        elif isinstance(rule, Order):
            rule.selected = selected.get(rule.names, [])
    return sorted(made, key=lambda rule: (isinstance(rule, Order), isinstance(rule, When)))


def lonely(rules: list[Rule]) -> list[Names]:
    """The lists of which rows are selected and nothing takes the others."""
    resting = {rule.names for rule in rules if isinstance(rule, Rest)}
    inner = [rule.inner if isinstance(rule, When) else rule for rule in rules]
    return sorted({rule.names for rule in inner if isinstance(rule, Selects)} - resting)


def _resting(rule: Rule, selected: dict[Names, list[Selects]]) -> Rule:
    if isinstance(rule, Items) and rule.names in selected:
        names, rule.names = rule.names, ROWS
        return Rest(rule, names, selected[names])
    return rule
