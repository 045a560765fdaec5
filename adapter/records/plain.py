"""Is a record without fault? Yes or no, from what `compiled.json` says of every object, and without marshmallow.

`tools/compile_records.py` makes that file of the schemas, which stay the one definition. There is in it, for each object,
its fields (a leaf by its JSON Schema, `{"one": OBJECT}`, `{"many": FIELD, "ids": whether they must differ}`,
`{"either": [leaf, OBJECT]}`), which of them are required, and its rules by their words.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from adapter.fhir_json import Tree, reloads
from adapter.records.between import finder, repeated
from adapter.records.values import Test, test_of

COMPILED = Path(__file__).with_name("compiled.json")


def fits(record: Tree) -> bool:
    """Whether a record of a known kind is without fault: the same verdict as its schema's `load`, many times faster."""
    return _whole(record["kind"])(record)


@cache
def _objects() -> Tree:
    found: Tree = reloads(COMPILED.read_bytes())
    return found


@cache
def _whole(kind: str) -> Test:
    return _object(_objects()["kinds"][kind])


@cache
def _object(name: str) -> Test:
    """The test of an object; its fields are made when the first is looked at, since objects may hold themselves."""
    made: list[Callable[[Tree], bool]] = []

    def test(tree: Any) -> bool:
        if type(tree) is not dict or not tree:
            return False
        if not made:
            made.append(_fields(_objects()["objects"][name]))
        return made[0](tree)

    return test


def _fields(row: Tree) -> Callable[[Tree], bool]:
    find = {name: _field(field) for name, field in row["fields"].items()}.get
    required = frozenset(row["required"])
    rules = [finder(*words) for words in row["rules"]]

    def test(tree: Tree) -> bool:
        for key, value in tree.items():
            known = find(key)
            if known is None or not known(value):
                return False
        if not tree.keys() >= required:
            return False
        for rule in rules:
            for _ in rule(tree):
                return False
        return True

    return test


def _field(field: Tree) -> Test:
    if "one" in field:
        return _object(field["one"])
    if "many" in field:
        return _many(_field(field["many"]), field["ids"])
    if "either" in field:
        leaf, name = field["either"]
        return _either(test_of(leaf), _object(name))
    return test_of(field)


def _many(inner: Test, ids: bool) -> Test:
    def test(value: Any) -> bool:
        if type(value) is not list or not value:
            return False
        return all(map(inner, value)) and not (ids and repeated(value))

    return test


def _either(leaf: Test, whole: Test) -> Test:
    return lambda value: whole(value) if type(value) is dict else leaf(value)
