"""FHIR paths: selected when read, made when written, pruned when empty; never an index."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapter.mapping import paths
from adapter.mapping.path_steps import Siblings, Step
from adapter.mapping.paths import PathError, expand, get, is_name, parse, put, record_steps

PREFIXES = {"ext": "https://x.test/ext"}


def test_a_name_alone_is_the_object_of_that_name() -> None:
    paths._named.cache_clear()
    path = parse("a.b", {})
    assert (path.steps, path.last, path.first) == ((Step("a"),), Step("b"), Step("a"))
    assert parse("b", {}).first == Step("b")


def test_a_selector_reads_the_element_it_names() -> None:
    path = parse("extension[url=$ext/a].valueString", PREFIXES)
    node = {"extension": [{"url": "other"}, {"url": "https://x.test/ext/a", "valueString": "v"}]}
    holder = path.holder(node)
    assert holder is not None
    assert holder["valueString"] == "v"


def test_a_selector_makes_the_element_it_names() -> None:
    path = parse("extension[url=$ext/a].extension[url=b].valueCode", PREFIXES)
    node: dict[str, object] = {}
    path.make_holder(node)["valueCode"] = "c"
    inner = {"url": "b", "valueCode": "c"}
    assert node == {"extension": [{"url": "https://x.test/ext/a", "extension": [inner]}]}


def test_what_only_made_it_is_pruned_from_the_inside_out() -> None:
    path = parse("extension[url=$ext/a].extension[url=b].valueCode", PREFIXES)
    node: dict[str, object] = {"id": "1"}
    del path.make_holder(node)["url"]
    path.make_holder(node)
    path.prune(node)
    assert node == {"id": "1", "extension": [{"url": "https://x.test/ext/a", "extension": [{}]}]}
    clean: dict[str, object] = {}
    path.make_holder(clean)
    path.prune(clean)
    assert clean == {}


def test_an_element_that_still_holds_something_stays() -> None:
    path = parse("extension[url=u].valueCode", {})
    node = {"extension": [{"url": "u", "extension": [{"url": "foreign"}]}]}
    path.prune(node)
    assert node == {"extension": [{"url": "u", "extension": [{"url": "foreign"}]}]}


@pytest.mark.parametrize("value", [None, [], [{}, {}], ["x"], {"a": 1}, "x", 5])
def test_the_only_element_is_none_where_there_is_not_one_object(value: object) -> None:
    assert parse("answer[!].valueString", {}).holder({"answer": value}) is None


def test_a_guard_must_hold_and_is_written() -> None:
    path = parse("onsetAge(code=a,unit:=years).value", {})
    assert path.holder({"onsetAge": {"code": "mo", "value": 3}}) is None
    node: dict[str, object] = {"onsetAge": {"code": "mo", "value": 3}}
    path.make_holder(node)["value"] = 5
    assert node == {"onsetAge": {"code": "a", "unit": "years", "value": 5}}


@pytest.mark.parametrize("text", ["", "a..b", "a[", "a[k]", "a[=v]", "0a", "a b", "a[0]", "a.", "[k=v]"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(PathError):
        parse(text, {})


def test_an_unknown_prefix_is_named() -> None:
    with pytest.raises(PathError, match=r"\$nope"):
        expand("$nope/x", PREFIXES)


def test_record_paths() -> None:
    tree: dict[str, object] = {}
    put(tree, record_steps("a.b"), 1)
    assert tree == {"a": {"b": 1}}
    assert get(tree, ("a", "b", "c")) is None
    with pytest.raises(PathError):
        record_steps("a..b")


def test_a_slice_is_found_by_its_pattern_and_made_with_it() -> None:
    path = parse("category[coding.system=s,coding.code=c].text", {})
    node: dict[str, Any] = {"category": [{"coding": [{"system": "s", "code": "d"}, {"system": "t", "code": "c"}]}]}
    assert path.holder(node) is None
    path.make_holder(node)["text"] = "ours"
    assert node["category"][1] == {"coding": [{"system": "s", "code": "c"}], "text": "ours"}
    assert path.holder(node) is node["category"][1]
    del node["category"][1]["text"]
    path.prune(node)
    assert len(node["category"]) == 1


def test_what_others_put_into_a_slice_keeps_it() -> None:
    path = parse("identifier[type.coding.code=MR].value", {})
    node: dict[str, Any] = {}
    path.make_holder(node)["value"] = "7"
    assert node == {"identifier": [{"type": {"coding": [{"code": "MR"}]}, "value": "7"}]}
    node["identifier"][0]["type"]["text"] = "record number"
    del node["identifier"][0]["value"]
    path.prune(node)
    assert node == {"identifier": [{"type": {"coding": [{"code": "MR"}], "text": "record number"}}]}


def test_where_several_stand_the_only_one_is_made_in_their_place() -> None:
    node: dict[str, Any] = {"answer": [{"valueString": "a"}, {"valueString": "b"}]}
    parse("answer[!].valueString", {}).make_holder(node)["valueString"] = "c"
    assert node == {"answer": [{"valueString": "c"}]}


def test_the_only_one_that_has_a_key_leaves_the_others() -> None:
    path = parse("coding[system!].code", {})
    node: dict[str, Any] = {"coding": [{"display": "x"}, {"system": "a"}, {"system": "b"}]}
    assert path.holder(node) is None
    path.make_holder(node)["code"] = "c"
    assert node == {"coding": [{"display": "x"}, {"code": "c"}]}
    other: dict[str, Any] = {"coding": "wrong"}
    path.make_holder(other)["code"] = "c"
    assert other == {"coding": [{"code": "c"}]}


def test_new_elements_stand_in_the_order_of_the_rules() -> None:
    paths = [parse(f"item[linkId={name}].text", {}) for name in "abc"]
    steps = Siblings([path.steps[0] for path in paths])
    first, second, _ = (replace(path, ranks={0: steps}) for path in paths)
    node: dict[str, Any] = {"item": [{"linkId": "x"}, {"linkId": "c"}]}
    second.make_holder(node)["text"] = "2"
    first.make_holder(node)["text"] = "1"
    assert [item["linkId"] for item in node["item"]] == ["x", "a", "b", "c"]
    last = replace(parse("item[linkId=b]", {}), ranks={0: steps})
    assert last.slot([{"linkId": "x"}, {"linkId": "c"}]) == 1
    assert last.slot([{"linkId": "x"}, {"linkId": "a"}]) == 2


def test_what_is_only_made_is_told_by_its_colon() -> None:
    path = parse("onsetAge(code=a,unit:=years).value", {})
    assert path.steps[0].keys == (("code", "a"),)
    assert path.steps[0].made == (("unit", "years"),)


def test_a_selector_may_ask_for_what_an_inner_element_has() -> None:
    path = parse("row[kind.code=a,k=b].text", {})
    node: dict[str, Any] = {"row": [{"k": "b", "kind": {"code": "z"}}, {"k": "b", "kind": {"code": "a"}, "text": "t"}]}
    assert path.holder(node) == node["row"][1]
    fresh: dict[str, Any] = {}
    path.make_holder(fresh)["text"] = "n"
    assert fresh == {"row": [{"k": "b", "kind": {"code": "a"}, "text": "n"}]}


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("a", True),
        ("a b", True),
        ("é", True),
        ("7", True),
        ("", False),
        (" a", False),
        ("a.b", False),
        ("a#", False),
        ("a\nb", False),
    ],
)
def test_a_name_that_can_stand_in_a_path(name: str, fits: bool) -> None:
    assert is_name(name) is fits


def test_a_record_path_is_its_names() -> None:
    record_steps.cache_clear()
    assert record_steps("a.b c.d") == ("a", "b c", "d")
    with pytest.raises(PathError):
        record_steps("a..b")
