"""Places that people write: FHIRPath-like paths, record paths and JSON pointers, found in trees and written again.

A path is names joined by dots, `[n]` behind a list (the first element where none is given), and of FHIRPath
`extension('url')`, `where(name='value')`, `ofType(T)` and `first()`. `name[key=value]`, as mapping files have it, selects
too. A choice answers by its base (`onset`) and by its full name (`onsetAge`).
https://hl7.org/fhir/R4/fhirpath.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adapter.errors import UsageError

Place = tuple[str | int, ...]
_TOKEN = re.compile(
    r"""(?P<dot>\.)?(?:
      \[(?P<index>\d+)\]
    | \[(?P<selkey>[\w.]+)=(?P<selvalue>[^\]]+)\]
    | (?P<function>extension|where|ofType|first)\((?P<argument>[^)]*)\)
    | (?P<name>`[^`]+`|[A-Za-z_][\w-]*)
    )""",
    re.VERBOSE,
)
_WHERE = re.compile(r"\s*([\w-]+)\s*=\s*(['\"])(.*)\2\s*")


@dataclass(frozen=True, slots=True)
class Pick:
    """A step that selects in a list: `extension` with a url, elements with a value, the first one."""

    key: str
    value: str

    def __str__(self) -> str:
        return f"[{self.key}={self.value}]"


Step = str | int | Pick


@dataclass(frozen=True, slots=True)
class Found:
    """Where a path leads: `place` as far as it goes, `missing` the steps that are not there, `of` how many it chose from."""

    place: Place
    value: Any
    missing: tuple[Step, ...] = ()
    of: int = 1


def parse(text: str) -> tuple[Step, ...]:
    """The steps of a path or JSON pointer. Raises UsageError with the column where it cannot be read."""
    if text.startswith("/") or not text:
        parts = [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]
        return tuple(int(part) if part.isdigit() else part for part in parts)
    steps: list[Step] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or (bool(match["dot"]) != (position > 0) and _is_named(match)):
            raise UsageError(
                f"The path cannot be read at column {position + 1}.",
                remedy="Write it as goals[0].target, /goals/0/target or CarePlan.goal[0].",
            )
        steps += _steps(match)
        position = match.end()
    return tuple(steps)


def _is_named(match: re.Match[str]) -> bool:
    return bool(match["name"] or match["function"])


def _steps(match: re.Match[str]) -> list[Step]:
    if match["index"]:
        return [int(match["index"])]
    if match["selkey"]:
        return [Pick(match["selkey"], match["selvalue"].strip("'\""))]
    if match["name"]:
        return [match["name"].strip("`")]
    argument = match["argument"]
    if match["function"] == "extension":
        return ["extension", Pick("url", argument.strip().strip("'\""))]
    if match["function"] == "where":
        pair = _WHERE.fullmatch(argument)
        if pair is None:
            raise UsageError("Of where(), only name = 'value' is understood here.", place=match[0])
        return [Pick(pair[1], pair[3])]
    return [Pick("ofType", argument.strip())] if match["function"] == "ofType" else [0]


def find(tree: Any, steps: Sequence[Step]) -> Found:
    """Follow steps in a tree as far as they lead."""
    place: Place = ()
    of = 1
    for number, step in enumerate(steps):
        if type(tree) is list and isinstance(step, str):
            of = max(of, len(tree))
            place, tree = (*place, 0), tree[0] if tree else None
        found = _enter(tree, step)
        if found is None:
            return Found(place, tree, tuple(steps[number:]), of)
        place, tree = (*place, *found[0]), found[1]
    return Found(place, tree, (), of)


def _enter(tree: Any, step: Step) -> tuple[Place, Any] | None:
    if isinstance(step, Pick):
        return _pick(tree, step)
    if isinstance(step, int):
        if type(tree) is list:
            return ((step,), tree[step]) if step < len(tree) else None
        return ((), tree) if step == 0 and tree is not None else None
    if type(tree) is not dict:
        return None
    if step in tree:
        return (step,), tree[step]
    choices = [name for name in tree if name.startswith(step) and name[len(step) : len(step) + 1].isupper()]
    return ((choices[0],), tree[choices[0]]) if len(choices) == 1 else None


def _pick(tree: Any, step: Pick) -> tuple[Place, Any] | None:
    if step.key == "ofType":
        return ((), tree) if tree is not None else None
    for index, element in enumerate(tree if type(tree) is list else []):
        if type(element) is dict and element.get(step.key) == step.value:
            return (index,), element
    return None


def written(place: Sequence[Step], root: str = "") -> str:
    """A place as a path: names with dots, `[n]` behind lists; `root` stands in front."""
    text = root
    for step in place:
        if isinstance(step, int):
            text += f"[{step}]"
        elif isinstance(step, Pick):
            text += str(step)
        else:
            text += f".{step}" if text else step
    return text


def pointer(place: Place) -> str:
    """A place as a JSON pointer (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in place)


def names(place: Sequence[Step]) -> tuple[str, ...]:
    """The names of a place, without what selects in lists."""
    return tuple(step for step in place if isinstance(step, str))
