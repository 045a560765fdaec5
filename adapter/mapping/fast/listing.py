"""Lists of a record, written into arrays of a new resource: objects, plain values, items that are resources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from adapter.mapping.fast.arrays import appends
from adapter.mapping.fast.code import Function, check_of, literal
from adapter.mapping.fast.items import is_plain_list
from adapter.mapping.fast.known import keys_are_known
from adapter.mapping.lists import DERIVED, Items, Scalars
from adapter.mapping.parts import Parts
from adapter.mapping.paths import Path


class Filler(Protocol):
    """What these lines are written with: see `adapter.mapping.fast.writing`."""

    made: Function
    rules: Sequence[Any]

    def ask(self, rule: Any) -> None:
        """The rule object itself."""

    def holder(self, path: Path) -> str:
        """The local name of the object that holds the last step."""

    def encoded(self, codec: Any, value: str, stands: str) -> str:
        """The call of a codec."""

    def filled(self, rules: Sequence[Any]) -> str:
        """The name of the function for these rules."""


def items(to: Filler, rule: Items, record: str) -> None:
    """A list of objects."""
    if not keys_are_known(rule.keys):
        to.ask(rule)
        return
    made, array = to.made, to.made.fresh("a")
    ids = _Ids(to, rule) if rule.keys.by == "id" else None
    with _list(to, rule, record) as wanted:
        made.line(f"{array} = []")
        if ids is not None:
            ids.start()
        with made.block(f"for item in {wanted}:"):
            made.line(f"e = {literal(rule.path.last)}")
            with made.block("if type(item) is dict:"):
                if ids is not None:
                    ids.refer()
                made.line(f"{to.filled(rule.rules)}(e, item, scope)")
                if ids is not None:
                    ids.settle()
            made.line(f"{array}.append(e)")
        _store(to, rule, array)
        if ids is not None:
            ids.end(array, wanted)


class _Ids:
    """The lines for the ids of a list's elements: set down at once where that is what `settle_new_ids` comes to.

    So it is with ids that are not derived ones, and with references that say them by our identifier, each another one.
    """

    def __init__(self, to: Filler, rule: Items) -> None:
        self.made, self.rule, self.link, self.at = to.made, rule, rule.keys.link, rule.keys.at
        paths = [getattr(inner, "path", None) for inner in rule.rules]
        firsts = {(path.steps[0] if path.steps else path.last).name for path in paths if isinstance(path, Path)}
        taken = {self.at} if self.at else {"reference", "type", "identifier", "id"}
        known = all(isinstance(path, Path) for path in paths) and not firsts & taken
        self.plain = known and not {key for key, _ in rule.path.last.keys + rule.path.last.made} & taken
        self.encode = to.encoded

    def start(self) -> None:
        """Before the first element."""
        if self.plain:
            self.made.line("late = False" if self.link is None else "late, said = False, set()")

    def refer(self) -> None:
        """Before an element is filled: what it refers to."""
        made = self.made
        if self.link is None:
            return
        if not self.plain:
            made.line(f"{made.const(self.rule.keys, 'K')}.refer(e, item.get('id'), scope)")
            return
        made.line("key = item.get('id')")
        made.line(f"x = {self.encode(self.link, 'key', 'None')}")
        with made.block("if x is not None:"):
            made.line(f"e[{self.at!r}] = x" if self.at else "e.update(x)")
        made.text("""
            if x is None or 'reference' in x:
                late = True
            else:
                said.add(key)
        """)

    def settle(self) -> None:
        """After an element is filled: its own id."""
        if self.plain and self.link is None:
            self.made.text(f"""
                key = item.get('id')
                if type(key) is str:
                    late = late or key[14:15] == {DERIVED!r}
                    e['id'] = key
            """)

    def end(self, array: str, wanted: str) -> None:
        """After the last element: all of them as the rule does it, where one was out of the usual."""
        made, settled = self.made, f"{self.made.const(self.rule, 'R')}.settle_new_ids({array}, {wanted}, scope)"
        if not self.plain:
            made.line(settled)
        elif self.link is not None:
            with made.block(f"if late or len(said) != len({array}):"):
                made.line(settled)
        else:
            with made.block("if late:"):
                with made.block(f"for e in {array}:"):
                    made.line("e.pop('id', None)")
                made.line(settled)


def scalars(to: Filler, rule: Scalars, record: str) -> None:
    """A list of values."""
    made, array = to.made, to.made.fresh("a")
    with _list(to, rule, record) as wanted:
        made.line(f"{array} = []")
        with made.block(f"for v in {wanted}:"):
            check, taken = check_of(made, rule.codec, "v"), "v"
            if check is None:
                made.line(f"x = {to.encoded(rule.codec, 'v', 'None')}")
                check, taken = "x is not None", "x"
            with made.block(f"if {check}:"):
                if rule.leaf is not None and not rule.leaf.steps:
                    taken = literal(rule.path.last, {rule.leaf.name: taken})
                elif rule.leaf is not None:
                    made.line(f"e = {literal(rule.path.last)}")
                    made.line(f"{made.const(rule.leaf, 'W')}.make_holder(e)[{rule.leaf.name!r}] = {taken}")
                    taken = "e"
                made.line(f"{array}.append({taken})")
            with made.block("else:"):
                made.line(f"not_written({rule.source!r}, {made.const(rule.path, 'W')}, scope)")
        with made.block(f"if {array}:"):
            _store(to, rule, array)


def parts(to: Filler, rule: Parts, record: str) -> None:
    """A list of items that are resources of their own."""
    if not is_plain_list(rule):
        to.ask(rule)
        return
    beside = to.filled(rule.beside) if rule.beside else "None"
    to.made.line(f"fill_parts({to.made.const(rule, 'R')}, node, new, scope, {beside})")


@contextmanager
def _list(to: Filler, rule: Items | Scalars, record: str) -> Iterator[str]:
    """The lines for a list that is there, where nothing stands in the way of its elements."""
    made, wanted = to.made, to.made.fresh("w")
    made.line(f"{wanted} = {record}.get({rule.names[-1]!r})")
    clear = "" if appends(rule, to.rules) else f" and not {_array(to, rule.path)}"
    with made.block(f"if {wanted}:"):
        with made.block(f"if type({wanted}) is list{clear}:"):
            yield wanted
        with made.block("else:"):
            to.ask(rule)


def _array(to: Filler, path: Path) -> str:
    return f"elements_of({to.made.const(path, 'W')}, node)" if path.steps else f"node.get({path.name!r})"


def _store(to: Filler, rule: Items | Scalars, array: str) -> None:
    made, name, holder = to.made, rule.path.name, to.holder(rule.path)
    if not appends(rule, to.rules):
        made.line(f"{holder}[{name!r}] = {array}")
        return
    made.line(f"b = {holder}.get({name!r})")
    with made.block("if type(b) is list:"):
        made.line(f"b.extend({array})")
    with made.block("else:"):
        made.line(f"{holder}[{name!r}] = {array}")
