"""Reading a resource, generated: one function for each list of rules, `read(node, out, scope)`.

Neighbouring rules that go through the same object or array share the way there. A rule that is not known here is asked
itself, in its turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from adapter.mapping.fast.code import Function, Module, check_of, is_plain
from adapter.mapping.fast.items import FIELDS, inline_keys, is_plain_list, read_parts
from adapter.mapping.fast.values import decoded
from adapter.mapping.keys import Keys
from adapter.mapping.lists import Items, Scalars
from adapter.mapping.oneway import Constant, Derived, OneWay
from adapter.mapping.parts import Parts
from adapter.mapping.paths import Path, Step
from adapter.mapping.rules import Leaf, Named, OwnCode, Rule

_SILENT = (Constant, Derived, OneWay)
_PLAIN = {
    Leaf: frozenset({"source", "names", "path", "codec", "default"}),
    OwnCode: frozenset({"leaf", "own", "extension"}),
    Named: frozenset({"leaf", "called"}),
    Items: frozenset({"source", "names", "path", "keys", "rules", "others", "never"}),
    Scalars: frozenset({"source", "names", "path", "codec", "leaf", "without"}),
}
_KEYS = frozenset({"by", "link", "uuid", "at"})
PLAIN_ID = "type(key) is str and key and ' ' not in key and len(key) <= 64"
Placed = tuple[Any, tuple[Step, ...]]
"""A rule, and the steps that are still to go from the node at hand to the object that holds its last one."""


def reader(module: Module, rules: Sequence[Rule]) -> str:
    """The name of the function that reads these rules."""
    return module.function("read", rules, "node, out, scope", lambda made: _body(made, rules))


def _body(made: Function, rules: Sequence[Rule]) -> None:
    rows: list[Placed] = []
    for rule in rules:
        if type(rule) in _SILENT:
            continue
        if _is_known(rule):
            rows.append((rule, _path(rule).steps))
        else:
            _emit(made, "node", rows)
            rows = []
            _ask(made, rule)
    _emit(made, "node", rows)
    made.line("return out")


def _ask(made: Function, rule: Any) -> None:
    """The rule object, or what does the same for a plain list of resources."""
    if type(rule) is Parts and is_plain(rule, FIELDS) and is_plain_list(rule):
        made.module.names["read_parts"] = read_parts
        beside = reader(made.module, rule.beside) if rule.beside else "None"
        inline = made.const(inline_keys(rule), "N")
        made.line(f"read_parts({made.const(rule, 'R')}, node, out, scope, {beside}, {inline})")
    else:
        made.line(f"{made.const(rule, 'R')}.read(node, out, scope)")


def _is_known(rule: Any) -> bool:
    known = _PLAIN.get(type(rule))
    if known is None or not is_plain(rule, known) or not is_plain_path(rule):
        return False
    if isinstance(rule, OwnCode):
        return _is_known(rule.leaf) and rule.path.last.shape == "object"
    if isinstance(rule, Named):
        return _is_known(rule.leaf) and rule.leaf.default is None
    if isinstance(rule, Items):
        return keys_are_known(rule.keys)
    return not isinstance(rule, Scalars) or not rule.without


def is_plain_path(rule: Any) -> bool:
    """Whether the steps of a rule say no more than their keys."""
    inner = getattr(rule, "leaf", None)
    paths = (getattr(rule, "path", None), getattr(inner, "path", inner))
    return all(step.plain for path in paths if isinstance(path, Path) for step in (*path.steps, path.last))


def keys_are_known(keys: Keys) -> bool:
    """Whether items are known by their id, their value or a field: what is generated says no more than that."""
    return type(keys) is Keys and is_plain(keys, _KEYS) and keys.by.isidentifier()


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
        made.module.names["first"] = first
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
        _items(made, holder, rule)
    elif isinstance(rule, Scalars):
        _scalars(made, holder, rule)
    elif isinstance(rule, OwnCode):
        with made.block(f"if {'_' + rule.path.name!r} in {holder}:"):
            made.line(f"{made.const(rule, 'R')}.read(node, out, scope)")
        with made.block("else:"):
            _leaf(made, holder, rule.leaf)
    elif isinstance(rule, Named):
        _leaf(made, holder, rule.leaf, rule.called)
    else:
        _leaf(made, holder, rule)


def _leaf(made: Function, holder: str, rule: Leaf, called: Sequence[str] = ()) -> None:
    step, value = rule.path.last, made.fresh("v")
    made.line(f"{value} = {holder}.get({step.name!r})")
    if step.shape == "only":
        made.line(f"{value} = {value}[0] if type({value}) is list and len({value}) == 1 else None")
    elif step.shape == "element":
        made.module.names["first"] = first
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
                _put_named(made, (rule.names, called), taken)
            else:
                _put(made, rule.names, taken)
        with made.block("else:"):
            made.line(f"{made.const(rule, 'R')}.not_understood({value}, scope)")


def _put_named(made: Function, places: tuple[Sequence[str], Sequence[str]], value: str) -> None:
    """The two halves of what a record is called, each in its place."""
    for names, key in zip(places, ("id", "text"), strict=True):
        with made.block(f"if {key!r} in {value}:"):
            _put(made, names, f"{value}[{key!r}]")


def _put(made: Function, names: Sequence[str], value: str) -> None:
    way = "".join(f".setdefault({name!r}, {{}})" for name in names[:-1])
    made.line(f"out{way}[{names[-1]!r}] = {value}")


def _array(made: Function, holder: str, path: Path) -> tuple[str, str]:
    """The name of an array, once it is known to be one."""
    array = made.fresh("a")
    made.line(f"{array} = {holder}.get({path.name!r})")
    return array, f"if type({array}) is list:"


def _is_element(made: Function, step: Step) -> str:
    """Whether `e` is an element that a step selects."""
    return "type(e) is dict" + "".join(f" and e.get({key!r}) == {value!r}" for key, value in step.keys)


def _items(made: Function, holder: str, rule: Items) -> None:
    array, head = _array(made, holder, rule.path)
    with made.block(head):
        made.line(f"found = {_item_reader(made.module, rule)}({array}, scope)")
        with made.block("if found:"):
            _put(made, rule.names, "found")


def _item_reader(module: Module, rule: Items) -> str:
    """A function of its own for a list: array → items."""
    return module.function("items", rule, "elements, scope", lambda made: _item_body(made, rule))  # type: ignore[arg-type]


def _item_body(made: Function, rule: Items) -> None:
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
    if keys.uuid:
        return f"{made.const(keys, 'K')}.of(e, scope, seen)"
    made.text(f"""
        key = {"linked" if keys.link is not None else "e.get('id')"}
        if {"key is not None" if keys.link is not None else PLAIN_ID} and ('id', key) not in seen:
            seen['id', key] = 1
        else:
            key = {made.const(keys, "K")}.of(e, scope, seen)
    """)
    return "key"


def _scalars(made: Function, holder: str, rule: Scalars) -> None:
    array, head = _array(made, holder, rule.path)
    with made.block(head):
        made.line("found = []")
        with made.block(f"for e in {array}:"):
            if rule.leaf is None:
                _scalar(made, rule, "e", "e is not None")
            else:
                with made.block(f"if {_is_element(made, rule.path.last)}:"):
                    _of_leaf(made, rule, rule.leaf)
        with made.block("if found:"):
            _put(made, rule.names, "found")


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
