"""Whose id is whose: references rewritten on the way out and on the way in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Tree = dict[str, Any]
Rename = Callable[[str, str], str | None]


def rewritten(tree: Any, rename: Callable[[str], str | None]) -> Any:
    """The tree with its literal references renamed; where `rename` gives None the literal goes, and what is left empty.
    What holds no reference is not copied.
    """
    if type(tree) is dict:
        return _object(tree, rename)
    return _array(tree, rename) if type(tree) is list else tree


def _array(values: list[Any], rename: Callable[[str], str | None]) -> list[Any]:
    changed: dict[int, Any] = {}
    for index, value in enumerate(values):
        kind = type(value)
        if kind is dict or kind is list:
            new = _object(value, rename) if kind is dict else _array(value, rename)
            if new is not value:
                changed[index] = new
    if not changed:
        return values
    made = [changed.get(index, value) for index, value in enumerate(values)]
    return [new for new, old in zip(made, values, strict=True) if new != {} or old == {}]


def _object(tree: Tree, rename: Callable[[str], str | None]) -> Tree:
    changed: Tree = {}
    new: Any
    for key, value in tree.items():
        kind = type(value)
        if kind is dict:
            new = _object(value, rename)
        elif kind is list:
            new = _array(value, rename)
        elif key == "reference" and kind is str and not value.startswith("#"):
            new = rename(value)
        else:
            continue
        if new is not value:
            changed[key] = new
    if not changed:
        return tree
    made = {**tree, **changed}
    gone = [key for key, value in changed.items() if value is None or (value in ({}, []) and tree[key] not in ({}, []))]
    for key in gone:
        del made[key]
    return made


def literals(tree: Any) -> list[str]:
    """What every Reference of a tree says, in the order in which they stand."""
    found: list[str] = []
    _collect(tree, found)
    return found


def _collect(node: Any, found: list[str]) -> None:
    if type(node) is list:
        for value in node:
            kind = type(value)
            if kind is dict or kind is list:
                _collect(value, found)
    elif type(node) is dict:
        literal = node.get("reference")
        if type(literal) is str:
            found.append(literal)
        for value in node.values():
            kind = type(value)
            if kind is dict or kind is list:
                _collect(value, found)


def relative(literal: str, base: str = "") -> tuple[str, str] | None:
    """(type, id) of a reference to the same server; None for any other."""
    if base and literal.startswith(f"{base}/"):
        literal = literal[len(base) + 1 :]
    parts = literal.split("/_history/")[0].split("/")
    if len(parts) == 2 and parts[0][:1].isupper() and parts[1]:
        return parts[0], parts[1]
    return None


def local_to_remote(tree: Tree, ids: Rename, base: str, urns: dict[tuple[str, str], str]) -> Tree:
    """A resource as it is to be sent: `ids` gives the remote id of a local one, `urns` what goes in the same Bundle.

    A target that the server does not have is named by what stands beside the literal: identifier, type, display.
    """

    def rename(literal: str) -> str | None:
        key = relative(literal, base)
        if key is None or literal.startswith(f"{base}/"):
            return f"{key[0]}/{key[1]}" if key else literal
        if key in urns:
            return urns[key]
        remote = ids(*key)
        return f"{key[0]}/{remote}" if remote else None

    return rewritten(tree, rename)  # type: ignore[no-any-return]


def remote_to_local(tree: Tree, ids: Rename, base: str) -> Tree:
    """A resource as the store holds it: known targets by our ids, others by their absolute address."""

    def rename(literal: str) -> str | None:
        key = relative(literal, base)
        if key is None:
            return literal
        local = ids(*key)
        return f"{key[0]}/{local}" if local else f"{base}/{key[0]}/{key[1]}"

    return rewritten(tree, rename)  # type: ignore[no-any-return]
