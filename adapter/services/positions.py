"""Where in a JSON text something stands: the line and column of a JSON pointer or of a FHIRPath with indices.

The text is read a second time, and only when an issue is printed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from json import JSONDecodeError, JSONDecoder
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from adapter.issues import Issue

Step = str | int
_SPACE = re.compile(r"[ \t\n\r]*")
_PART = re.compile(r"\.?([A-Za-z_]\w*)(?:\(([^()']*)\))?|\[(\d+)\]")
_SKIP = JSONDecoder()


def located(issue: Issue, text: str, file: str = "", first_line: int = 1) -> Issue:
    """The issue with file, line and column, as far as they can be found; `first_line` is the line that `text` starts in."""
    return places([issue], text, file, first_line)[0]


def pointer_steps(pointer: str) -> list[Step]:
    """The steps of a JSON pointer. https://www.rfc-editor.org/rfc/rfc6901"""
    names = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    return [int(name) if name.isdigit() else name for name in names]


def expression_steps(expression: str) -> list[Step]:
    """The steps of a FHIRPath such as `Goal.target[0].due.ofType(Date)`; the type in front is left out."""
    steps: list[Step] = []
    for name, argument, index in _PART.findall(expression):
        if index:
            steps.append(int(index))
        elif name == "ofType" and steps and isinstance(steps[-1], str):
            steps[-1] += argument[:1].upper() + argument[1:]
        elif not argument:
            steps.append(name)
    starts_with_type = bool(steps) and isinstance(steps[0], str) and steps[0][:1].isupper()
    return steps[1:] if starts_with_type else steps


Wanted = dict[Step, Any]
"""The steps that lead to what is looked for, as a tree of them; a branch without steps of its own ends there."""


def places(issues: Sequence[Issue], text: str, file: str = "", first_line: int = 1) -> list[Issue]:
    """Many issues of one text, each with file, line and column; the text is read once, however many they are."""
    ways = [_steps(issue) for issue in issues]
    wanted: Wanted = {}
    for way in ways:
        branch = wanted
        for step in way:
            branch = branch.setdefault(step, {})
    at = _space(text, 1 if text.startswith("\ufeff") else 0)
    found: dict[tuple[Step, ...], int] = {(): at}
    with suppress(JSONDecodeError, IndexError, RecursionError):
        _find(text, at, wanted, (), found)
    lines = [0, *(match.end() for match in re.finditer("\n", text))]
    return [_at(issue, _nearest(found, way), lines, file, first_line) for issue, way in zip(issues, ways, strict=True)]


def _steps(issue: Issue) -> list[Step]:
    if issue.line:
        return []
    return pointer_steps(issue.pointer) if issue.pointer is not None else expression_steps(issue.expression)


def _nearest(found: dict[tuple[Step, ...], int], way: list[Step]) -> int:
    """The offset of what the steps lead to, or of the innermost that is there."""
    steps = tuple(way)
    while steps not in found:
        steps = steps[:-1]
    return found[steps]


def _at(issue: Issue, offset: int, lines: list[int], file: str, first_line: int) -> Issue:
    if issue.line:
        return replace(issue, file=file)
    number = bisect_right(lines, offset)
    return replace(issue, file=file, line=number - 1 + first_line, column=offset - lines[number - 1] + 1)


def _find(text: str, at: int, wanted: Wanted, way: tuple[Step, ...], found: dict[tuple[Step, ...], int]) -> int:
    """Notes where the wanted members of the value at an offset begin; gives the offset behind it."""
    if not wanted:
        return _past(text, at)
    if text[at] not in "{[":
        # A FHIRPath gives an index to what JSON holds as a single value, too.
        if 0 in wanted:
            found[*way, 0] = at
        return _past(text, at)
    names = text[at] == "{"
    if names and 0 in wanted:
        found[*way, 0] = at
        return _find(text, at, wanted[0], (*way, 0), found)
    at, index = _space(text, at + 1), 0
    while text[at] not in "}]":
        step: Step = index
        if names:
            step, at = scanstring(text, at + 1)
            at = _space(text, _space(text, at) + 1)
        if step in wanted:
            found[*way, step] = at
            at = _find(text, at, wanted[step], (*way, step), found)
        else:
            at = _past(text, at)
        index += 1
        at = _space(text, at + 1) if text[at] == "," else at
    return _space(text, at + 1)


def _space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _past(text: str, at: int) -> int:
    return _space(text, _SKIP.raw_decode(text, at)[1])
