"""Pages of a server's answers: the next are fetched while some are taken in, so that the server and we work at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from math import isqrt
from typing import TypeVar

from adapter.errors import AdapterError, DataError
from adapter.fhir_json import Tree
from adapter.ports import Rows

T = TypeVar("T")
CHUNK = 40
# Pages, and resources, that are taken in together: a transaction for several pages costs less than one for each.
TOGETHER, MOST = 4, 800


def ahead(pages: Iterable[Rows]) -> Iterator[Rows]:
    """The same pages, each asked for while the one before is in use; what asking raises comes in its place."""
    rest = iter(pages)
    with ThreadPoolExecutor(1, "page") as pool:
        following = pool.submit(next, rest, None)
        while (page := following.result()) is not None:
            following = pool.submit(next, rest, None)
            yield page


def joined(pages: Iterable[Rows]) -> Iterator[Rows]:
    """The same, several pages as one. What was read before a fault is given before it is raised."""
    some = list[Rows]()
    try:
        for page in pages:
            some.append(page)
            if len(some) == TOGETHER or sum(map(len, some)) >= MOST:
                yield _one(some)
                some = []
    except AdapterError:
        if some:
            yield _one(some)
        raise
    if some:
        yield _one(some)


def _one(pages: list[Rows]) -> Rows:
    return Rows(chain.from_iterable(pages), next(filter(None, (page.stamp for page in pages)), ""))


def in_parts(items: Sequence[T], together: Callable[[Sequence[T]], None], alone: Callable[[T], None]) -> None:
    """All of them together where that is possible; where one is at fault, its kin in ever smaller parts, and itself alone."""
    if len(items) == 1:
        alone(items[0])
        return
    try:
        together(items)
    except DataError:
        for some in chunks(items, isqrt(len(items))):
            in_parts(some, together, alone)


def chunks(items: Iterable[T], most: int = CHUNK) -> Iterator[list[T]]:
    """So many at a time: as many as one request asks for by id, where nothing else is said."""
    rest = iter(items)
    while some := list(islice(rest, most)):
        yield some


def deleted_id(row: Tree, type_: str) -> str:
    """The id that an entry of a history says was deleted; empty where it says none."""
    request = row.get("request")
    if not isinstance(request, dict) or request.get("method") != "DELETE":
        return ""
    start, _, id_ = str(request.get("url", "")).partition(f"{type_}/")
    return id_.split("/")[0] if not start or start.endswith("/") else ""
