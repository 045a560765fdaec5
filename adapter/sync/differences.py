"""What differs between two trees, element by element. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapter.fhir_json import same
from adapter.sync.elements import keyed, shown

Difference = tuple[str, Any, Any]


def differences(before: Any, after: Any, path: str = "") -> Iterator[Difference]:
    """(path, before, after) of everything that differs; None where it is not there. Elements of lists go by what
    identifies them, not by their place.
    """
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys([*before, *after]):
            yield from differences(before.get(name), after.get(name), f"{path}.{name}" if path else name)
    elif isinstance(before, list) and isinstance(after, list):
        old, _, new = keyed(before, before, after)
        for key in dict.fromkeys([*old, *new]):
            yield from differences(old.get(key), new.get(key), f"{path}[{shown(key)}]")
    elif not same(before, after):
        yield path, before, after
