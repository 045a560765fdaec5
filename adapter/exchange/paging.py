"""Bundles a page at a time, along links that stay at home. https://hl7.org/fhir/R4/http.html#paging"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from adapter.errors import Unavailable
from adapter.exchange.limits import Limits
from adapter.exchange.links import held
from adapter.ports import Clock, Tree

Fetch = Callable[[str], Tree]


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


def next_url(page: Tree, base: str) -> str | None:
    """Where the next page is, None where this is the last. Raises Unavailable for a link elsewhere."""
    links: Any = page.get("link")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("relation") == "next":
            url = link.get("url")
            return held(base, url) if isinstance(url, str) and url else None
    return None
