"""Two-way functions that a site brings in Python: found by entry point, and held to their samples before they are used.

    [project.entry-points."careplan_adapter.functions"]
    roman = "lakeside.numbers:ROMAN"

where `ROMAN = TwoWay(forward, back, samples=[("XIV", 14), …])`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from adapter.fhir_json import same

GROUP = "careplan_adapter.functions"
FEWEST = 3
One = Callable[[Any], Any]


class FunctionError(ValueError):
    """A function that there is not, that breaks its law, or an argument that it cannot be made with."""

    def __init__(self, text: str, id_: str = "function-argument", near: str = "") -> None:
        super().__init__(text)
        self.id, self.near = id_, near


@dataclass(frozen=True, slots=True)
class TwoWay:
    """One function: record value → FHIR value and back, None for what it does not take, and pairs that show it."""

    forward: One
    back: One
    samples: Sequence[tuple[Any, Any]]


@cache
def registered(name: str) -> TwoWay | None:
    """A site's function of this name, or None where there is none. Raises FunctionError where it breaks its law."""
    from importlib.metadata import entry_points

    found = next(iter(entry_points(group=GROUP, name=name)), None)
    if found is None:
        return None
    try:
        made = found.load()
    except Exception as error:  # noqa: BLE001 - a stranger's module may raise anything
        raise FunctionError(f"the function {name} of {found.value} cannot be loaded: {type(error).__name__}") from None
    if not isinstance(made, TwoWay):
        raise FunctionError(f"the function {name} of {found.value} is no TwoWay")
    _hold(name, found.value, made)
    return made


def names() -> list[str]:
    """The names of all functions that sites have brought."""
    from importlib.metadata import entry_points

    return sorted(entry_points(group=GROUP).names)


def _hold(name: str, value: str, made: TwoWay) -> None:
    """Each sample goes out as it says and comes back as it was; what is of neither form is not taken."""
    if len(made.samples) < FEWEST:
        raise FunctionError(f"the function {name} of {value} has fewer than {FEWEST} samples for its law")
    for number, (ours, fhir) in enumerate(made.samples, start=1):
        if not same(guarded(made.forward)(ours), fhir) or not same(guarded(made.back)(fhir), ours):
            raise FunctionError(f"the function {name} of {value} breaks its law at sample {number}")


def guarded(one: One) -> One:
    """The function, with None for a value on which it fails."""

    def call(value: Any) -> Any:
        try:
            return one(value)
        except Exception:  # noqa: BLE001 - a stranger's function; what it cannot do it does not take
            return None

    return call
