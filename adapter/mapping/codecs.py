"""Two-way functions on one value. Each gives back what it was given: `decode(encode(v)) == v`.

`decode` returns None for a value that it does not understand: the element stays with the foreign side, and the rule says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from adapter.fhir_json import copy

if TYPE_CHECKING:
    from adapter.mapping.scope import Scope

Tree = dict[str, Any]
Check = Callable[[Any], bool]


class Codec(Protocol):
    """One value of the record, one of the resource."""

    def decode(self, value: Any, scope: Scope) -> Any:
        """FHIR → record; None where it is not understood."""

    def encode(self, value: Any, old: Any, scope: Scope) -> Any:
        """Record → FHIR; `old` is what stands there now; None where it cannot be said."""


@dataclass(frozen=True, slots=True)
class Copy:
    """The same value on both sides, if it is of the record's type."""

    check: Check

    def decode(self, value: Any, scope: Scope) -> Any:
        return copy(value) if self.check(value) else None

    def encode(self, value: Any, old: Any, scope: Scope) -> Any:
        return copy(value) if self.check(value) else None


@dataclass(frozen=True, slots=True)
class Values:
    """A short table written in the rule itself: record value ↔ FHIR value."""

    forward: Mapping[Any, str]
    back: Mapping[str, Any]

    def decode(self, value: Any, scope: Scope) -> Any:
        return self.back.get(value) if type(value) is str else None

    def encode(self, value: Any, old: Any, scope: Scope) -> Any:
        return self.forward.get(value) if isinstance(value, (str, int)) else None


@dataclass(frozen=True, slots=True)
class Template:
    """Several texts of a record in one FHIR text: `$ns/Questionnaire/{name}`, with `[|{version}]` where optional."""

    pattern: re.Pattern[str]
    head: str
    tail: str

    def decode(self, value: Any, scope: Scope) -> Any:
        match = self.pattern.fullmatch(value) if type(value) is str else None
        return {key: text for key, text in match.groupdict().items() if text} if match else None

    def encode(self, value: Any, old: Any, scope: Scope) -> Any:
        try:
            return self.head.format(**value) + (self.tail.format(**value) if "version" in value else "")
        except (KeyError, TypeError):
            return None


def is_number(value: Any) -> bool:
    """An integer or a Decimal; a boolean is none."""
    return type(value) is int or type(value) is Decimal


def is_text(value: Any) -> bool:
    """A string with something in it."""
    return type(value) is str and value != ""
