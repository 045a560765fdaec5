"""The shapes of the short trees (condense.py, profiling.py), by which the definitions of a package are held.

What comes from outside may hold anything anywhere; past this point a fact is of its type.
"""

from __future__ import annotations

from typing import Annotated, Any, Required, TypedDict

import msgspec

Limit = Annotated[str, msgspec.Meta(pattern=r"^(\*|[0-9]{1,9})$")]
Least = Annotated[int, msgspec.Meta(ge=0)]
Bound = Annotated[list[str], msgspec.Meta(min_length=2, max_length=3)]
Rule = tuple[str, str, str, str]


class Slicing(TypedDict):
    """How the values of an element are told apart."""

    d: list[tuple[str, str]]
    r: str
    o: int


class Constrained(TypedDict, total=False):
    """One element of a profile."""

    i: Required[Annotated[str, msgspec.Meta(min_length=1)]]
    m: Least
    x: Limit
    t: list[str]
    tp: list[str]
    r: list[str]
    f: Any
    p: Any
    s: Slicing
    ms: int
    b: Bound
    k: list[Rule]


class Profile(TypedDict, total=False):
    """A profile."""

    t: Required[str]
    e: Required[list[Constrained]]
    v: str
    b: str


class Extension(TypedDict, total=False):
    """An extension or a part of one."""

    c: list[tuple[str, str]]
    t: list[str]
    m: int
    q: int
    b: Bound
    s: dict[str, Extension]
    n: Least
    x: Limit


SHAPES: dict[str, Any] = {
    "profiles": Profile,
    "extensions": Extension,
    "valuesets": dict[str, str | list[str]],
    "codesystems": dict[str, str],
    "hierarchies": dict[str, list[str]],
}


def held(table: str, facts: Any) -> None:
    """Raises ValueError, which names the place, for facts of another shape than the table's."""
    msgspec.convert(facts, SHAPES[table])
