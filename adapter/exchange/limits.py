"""How much a server may take of our time and memory."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the exchange with one server.

    `seconds` for one call from start to last byte, of which `connect_seconds` at most to connect; `size` in bytes of one
    answer, after decompression; `depth` of its JSON; `pages` of one search or history, which together may take
    `paging_seconds` of waiting; `query` in characters, above which a search is sent as a form.
    """

    seconds: float = 60.0
    connect_seconds: float = 10.0
    size: int = 64 * MEGABYTE
    depth: int = 100
    pages: int = 2000
    paging_seconds: float = 1800.0
    query: int = 1500
