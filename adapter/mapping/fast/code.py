"""Python source under construction: lines, names of constants, one function for each list of rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from itertools import count
from textwrap import dedent
from types import MappingProxyType
from typing import Any

from adapter.mapping.codecs import Copy, is_number, is_text
from adapter.mapping.paths import Step
from adapter.mapping.shapes import OneOf, is_flag, is_given

Rules = Sequence[Any]


class Function:
    """The body of one function."""

    def __init__(self, module: Module, head: str) -> None:
        self.module = module
        self.head = head
        self.lines: list[str] = []
        self._depth = 1
        self._numbers = count()

    def line(self, text: str) -> None:
        """One line at the present depth."""
        self.lines.append("    " * self._depth + text)

    def text(self, lines: str) -> None:
        """Several lines, indented among themselves."""
        for line in dedent(lines).strip().splitlines():
            self.line(line)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """What is written inside, which is something, stands under `head`."""
        self.line(head)
        self._depth += 1
        yield
        self._depth -= 1

    def fresh(self, stem: str) -> str:
        """A local name that nothing else has."""
        return f"{stem}{next(self._numbers)}"

    def const(self, value: Any, stem: str = "C") -> str:
        """The name of a constant of the module."""
        return self.module.const(value, stem)


class Module:
    """The functions of one map, and the constants that they use."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self._known: dict[int, str] = {}
        self._alike: dict[Any, Any] = {}
        self._functions: dict[tuple[str, int], str] = {}
        self._made: list[Function] = []

    def const(self, value: Any, stem: str = "C") -> str:
        """A name for an object; the same one for the same object."""
        if id(value) not in self._known:
            name = self._known[id(value)] = f"{stem}{len(self.names)}"
            self.names[name] = value
        return self._known[id(value)]

    def alike(self, value: Any) -> Any:
        """The first of the equal objects that were asked for, so that they share what is made of one."""
        return self._alike.setdefault(value, value)

    def function(self, verb: str, rules: Rules, parameters: str, body: Callable[[Function], None]) -> str:
        """The name of the function for a list of rules; made once, so that groups may contain themselves."""
        key = (verb, id(rules))
        if key not in self._functions:
            name = self._functions[key] = f"{verb}_{len(self._functions)}"
            made = Function(self, f"def {name}({parameters}):")
            self._made.append(made)
            body(made)
        return self._functions[key]

    @property
    def text(self) -> str:
        """The source of the module."""
        return "\n\n\n".join("\n".join([made.head, *(made.lines or ["    pass"])]) for made in self._made) + "\n"

    def build(self, title: str) -> dict[str, Any]:
        """The functions, by name."""
        space = dict(self.names)
        # The text is ours: names of a mapping file stand in it only as quoted literals.
        exec(compile(self.text, title, "exec"), space)  # noqa: S102
        return space


def check_of(function: Function, codec: Any, value: str) -> str | None:
    """An expression that says whether a value may be taken as it is, or None where the codec does more than that."""
    if type(codec) is not Copy or codec.check is is_given:
        return None
    check = codec.check
    if check is is_text:
        return f"type({value}) is str and {value}"
    if check is is_number:
        return f"(type({value}) is int or type({value}) is {function.const(Decimal, 'N')})"
    if check is is_flag:
        return f"type({value}) is bool"
    if type(check) is OneOf:
        return f"type({value}) is str and {value} in {function.const(check.allowed, 'S')}"
    return f"{function.const(check, 'is')}({value})"


def put(made: Function, names: Sequence[str], value: str) -> None:
    """The line that puts a value into the record, and makes the objects on the way."""
    way = "".join(f".setdefault({name!r}, {{}})" for name in names[:-1])
    made.line(f"out{way}[{names[-1]!r}] = {value}")


def literal(step: Step, values: Mapping[str, str] = MappingProxyType({})) -> str:
    """The expression for a new element of a step, with the expressions of further values by name."""
    rows = {**{key: repr(value) for key, value in step.keys + step.made}, **values}
    return "{" + ", ".join(f"{key!r}: {value}" for key, value in rows.items()) + "}"
