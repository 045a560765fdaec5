"""Edits of a record, as people and other systems make them: one thing changed, added, removed or moved."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from adapter.fhir_json import copy, same
from tests.laws.settling import ATOMIC, INTAKE, settle
from tests.laws.values import Tree, Trees


def edits(record: Tree, other: Tree) -> Trees:
    """Copies of a record with one thing edited; what comes new is taken from another record of the same kind."""
    return _edited(record, other).filter(lambda edited: not same(edited, record))


@st.composite
def _edited(draw: st.DrawFn, record: Tree, other: Tree) -> Tree:
    tree = copy(record)
    _edit_object(draw, tree, other, _IDENTITY | _form(record, other), 0)
    return settle(tree)


_IDENTITY = frozenset({"kind", "id"})


def _form(record: Tree, other: Tree) -> frozenset[str]:
    """The intake form stays the intake form: with another one it would be another assessment."""
    forms = {record.get("questionnaire"), other.get("questionnaire")}
    return frozenset({"questionnaire"}) if INTAKE in forms else frozenset()


def _edit_object(draw: st.DrawFn, tree: Tree, other: Tree, kept: frozenset[str], depth: int) -> None:
    """Change, add or remove one field, as the other object has it."""
    names = sorted((tree.keys() | other.keys()) - kept)
    names = [name for name in names if name not in tree or name not in other or not same(tree[name], other[name])]
    if not names:
        return
    name = draw(st.sampled_from(names))
    mine, theirs = tree.get(name), other.get(name)
    if isinstance(mine, list) and draw(st.booleans()):
        tree[name] = _edit_list(draw, name, mine, theirs if isinstance(theirs, list) else [], depth)
    elif name not in other:
        _remove(tree, name)
    elif (
        isinstance(mine, dict) and isinstance(theirs, dict) and name not in ATOMIC and "code" not in {**mine, **theirs}
    ):
        _edit_object(draw, mine, theirs, frozenset(), depth + 1)
    else:
        tree[name] = copy(theirs)


WHOLE = frozenset({"answers", "initial", "options", "enable_when", "contexts", "provisions"})
"""Lists whose items hold exactly one of several values: an item is replaced, never edited inside."""
REQUIRED = frozenset(
    ["status", "intent", "title", "questionnaire", "linkId", "type", "system", "value", "name", "text", "low", "high"]
)


def _remove(tree: Tree, name: str) -> None:
    if name not in REQUIRED:
        del tree[name]


def _edit_list(draw: st.DrawFn, name: str, mine: list[Any], theirs: list[Any], depth: int) -> list[Any]:
    rows = list(mine)
    act = draw(st.sampled_from(["remove", "move", "add", "edit"]))
    index = draw(st.integers(0, len(rows) - 1))
    if act == "remove" and (len(rows) > 1 or depth == 0):
        del rows[index]
    elif act == "move":
        rows.append(rows.pop(index))
    elif act == "add" and theirs:
        rows.insert(index, copy(theirs[0]))
    elif isinstance(rows[index], dict) and theirs and len(rows[index]) > 1 and isinstance(theirs[-1], dict):
        if name in WHOLE or {"reference", "identifier"} & {*rows[index], *theirs[-1]}:
            rows[index] = copy(theirs[-1])
        else:
            _edit_object(draw, rows[index], theirs[-1], _KEPT.get(name, _KEYS), depth + 1)
            if rows[index].keys() == {"id"} and name not in _BARE:
                del rows[index]  # An item of which nothing is left is no item.
    return rows


_BARE = frozenset({"goals", "interventions", "care_team", "problems", "assessments"})
_KEYS = frozenset({"id", "linkId"})
_KEPT = {"instruments": _KEYS | {"name", "answers", "complete", "band"}}
