"""Reading a resource, generated: one function for each list of rules, `read(node, out, scope)`.

Neighbouring rules that go through the same object or array share the way there. A rule that is not known here is asked
itself, in its turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from adapter.mapping.fast.code import Function, Module, check_of, put
from adapter.mapping.fast.items import inline_keys, is_plain_list, read_parts
from adapter.mapping.fast.known import is_plain, keys_are_known
from adapter.mapping.fast.rows import items, scalars
from adapter.mapping.fast.values import decoded
from adapter.mapping.lists import Items, Scalars
from adapter.mapping.oneway import Constant, Derived, OneWay
from adapter.mapping.parts import Parts
from adapter.mapping.paths import Path, Step
from adapter.mapping.reshape import When
from adapter.mapping.rules import Group, Leaf, Named, OwnCode, Rule, WithCodes

_KNOWN = (Leaf, OwnCode, Named, Items, Scalars, WithCodes, Group)
_SILENT = (Constant, Derived, OneWay)
Placed = tuple[Any, tuple[Step, ...]]
"""A rule, and the steps that are still to go from the node at hand to the object that holds its last one."""


def reader(module: Module, rules: Sequence[Rule]) -> str:
    """The name of the function that reads these rules."""
    module.names.update(first=first, read_parts=read_parts)
    return module.function("read", rules, "node, out, scope", lambda made: _body(made, rules))


def _body(made: Function, rules: Sequence[Rule]) -> None:
    rows: list[Placed] = []
    for rule in rules:
        if type(rule) in _SILENT:
            continue
        if _is_known(rule):
            rows.append((rule, _path(rule).steps))
            continue
        _emit(made, "node", rows)
        rows = []
        if type(rule) is When and _is_known(rule.inner):
            with made.block(f"if {made.const(rule, 'R')}.holds(out):"):
                _emit(made, "node", [(rule.inner, _path(rule.inner).steps)])
        else:
            _ask(made, rule)
    _emit(made, "node", rows)
    made.line("return out")


def _ask(made: Function, rule: Any) -> None:
    """The rule object, or what does the same for a plain list of resources."""
    if type(rule) is Parts and is_plain(rule) and is_plain_list(rule):
        beside = reader(made.module, rule.beside) if rule.beside else "None"
        inline = made.const(inline_keys(rule), "N")
        made.line(f"read_parts({made.const(rule, 'R')}, node, out, scope, {beside}, {inline})")
    else:
        made.line(f"{made.const(rule, 'R')}.read(node, out, scope)")


def _is_known(rule: Any) -> bool:
    return type(rule) in _KNOWN and is_plain(rule) and _suits(rule)


def _suits(rule: Any) -> bool:
    if isinstance(rule, WithCodes):
        return len(rule.leaf.names) == len(rule.also) == 1
    if isinstance(rule, Group):
        return rule.path.last.shape == "object" and not rule.path.last.keys
    if isinstance(rule, Items):
        return keys_are_known(rule.keys)
    return True


def _path(rule: Any) -> Path:
    return rule.path  # type: ignore[no-any-return]


def _emit(made: Function, holder: str, rows: Sequence[Placed]) -> None:
    """Rules below one object, which is there: neighbours with the same first step together."""
    for step, group in groupby(rows, key=lambda row: row[1][0] if row[1] else None):
        found = list(group)
        if step is None:
            for rule, _ in found:
                _rule(made, holder, rule)
        else:
            inner = made.fresh("h")
            with made.block(_entered(made, holder, step, inner)):
                _emit(made, inner, [(rule, steps[1:]) for rule, steps in found])


def _entered(made: Function, holder: str, step: Step, inner: str) -> str:
    """Lines that go one step further, and the head of the block for when that is possible."""
    if step.shape == "element":
        key = f"first({holder}.get({step.name!r}), {made.const(step, 'P')})"
        made.line(f"{inner} = {key}")
        return f"if {inner} is not None:"
    made.line(f"{inner} = {holder}.get({step.name!r})")
    if step.shape == "only":
        made.line(f"{inner} = {inner}[0] if type({inner}) is list and len({inner}) == 1 else None")
        return f"if type({inner}) is dict:"
    guard = "".join(f" and {inner}.get({key!r}) == {value!r}" for key, value in step.keys)
    return f"if type({inner}) is dict{guard}:"


def first(elements: Any, step: Step) -> Any:
    """The first element of an array that a step selects, or None."""
    if type(elements) is not list:
        return None
    keys = step.keys
    if len(keys) == 1:
        key, value = keys[0]
        for element in elements:
            if type(element) is dict and element.get(key) == value:
                return element
        return None
    return next((element for element in elements if step.matches(element)), None)


def _rule(made: Function, holder: str, rule: Any) -> None:
    if isinstance(rule, Items):
        items(made, holder, rule, reader)
    elif isinstance(rule, Scalars):
        scalars(made, holder, rule)
    elif isinstance(rule, OwnCode):
        with made.block(f"if {'_' + rule.path.name!r} in {holder}:"):
            made.line(f"{made.const(rule, 'R')}.read(node, out, scope)")
        with made.block("else:"):
            _leaf(made, holder, rule.leaf)
    elif isinstance(rule, Named):
        _leaf(made, holder, rule.leaf, rule.called)
    elif isinstance(rule, WithCodes):
        _leaf(made, holder, rule.leaf)
        made.line(f"x = out.get({rule.leaf.names[0]!r})")
        with made.block("if x and 'also' in x:"):
            made.line(f"out[{rule.also[0]!r}] = x.pop('also')")
    elif isinstance(rule, Group):
        made.line(f"x = {holder}.get({rule.path.name!r})")
        made.line(f"x = {decoded(made, rule.codec, 'x')}")
        with made.block("if x:"):
            made.line("out.update(x)")
    else:
        _leaf(made, holder, rule)


def _leaf(made: Function, holder: str, rule: Leaf, called: Sequence[str] = ()) -> None:
    step, value = rule.path.last, made.fresh("v")
    made.line(f"{value} = {holder}.get({step.name!r})")
    if step.shape == "only":
        made.line(f"{value} = {value}[0] if type({value}) is list and len({value}) == 1 else None")
    elif step.shape == "element":
        made.line(f"{value} = first({value}, {made.const(step, 'P')})")
    usual = f" and {value} != {rule.default!r}" if rule.default is not None else ""
    with made.block(f"if {value} is not None{usual}:"):
        check = check_of(made, rule.codec, value)
        if check is None:
            made.line(f"x = {decoded(made, rule.codec, value)}")
            check, taken = "x is not None", "x"
        else:
            taken = value
        with made.block(f"if {check}:"):
            if called:
                _put_named(made, rule.names, called, taken)
            else:
                put(made, rule.names, taken)
        with made.block("else:"):
            made.line(f"{made.const(rule, 'R')}.not_understood({value}, scope)")


def _put_named(made: Function, id_: Sequence[str], text: Sequence[str], value: str) -> None:
    """The two halves of what a record is called, each in its place."""
    for names, key in ((id_, "id"), (text, "text")):
        with made.block(f"if {key!r} in {value}:"):
            put(made, names, f"{value}[{key!r}]")
