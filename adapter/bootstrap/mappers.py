"""The maps of a pack."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapter.mapping import Mapper


def mapper(pack: str = "core") -> Mapper:
    """The compiled maps of a pack. Raises PackError."""
    from adapter.mapping import load

    return load(pack)
