"""Where in a JSON text something stands: the line and column of a JSON pointer or of a FHIRPath with indices.

The text is read a second time, and only when an issue is printed.
"""

from __future__ import annotations

import re
from dataclasses import replace
from json import JSONDecodeError, JSONDecoder
from json.decoder import scanstring  # type: ignore[attr-defined]

from adapter.issues import Issue

Step = str | int
_SPACE = re.compile(r"[ \t\n\r]*")
_PART = re.compile(r"\.?([A-Za-z_]\w*)(?:\(([^()']*)\))?|\[(\d+)\]")
_SKIP = JSONDecoder()


def located(issue: Issue, text: str, file: str = "", first_line: int = 1) -> Issue:
    """The issue with file, line and column, as far as they can be found; `first_line` is the line that `text` starts in."""
    if issue.line:
        return replace(issue, file=file)
    steps = pointer_steps(issue.pointer) if issue.pointer is not None else expression_steps(issue.expression)
    offset = _offset(text, steps)
    line = text.count("\n", 0, offset) + first_line
    return replace(issue, file=file, line=line, column=offset - text.rfind("\n", 0, offset))


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


def _offset(text: str, steps: list[Step]) -> int:
    """The offset of what the steps lead to, or of the innermost that is there."""
    at = _space(text, 1 if text.startswith("\ufeff") else 0)
    try:
        for step in steps:
            found = _member(text, at, step) if isinstance(step, str) else _item(text, at, step)
            if found is None:
                break
            at = found
    except (JSONDecodeError, IndexError, RecursionError):
        pass
    return at


def _space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _past(text: str, at: int) -> int:
    return _space(text, _SKIP.raw_decode(text, at)[1])


def _member(text: str, at: int, name: str) -> int | None:
    if text[at] != "{":
        return None
    at = _space(text, at + 1)
    while text[at] == '"':
        key, at = scanstring(text, at + 1)
        at = _space(text, _space(text, at) + 1)
        if key == name:
            return at
        at = _past(text, at)
        at = _space(text, at + 1) if text[at] == "," else at
    return None


def _item(text: str, at: int, index: int) -> int | None:
    # A FHIRPath gives an index to what JSON holds as a single object, too.
    if text[at] != "[":
        return at if index == 0 else None
    at = _space(text, at + 1)
    while index and text[at] != "]":
        at = _past(text, at)
        index -= 1
        at = _space(text, at + 1) if text[at] == "," else at
    return None if text[at] == "]" else at
