"""Whose id is whose: references rewritten on the way out and on the way in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from adapter.fhir_json import dumps, reloads

Tree = dict[str, Any]
Rename = Callable[[str, str], str | None]
Names = dict[str, str | None]

# What stands before a literal in the text of a tree: within a string these quotes would be escaped.
_MARK = b'"reference":"'
_STRING = re.compile(rb'(?:[^"\\]|\\.)*')


def literals(tree: Any) -> list[str]:
    """What every Reference of a tree says, in the order in which they stand. Found in its text, in half the time of a walk."""
    return [_string(rest) for rest in dumps(tree).split(_MARK)[1:]]


def _string(rest: bytes) -> str:
    """What a text says up to the end of the string that it begins in."""
    plain = rest[: rest.index(b'"')]
    if b"\\" not in plain:
        return plain.decode()
    whole = _STRING.match(rest)
    return str(reloads(b'"%b"' % whole[0])) if whole else ""


def rewritten(tree: Any, rename: Callable[[str], str | None]) -> Any:
    """The tree with its literal references renamed; where `rename` gives None the literal goes, and what is left empty.
    What holds no reference that gets another name is not copied.
    """
    return applied(tree, renamed(tree, rename))


def renamed(tree: Any, rename: Callable[[str], str | None]) -> Names:
    """What becomes of each literal reference of a tree that leads out of it."""
    return {literal: rename(literal) for literal in literals(tree) if not literal.startswith("#")}


def applied(tree: Any, names: Names) -> Any:
    """The tree with its literal references renamed so: see `rewritten`."""
    if all(old == new for old, new in names.items()):
        return tree
    if type(tree) is dict:
        return _object(tree, names)
    return _array(tree, names) if type(tree) is list else tree


def _array(values: list[Any], names: Names) -> list[Any]:
    changed: dict[int, Any] = {}
    for index, value in enumerate(values):
        kind = type(value)
        if kind is dict or kind is list:
            new = _object(value, names) if kind is dict else _array(value, names)
            if new is not value:
                changed[index] = new
    if not changed:
        return values
    made = [changed.get(index, value) for index, value in enumerate(values)]
    return [new for new, old in zip(made, values, strict=True) if new != {} or old == {}]


def _object(tree: Tree, names: Names) -> Tree:
    changed: Tree = {}
    new: Any
    for key, value in tree.items():
        kind = type(value)
        if kind is dict:
            new = _object(value, names)
        elif kind is list:
            new = _array(value, names)
        elif key == "reference" and kind is str and not value.startswith("#"):
            new = names[value]
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
    # Of an Extension that held it the url is no rest that could stand alone. https://hl7.org/fhir/R4/extensibility.html
    return {} if gone and "url" in made and made.keys() <= {"url", "id"} else made


def relative(literal: str, base: str = "") -> tuple[str, str] | None:
    """(type, id) of a reference to the same server; None for any other."""
    if base and literal.startswith(f"{base}/"):
        literal = literal[len(base) + 1 :]
    parts = literal.split("/_history/")[0].split("/")
    if len(parts) == 2 and parts[0][:1].isupper() and parts[1]:
        return parts[0], parts[1]
    return None


def local_to_remote(tree: Tree, ids: Rename, base: str, urns: Mapping[tuple[str, str], str]) -> Tree:
    """A resource as it is to be sent, by `outward`."""
    return applied(tree, outward(tree, ids, base, urns))  # type: ignore[no-any-return]


def outward(tree: Tree, ids: Rename, base: str, urns: Mapping[tuple[str, str], str]) -> Names:
    """The names of references as they are sent: `ids` gives the remote id of a local one, `urns` what goes in the same Bundle.

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

    return renamed(tree, rename)


def is_told_back(names: Names) -> bool:
    """Whether what is sent under these names comes back as ours, word for word, where the server leaves it as it was sent:
    each leads to what has its id there, and is named by ours here.
    """
    return all(new is not None and _plain(old) and _plain(new) for old, new in names.items())


def _plain(literal: str) -> bool:
    return literal.count("/") == 1 and relative(literal) is not None


def remote_to_local(tree: Tree, ids: Rename, base: str) -> Tree:
    """A resource as the store holds it: known targets by our ids, others by their absolute address."""

    def rename(literal: str) -> str | None:
        key = relative(literal, base)
        if key is None:
            return literal
        local = ids(*key)
        return f"{key[0]}/{local}" if local else f"{base}/{key[0]}/{key[1]}"

    return rewritten(tree, rename)  # type: ignore[no-any-return]
