"""Which rules the generated code knows: those that say nothing beyond the fields named here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from itertools import chain
from typing import Any

from adapter.mapping.keys import NUMBER, Keys
from adapter.mapping.lists import Items, Scalars
from adapter.mapping.oneway import Constant, Derived, OneWay
from adapter.mapping.parts import Parts
from adapter.mapping.paths import Path, Step
from adapter.mapping.reshape import When
from adapter.mapping.rules import Group, Leaf, Named, OwnCode, WithCodes

_FIELDS: dict[type, frozenset[str]] = {
    Leaf: frozenset({"source", "names", "path", "codec", "default"}),
    OneWay: frozenset({"leaf"}),
    OwnCode: frozenset({"leaf", "own", "extension"}),
    Named: frozenset({"leaf", "called"}),
    Items: frozenset({"source", "names", "path", "keys", "rules", "others", "never"}),
    Scalars: frozenset({"source", "names", "path", "codec", "leaf", "without"}),
    Constant: frozenset({"source", "path", "value"}),
    Derived: frozenset({"source", "path", "make"}),
    Parts: frozenset({"source", "names", "path", "maps", "at", "inline", "keys", "held", "beside", "beside_names"}),
    WithCodes: frozenset({"leaf", "also"}),
    Group: frozenset({"source", "fields", "path", "codec"}),
    When: frozenset({"inner", "conditions", "others"}),
}
_KEYS = frozenset({"by", "link", "at"})


def is_plain(rule: Any) -> bool:
    """Whether a rule says nothing beyond its fields here: a keyword that came later goes to the rule object.

    So does a path with steps that ask for more than their keys, or beside which others do.
    """
    leaf = getattr(rule, "leaf", None)
    simple = not isinstance(leaf, Leaf) or _says_no_more(leaf, _FIELDS[Leaf])
    return simple and all(step.plain for step in _steps(rule)) and _says_no_more(rule, _FIELDS[type(rule)])


def _steps(rule: Any) -> Iterator[Step]:
    """The steps of a rule's paths, and those by which its neighbours go into the same arrays."""
    leaf = getattr(rule, "leaf", None)
    for path in (getattr(rule, "path", None), getattr(leaf, "path", leaf)):
        if isinstance(path, Path):
            yield from (*path.steps, path.last)
            yield from chain.from_iterable(path.ranks.values())


def _says_no_more(rule: Any, known: frozenset[str]) -> bool:
    return all(getattr(rule, each.name) == _default(each) for each in fields(rule) if each.name not in known)


def _default(field: Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default


def keys_are_known(keys: Keys) -> bool:
    """Whether items are known by their id, their value or a field, and not by the number of a column."""
    return _says_no_more(keys, _KEYS) and keys.by != NUMBER
