"""Values of a wrong shape in a resource that is converted: an object where an array belongs, null, a number as text.

No map can read them; they are carried along as they are, and said. `validate` says more, and takes longer.
https://hl7.org/fhir/R4/json.html
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from adapter.definitions import Definitions, Element
from adapter.issues import Issue
from adapter.validation.messages import MESSAGES

Tree = dict[str, Any]
_NUMBERS = frozenset({"decimal", "integer", "positiveInt", "unsignedInt"})
_WORDS: dict[type, str] = {str: "string", bool: "boolean", int: "number", Decimal: "number"}
_RESOURCE = "Resource"


class _Row(NamedTuple):
    """How a property is written: in an array or not; `inner` is the type of its objects, else `plain` what it may be."""

    lists: bool
    inner: str
    plain: frozenset[type]


class Shapes:
    """Finds values of a wrong shape; each type is looked up once."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._types: dict[str, dict[str, _Row]] = {}

    def issues(self, tree: Any) -> list[Issue]:
        """One issue for each, with its place."""
        found: list[Issue] = []
        if type(tree) is dict:
            self._resource(tree, found)
            _below(found, 0, str(tree.get("resourceType")))
        return found

    def _resource(self, node: Tree, found: list[Issue]) -> None:
        type_ = node.get("resourceType")
        if type(type_) is str and type_ in self._definitions:
            self._object(node, type_, found)

    def _object(self, node: Tree, type_: str, found: list[Issue]) -> None:
        """The properties of an object. Places grow from the inside outwards: a clean resource builds none."""
        rows = self._types.get(type_) or self._rows(type_)
        find = rows.get
        for name, value in node.items():
            row = find(name)
            if row is None:
                continue
            since = len(found)
            if not row.lists:
                if type(value) in row.plain:
                    continue
                self._single(value, row, name, found)
            elif type(value) is not list:
                _say(found, "element-not-list", name=name)
            else:
                self._list(value, row, f"_{name}" in node, found)
            if len(found) > since:
                _below(found, since, f".{name}")

    def _single(self, value: Any, row: _Row, name: str, found: list[Issue]) -> None:
        if type(value) is list:
            _say(found, "element-is-list", name=name)
        else:
            self._one(value, row, found)

    def _list(self, values: list[Any], row: _Row, beside: bool, found: list[Issue]) -> None:
        for index, value in enumerate(values):
            since = len(found)
            # null holds the place of an extension beside the array.
            if not (row.plain and (type(value) in row.plain or (value is None and beside))):
                self._one(value, row, found)
            if len(found) > since:
                _below(found, since, f"[{index}]")

    def _one(self, value: Any, row: _Row, found: list[Issue]) -> None:
        if value is None:
            _say(found, "element-null")
        elif row.plain:
            _say(found, f"primitive-not-{_WORDS[next(iter(row.plain))]}")
        elif type(value) is not dict:
            _say(found, "element-not-object", type=row.inner)
        elif row.inner == _RESOURCE:
            self._resource(value, found)
        else:
            self._object(value, row.inner, found)

    def _rows(self, type_: str) -> dict[str, _Row]:
        elements = self._definitions.type(type_).elements.values()
        rows = self._types[type_] = {element.name: self._row(element) for element in elements}
        return rows

    def _row(self, element: Element) -> _Row:
        name = element.type
        known = self._definitions.type(name).kind if "." in name or name in self._definitions else ""
        if name == "xhtml" or known == "primitive":
            return _Row(element.is_list, "", _written(name))
        return _Row(element.is_list, name, frozenset())


def _written(type_: str) -> frozenset[type]:
    """What a primitive may be when it is read from JSON."""
    if type_ == "boolean":
        return frozenset({bool})
    return frozenset({int, Decimal}) if type_ in _NUMBERS else frozenset({str})


def _say(found: list[Issue], id_: str, **names: str) -> None:
    message = MESSAGES[id_]
    found.append(Issue("warning", message.code, id_, message.text.format(**names)))


def _below(found: list[Issue], since: int, step: str) -> None:
    """Put a step before the places of all issues since."""
    found[since:] = [replace(issue, expression=step + issue.expression) for issue in found[since:]]
