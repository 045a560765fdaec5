"""What is generated does the usual by itself: neither a rule nor a two-way function is asked but where that is told here."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.mapping import codecs, concepts, keys, links, lists, oneway, parts, reshape, rules
from adapter.mapping.fast import writing
from adapter.mapping.fast.concepts import QuickConcept
from adapter.mapping.path_steps import NO_SIBLINGS, Siblings
from tests.unit.mapping.fast.odd_maps import ODD, generated, read, written

CLASSES: tuple[type, ...] = (
    rules.Leaf, rules.Named, rules.OwnCode, rules.WithCodes, rules.Group, lists.Items, lists.Scalars, parts.Parts, oneway.Constant,
    oneway.Derived, oneway.OneWay, reshape.When, codecs.Copy, codecs.Values, codecs.Template, concepts.Concept,
    concepts.CodingConcept, concepts.Coded, concepts.Choice, links.Link, links.Related, links.Party, links.Called, keys.Keys, Siblings,
    QuickConcept,
)  # fmt: skip
NAMES = ("read", "write", "decode", "encode", "of", "refer", "settle_ids", "slot")
# By map: what is asked in writing, and in reading, for the first record of its row.
ASKED: dict[str, tuple[set[str], set[str]]] = {
    "anything, a code and a date": ({"Copy.encode"}, set()),
    "defaults": ({"Leaf.write"}, set()),
    "a short table": ({"Values.encode"}, set()),
    "an only element that has something": ({"Copy.encode", "Leaf.write"}, {"Copy.decode", "Leaf.read"}),
    "objects where something stands": ({"Copy.encode", "grow"}, {"Copy.decode"}),
    "arrays where something stands": ({"Copy.encode", "Siblings.slot", "grow"}, {"Copy.decode"}),
    "a way through two kinds of step": ({"grow"}, set()),
    "our identifier behind another": ({"Copy.encode", "Scalars.write", "Siblings.slot", "grow"}, set()),
    "beside slices": (
        {"Copy.encode", "Leaf.write", "OneWay.write", "Scalars.write", "Siblings.slot"},
        {"Copy.decode", "Leaf.read", "Scalars.read"},
    ),
    "only written, into the only element that has something": (
        {"Copy.encode", "Leaf.write", "OneWay.write", "Scalars.write"},
        {"Copy.decode", "Scalars.read"},
    ),
    "elements without keys": ({"Copy.encode", "Scalars.write", "Siblings.slot", "grow"}, set()),
    "a list in the element of another rule": ({"grow", "set_value"}, {"Party.decode"}),
    "a field in one of two places, beside lists": (
        {"Concept.decode", "Concept.encode", "Copy.encode", "Scalars.write", "Siblings.slot", "grow"},
        {"Concept.decode", "Leaf.read"},
    ),
    "items by number": (
        {"Copy.encode", "Items.settle_ids", "Items.write", "Leaf.write"},
        {"Copy.decode", "Items.read", "Keys.of", "Leaf.read"},
    ),
    "elements by key": ({"grow"}, set()),
    "elements by two keys, and what is made with them": ({"Siblings.slot", "grow"}, set()),
    "guarded objects": ({"grow"}, set()),
    "an element as the value": ({"set_value"}, {"QuickConcept.decode"}),
    "slices": ({"Copy.encode", "Leaf.write", "Siblings.slot"}, {"Copy.decode", "Leaf.read"}),
    "elements in the order of the rules": ({"grow"}, set()),
    "lists by key beside other keys": (
        {"Copy.encode", "Items.settle_ids", "Items.write", "Keys.of", "Keys.refer", "Leaf.write", "Siblings.slot", "grow"},
        set(),
    ),
    "a list twice in one array": ({"Copy.encode", "Scalars.write", "Siblings.slot"}, set()),
    "a list below an element of another": ({"grow"}, set()),
    "an unknown way into an array before a list": ({"Copy.encode", "Scalars.write", "Siblings.slot", "grow"}, {"Copy.decode"}),
    "identifiers": ({"Copy.encode", "Scalars.write", "Siblings.slot", "grow"}, set()),
    "texts below an object": ({"elements_of"}, set()),
    "texts in elements": ({"elements_of"}, set()),
    "concepts in a list": (
        {"Concept.decode", "Concept.encode", "QuickConcept.encode"},
        {"Concept.decode", "QuickConcept.decode"},
    ),
    "links in a list": (set(), {"Link.decode"}),
    "a list with a default": ({"Copy.encode", "Scalars.write"}, {"Copy.decode", "Scalars.read"}),
    "lone values": ({"Copy.encode", "Scalars.write"}, {"Copy.decode", "Scalars.read"}),
    "a concept of no table": (set(), {"QuickConcept.decode"}),
    "a concept below an object, and its further codes": (
        {"Concept.decode", "Concept.encode", "Leaf.write", "WithCodes.write"},
        {"Concept.decode", "Leaf.read", "WithCodes.read"},
    ),
    "further codes below an object": (
        {"Concept.decode", "Concept.encode", "Leaf.write", "WithCodes.write"},
        {"Concept.decode", "Leaf.read", "WithCodes.read"},
    ),
    "a concept that stands there": (
        {"Concept.decode", "Concept.encode", "QuickConcept.encode", "current"},
        {"QuickConcept.decode"},
    ),
    "choices": (
        {"Choice.encode", "CodingConcept.encode", "Concept.decode", "Concept.encode"},
        {"Choice.decode", "CodingConcept.decode", "Concept.decode"},
    ),
    "a link": (set(), {"Link.decode"}),
    "a party": ({"Party.encode", "Related.encode"}, {"Link.decode"}),
    "a link and what it is called": (
        {"Called.decode", "Called.encode", "Link.decode", "Link.encode", "Named.write"},
        {"Called.decode", "Link.decode"},
    ),
    "a link where something stands": (
        {"Called.decode", "Called.encode", "Link.decode", "Link.encode", "current"},
        {"Called.decode", "Link.decode"},
    ),
    "a code that is FHIR's as well": (
        {"Copy.encode", "OwnCode.write", "Values.encode"},
        {"Copy.decode", "Leaf.read", "OwnCode.read"},
    ),
    "a code of ours with a default": ({"Copy.encode", "OwnCode.write"}, {"Copy.decode", "Leaf.read", "OwnCode.read"}),
    "a code of ours in an element": ({"Copy.encode", "OwnCode.write"}, {"Copy.decode", "Leaf.read", "OwnCode.read"}),
    "texts of one": ({"Template.encode"}, {"Template.decode"}),
    "texts of one in an element": ({"Template.encode"}, {"Group.read", "Template.decode"}),
    "for some records": ({"Copy.encode", "Leaf.write", "Scalars.write", "When.write"}, set()),
    "constants": ({"Constant.write", "grow"}, set()),
    "a constant object is not shared": ({"grow"}, set()),
    "derived": ({"set_value"}, set()),
    "items that link": ({"Items.settle_ids", "Keys.of", "Keys.refer", "Link.decode", "Link.encode", "grow"}, {"Link.decode"}),
    "items but some": (
        {"Copy.decode", "Copy.encode", "Items.settle_ids", "Items.write", "Keys.of", "Keys.refer", "Leaf.read", "Leaf.write", "Siblings.slot"},
        set(),
    ),
    "items by key": ({"grow"}, set()),
    "items below an object": ({"elements_of"}, set()),
    "items that are resources, and what is said of them": ({"grow"}, set()),
    "items that are resources or stand in one of two places": (
        {"Items.settle_ids", "Parts.write"},
        {"Keys.of", "Leaf.read", "Parts.read"},
    ),
    "items that are resources, below an object": ({"Parts.write"}, {"Parts.read"}),
    "items that are resources, by a field": ({"Parts.write"}, {"Parts.read"}),
    "items that are resources, where something stands": ({"Copy.encode", "Parts.write"}, {"Copy.decode"}),
    "what is taken away is not written into": ({"Leaf.write", "OwnCode.write", "Values.encode", "take_away"}, set()),
    "what a rule takes away is not written into": ({"Copy.encode", "Leaf.write", "OwnCode.write"}, set()),
    "a list below an object, with a default": ({"Copy.encode", "Scalars.write"}, {"Copy.decode", "Scalars.read"}),
    "values where something stands": ({"elements_of"}, {"Copy.decode"}),
    "what a rule leaves alone is not looked for again": ({"Copy.encode", "Leaf.write"}, {"Copy.decode", "Leaf.read"}),
    "identifiers of a part": ({"grow"}, set()),
    "what is not written takes its holders away": ({"Values.encode", "take_away"}, set()),
}  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What is asked from now on, as `Class.method`."""
    found: set[str] = set()

    def listening(name: str, plain: Any) -> Any:
        def method(*arguments: Any) -> Any:
            if arguments[0] is not NO_SIBLINGS:
                found.add(name)
            return plain(*arguments)

        return method

    for name in ("set_value", "grow", "current", "take_away", "elements_of"):
        monkeypatch.setitem(writing._HELPERS, name, listening(name, writing._HELPERS[name]))
    for each in CLASSES:
        for name in NAMES:
            if callable(vars(each).get(name)):
                monkeypatch.setattr(each, name, listening(f"{each.__name__}.{name}", vars(each)[name]))
    return found


@pytest.mark.parametrize("name", ODD)
def test_only_the_unusual_is_asked(name: str, asked: set[str]) -> None:
    record = ODD[name].records[0]
    resources, _ = written(name, record)
    with generated(name):
        # Once to learn what codes lead to.
        written(name, record), read(name, resources)
        asked.clear()
        written(name, record)
        out = set(asked)
        asked.clear()
        read(name, resources)
    assert (out, asked) == ASKED.get(name, (set(), set()))
