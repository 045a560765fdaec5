"""The maps of a pack."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapter.mapping import Mapper


def mapper(pack: str = "core") -> Mapper:
    """The compiled maps of a pack. Raises PackError."""
    from adapter.mapping import load

    return load(pack)


def held_pack(pack: str = "core") -> str:
    """The pack that a store speaks where this one is asked for: itself, or core where it maps a provider's kinds alone.

    Raises PackError.
    """
    from adapter.records import KINDS

    return pack if any(map_.kind in KINDS for map_ in mapper(pack).main) else "core"
