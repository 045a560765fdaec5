"""The same work by the generated functions and by the rules that they are generated from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from adapter import mapping
from adapter.errors import DataError
from adapter.fhir_json import copy, dumps
from adapter.mapping.fast import generate
from adapter.mapping.maps import WARM

Tree = dict[str, Any]
Work = Callable[[mapping.Mapper], Any]
# What may be raised on a record that its schema refuses, by both ways alike.
FAILURES = (DataError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
JUNK: tuple[Any, ...] = (
    None, 0, -1, 1.5, True, False, "", "x", [], {}, [None], [[]], [{}], {"x": 1}, [1, "a", None], "x" * 65, "a b",
    {"reference": "#"}, {"text": ""}, {"coding": []}, [{"id": 7}, {"id": ""}, {"id": "x"}], {"extension": [{"url": "x"}]},
)  # fmt: skip


@cache
def plain(pack: str, release: str) -> mapping.Mapper:
    """A pack whose maps are asked rule by rule."""
    found = mapping._load.__wrapped__(pack, release)
    for map_ in found.maps.values():
        map_.generate = map_.fast = None
    return found


@contextmanager
def generated(mapper: mapping.Mapper) -> Iterator[None]:
    """For a while the maps are functions, each made anew when it is used."""
    maps = mapper.maps.values()
    for map_ in maps:
        map_.generate, map_._uses = generate, WARM
    try:
        yield
    finally:
        for map_ in maps:
            map_.generate = map_.fast = None


def outcome(work: Callable[[], Any]) -> Any:
    """What comes of it, as bytes, with what is said: a failure is a result too."""
    try:
        done, issues = work()
    except FAILURES as error:
        return type(error)
    return dumps(done), [(issue.message_id, issue.expression, issue.source, issue.severity) for issue in issues]


def differing(expected: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Where two rows of outcomes are not the same."""
    return {name: (value, found[name]) for name, value in expected.items() if value != found[name]}


def spots(tree: Any, way: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """(names, keys) of every value in a tree: names without what number it has in its list."""
    pairs: Any = tree.items() if type(tree) is dict else enumerate(tree) if type(tree) is list else ()
    for key, value in pairs:
        names = (*way, key if type(key) is str else "*")
        yield names, [key]
        for inner, keys in spots(value, names):
            yield inner, [key, *keys]


def replaced(tree: Any, keys: Sequence[Any], value: Any) -> Any:
    """A copy with another value at one place."""
    tree = copy(tree)
    node = tree
    for key in keys[:-1]:
        node = node[key]
    node[keys[-1]] = copy(value)
    return tree


def without(tree: Any, keys: Sequence[Any]) -> Any:
    """A copy without what is at one place."""
    tree = copy(tree)
    node = tree
    for key in keys[:-1]:
        node = node[key]
    del node[keys[-1]]
    return tree


def at(tree: Any, keys: Sequence[Any]) -> Any:
    """What is at one place."""
    for key in keys:
        tree = tree[key]
    return tree


def harmed(tree: Any, known: set[tuple[str, ...]], every: int = 11) -> Iterator[tuple[str, Any]]:
    """(name, copy) with each value damaged that stands at names which are not known yet.

    Of the junk each place gets two kinds, and the next place the next two; with `every` 1 all of them.
    """
    for names, keys in list(spots(tree)):
        if names in known or names[-1] == "resourceType":
            continue
        known.add(names)
        value, place = at(tree, keys), ".".join(names)
        yield f"{place}: gone", without(tree, keys)
        for number in range(len(known) % every, len(JUNK), every):
            yield f"{place}: junk {number}", replaced(tree, keys, JUNK[number])
        if type(value) is list:
            yield f"{place}: twice", replaced(tree, keys, value + value)
            yield f"{place}: turned", replaced(tree, keys, value[::-1])
            yield f"{place}: one more", replaced(tree, keys, [{"display": "other"}, *value])
        elif type(value) is dict:
            yield f"{place}: in a list", replaced(tree, keys, [value])
            yield f"{place}: more", replaced(tree, keys, {**value, "extension": [{"url": "x"}], "version": "1"})
        elif type(value) is str:
            yield f"{place}: other", replaced(tree, keys, f"{value}-x")
