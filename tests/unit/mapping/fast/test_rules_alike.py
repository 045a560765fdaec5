"""The generated functions of small maps give what their rules give: on what the rules write themselves, on that with each
value damaged in every way, and on what only others would write.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from tests.unit.mapping.fast.alike import differing, harmed, outcome
from tests.unit.mapping.fast.odd_maps import ODD, Tree, generated, read, with_part, written


def inputs(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Records and resources by name: those of the row, what the rules make of them, and all of these damaged."""
    odd = ODD[name]
    nodes = [written(name, record)[0] for record in odd.records if good(name, record)]
    nodes += [with_part(node) for node in odd.nodes]
    return _with_harm(odd.records), _with_harm(nodes)


def good(name: str, record: Tree) -> bool:
    """Whether the rules take a record at all."""
    return not isinstance(outcome(lambda: written(name, record)), type)


def _with_harm(trees: list[Tree]) -> dict[str, Any]:
    # A resource is one: the engine gives no map anything else.
    known: set[tuple[str, ...]] = {("",)}
    found = {f"{number}": tree for number, tree in enumerate(trees)}
    for number, tree in enumerate(trees):
        found |= {f"{number} {place}": row for place, row in harmed(tree, known, every=1)}
    return found


@cache
def expected(name: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The inputs of a row, and what its rules give."""
    records, nodes = inputs(name)
    return records, nodes, outcomes(name, written, records), outcomes(name, read, nodes)


def outcomes(name: str, work: Any, trees: dict[str, Any]) -> dict[str, Any]:
    """What comes of each tree."""
    return {key: outcome(lambda tree=tree: work(name, tree)) for key, tree in trees.items()}


@pytest.mark.parametrize("name", ODD)
def test_both_ways_are_alike(name: str) -> None:
    records, nodes, out, back = expected(name)
    assert any(not isinstance(value, type) for value in out.values())
    with generated(name):
        # Once more: what was remembered gives the same.
        for _ in range(2):
            assert differing(out, outcomes(name, written, records)) == {}
            assert differing(back, outcomes(name, read, nodes)) == {}
