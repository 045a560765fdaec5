"""FHIRPath's functions over texts and numbers. http://hl7.org/fhirpath/N1/#string-manipulation"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import re2  # type: ignore[import-untyped]

from adapter.validation.fhirpath.values import Failed, Items, TooCostly, shorter, text_of

Eval = Callable[[Items, Any], Items]


def pattern(text: str) -> Any:
    """A pattern in an engine whose time grows with the text only. Raises Failed for what it does not know."""
    try:
        return re2.compile(text)
    except (re2.error, TypeError, UnicodeError):
        raise Failed("the pattern is not supported") from None


def _text(work: Callable[..., Any]) -> Callable[..., Eval]:
    """A function of one text and its arguments; empty where any of them is."""

    def maker(base: Eval, *arguments: Eval) -> Eval:
        def run(focus: Items, env: Any) -> Items:
            items = base(focus, env)
            given = [argument(focus, env) for argument in arguments]
            if not items or not all(given) or not isinstance(items[0], str):
                return []
            try:
                found = work(items[0], *(each[0] for each in given))
            except TooCostly:
                raise
            except (TypeError, ValueError):
                raise Failed("these arguments do not fit") from None
            return [] if found is None else [found]

        return run

    return maker


def _to_integer(items: Items) -> Items:
    if items and isinstance(items[0], bool):
        return [int(items[0])]
    if items and isinstance(items[0], int):
        return items[:1]
    text = items[0] if items and isinstance(items[0], str) else ""
    return [int(text)] if text.lstrip("+-").isdecimal() and len(text) < 20 else []


def _to_decimal(items: Items) -> Items:
    try:
        return [Decimal(text_of(items[0]))] if items else []
    except (ArithmeticError, ValueError):
        return []


def _whole(work: Callable[[Items], Items]) -> Callable[[Eval], Eval]:
    return lambda base: lambda focus, env: work(base(focus, env))


def _join(base: Eval, separator: Eval | None = None) -> Eval:
    def run(focus: Items, env: Any) -> Items:
        sign = separator(focus, env) if separator else [""]
        between, texts = str(sign[0] if sign else ""), [text_of(item) for item in base(focus, env)]
        shorter(sum(map(len, texts)) + len(between) * len(texts))
        return [between.join(texts)]

    return run


def _split(base: Eval, separator: Eval) -> Eval:
    def run(focus: Items, env: Any) -> Items:
        sign = separator(focus, env)
        return [part for item in base(focus, env)[:1] for part in text_of(item).split(str(sign[0]))] if sign else []

    return run


def _replace(text: str, old: str, new: str) -> str:
    shorter(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


def _replace_matches(text: str, by: str, new: str) -> str:
    shorter((len(text) + 1) * (len(new) + 1))
    replaced: str = pattern("(?s)" + by).sub(new, text)
    return replaced


TEXT_MAKERS: dict[str, Callable[..., Eval]] = {
    "matches": _text(lambda text, by: bool(pattern("(?s)" + by).search(text))),
    "startsWith": _text(lambda text, start: text.startswith(start)),
    "endsWith": _text(lambda text, end: text.endswith(end)),
    "contains": _text(lambda text, part: part in text),
    "indexOf": _text(lambda text, part: text.find(part)),
    "substring": _text(lambda text, start, count=None: text[start : None if count is None else start + count]),
    "replace": _text(_replace),
    "replaceMatches": _text(_replace_matches),
    "upper": _text(lambda text: text.upper()),
    "lower": _text(lambda text: text.lower()),
    "length": _text(len),
    "trim": _text(lambda text: text.strip()),
    "split": _split,
    "join": _join,
    "toString": _whole(lambda items: [text_of(item) for item in items[:1]]),
    "toInteger": _whole(_to_integer),
    "toDecimal": _whole(_to_decimal),
}
