"""Which rules the generated code knows: those that say nothing beyond the fields named here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, fields
from typing import Any

from adapter.mapping.keys import Keys
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
_KEYS = frozenset({"by", "link", "uuid", "at"})


def is_plain(rule: Any) -> bool:
    """Whether a rule says nothing beyond its fields here: a keyword that came later goes to the rule object.

    So does a path with steps of another kind, slices, which the generated code does not know, or that ask for more than
    their keys.
    """
    if any(type(step) is not Step for step in _steps(rule)) or not _is_plain_path(rule):
        return False
    return _says_no_more(rule, _FIELDS[type(rule)])


def _says_no_more(rule: Any, known: frozenset[str]) -> bool:
    for field in fields(rule):
        if field.name in known:
            continue
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        if getattr(rule, field.name) != default:
            return False
    return True


def _is_plain_path(rule: Any) -> bool:
    """Whether the steps of a rule say no more than their keys."""
    inner = getattr(rule, "leaf", None)
    paths = (getattr(rule, "path", None), getattr(inner, "path", inner))
    return all(step.plain for path in paths if isinstance(path, Path) for step in (*path.steps, path.last))


def keys_are_known(keys: Keys) -> bool:
    """Whether items are known by their id, their value or a field: what is generated says no more than that."""
    return type(keys) is Keys and _says_no_more(keys, _KEYS) and keys.by.isidentifier()


def _steps(rule: Any) -> Iterator[Step]:
    """The steps of a rule's paths, and those that it leaves to others."""
    for name in ("path", "leaf"):
        path = getattr(rule, name, None)
        if isinstance(path, Path):
            yield from (*path.steps, path.last)
            yield from (step for steps in path.ranks.values() for step in steps)
    if isinstance(rule, Items):
        yield from (*rule.others, *rule.never)
