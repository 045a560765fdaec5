"""FHIR JSON in and out: every digit kept, duplicate keys refused, size and depth bounded.

https://hl7.org/fhir/R4/json.html — decimals are `decimal.Decimal` with the digits as written; integers are `int`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, NoReturn

import msgspec

from adapter.errors import BadInput
from adapter.issues import Issue

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large input may be: bytes, nesting of objects and arrays, characters of one number."""

    size: int = 64 * 1024 * 1024
    depth: int = 100
    number: int = 400


DEFAULT_BOUNDS = Bounds()


class _Fault(ValueError):
    def __init__(self, message_id: str, text: str) -> None:
        super().__init__(text)
        self.message_id = message_id


def _pairs(pairs: list[tuple[str, Any]]) -> Tree:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        raise _Fault("json-duplicate-key", "An object has the same key twice.")
    return tree


def _constant(_: str) -> NoReturn:
    raise _Fault("json-syntax", "NaN and Infinity are not JSON.")


def loads(data: bytes | str, bounds: Bounds = DEFAULT_BOUNDS) -> Any:
    """The tree of a JSON text (UTF-8, a leading BOM accepted).

    Raises BadInput with one fatal issue (`json-*`), with line and column where they are known.
    """
    if len(data) > bounds.size:
        raise _bad("json-too-large", f"The input is larger than {bounds.size} bytes.", code="too-long")
    tree = _plainly(data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass"), bounds)
    if tree is not None:
        return tree
    text = _decode(data) if isinstance(data, bytes) else data.removeprefix("\ufeff")
    try:
        tree = _decoder(bounds).decode(text)
    except json.JSONDecodeError as error:
        raise _bad("json-syntax", f"Not JSON: {error.msg}.", line=error.lineno, column=error.colno) from None
    except _Fault as fault:
        raise _bad(fault.message_id, str(fault)) from None
    except RecursionError:
        raise _too_deep(bounds) from None
    if text.count("{") + text.count("[") > bounds.depth and _deeper_than(tree, bounds.depth):
        raise _too_deep(bounds)
    if "\\ud" in text or "\\uD" in text:
        _refuse_lone_surrogates(tree)
    return tree


def _plainly(data: bytes, bounds: Bounds) -> Any:
    """The tree of a text that a quick reader reads as the exact one does; None for all else, errors among it.

    The quick reader takes the last of two equal keys, and minus zero for zero. So what it read is written again, and then
    a quote or a sign is missing. Only quotes and signs that are escaped by number could hide that.
    """
    if b"\\" in data and _HIDING(data):
        return None
    try:
        tree = _quick(bounds).decode(data)
        again = _encoder.encode(tree)
    except (ValueError, RecursionError, ArithmeticError):
        return None
    if again.count(b'"') != data.count(b'"') or again.count(b"-") != data.count(b"-"):
        return None
    if data.count(b"{") + data.count(b"[") > bounds.depth and _may_be_deeper(data, bounds.depth):
        return None
    # Digits of one number that stand in a row, as in a long integer.
    return None if b"0" * (bounds.number + 1) in data.translate(_DIGITS) else tree


_HIDING = re.compile(rb"\\u002[2dD]").search
_DIGITS = bytes(0x30 if 0x30 <= each <= 0x39 else each for each in range(256))


@cache
def _quick(bounds: Bounds) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(float_hook=_number(Decimal, bounds.number))


def _decoder(bounds: Bounds) -> json.JSONDecoder:
    if bounds not in _decoders:
        _decoders[bounds] = json.JSONDecoder(
            object_pairs_hook=_pairs,
            parse_float=_number(Decimal, bounds.number),
            parse_int=_number(int, bounds.number),
            parse_constant=_constant,
        )
    return _decoders[bounds]


_decoders: dict[Bounds, json.JSONDecoder] = {}


def _number(make: Any, longest: int) -> Any:
    def parse(text: str) -> Any:
        if len(text) > longest:
            raise _Fault("json-number-too-long", f"A number has more than {longest} characters.")
        number = make(text)
        # An integer may be "-0", whose sign int would lose.
        return Decimal(text) if number == 0 and text == "-0" else number

    return parse


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _bad("json-not-utf8", "The input is not UTF-8.", line=line) from None


def _may_be_deeper(data: bytes, depth: int) -> bool:
    """A quick no: the brackets alone, of which each pass takes the innermost away. Those in strings may spoil it."""
    left = data.translate(_BRACES, _OTHERS)
    for _ in range(depth):
        inner = left.replace(b"{}", b"")
        if not inner or inner == left:
            return bool(inner)
        left = inner
    return True


_BRACES = bytes({0x5B: 0x7B, 0x5D: 0x7D}.get(each, each) for each in range(256))
_OTHERS = bytes(each for each in range(256) if each not in b"[]{}")


def _deeper_than(tree: Any, depth: int) -> bool:
    level: list[Any] = [tree]
    for _ in range(depth):
        below: list[Any] = []
        for node in level:
            if isinstance(node, dict):
                below.extend(child for child in node.values() if isinstance(child, (dict, list)))
            elif isinstance(node, list):
                below.extend(child for child in node if isinstance(child, (dict, list)))
        if not below:
            return False
        level = below
    return True


def _refuse_lone_surrogates(tree: Any) -> None:
    try:
        json.dumps(tree, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        raise _bad("json-not-utf8", "A string holds half of a surrogate pair.") from None


def _bad(
    message_id: str, text: str, *, code: str = "structure", line: int | None = None, column: int | None = None
) -> BadInput:
    issue = Issue("fatal", code, message_id, text, line=line, column=column)
    where = f"line {line}" + (f", column {column}" if column else "") if line else ""
    return BadInput(text, issues=[issue], place=where)


def _too_deep(bounds: Bounds) -> BadInput:
    return _bad("json-too-deep", f"The input nests deeper than {bounds.depth} levels.", code="too-long")


_redecoder = msgspec.json.Decoder(float_hook=Decimal)
# The one integer that its reader takes for another.
_MINUS_ZERO = re.compile(rb"-0[,\]}]").search
_encoder = msgspec.json.Encoder(decimal_format="number")


def dumps(tree: Any) -> bytes:
    """Compact JSON in UTF-8; Decimals are written as the digits they hold."""
    return _encoder.encode(tree)


def reloads(data: bytes | str) -> Any:
    """The tree of what `dumps` wrote of a tree that `loads` gave, without a second look. Raises BadInput."""
    text = data.encode() if isinstance(data, str) else data
    try:
        return loads(text) if _MINUS_ZERO(text) else _redecoder.decode(text)
    except msgspec.DecodeError:
        return loads(text)


def pretty(tree: Any) -> str:
    """JSON for people: two spaces a level."""
    return msgspec.json.format(dumps(tree), indent=2).decode()


def canonical(tree: Any) -> bytes:
    """One byte string for equal trees: keys sorted, digits kept."""
    return _canonical.encode(tree)


_canonical = msgspec.json.Encoder(decimal_format="number", order="sorted")


def same(one: Any, other: Any) -> bool:
    """Whether two trees are the same JSON value with the same digits: 1.50 is not 1.5, true is not 1."""
    if one is other:
        return True
    # Python's own equality is quick, and takes 1.50 for 1.5 and true for 1: only what it calls equal is looked at closer.
    return bool(one == other) and (type(one) is str or _canonical.encode(one) == _canonical.encode(other))


def copy(tree: Any) -> Any:
    """A deep copy of a plain tree; leaves are shared, they never change."""
    if isinstance(tree, dict):
        return {key: copy(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [copy(value) for value in tree]
    return tree
