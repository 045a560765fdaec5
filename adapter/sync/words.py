"""Our words and theirs: what a server makes of what it was sent (it trims, it drops a digit or an element) is no edit. Pure."""

from __future__ import annotations

from adapter.fhir_json import Tree, same
from adapter.sync.merge import merge, ours, theirs

_ASIDE = ("meta", "text")


def edited(known: Tree, seen: Tree | None, now: Tree) -> Tree:
    """What we know with what they changed in it: from the server's form of it (`seen`; None: as we sent it) to what is there
    `now`.
    """
    if seen is None:
        return now
    tree = merge(seen, known, now, theirs)[0]
    return now if same(_content(tree), _content(now)) else tree


def says_all(now: Tree, base: Tree, known: Tree) -> bool:
    """Whether what is there `now` holds all that we changed from `base` to what we know, in their words or in ours."""
    return same(merge(base, known, now, ours)[0], now)


def _content(tree: Tree) -> Tree:
    return {key: value for key, value in tree.items() if key not in _ASIDE}
