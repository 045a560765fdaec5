"""Bundles a page at a time, along links that stay at home. https://hl7.org/fhir/R4/http.html#paging"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from adapter.errors import Unavailable
from adapter.exchange.limits import Limits
from adapter.exchange.links import held
from adapter.exchange.wire import entries_of, versioned
from adapter.ports import Clock, Tree

Fetch = Callable[[str], Tree]
Key = tuple[str, str]


def pages(first: Tree, fetch: Fetch, *, base: str, place: str, limits: Limits, clock: Clock) -> Iterator[Tree]:
    """`first`, then what its `next` links lead to; `fetch` gets one URL.

    Raises Unavailable for a link elsewhere, a circle of links, too many pages or too long a wait.
    """
    seen: set[str] = set()
    page, waited = first, 0.0
    while True:
        yield page
        url = next_url(page, base)
        if url is None:
            return
        if url in seen:
            raise Unavailable("The server's pages run in a circle.", place=place)
        seen.add(url)
        if len(seen) >= limits.pages:
            raise Unavailable(f"The server has more than {limits.pages} pages.", place=place, remedy="Ask for less.")
        began = clock.monotonic()
        page = fetch(url)
        waited += clock.monotonic() - began
        if waited > limits.paging_seconds:
            raise Unavailable("The pages took longer than allowed.", place=place, remedy="Ask for less.")


def whole(ask: Callable[[int], Iterator[Tree]], asked: int, *, place: str) -> Iterator[Tree]:
    """The pages that `ask` gets with so many matches in each (0: as many as the server likes). A server that does not page
    gives as many as it was asked for, and no link: it is asked for all, and what it gave is not given again.

    Raises Unavailable where it has still more then. https://hl7.org/fhir/R4/search.html#count
    """
    given: set[Key] = set()
    while True:
        answer = ask(asked)
        first = next(answer)
        yield _without(first, given)
        following = next(answer, None)
        if following is not None:
            yield _without(following, given)
            yield from (_without(page, given) for page in answer)
            return
        here, total = _keys(first), first.get("total")
        most = total if isinstance(total, int) else 0 if len(here) < asked else 2 * asked
        if given and len(here) < min(asked, most):
            text = f"The server gave {len(here)} of {most} matches, and no link to the others."
            raise Unavailable(
                text, place=place, remedy="Nothing of it is lost; it cannot be read before the server pages."
            )
        if not asked or len(here) < asked or most <= asked:
            return
        asked, given = most, given | here


def count_of(params: Mapping[str, str | Sequence[str]]) -> int:
    """How many matches a search asks for in a page; 0 where it does not say."""
    count = params.get("_count", "")
    return int(count) if isinstance(count, str) and count.isdecimal() else 0


def _keys(page: Tree) -> set[Key]:
    """What was searched for on a page; not what was included with it, or said of the search."""
    return {_key(entry) for entry in entries_of(page) if _mode(entry) == "match"}


def _without(page: Tree, given: set[Key]) -> Tree:
    if not given:
        return page
    return {**page, "entry": [entry for entry in entries_of(page) if _key(entry) not in given]}


def _key(entry: Tree) -> Key:
    resource = entry.get("resource")
    found = versioned(resource if isinstance(resource, dict) else {})
    return str(found.resource.get("id")), found.version


def _mode(entry: Tree) -> str:
    search = entry.get("search")
    return str(search.get("mode", "match")) if isinstance(search, dict) else "match"


def next_url(page: Tree, base: str) -> str | None:
    """Where the next page is, None where this is the last. Raises Unavailable for a link elsewhere."""
    links: Any = page.get("link")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("relation") == "next":
            url = link.get("url")
            return held(base, url) if isinstance(url, str) and url else None
    return None
