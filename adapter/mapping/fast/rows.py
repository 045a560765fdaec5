"""Arrays read: the elements that are ours, as items or values. The lines are part of a function of `reading`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adapter.mapping.fast.code import Function, Module, check_of, put
from adapter.mapping.fast.values import decoded
from adapter.mapping.keys import Keys
from adapter.mapping.lists import Items, Scalars
from adapter.mapping.paths import Path, Step

Reader = Callable[[Module, Sequence[Any]], str]
"""The name of the function that reads an element by these rules."""
PLAIN_ID = "type(key) is str and key and ' ' not in key and len(key) <= 64"


def _array(made: Function, holder: str, path: Path) -> tuple[str, str]:
    """The name of an array, once it is known to be one."""
    array = made.fresh("a")
    made.line(f"{array} = {holder}.get({path.name!r})")
    return array, f"if type({array}) is list:"


def _is_element(made: Function, step: Step) -> str:
    """Whether `e` is an element that a step selects."""
    return "type(e) is dict" + "".join(f" and e.get({key!r}) == {value!r}" for key, value in step.keys)


def items(made: Function, holder: str, rule: Items, reader: Reader) -> None:
    """A list of objects."""
    array, head = _array(made, holder, rule.path)
    with made.block(head):
        made.line(f"found = {_item_reader(made.module, rule, reader)}({array}, scope)")
        with made.block("if found:"):
            put(made, rule.names, "found")


def _item_reader(module: Module, rule: Items, reader: Reader) -> str:
    """A function of its own for a list: array → items."""
    return module.function("items", rule, "elements, scope", lambda made: _item_body(made, rule, reader))  # type: ignore[arg-type]


def _item_body(made: Function, rule: Items, reader: Reader) -> None:
    keys, read = rule.keys, reader(made.module, rule.rules)
    by_id = keys.by == "id"
    made.line("found = []")
    if by_id:
        made.line("seen = {}")
    with made.block("for e in elements:"):
        ours = _is_element(made, rule.path.last)
        unlike = rule.others + rule.never
        if unlike:
            ours += f" and not any([step.matches(e) for step in {made.const(unlike, 'U')}])"
        with made.block(f"if {ours}:"):
            if keys.link is not None:
                reference = f"e.get({keys.at!r})" if keys.at else "e"
                made.line(f"linked = {decoded(made, keys.link, reference)}")
            made.line(f"item = {{'id': {_key(made, keys)}}}" if by_id else "item = {}")
            made.line(f"{read}(e, item, scope)")
            enough = "len(item) > 1" if by_id else "item"
            with made.block(f"if {enough} or linked:" if keys.link is not None else f"if {enough}:"):
                made.line("found.append(item)")
    made.line("return found")


def _key(made: Function, keys: Keys) -> str:
    """The name of the id of an element: of its own or its reference where that is plain, else as `keys` makes it."""
    made.text(f"""
        key = {"linked" if keys.link is not None else "e.get('id')"}
        if {"key is not None" if keys.link is not None else PLAIN_ID} and ('id', key) not in seen:
            seen['id', key] = 1
        else:
            key = {made.const(keys, "K")}.of(e, scope, seen)
    """)
    return "key"


def scalars(made: Function, holder: str, rule: Scalars) -> None:
    """A list of values."""
    array, head = _array(made, holder, rule.path)
    with made.block(head):
        made.line("found = []")
        head = f" if not {made.const(rule, 'R')}.left_out(e)]" if rule.without else ""
        with made.block(f"for e in [e for e in {array}{head}:" if head else f"for e in {array}:"):
            if rule.leaf is None:
                _scalar(made, rule, "e", "e is not None")
            else:
                with made.block(f"if {_is_element(made, rule.path.last)}:"):
                    _of_leaf(made, rule, rule.leaf)
        with made.block("if found:"):
            put(made, rule.names, "found")


def _of_leaf(made: Function, rule: Scalars, leaf: Path) -> None:
    holder = "e"
    if leaf.steps:
        made.line(f"g = {made.const(leaf, 'W')}.holder(e)")
        holder = "g"
    made.line(f"r = {holder}.get({leaf.name!r})" + (" if g is not None else None" if leaf.steps else ""))
    _scalar(made, rule, "r", "r is not None")


def _scalar(made: Function, rule: Scalars, value: str, given: str) -> None:
    check = check_of(made, rule.codec, value)
    if check is not None:
        with made.block(f"if {check}:"):
            made.line(f"found.append({value})")
        return
    with made.block(f"if {given}:"):
        made.line(f"x = {decoded(made, rule.codec, value)}")
        with made.block("if x is not None:"):
            made.line("found.append(x)")
