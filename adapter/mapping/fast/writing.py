"""Filling a new resource or element, generated: one function for each list of rules, `fill(node, new, scope)`.

`node` holds only what the rules before have put there, so nothing is compared and nothing taken away. What the
generated lines do not know (a value that FHIR cannot say, an array in which something stands already) goes to the rule
object, which looks at the node as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

from adapter.fhir_json import copy
from adapter.mapping.codecs import Copy, Values
from adapter.mapping.concepts import Choice, Coded, CodingConcept
from adapter.mapping.fast import listing
from adapter.mapping.fast.arrays import at_end, grow
from adapter.mapping.fast.code import Function, Module, check_of, literal
from adapter.mapping.fast.items import fill_parts
from adapter.mapping.fast.known import is_plain
from adapter.mapping.fast.values import encoded
from adapter.mapping.links import Link, Party, Related
from adapter.mapping.lists import Items, Scalars, elements_of
from adapter.mapping.oneway import Constant, Derived, OneWay
from adapter.mapping.parts import Parts
from adapter.mapping.path_steps import NO_SIBLINGS
from adapter.mapping.paths import Path, Step
from adapter.mapping.reshape import When
from adapter.mapping.rules import (
    Group,
    Leaf,
    Named,
    OwnCode,
    Rule,
    WithCodes,
    current,
    not_written,
    set_value,
    take_away,
)

_BLIND = (Copy, Values, Link, Party, Related, Choice, Coded, CodingConcept)
"""Codecs that ask nothing of what stands there already."""
_HELPERS = {
    "grow": grow, "current": current, "not_written": not_written, "set_value": set_value, "take_away": take_away,
    "copy": copy, "elements_of": elements_of, "fill_parts": fill_parts, "NONE": {},
}  # fmt: skip


def filler(module: Module, rules: Sequence[Rule]) -> str:
    """The name of the function that fills a node by these rules."""
    module.names.update(_HELPERS)
    return module.function("fill", rules, "node, new, scope", lambda made: _Filler(made, rules).body())


class _Filler:
    """One function: its rules, and the local names of the objects on the way to where they write."""

    def __init__(self, made: Function, rules: Sequence[Any]) -> None:
        self.made, self.rules = made, rules
        self.rule: Any = None
        self.holders: dict[tuple[Step, ...], str] = {}

    def body(self) -> None:
        """All rules, in order; those that take from one object of the record together."""
        for names, group in groupby(self.rules, key=_shared):
            found = list(group)
            with self._within(names) as record:
                for rule in found:
                    self._rule(rule, record)
        # None: not known yet to be there.
        self.made.lines[:0] = [f"    {name} = None" for name in self.holders.values()]

    @contextmanager
    def _within(self, names: tuple[str, ...]) -> Iterator[str]:
        if not names:
            yield "new"
            return
        made, record = self.made, "new"
        heads = []
        for name in names:
            inner = made.fresh("r")
            made.line(f"{inner} = {record}.get({name!r})")
            heads.append(made.block(f"if type({inner}) is dict:"))
            heads[-1].__enter__()
            record = inner
        yield record
        for head in reversed(heads):
            head.__exit__(None, None, None)

    def _rule(self, rule: Any, record: str) -> None:
        self.rule = rule
        if type(rule) in _EMIT and is_plain(rule):
            _EMIT[type(rule)](self, rule, record)
        else:
            self.ask(rule)

    def ask(self, rule: Any) -> None:
        """The rule object itself; the objects on its way may be others afterwards."""
        self.made.line(f"{self.made.const(rule, 'R')}.write(node, new, NONE, scope)")
        path = getattr(rule, "path", None)
        names = {path.steps[0].name if path.steps else path.name} if isinstance(path, Path) else None
        self._forget(names)

    def _forget(self, names: set[str] | None) -> None:
        for steps, local in self.holders.items():
            if names is None or steps[0].name in names:
                self.made.line(f"{local} = None")

    def filled(self, rules: Sequence[Any]) -> str:
        """The name of the function for other rules of the same map."""
        return filler(self.made.module, rules)

    def holder(self, path: Path) -> str:
        """The local name of the object that holds the last step, made where it is not."""
        name = "node"
        for index in range(len(path.steps)):
            outer, steps = name, path.steps[: index + 1]
            name = self.holders.setdefault(steps, f"h{len(self.holders)}")
            with self.made.block(f"if {name} is None:"):
                self._enter(outer, name, path, index)
        return name

    def _enter(self, outer: str, name: str, path: Path, index: int) -> None:
        made, step = self.made, path.steps[index]
        last = at_end(path, index, self.rule, self.rules)
        siblings = NO_SIBLINGS if last else path.ranks.get(index, NO_SIBLINGS)
        with made.block(f"if {step.name!r} in {outer}:"):
            made.line(f"{name} = grow({outer}, {made.const(step, 'P')}, {made.const(siblings, 'Q')})")
        with made.block("else:"):
            made.line(f"{name} = {literal(step)}")
            made.line(f"{outer}[{step.name!r}] = {name if step.shape == 'object' else f'[{name}]'}")

    def _set(self, path: Path, value: str) -> None:
        made, holder, step = self.made, self.holder(path), path.last
        if step.shape == "object":
            made.line(f"{holder}[{step.name!r}] = {value}")
        elif step.shape == "only":
            made.line(f"{holder}[{step.name!r}] = [{value}]")
        else:
            made.line(f"set_value({made.const(path, 'W')}, {holder}, {value})")

    def _stands(self, path: Path) -> str:
        """What stands at a path now."""
        first = path.steps[0].name if path.steps else path.name
        return f"current({self.made.const(path, 'W')}, node) if {first!r} in node else None"

    # One method for each class of rule.

    def leaf(self, rule: Leaf, record: str) -> None:
        """One value."""
        if rule.default is not None and len(rule.names) > 1:
            self.ask(rule)
            return
        made, value = self.made, self.made.fresh("v")
        made.line(f"{value} = {record}.get({rule.names[-1]!r})")
        with made.block(f"if {value} is not None:"):
            check, taken = check_of(made, rule.codec, value), value
            if check is None:
                stands = "None" if type(rule.codec) in _BLIND else self._stands(rule.path)
                made.line(f"x = {self.encoded(rule.codec, value, stands)}")
                check, taken = "x is not None", "x"
            with made.block(f"if {check}:"):
                self._set(rule.path, taken)
            with made.block("else:"):
                self._left_out(rule)
        if rule.default is not None:
            with made.block("else:"):
                self._default(rule)

    def _left_out(self, rule: Leaf | Group) -> None:
        where = self.made.const(rule.path, "W")
        self.made.line(f"not_written({rule.source!r}, {where}, scope)")
        self.made.line(f"take_away({where}, node)")
        self._forget({rule.path.steps[0].name} if rule.path.steps else set())

    def _default(self, rule: Leaf) -> None:
        self.made.line(f"{self.holder(rule.path)}[{rule.path.name!r}] = {rule.default!r}")

    def encoded(self, codec: Any, value: str, stands: str) -> str:
        """The expression of a codec."""
        return encoded(self.made, codec, value, stands)

    def one_way(self, rule: OneWay, record: str) -> None:
        """A value that is only written."""
        self.leaf(rule.leaf, record)

    def named(self, rule: Named, record: str) -> None:
        """A link and what its record is called here."""
        leaf = rule.leaf
        if len(leaf.names) > 1 or len(rule.called) > 1:
            self.ask(rule)
            return
        made, id_, text = self.made, self.made.fresh("v"), self.made.fresh("v")
        made.line(f"{id_} = {record}.get({leaf.names[0]!r})")
        made.line(f"{text} = {record}.get({rule.called[0]!r})")
        with made.block(f"if {id_} is not None or {text} is not None:"):
            given = f"{{'id': {id_}}} if {text} is None else {{'text': {text}}} if {id_} is None else"
            made.line(f"x = {given} {{'id': {id_}, 'text': {text}}}")
            made.line(f"x = {self.encoded(leaf.codec, 'x', self._stands(leaf.path))}")
            with made.block("if x is not None:"):
                self._set(leaf.path, "x")
            with made.block("else:"):
                self._left_out(leaf)

    def own_code(self, rule: OwnCode, record: str) -> None:
        """A code that is FHIR's as well; one that is only ours has an extension beside it."""
        if rule.leaf.default is not None:
            self.ask(rule)
            return
        made, value = self.made, self.made.fresh("v")
        made.line(f"{value} = {record}.get({rule.leaf.names[-1]!r})")
        with made.block(f"if type({value}) is str and {value} not in {made.const(rule.own, 'T')}:"):
            self.leaf(rule.leaf, record)
        with made.block(f"elif {value} is not None:"):
            self.ask(rule)

    def with_codes(self, rule: WithCodes, record: str) -> None:
        """A concept; the rule object where further codes stand beside it."""
        if len(rule.leaf.names) > 1:
            self.ask(rule)
            return
        made, also = self.made, self.made.fresh("v")
        made.line(f"{also} = new.get({rule.also[0]!r})")
        with made.block(f"if {also}:"):
            self.ask(rule)
        with made.block("else:"):
            self.leaf(rule.leaf, record)

    def group(self, rule: Group, record: str) -> None:
        """Several texts that make one value."""
        made, value = self.made, self.made.fresh("v")
        made.line(f"{value} = {{name: {record}[name] for name in {rule.fields!r} if name in {record}}}")
        with made.block(f"if {value}:"):
            made.line(f"x = {self.encoded(rule.codec, value, self._stands(rule.path))}")
            with made.block("if x is not None:"):
                self._set(rule.path, "x")
            with made.block("else:"):
                self._left_out(rule)

    def when(self, rule: When, record: str) -> None:
        """A rule for some records; the rule object says what is left out of others."""
        made, inner = self.made, rule.inner
        if getattr(inner, "default", None) is not None or not isinstance(inner, (Leaf, Items, Scalars)):
            self.ask(rule)
            return
        with made.block(f"if {made.const(rule, 'R')}.holds({record}):"), self._within(_shared(inner)) as outer:
            self._rule(inner, outer)
        with made.block("else:"):
            self.ask(rule)

    def constant(self, rule: Constant, record: str) -> None:
        """A value that is always the same."""
        if rule.path.last.shape != "object":
            self.ask(rule)
            return
        made = self.made
        holder = self.holder(rule.path)
        with made.block(f"if {holder}.get({rule.path.name!r}) is None:"):
            made.line(f"{holder}[{rule.path.name!r}] = copy({made.const(rule.value, 'V')})")
        with made.block("else:"):
            self.ask(rule)

    def derived(self, rule: Derived, record: str) -> None:
        """A value that is made from the record."""
        made = self.made
        made.line(f"x = {made.const(rule.make, 'M')}({self._stands(rule.path)}, new, NONE, scope)")
        with made.block("if x is not None:"):
            self._set(rule.path, "x")


def _shared(rule: Any) -> tuple[str, ...]:
    """The objects of the record that a rule takes its value from, where nothing happens when they are missing."""
    inner = rule.leaf if isinstance(rule, (OneWay, OwnCode)) else rule
    silent = isinstance(inner, (Leaf, Items, Scalars)) and getattr(inner, "default", None) is None
    return inner.names[:-1] if silent else ()


_EMIT: dict[type, Any] = {
    Leaf: _Filler.leaf, OneWay: _Filler.one_way, OwnCode: _Filler.own_code, Named: _Filler.named, Constant: _Filler.constant,
    Derived: _Filler.derived, WithCodes: _Filler.with_codes, Group: _Filler.group, When: _Filler.when, Items: listing.items, Scalars: listing.scalars, Parts: listing.parts,
}  # fmt: skip
