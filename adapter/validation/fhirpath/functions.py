"""FHIRPath's functions as makers of closures. http://hl7.org/fhirpath/N1/#functions"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from adapter.validation.fhirpath.counted import all_of, apart, below, compared, exists, repeat, select, summed, where
from adapter.validation.fhirpath.texts import TEXT_MAKERS
from adapter.validation.fhirpath.values import (
    Bare,
    Items,
    among,
    boundary,
    children,
    comparable,
    descendants,
    distinct,
    truth,
)

Eval = Callable[[Items, Any], Items]


def child(base: Eval, keys: tuple[tuple[str, str], ...]) -> Eval:
    """The children under known JSON names; a primitive that has extensions only comes as Bare."""
    names = tuple(name for name, _ in keys)

    def run(focus: Items, env: Any) -> Items:
        found: Items = []
        for item in base(focus, env):
            if isinstance(item, dict):
                for name in names:
                    _collect(item, name, found)
        return found

    return run


def _collect(item: dict[str, Any], name: str, found: Items) -> None:
    value = item.get(name)
    if isinstance(value, list):
        found.extend(each for each in value if each is not None)
    elif value is not None:
        found.append(value)
    elif "_" + name in item and isinstance(item["_" + name], dict):
        found.append(Bare(item["_" + name]))


def loose_child(base: Eval, name: str) -> Eval:
    """The children where the type is not known: by the name, else as a choice (`value` finds `valueString`)."""

    def run(focus: Items, env: Any) -> Items:
        found: Items = []
        for item in base(focus, env):
            if not isinstance(item, dict):
                continue
            if name in item or "_" + name in item:
                _collect(item, name, found)
            elif name == "value":
                for key in item:
                    if key.startswith(name) and key[len(name) : len(name) + 1].isupper():
                        _collect(item, key, found)
        return found

    return run


def is_text(key: str, literal: str, otherwise: Eval) -> Callable[[Items, Any], bool | None]:
    """`name = 'text'` for one item that has the name as a text, which is what invariants compare most."""

    def run(focus: Items, env: Any) -> bool | None:
        if len(focus) == 1 and isinstance(focus[0], dict):
            value = focus[0].get(key)
            if isinstance(value, str):
                return value == literal
        found = otherwise(focus, env)
        return len(found) == 1 and found[0] == literal if found else None

    return run


def of_resource_type(base: Eval, wanted: tuple[str, ...], resources: frozenset[str], known: tuple[str, ...]) -> Eval:
    """The items of a type: resources by resourceType, booleans and numbers by what they are in JSON."""
    always = bool(known) and all(each in wanted for each in known)

    def fits(item: Any) -> bool:
        if isinstance(item, dict):
            name = item.get("resourceType")
            return name in wanted or (name in resources and not {"Resource", "DomainResource"}.isdisjoint(wanted))
        if isinstance(item, bool):
            return "boolean" in wanted
        return isinstance(item, int) and "integer" in wanted

    return lambda focus, env: [item for item in base(focus, env) if always or fits(item)]


def at(base: Eval, index: Eval) -> Eval:
    """The item at an index, counted from 0."""

    def run(focus: Items, env: Any) -> Items:
        items, where = base(focus, env), index(focus, env)
        return [items[where[0]]] if where and isinstance(where[0], int) and 0 <= where[0] < len(items) else []

    return run


def _iif(base: Eval, test: Eval, yes: Eval, no: Eval | None = None) -> Eval:
    def run(focus: Items, env: Any) -> Items:
        items = base(focus, env)
        if truth(test(items, env)):
            return yes(items, env)
        return no(items, env) if no else []

    return run


def negated(test: Callable[[Items, Any], bool | None]) -> Callable[[Items, Any], bool | None]:
    """not(); empty stays empty."""

    def run(focus: Items, env: Any) -> bool | None:
        answer = test(focus, env)
        return None if answer is None else not answer

    return run


def present(names: frozenset[str], wanted: bool) -> Callable[[Items, Any], bool | None]:
    """exists() or empty() of a child, by whether its JSON names are there."""

    def run(focus: Items, _env: Any) -> bool:
        for item in focus:
            if isinstance(item, dict) and not names.isdisjoint(item):
                return wanted
        return not wanted

    return run


def _has_value(base: Eval) -> Eval:
    def run(focus: Items, env: Any) -> Items:
        items = base(focus, env)
        return [len(items) == 1 and not isinstance(items[0], (dict, list))]

    return run


def _whole(work: Callable[[Items], Items]) -> Callable[[Eval], Eval]:
    return lambda base: lambda focus, env: work(base(focus, env))


def _two(work: Callable[[Items, Items], Items]) -> Callable[[Eval, Eval], Eval]:
    return lambda base, other: lambda focus, env: work(base(focus, env), other(focus, env))


def _extension(base: Eval, url: Eval) -> Eval:
    def run(focus: Items, env: Any) -> Items:
        wanted = url(focus, env)
        rows = [row for item in base(focus, env) if isinstance(item, dict) for row in item.get("extension", ())]
        return [row for row in rows if isinstance(row, dict) and row.get("url") in wanted]

    return run


def _resolve(base: Eval) -> Eval:
    def run(focus: Items, env: Any) -> Items:
        found = (env.resolve(item) for item in base(focus, env))
        return [item for item in found if item is not None]

    return run


def _take(items: Items, count: Items) -> Items:
    return items[: max(count[0], 0)] if count and isinstance(count[0], int) else []


def _skip(items: Items, count: Items) -> Items:
    return items[max(count[0], 0) :] if count and isinstance(count[0], int) else items


def _bounds(items: Items, sign: int) -> Items:
    return [found for item in items if (found := boundary(item, sign)) is not None]


WITH_CRITERIA = frozenset({"where", "exists", "all", "select", "repeat", "iif"})
SAME_TYPES = frozenset(
    [
        "where",
        "first",
        "last",
        "tail",
        "skip",
        "take",
        "distinct",
        "trace",
        "single",
        "intersect",
        "exclude",
        "repeat",
        "union",
    ]
)
MAKERS: dict[str, Callable[..., Eval]] = {
    "exists": exists,
    "empty": _whole(lambda items: [not items]),
    "hasValue": _has_value,
    "where": where,
    "all": all_of,
    "select": select,
    "repeat": repeat,
    "iif": _iif,
    "count": _whole(lambda items: [len(items)]),
    "first": _whole(lambda items: items[:1]),
    "single": _whole(lambda items: items[:1]),
    "last": _whole(lambda items: items[-1:]),
    "tail": _whole(lambda items: items[1:]),
    "take": _two(_take),
    "skip": _two(_skip),
    "distinct": apart(distinct),
    "isDistinct": apart(lambda items: [len(distinct(items)) == len(items)]),
    "allTrue": _whole(lambda items: [all(item is True for item in items)]),
    "allFalse": _whole(lambda items: [all(item is False for item in items)]),
    "anyTrue": _whole(lambda items: [any(item is True for item in items)]),
    "anyFalse": _whole(lambda items: [any(item is False for item in items)]),
    "children": below(lambda items: [each for item in items for each in children(item)]),
    "descendants": below(descendants),
    "combine": summed(lambda one, other: [*one, *other]),
    "union": compared(lambda one, other: distinct([*one, *other])),
    "intersect": compared(lambda one, other: distinct([item for item in one if among(item, other)])),
    "exclude": compared(lambda one, other: [item for item in one if not among(item, other)]),
    "subsetOf": compared(lambda one, other: [all(among(item, other) for item in one)]),
    "supersetOf": compared(lambda one, other: [all(among(item, one) for item in other)]),
    "lowBoundary": _whole(lambda items: _bounds(items, -1)),
    "highBoundary": _whole(lambda items: _bounds(items, 1)),
    "comparable": _two(lambda one, other: [comparable(one[0], other[0])] if one and other else []),
    "today": lambda _: lambda _focus, _env: [datetime.now(UTC).date().isoformat()],
    "now": lambda _: lambda _focus, _env: [datetime.now(UTC).isoformat(timespec="seconds")],
    "trace": lambda base, *_: base,
    "extension": _extension,
    "resolve": _resolve,
    # The narrative is checked by itself.
    "htmlChecks": _whole(lambda _items: [True]),
    **TEXT_MAKERS,
}
