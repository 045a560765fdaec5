"""A compiled map: when its functions are made, and that both ways of asking it are used as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adapter.mapping.codecs import Copy, is_text
from adapter.mapping.mapper import PackMaps
from adapter.mapping.maps import WARM, Generated, ResourceMap
from adapter.mapping.paths import parse
from adapter.mapping.rules import Leaf
from adapter.mapping.scope import RelativeRefs, Scope

Tree = dict[str, Any]
RECORD = {"id": "0ab81b1e-9a0c-4bc1-9e2c-3a4f6d1c7e01"}


def scope() -> Scope:
    root: Tree = {"resourceType": "Goal"}
    return Scope(RelativeRefs(), "goal", RECORD["id"], {"": root}, root)


class Counting:
    """Makes functions that say that they were used, and counts how often it was asked to."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, map_: ResourceMap) -> Generated:
        self.times += 1
        return Generated(lambda resource, out, _scope: {**out, "fast": True}, lambda resource, *_: resource.update(x=1))


def counted() -> tuple[ResourceMap, Counting]:
    counting = Counting()
    return ResourceMap("goal", "goal", "Goal", [], generate=counting), counting


def read(map_: ResourceMap) -> bool:
    """Whether the made function has read."""
    return bool(map_.read({"resourceType": "Goal"}, scope()))


def made(map_: ResourceMap) -> bool:
    """Whether the made function has filled."""
    here = scope()
    map_.make(RECORD, here)
    assert here.root["identifier"][0]["value"] == RECORD["id"]
    return "x" in here.root


@pytest.mark.parametrize("used", [read, made])
def test_a_few_resources_go_by_the_rules_and_from_then_on_by_what_is_made_once(
    used: Callable[[ResourceMap], bool],
) -> None:
    map_, counting = counted()
    assert not any(used(map_) for _ in range(WARM))
    assert counting.times == 0
    assert all(used(map_) for _ in range(3))
    assert counting.times == 1


def test_reading_and_making_count_together() -> None:
    map_, counting = counted()
    assert [read(map_) or made(map_) for _ in range(WARM // 2)] == [False] * (WARM // 2)
    assert made(map_)
    assert read(map_)
    assert counting.times == 1


def test_a_map_that_makes_none_is_asked_by_its_rules_for_good() -> None:
    map_ = ResourceMap("goal", "goal", "Goal", [])
    assert not any(read(map_) or made(map_) for _ in range(WARM + 1))


def test_a_rule_for_the_id_or_the_kind_writes_nothing_while_they_stay() -> None:
    def leaf(name: str, path: str) -> Leaf:
        return Leaf(f"f:{name}", (name,), parse(path, {}), Copy(is_text))

    map_ = ResourceMap("goal", "goal", "Goal", [leaf("id", "label"), leaf("kind", "sort"), leaf("text", "words")])
    pack = PackMaps("p", "1", {"goal": map_}, main=(map_,))
    record = {"kind": "goal", "text": "after", **RECORD}
    foreign = {"resourceType": "Goal", "id": "g", "words": "before"}
    assert pack.parts(record, {"": foreign})[0] == {"": {**foreign, "words": "after"}}
    made = pack.parts(record)[0][""]
    assert (made["label"], made["sort"]) == (RECORD["id"], "goal")
