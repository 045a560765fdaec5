"""What every schema of a record does: refuse unknown fields, apply rules between fields, return the tree as it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, ClassVar, Self

from marshmallow import EXCLUDE, Schema, ValidationError, post_load, validates_schema

from adapter.fhir_json import Tree
from adapter.records.between import Find, finder
from adapter.records.faults import OBJECT, WHOLE, Fault, unknown


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds between the fields of an object: `find` gives the faults, `fragment` says it as JSON Schema.

    `words` are its name and its fields, by which it is found without a schema.
    """

    find: Find
    fragment: Mapping[str, Any]
    words: tuple[str, ...]


class Base(Schema):
    """The schema of an object. `rules` hold between its fields; loading returns the very tree that was given."""

    rules: ClassVar[tuple[Rule, ...]] = ()

    class Meta:
        # Unknown fields are refused below, where the name that was probably meant is known.
        unknown = EXCLUDE

    error_messages: Any = {"type": OBJECT}

    def __init__(self) -> None:
        super().__init__()
        self._required = frozenset(name for name, field in self.fields.items() if field.required)

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
        return unknown(key, hint)

    @post_load(pass_original=True)
    def as_it_came(self, _: Any, original: Any, **__: Any) -> Any:
        """The tree itself: no digit, no order, no object changed."""
        return original


def rule(fragment: Tree, name: str, *fields: str) -> Rule:
    """The rule that `adapter.records.between` knows by a name, with its JSON Schema; its fields, where it takes any."""
    return Rule(finder(name, *fields), fragment, (name, *fields))


def exactly_one(*names: str) -> Rule:
    """One of these fields, and no other of them."""
    return rule({"oneOf": [{"required": [name]} for name in names]}, "exactly_one", *names)


def not_both(one: str, other: str) -> Rule:
    """One of these fields, or none of them."""
    return rule({"not": {"required": [one, other]}}, "not_both", one, other)


def at_least_one(*names: str) -> Rule:
    """One of these fields or several."""
    return rule({"anyOf": [{"required": [name]} for name in names]}, "at_least_one", *names)


def needs(**others: str) -> Rule:
    """A field demands another: `also="code"`."""
    fragment = {"dependentRequired": {name: [other] for name, other in others.items()}}
    return rule(fragment, "needs", *(name for pair in others.items() for name in pair))


def unless_alone(name: str) -> Rule:
    """The field must be given, unless the object is `{id}`, with a `text` or without: held elsewhere."""
    bare = {"properties": {"id": True, "text": True}, "additionalProperties": False}
    return rule({"anyOf": [{"required": [name]}, bare]}, "unless_alone", name)


IN_ORDER = rule({}, "in_order")
