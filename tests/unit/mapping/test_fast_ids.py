"""The ids of a new list's elements, by the generated code and by the rule: the same, in and out of the usual."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.fhir_json import dumps
from adapter.identity import content_id
from adapter.mapping.codecs import Copy, is_text
from adapter.mapping.fast import generate, source_of
from adapter.mapping.keys import Keys
from adapter.mapping.links import Link
from adapter.mapping.lists import Items
from adapter.mapping.maps import ResourceMap
from adapter.mapping.paths import parse
from adapter.mapping.rules import Leaf
from adapter.mapping.scope import RelativeRefs, Scope

Tree = dict[str, Any]
ONE, OTHER = "0ab81b1e-9a0c-4bc1-9e2c-3a4f6d1c7e01", "1bc92c2f-ab1d-4cd2-8f3d-4b507e2d8f02"
DERIVED = content_id(dumps({"text": "x"}), 1)
ITEMS: dict[str, list[Any]] = {
    "ids of their own": [{"id": ONE, "text": "x"}, {"id": OTHER}],
    "a plain one": [{"id": "n1", "text": "x"}],
    "a derived one": [{"id": "n1", "text": "x"}, {"id": DERIVED, "text": "x"}],
    "only a derived one": [{"id": DERIVED, "text": "x"}],
    "the same twice": [{"id": ONE, "text": "x"}, {"id": ONE, "text": "y"}],
    "none": [{"text": "x"}, {"text": "x"}],
    "no texts": [{"id": 7, "text": "x"}, {"id": None}, {"id": []}],
    "no objects": ["x", None, {"id": ONE}],
    "a text that leads elsewhere": [{"id": ONE, "text": "#c"}, {"id": "n1", "text": "#g"}],
    "an empty one": [{"id": "", "text": "x"}],
}


class _Plain(RelativeRefs):
    """References by identifier alone, as those of a Bundle are to what is not in it."""

    def to_record(self, type_: str, record_id: str) -> Tree:
        found = super().to_record(type_, record_id)
        del found["reference"]
        return found


def _map(element: str, keys: Keys) -> ResourceMap:
    leaf = Leaf("f:2:3", ("text",), parse(element, {}), Copy(is_text))
    rule = Items("f:1:1", ("rows",), parse("addresses", {}), keys, [leaf])
    return ResourceMap("m", "plan", "CarePlan", [rule])


def _made(map_: ResourceMap, items: list[Any], refs: RelativeRefs, *, fast: bool) -> bytes:
    map_.fast = generate(map_) if fast else None
    contained = [{"resourceType": "Condition", "id": "c"}, {"resourceType": "Goal", "id": "g"}]
    root: Tree = {"resourceType": "CarePlan", "contained": contained}
    map_.make({"id": ONE, "rows": items}, Scope(refs, "plan", ONE, {"": root}, root))
    return dumps(root)


@pytest.mark.parametrize("element", ["display", "id", "identifier.value", "type", "reference"])
@pytest.mark.parametrize(
    "keys", [Keys(), Keys(uuid=True), Keys(link=Link("Condition")), Keys(link=Link("Goal"), at="r")]
)
@pytest.mark.parametrize("refs", [RelativeRefs, _Plain])
@pytest.mark.parametrize("name", ITEMS)
def test_both_give_the_same_ids(name: str, refs: type[RelativeRefs], keys: Keys, element: str) -> None:
    map_ = _map(element, keys)
    try:
        expected: Any = _made(map_, ITEMS[name], refs(), fast=False)
    except (TypeError, AttributeError) as error:
        expected = type(error)
    try:
        found: Any = _made(map_, ITEMS[name], refs(), fast=True)
    except (TypeError, AttributeError) as error:
        found = type(error)
    assert found == expected


def test_ids_of_the_usual_form_are_set_where_the_element_is_made() -> None:
    assert "e['id'] = key" in source_of(_map("display", Keys()))
    assert "e['id'] = key" not in source_of(_map("id", Keys()))
    assert "said.add(key)" in source_of(_map("display", Keys(link=Link("Condition"))))
    assert "said.add(key)" not in source_of(_map("type", Keys(link=Link("Condition"))))
