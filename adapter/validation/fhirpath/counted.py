"""FHIRPath's functions over collections, each of which says what it costs, so that no expression runs for ever.

http://hl7.org/fhirpath/N1/#filtering-and-projection — an evaluation has so many steps (`Env.spend`), far more than any
honest invariant takes on any resource; what needs more is ended and said to be not checked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapter.validation.fhirpath.values import Items, truth

Eval = Callable[[Items, Any], Items]


def each_of(base: Eval) -> Eval:
    """The items of a base, for what looks at each of them: they are counted."""

    def run(focus: Items, env: Any) -> Items:
        items = base(focus, env)
        env.spend(len(items))
        return items

    return run


def where(base: Eval, test: Eval) -> Eval:
    """Those that meet a criterion."""
    items_of = each_of(base)
    return lambda focus, env: [item for item in items_of(focus, env) if truth(test([item], env))]


def exists(base: Eval, test: Eval | None = None) -> Eval:
    """Whether there is any, of those that meet a criterion."""
    inner = where(base, test) if test else base
    return lambda focus, env: [bool(inner(focus, env))]


def all_of(base: Eval, test: Eval) -> Eval:
    """Whether each meets a criterion."""
    items_of = each_of(base)
    return lambda focus, env: [all(truth(test([item], env)) for item in items_of(focus, env))]


def select(base: Eval, work: Eval) -> Eval:
    """What an expression makes of each."""
    items_of = each_of(base)

    def run(focus: Items, env: Any) -> Items:
        found: Items = []
        for item in items_of(focus, env):
            more = work([item], env)
            env.spend(len(more))
            found += more
        return found

    return run


def repeat(base: Eval, work: Eval) -> Eval:
    """What an expression makes of each, and again of that, until nothing is new."""

    def run(focus: Items, env: Any) -> Items:
        found: Items = []
        seen: set[Any] = set()
        level = base(focus, env)
        while level:
            below = [each for item in level for each in work([item], env)]
            env.spend(1 + len(level) + sum(len(each) >> 3 if isinstance(each, str) else 1 for each in below))
            # The same node of the data is met once; what an expression makes, by value.
            level = list({_identity(each): each for each in below if _identity(each) not in seen}.values())
            seen.update(map(_identity, level))
            found.extend(level)
        return found

    return run


def _identity(item: Any) -> Any:
    return id(item) if isinstance(item, (dict, list)) else (type(item), item)


def below(work: Callable[[Items], Items]) -> Callable[[Eval], Eval]:
    """For what gives more items than it gets: both are counted."""

    def maker(base: Eval) -> Eval:
        def run(focus: Items, env: Any) -> Items:
            found = work(base(focus, env))
            env.spend(len(found))
            return found

        return run

    return maker


def compared(work: Callable[[Items, Items], Items]) -> Callable[[Eval, Eval], Eval]:
    """For what holds each item of one collection against each of another: each pair is counted."""

    def maker(base: Eval, other: Eval) -> Eval:
        def run(focus: Items, env: Any) -> Items:
            one, two = base(focus, env), other(focus, env)
            env.spend((len(one) + 1) * (len(two) + 1))
            return work(one, two)

        return run

    return maker


def summed(work: Callable[[Items, Items], Items]) -> Callable[[Eval, Eval], Eval]:
    """For what puts two collections one behind the other."""

    def maker(base: Eval, other: Eval) -> Eval:
        def run(focus: Items, env: Any) -> Items:
            found = work(base(focus, env), other(focus, env))
            env.spend(len(found))
            return found

        return run

    return maker


def apart(work: Callable[[Items], Items]) -> Callable[[Eval], Eval]:
    """For what holds the items of a collection against each other; texts are told apart by their hashes."""

    def maker(base: Eval) -> Eval:
        def run(focus: Items, env: Any) -> Items:
            items = base(focus, env)
            if not all(type(item) is str for item in items):
                env.spend(len(items) * len(items))
            return work(items)

        return run

    return maker
