"""Pages of a server's answers: the next is fetched while one is taken in, so that the server and we work at the same time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from adapter.fhir_json import Tree
from adapter.ports import Rows

T = TypeVar("T")
CHUNK = 40


def ahead(pages: Iterable[Rows]) -> Iterator[Rows]:
    """The same pages, each asked for while the one before is in use; what asking raises comes in its place."""
    rest = iter(pages)
    with ThreadPoolExecutor(1, "page") as pool:
        following = pool.submit(next, rest, None)
        while (page := following.result()) is not None:
            following = pool.submit(next, rest, None)
            yield page


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
