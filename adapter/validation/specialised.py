"""A checker made for objects of one type that have just these properties, in just this order.

Resources of one source look alike. Once an order of properties has been met a few times, a Python function is written for
it: no property is looked up, what is required or excluded is known already, and only the rules that can have something
to say are asked. Whatever is not plainly right goes to the general check, which says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from adapter.definitions import Element
from adapter.validation.guards import may_speak
from adapter.validation.handlers import step_of
from adapter.validation.primitives import (
    LONGEST,
    SHAPES,
    is_code,
    is_common_date,
    is_common_moment,
    is_id,
    is_plain_uri,
)

if TYPE_CHECKING:
    from adapter.validation.run import Run
    from adapter.validation.structure import Node

Work = Callable[[Any, "Run"], None]
TEXT = f"type({{0}}) is str and ('!' <= {{0}}[:1] <= '~' and len({{0}}) <= {LONGEST} or not string({{0}}))"
INLINE = {
    "string": TEXT,
    "markdown": TEXT,
    "code": "type({0}) is str and ({0}.isalpha() or is_code({0}))",
    "id": "type({0}) is str and is_id({0})",
    "boolean": "({0} is True or {0} is False)",
    "decimal": "(type({0}) is int or type({0}) is Decimal and not decimal({0}))",
    "integer": "type({0}) is int and -2147483648 <= {0} <= 2147483647",
    "unsignedInt": "type({0}) is int and 0 <= {0} <= 2147483647",
    "positiveInt": "type({0}) is int and 0 < {0} <= 2147483647",
    "uri": "type({0}) is str and (is_plain_uri({0}) or not uri({0}))",
    "url": "type({0}) is str and (is_plain_uri({0}) or not uri({0}))",
    "canonical": "type({0}) is str and (is_plain_uri({0}) or not canonical({0}))",
    "date": "type({0}) is str and (is_common_date({0}) or not date({0}))",
    "dateTime": "type({0}) is str and (is_common_moment({0}) or not dateTime({0}))",
    "instant": "type({0}) is str and not instant({0})",
}
"""Expressions over a value, true where it is plainly right."""
NAMES = {
    "is_code": is_code,
    "is_id": is_id,
    "is_common_date": is_common_date,
    "is_common_moment": is_common_moment,
    "is_plain_uri": is_plain_uri,
}


def specialise(node: Node, keys: tuple[str, ...]) -> Work | None:
    """The checker for objects of a node's type with these properties; None where only the general check will do."""
    names = frozenset(keys)
    if names <= {"id"} or not names <= node.table.keys() or node.lacks(names) or node.has_choice_twice(names):
        return None
    writer = _Writer(node, keys)
    namespace = writer.namespace
    exec(compile(writer.source(names), f"<{node.name}>", "exec"), namespace)  # noqa: S102  (written here, from definitions)
    made: Work = namespace["check"]
    return made


class _Writer:
    """The source of one checker. `tests` are expressions that must be true, `steps` what is done then."""

    def __init__(self, node: Node, keys: tuple[str, ...]) -> None:
        self.node = node
        self.keys = keys
        self.namespace: dict[str, Any] = {"walk": node.walk, "Decimal": Decimal, **SHAPES, **NAMES}
        self.tests: list[str] = []
        self.loops: list[str] = []
        self.steps: list[str] = []

    def source(self, names: frozenset[str]) -> str:
        """The whole function."""
        for index, key in enumerate(self.keys):
            if key != "resourceType":
                self._property(f"v{index}", key)
        for index, rule in enumerate(self.node.rules):
            if may_speak(rule, names):
                self.namespace[f"r{index}"] = rule
                self.steps.append(f"r{index}(value, run)")
        lines = [
            "def check(value, run):",
            f"    {''.join(f'v{index}, ' for index in range(len(self.keys)))}= value.values()",
        ]
        if self.tests:
            lines += [
                f"    if not ({' and '.join(f'({test})' for test in self.tests)}):",
                "        return walk(value, run)",
            ]
        lines += [f"    {line}" for line in self.loops]
        if any("out" in step for step in self.steps):
            lines += ["    out = run.out", "    n = len(out)"]
        lines += [f"    {line}" for line in self.steps] or ["    return"]
        return "\n".join(lines)

    def _property(self, name: str, key: str) -> None:
        element = self.node.elements.get(key)
        rules = self.node.element_rules.get(key, ())
        if element is None or element.type == "Resource":
            self._handed(name, key)
        elif element.type in SHAPES:
            self._primitive(name, key, element, rules)
        else:
            self._object(name, element, rules)

    def _handed(self, name: str, key: str) -> None:
        """What the general check of the property does."""
        self.namespace[f"h_{name}"] = self.node.table[key]
        self.steps += [f"h_{name}({name}, value, run)", "n = len(out)"]

    def _primitive(self, name: str, key: str, element: Element, rules: tuple[Any, ...]) -> None:
        codes = getattr(rules[0], "codes", None) if len(rules) == 1 else None
        if rules and codes is None:
            self._handed(name, key)
            return
        item = "x" if element.is_list else name
        if codes is not None:
            self.namespace[f"s_{name}"] = codes
            test = f"type({item}) is str and {item} in s_{name}"
        else:
            test = INLINE.get(element.type, f"not {element.type}({{0}})").format(item)
        if not element.is_list:
            self.tests.append(test)
            return
        self._counted(name, element)
        self.loops += [f"for x in {name}:", f"    if not ({test}):", "        return walk(value, run)"]

    def _counted(self, name: str, element: Element) -> None:
        self.tests.append(f"type({name}) is list and {name}")
        if element.min > 1:
            self.tests.append(f"len({name}) >= {element.min}")
        if element.max is not None:
            self.tests.append(f"len({name}) <= {element.max}")

    def _object(self, name: str, element: Element, rules: tuple[Any, ...]) -> None:
        child = self.node.library.node(element.type)
        self.namespace |= {f"k_{name}": child.known.get, f"c_{name}": child.check}
        self.namespace |= {f"e_{name}_{index}": rule for index, rule in enumerate(rules)}
        step = step_of(element)
        if element.is_list:
            self._counted(name, element)
            self.steps.append(f"for i, x in enumerate({name}):")
            self.steps += [f"    {line}" for line in self._one(name, "x", rules, f'f"{step}[{{i}}]"')]
        else:
            self.tests.append(f"type({name}) is dict")
            self.steps += self._one(name, name, rules, f'"{step}"')

    def _one(self, name: str, item: str, rules: tuple[Any, ...], step: str) -> list[str]:
        """The check of one object, its own rules, and its place before the faults."""
        rows = [f"e_{name}_{index}({item}, run)" for index in range(len(rules))]
        if item == name:
            lines = [f"(k_{name}(tuple({item})) or c_{name})({item}, run)", *rows]
        else:
            lines = [
                f"if type({item}) is dict:",
                f"    (k_{name}(tuple({item})) or c_{name})({item}, run)",
                *(f"    {row}" for row in rows),
                "else:",
                f"    c_{name}({item}, run)",
            ]
        return [*lines, "if len(out) > n:", f"    run.prefix(n, {step})", "    n = len(out)"]
