"""What every schema of a record does: refuse unknown fields, apply rules between fields, return the tree as it came."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from typing import Any, ClassVar, Self

from marshmallow import EXCLUDE, Schema, ValidationError, post_load, validates_schema

from adapter.fhir_json import Tree
from adapter.records import dates
from adapter.records.faults import OBJECT, PERIOD, REQUIRED, WHOLE, Fault


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds between the fields of an object: `find` gives the faults, `fragment` says it as JSON Schema."""

    find: Callable[[Tree], Iterator[Fault]]
    fragment: Mapping[str, Any] = field(default_factory=dict)


class Base(Schema):
    """The schema of an object. `rules` hold between its fields; loading returns the very tree that was given."""

    rules: ClassVar[tuple[Rule, ...]] = ()

    class Meta:
        # Unknown fields are refused below, where the name that was probably meant is known.
        unknown = EXCLUDE

    error_messages: Any = {"type": OBJECT}

    def __init__(self) -> None:
        super().__init__()
        declared: dict[str, Any] = dict(self.fields)
        self._tests: dict[str, Callable[[Any], bool]] = {name: field_.fits for name, field_ in declared.items()}
        self._required = frozenset(name for name, field_ in declared.items() if field_.required)

    @classmethod
    @cache
    def shared(cls) -> Self:
        """The one instance of this schema."""
        return cls()

    @classmethod
    def def_name(cls) -> str:
        """Its name in `$defs`."""
        return cls.__name__

    @property
    def required_fields(self) -> list[str]:
        """The fields that must be given, in order."""
        return [name for name in self.fields if name in self._required]

    def fits(self, tree: Any) -> bool:
        """Whether a tree is without fault; the same verdict as `load`, many times faster."""
        if type(tree) is not dict or not tree:
            return False
        tests = self._tests
        for key, value in tree.items():
            test = tests.get(key)
            if test is None or not test(value):
                return False
        if not tree.keys() >= self._required:
            return False
        return all(next(rule.find(tree), None) is None for rule in self.rules)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def between_fields(self, _: Any, original: Any, **__: Any) -> None:
        """Report unknown fields and what the rules find."""
        if type(original) is not dict:
            return
        faults = [self._unknown(key) for key in original if key not in self.fields]
        faults += [fault for rule in self.rules for fault in rule.find(original)]
        if faults:
            raise ValidationError({WHOLE: faults})

    def _unknown(self, key: str) -> Fault:
        near = get_close_matches(str(key), self.fields, n=1)
        hint = f' Did you mean "{near[0]}"?' if near else ""
        return Fault("structure", "record-unknown-field", f"There is no such field here.{hint}", (key,))

    @post_load(pass_original=True)
    def as_it_came(self, _: Any, original: Any, **__: Any) -> Any:
        """The tree itself: no digit, no order, no object changed."""
        return original


def exactly_one(*names: str) -> Rule:
    """One of these fields, and no other of them."""
    text = f"Exactly one of these fields must be given: {', '.join(names)}."
    fault = Fault("invariant", "record-one-of", text)
    wanted = frozenset(names)

    def find(tree: Tree) -> Iterator[Fault]:
        if len(wanted & tree.keys()) != 1:
            yield fault

    return Rule(find, {"oneOf": [{"required": [name]} for name in names]})


def not_both(one: str, other: str) -> Rule:
    """One of these fields, or none of them."""
    fault = Fault("invariant", "record-one-of", f"Only one of these fields may be given: {one}, {other}.")

    def find(tree: Tree) -> Iterator[Fault]:
        if one in tree and other in tree:
            yield fault

    return Rule(find, {"not": {"required": [one, other]}})


def at_least_one(*names: str) -> Rule:
    """One of these fields or several."""
    fault = Fault("invariant", "record-one-of", f"At least one of these fields must be given: {', '.join(names)}.")
    wanted = frozenset(names)

    def find(tree: Tree) -> Iterator[Fault]:
        if not wanted & tree.keys():
            yield fault

    return Rule(find, {"anyOf": [{"required": [name]} for name in names]})


def needs(**others: str) -> Rule:
    """A field demands another: `also="code"`."""

    def find(tree: Tree) -> Iterator[Fault]:
        for name, other in others.items():
            if name in tree and other not in tree:
                yield REQUIRED.at(other)

    return Rule(find, {"dependentRequired": {name: [other] for name, other in others.items()}})


def unless_alone(name: str) -> Rule:
    """The field must be given, unless the object is `{id}`, with a `text` or without: held elsewhere."""
    bare = {"properties": {"id": True, "text": True}, "additionalProperties": False}

    def find(tree: Tree) -> Iterator[Fault]:
        if name not in tree and not tree.keys() <= {"id", "text"}:
            yield REQUIRED.at(name)

    return Rule(find, {"anyOf": [{"required": [name]}, bare]})


def _ends_early(tree: Tree) -> Iterator[Fault]:
    start, end = tree.get("start"), tree.get("end")
    if dates.is_datetime(start) and dates.is_datetime(end) and dates.is_before(str(end), str(start)):
        yield PERIOD.at("end")


IN_ORDER = Rule(_ends_early)
