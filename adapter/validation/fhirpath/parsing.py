"""FHIRPath text to a syntax tree. http://hl7.org/fhirpath/N1/grammar.html"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

# Characters of an expression; how deep it may nest, and how many operators or steps may follow each other.
LONGEST = 20_000
DEEPEST, LINKS = 60, 150


class Unsupported(ValueError):
    """An expression that is not FHIRPath, or uses what is not built here."""


@dataclass(frozen=True, slots=True)
class Syntax:
    """One node. `kind` is literal, this, index, total, variable, name, child, call, at, operator, type or negative."""

    kind: str
    value: Any = None
    parts: tuple[Syntax, ...] = ()


_TOKEN = re.compile(
    r"\s*(?:(?P<space>//[^\n]*|/\*.*?\*/)"
    r"|(?P<date>@(?:T[0-9:.]+|[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?(?:T[0-9:.]*(?:Z|[+-][0-9:]+)?)?))"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?)"
    # FHIR R5's own invariants quote with " too.
    r"|(?P<string>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<quoted>`(?:[^`\\]|\\.)*`)"
    r"|(?P<variable>%(?:[A-Za-z_][A-Za-z0-9_-]*|`[^`]*`|'[^']*'))"
    r"|(?P<special>\$[a-z]+)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign><=|>=|!=|!~|[-+*/&|.,()\[\]{}=~<>]))",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}
# From loosest to tightest.
_LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"implies"}),
    frozenset({"or", "xor"}),
    frozenset({"and"}),
    frozenset({"in", "contains"}),
    frozenset({"=", "~", "!=", "!~"}),
    frozenset({"<=", "<", ">", ">="}),
    frozenset({"|"}),
    frozenset({"is", "as"}),
    frozenset({"+", "-", "&"}),
    frozenset({"*", "/", "div", "mod"}),
)


def _unescape(text: str) -> str:
    def replace(found: re.Match[str]) -> str:
        escape = found.group(1)
        return chr(int(escape[1:], 16)) if len(escape) > 1 else _ESCAPES.get(escape, escape)

    return re.sub(r"\\(u[0-9a-fA-F]{4}|.)", replace, text, flags=re.DOTALL)


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise Unsupported(f"unexpected character at {at}")
        at = match.end()
        if match.lastgroup != "space":
            found.append((match.lastgroup, match.group(match.lastgroup)))
    return [*found, ("end", "")]


def parse(text: str) -> Syntax:
    """The syntax tree of an expression. Raises Unsupported."""
    if len(text) > LONGEST:
        raise Unsupported("the expression is too long")
    reader = _Reader(_tokens(text))
    tree = reader.level(0)
    if reader.kind != "end":
        raise Unsupported("something follows the expression")
    return tree


def _counted(links: int) -> int:
    if links >= LINKS:
        raise Unsupported("too many operators or steps follow each other")
    return links + 1


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    @property
    def kind(self) -> str:
        return self.tokens[self.at][0]

    @property
    def text(self) -> str:
        return self.tokens[self.at][1]

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1][1]

    def expect(self, sign: str) -> None:
        if self.text != sign or self.kind != "sign":
            raise Unsupported(f"expected {sign}")
        self.take()

    def level(self, index: int) -> Syntax:
        if index == len(_LEVELS):
            return self.unary()
        left = self.level(index + 1)
        links = 0
        while self.kind in ("sign", "name") and self.text in _LEVELS[index]:
            links = _counted(links)
            operator = self.take()
            if operator in ("is", "as"):
                left = Syntax("type", (operator, self.type_name()), (left,))
            else:
                left = Syntax("operator", operator, (left, self.level(index + 1)))
        return left

    def type_name(self) -> str:
        name = self.name()
        while self.text == "." and self.tokens[self.at + 1][0] in ("name", "quoted"):
            self.take()
            name += "." + self.name()
        return name

    def name(self) -> str:
        if self.kind not in ("name", "quoted"):
            raise Unsupported("a name is expected")
        kind, text = self.kind, self.take()
        return _unescape(text[1:-1]) if kind == "quoted" else text

    def unary(self) -> Syntax:
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unsupported("the expression nests too deeply")
        tree = self.signed() if self.kind == "sign" and self.text in "+-" else self.steps()
        self.depth -= 1
        return tree

    def signed(self) -> Syntax:
        sign = self.take()
        inner = self.unary()
        return Syntax("negative", None, (inner,)) if sign == "-" else inner

    def steps(self) -> Syntax:
        tree = self.term()
        links = 0
        while self.kind == "sign" and self.text in (".", "["):
            links = _counted(links)
            if self.take() == "[":
                tree = Syntax("at", None, (tree, self.level(0)))
                self.expect("]")
            else:
                tree = self.invocation(tree)
        return tree

    def invocation(self, target: Syntax | None) -> Syntax:
        if self.kind == "special":
            return self.special()
        name = self.name()
        if self.kind == "sign" and self.text == "(":
            return Syntax("call", name, (target or Syntax("this"), *self.arguments()))
        return Syntax("child", name, (target,)) if target else Syntax("name", name)

    def arguments(self) -> list[Syntax]:
        self.expect("(")
        found: list[Syntax] = []
        while not (self.kind == "sign" and self.text == ")"):
            if found:
                self.expect(",")
            found.append(self.level(0))
        self.take()
        return found

    def special(self) -> Syntax:
        text = self.take()
        if text not in ("$this", "$index"):
            raise Unsupported(f"{text} is not supported")
        return Syntax("this" if text == "$this" else "index")

    def term(self) -> Syntax:
        kind, text = self.kind, self.text
        if kind == "sign" and text in ("(", "{"):
            self.take()
            if text == "{":
                self.expect("}")
                return Syntax("empty")
            inner = self.level(0)
            self.expect(")")
            return inner
        if kind in ("number", "string", "date", "variable"):
            return self.literal(kind, self.take())
        if kind == "name" and text in ("true", "false"):
            return Syntax("literal", self.take() == "true")
        return self.invocation(None)

    def literal(self, kind: str, text: str) -> Syntax:
        if kind == "variable":
            return Syntax("variable", text[1:].strip("`'"))
        if kind == "string":
            return Syntax("literal", _unescape(text[1:-1]))
        if kind == "date":
            return Syntax("literal", text[1:])
        number = Decimal(text) if "." in text else int(text)
        if self.kind == "string" or (self.kind == "name" and self.text.rstrip("s") in _UNITS):
            raise Unsupported("quantities are not supported")
        return Syntax("literal", number)


_UNITS = {"year", "month", "week", "day", "hour", "minute", "second", "millisecond"}
