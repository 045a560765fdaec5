"""Which element of one list is which of another: by what identifies it, else by how the lists line up. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher
from hashlib import blake2s
from typing import Any

from adapter.fhir_json import canonical

# Where an element of a list says whom or what it is about.
_TARGETS = ("reference", "member", "actor", "individual", "itemReference", "resource")


def keyed(base: Sequence[Any], ours: Sequence[Any], theirs: Sequence[Any]) -> list[dict[Hashable, Any]]:
    """The elements of three lists, each by a key that the same element has in all of them, in the order of each list."""
    sides = (base, ours, theirs)
    by_identity = [{identity(element): element for element in side} for side in sides]
    if all(len(found) == len(side) and None not in found for found, side in zip(by_identity, sides, strict=True)):
        return by_identity
    return [_numbered(base), _aligned(base, ours), _aligned(base, theirs)]


def identity(element: Any) -> Hashable | None:
    """What identifies an element by itself: id, linkId, identifier, coding, url or target; None where nothing does."""
    if not isinstance(element, dict):
        return None
    for name in ("id", "linkId", "url"):
        if isinstance(element.get(name), str):
            return name, element[name]
    found = (look(element) for look in (_token, _target, _inner))
    return next((key for key in found if key is not None), None)


def _token(element: dict[str, Any]) -> Hashable | None:
    """An Identifier or a Coding: its system is a URI, which that of a telephone number is not."""
    system, value = element.get("system"), element.get("value", element.get("code"))
    if isinstance(system, str) and ":" in system and isinstance(value, str):
        return "token", system, value
    return None


def _target(element: dict[str, Any]) -> Hashable | None:
    for name in _TARGETS:
        value = element.get(name)
        if name == "reference" and isinstance(value, str):
            return "target", value
        if isinstance(value, dict):
            inner = _target(value)
            inner = _inner(value) if inner is None else inner
            if inner is not None:
                return name, inner
    return None


def _inner(element: dict[str, Any]) -> Hashable | None:
    """The first Coding or Identifier of an element that consists of such."""
    for name in ("coding", "identifier"):
        value = element.get(name)
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, dict) and (found := _token(first)) is not None:
            return name, found
    return None


def _numbered(elements: Sequence[Any]) -> dict[Hashable, Any]:
    return {("at", index): element for index, element in enumerate(elements)}


def _aligned(base: Sequence[Any], side: Sequence[Any]) -> dict[Hashable, Any]:
    """Equal elements have the key of the base's; between two of them, as many as before are the old ones edited, and
    other numbers are old ones gone and new ones come.
    """
    old, new = [canonical(element) for element in base], [canonical(element) for element in side]
    keys: dict[int, Hashable] = {}
    for tag, start, end, first, last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal" or (tag == "replace" and end - start == last - first):
            keys |= {first + step: ("at", start + step) for step in range(end - start)}
    found: dict[Hashable, Any] = {}
    for index, element in enumerate(side):
        key, copy = keys.get(index, ("new", new[index])), 0
        while key in found:
            copy += 1
            key = ("new", new[index], copy)
        found[key] = element
    return found


def shown(key: Hashable) -> str:
    """A key as a path may say it: never a value that is data of a patient, and the same whenever the key is."""
    if isinstance(key, tuple) and key[0] in ("id", "linkId", "url"):
        return f"{key[0]}={key[1]}"
    if isinstance(key, tuple) and key[0] == "at":
        return str(key[1])
    return f"~{blake2s(repr(key).encode(), digest_size=4).hexdigest()}"
