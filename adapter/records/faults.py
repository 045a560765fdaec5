"""What a schema finds wrong: a fault with its place relative to the object that was looked at, and its Issue.

Texts never hold a value of the record: they speak of fields, types and the values that are allowed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from adapter.issues import Issue

Path = tuple[str | int, ...]
# The key under which marshmallow keeps what concerns an object as a whole.
WHOLE = "_schema"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: FHIR issue type, message id, sentence, and where below the object that it was found in."""

    code: str
    message_id: str
    text: str
    path: Path = ()

    def at(self, *path: str | int) -> Fault:
        """The same fault at a place below."""
        return replace(self, path=path)


REQUIRED = Fault("required", "record-required", "This field must be given.")
EMPTY = Fault("value", "record-empty", "Leave the field out: null and empty values are not part of the normal form.")
DUPLICATE = Fault("duplicate", "record-duplicate-id", "Another item of this list has the same id.")
PERIOD = Fault("invariant", "record-period", "The period ends before it starts.")
OBJECT = Fault("structure", "record-type", "An object is expected here.")
LIST = Fault("structure", "record-type", "A list is expected here.")


def is_name(key: object) -> bool:
    """Whether a key can be told: it may be a slip of the pen for a field, and not what a person is called."""
    return type(key) is str and len(key) <= 64 and key.isascii() and key.isprintable() and " " not in key


def unknown(key: str, hint: str = "") -> Fault:
    """That an object has a field which there is not; what may be a value is not repeated, and the object is named."""
    if is_name(key):
        return Fault("structure", "record-unknown-field", f"There is no such field here.{hint}", (key,))
    return Fault("structure", "record-unknown-field", f"This object has a field that is none of its own.{hint}")


def pointer(path: Path) -> str:
    """A path as JSON Pointer. https://www.rfc-editor.org/rfc/rfc6901"""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def issues_of(messages: Any) -> list[Issue]:
    """The issues of a marshmallow ValidationError's messages, each with its pointer."""
    return [
        Issue("error", fault.code, fault.message_id, fault.text, pointer=pointer(path))
        for path, fault in _flat(messages, ())
    ]


def _flat(messages: Any, path: Path) -> Iterator[tuple[Path, Fault]]:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            yield from _flat(inner, path if key == WHOLE else (*path, key))
    else:
        for fault in messages:
            yield (*path, *fault.path), fault
