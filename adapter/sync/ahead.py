"""The next page is fetched while this one is taken in: the server and we work at the same time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from adapter.ports import Rows


def ahead(pages: Iterable[Rows]) -> Iterator[Rows]:
    """The same pages, each asked for while the one before is in use; what asking raises comes in its place."""
    rest = iter(pages)
    with ThreadPoolExecutor(1, "page") as pool:
        following = pool.submit(next, rest, None)
        while (page := following.result()) is not None:
            following = pool.submit(next, rest, None)
            yield page
