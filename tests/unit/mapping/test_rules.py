"""Single rules by example: what each reads and writes, what it says, and what of the resource it leaves alone."""

from __future__ import annotations

from typing import Any

from adapter.fhir_json import canonical
from adapter.identity import content_id
from adapter.mapping.codecs import Copy, Values
from adapter.mapping.keys import NUMBER, Keys
from adapter.mapping.lists import Items, Scalars
from adapter.mapping.paths import parse
from adapter.mapping.rules import Leaf, Named, OwnCode, WithCodes, current, read_all, set_value
from adapter.mapping.scope import RelativeRefs, Scope
from adapter.mapping.shapes import is_flag

Tree = dict[str, Any]
WORDS = Values({"a": "A", "b": "B"}, {"A": "a", "B": "b"})


def scope(type_: str = "Goal") -> Scope:
    return Scope(RelativeRefs(), "goal", "g", {}, {"resourceType": type_})


def leaf(path: str, default: str | None = None) -> Leaf:
    return Leaf("x:1:1", ("field",), parse(path, {}), WORDS, default)


def read(rule: Any, node: Tree, here: Scope | None = None) -> Tree:
    out: Tree = {}
    rule.read(node, out, here or scope())
    return out


def write(rule: Any, node: Tree, new: Tree, old: Tree, here: Scope | None = None) -> Tree:
    rule.write(node, new, old, here or scope())
    return node


def test_what_is_not_understood_is_said_and_left() -> None:
    here = scope()
    assert read(leaf("status"), {"status": "Z"}, here) == {}
    (issue,) = here.issues
    assert (issue.severity, issue.code, issue.message_id) == ("information", "not-supported", "map-not-understood")
    assert (issue.expression, issue.source) == ("Goal.status", "x:1:1")
    assert issue.text == "The value is carried along as it is: the record has no place for it."


def test_a_value_that_is_absent_with_a_reason_is_not_complained_of() -> None:
    here = scope()
    assert read(leaf("status"), {"status": {"extension": []}}, here) == {}
    assert here.issues == []
    assert read(leaf("status"), {"status": {"text": "x"}}, here) == {}
    assert read(leaf("status"), {"status": ["extension"]}, here) == {}
    assert len(here.issues) == 2


def test_a_value_that_cannot_be_said_is_left_out_and_said() -> None:
    here = scope()
    assert write(leaf("a.status"), {"a": {"status": "A"}}, {"field": "z"}, {"field": "a"}, here) == {}
    (issue,) = here.issues
    assert (issue.severity, issue.code, issue.message_id) == ("error", "value", "map-not-written")
    assert (issue.expression, issue.source) == ("Goal.a.status", "x:1:1")
    assert issue.text == "The value is not one that FHIR can say here; it was left out."


def test_a_field_that_goes_takes_its_element_and_what_held_nothing_else() -> None:
    here = scope()
    node = {"a": {"status": "A", "_status": {"id": "x"}}, "b": 1}
    assert write(leaf("a.status"), node, {}, {"field": "a"}, here) == {"b": 1}
    kept = {"a": {"status": "A", "theirs": 1}}
    assert write(leaf("a.status"), kept, {}, {"field": "a"}, here) == {"a": {"theirs": 1}}
    assert here.issues == []


def test_a_default_is_written_and_does_not_come_back() -> None:
    rule = leaf("status", "B")
    assert write(rule, {}, {}, {}) == {"status": "B"}
    assert write(rule, {"status": "A"}, {"id": "1"}, {"id": "1", "field": "a"}) == {"status": "B"}
    assert write(rule, {"status": "theirs"}, {"id": "1"}, {"id": "1"}) == {"status": "theirs"}
    assert write(rule, {}, {"field": "a"}, {}) == {"status": "A"}
    assert read(rule, {"status": "B"}) == {}
    assert read(rule, {"status": "A"}) == {"field": "a"}
    assert write(leaf("status"), {}, {}, {}) == {}


def test_an_equal_value_is_not_written_again() -> None:
    assert write(leaf("status"), {"status": "theirs"}, {"field": "a"}, {"field": "a"}) == {"status": "theirs"}


def test_a_value_is_found_by_what_its_step_asks_for() -> None:
    node: Tree = {"x": [{"k": "a", "v": 1}, {"k": "b", "v": 2}], "one": [{"v": 3}], "two": [{}, {}]}
    assert current(parse("x[k=b]", {}), node) == {"k": "b", "v": 2}
    assert current(parse("x[k=c]", {}), node) is None
    assert current(parse("one[!]", {}), node) == {"v": 3}
    assert current(parse("two[!]", {}), node) is None
    assert current(parse("y.z", {}), node) is None
    assert current(parse("x[k=a]", {}), {"x": "wrong"}) is None


def test_a_value_is_put_where_its_step_says() -> None:
    node: Tree = {"x": [{"k": "a", "v": 1}, {"k": "b", "v": 2}]}
    set_value(parse("x[k=b]", {}), node, {"v": 5})
    set_value(parse("x[k=c]", {}), node, {"v": 6})
    assert node == {"x": [{"k": "a", "v": 1}, {"k": "b", "v": 5}, {"k": "c", "v": 6}]}
    other: Tree = {"x": "wrong"}
    set_value(parse("x[k=a]", {}), other, {"v": 1})
    assert other == {"x": [{"k": "a", "v": 1}]}


def items(by: str = "id", **more: Any) -> Items:
    inner = [Leaf("x:2:1", ("field",), parse("status", {}), WORDS)]
    return Items("x:1:1", ("rows",), parse("a.row", {}), Keys(by), inner, **more)


def test_items_that_go_take_an_empty_holder_along() -> None:
    rows = [{"id": "1", "field": "a"}]
    node = write(items(), {}, {"rows": rows}, {})
    assert node == {"a": {"row": [{"status": "A", "id": "1"}]}}
    assert read(items(), node) == {"rows": rows}
    assert write(items(), node, {}, {"rows": rows}) == {}


def test_an_element_that_gives_nothing_but_an_id_is_none_of_ours() -> None:
    assert read(items(), {"a": {"row": [{"id": "1", "theirs": 1}]}}) == {}
    assert read(items("field"), {"a": {"row": [{"theirs": 1}]}}) == {}
    assert read(items("field"), {"a": {"row": [{"status": "A"}]}}) == {"rows": [{"field": "a"}]}


def test_an_element_that_a_neighbour_selects_is_not_ours() -> None:
    other = parse("row[k=x]", {}).last
    node = {"a": {"row": [{"k": "x", "id": "1", "status": "A"}, {"id": "2", "status": "B"}, "wrong"]}}
    for rule in (items(others=(other,)), items(never=(other,))):
        assert read(rule, node) == {"rows": [{"id": "2", "field": "b"}]}


def test_an_item_is_known_again_by_its_key_and_keeps_what_is_foreign() -> None:
    node: Tree = {"a": {"row": [{"id": "1", "status": "A", "theirs": 1}, {"id": "2", "status": "B", "theirs": 2}]}}
    old = read(items(), node)
    edited = {"rows": [{"id": "2", "field": "a"}, {"id": "1", "field": "a"}]}
    assert write(items(), node, edited, old)["a"]["row"] == [
        {"id": "2", "status": "A", "theirs": 2}, {"id": "1", "status": "A", "theirs": 1},
    ]  # fmt: skip
    by_field: Tree = {"a": {"row": [{"status": "A", "theirs": 1}, {"status": "B", "theirs": 2}]}}
    turned = {"rows": [{"field": "b"}, {"field": "a"}]}
    assert write(items("field"), by_field, turned, read(items("field"), by_field))["a"]["row"] == [
        {"status": "B", "theirs": 2}, {"status": "A", "theirs": 1},
    ]  # fmt: skip
    by_value: Tree = {"a": {"row": [{"status": "A", "theirs": 1}]}}
    changed = write(items("value"), by_value, {"rows": [{"field": "b"}]}, {"rows": [{"field": "a"}]})
    assert changed == {"a": {"row": [{"status": "B"}]}}, "another value is another item"


def test_plain_values_keep_what_stands_beside_them() -> None:
    rule = Scalars("x:1:1", ("flags",), parse("flag", {}), Copy(is_flag))
    node: Tree = {"flag": [True, False], "_flag": [None, {"id": "second"}]}
    assert read(rule, node) == {"flags": [True, False]}
    write(rule, node, {"flags": [False, True]}, {"flags": [True, False]})
    assert node == {"flag": [False, True], "_flag": [{"id": "second"}, None]}
    write(rule, node, {"flags": [True]}, {"flags": [False, True]})
    assert node == {"flag": [True]}
    here = scope()
    assert write(rule, {}, {"flags": ["x", True]}, {}, here) == {"flag": [True]}
    assert [issue.message_id for issue in here.issues] == ["map-not-written"]


URL = "https://x.test/code"
CODES = Copy(lambda value: type(value) is str)
OWN = OwnCode(Leaf("x:1:1", ("field",), parse("a.status", {}), CODES), {"stopped": "revoked"}, URL)


def own(code: str) -> Tree:
    return {"url": URL, "valueCode": code}


def test_a_code_of_ours_beyond_fhir_s_goes_along_and_comes_back() -> None:
    node = write(OWN, {}, {"field": "stopped"}, {})
    assert node == {"a": {"status": "revoked", "_status": {"extension": [own("stopped")]}}}
    assert read(OWN, node) == {"field": "stopped"}
    assert read(OWN, {"a": {"status": "revoked"}}) == {"field": "revoked"}
    assert write(OWN, node, {"field": "active"}, {"field": "stopped"}) == {"a": {"status": "active"}}
    assert (OWN.source, OWN.path.text) == ("x:1:1", "a.status")


def test_ours_counts_only_while_fhir_s_code_is_its_own() -> None:
    for rows in (
        [own("stopped")],
        [own("no-such")],
        ["wrong"],
        [{"url": "theirs", "valueCode": "stopped"}],
        [{"url": URL}],
    ):
        stands = "active" if rows == [own("stopped")] else "revoked"
        node = {"a": {"status": stands, "_status": {"extension": rows}}}
        assert read(OWN, node) == {"field": stands}


def test_what_others_say_of_the_code_stays() -> None:
    theirs = {"url": "theirs", "valueString": "x"}
    node = {"a": {"status": "active", "_status": {"id": "s", "extension": [theirs, "wrong"]}}}
    write(OWN, node, {"field": "stopped"}, {"field": "active"})
    assert node == {"a": {"status": "revoked", "_status": {"id": "s", "extension": [theirs, own("stopped")]}}}
    write(OWN, node, {"field": "active"}, {"field": "stopped"})
    assert node == {"a": {"status": "active", "_status": {"id": "s", "extension": [theirs]}}}
    assert write(OWN, node, {"field": "active"}, {"field": "active"}) is node


def test_a_code_that_goes_takes_what_stands_beside_it() -> None:
    node = {"a": {"status": "revoked", "_status": {"extension": [own("stopped")]}}, "b": 1}
    assert write(OWN, node, {}, {"field": "stopped"}) == {"b": 1}
    kept = {"a": {"status": "revoked", "_status": {"extension": [own("stopped")]}, "theirs": 1}}
    assert write(OWN, kept, {}, {"field": "stopped"}) == {"a": {"theirs": 1}}


def test_a_default_of_a_code_is_written_when_made() -> None:
    with_default = OwnCode(Leaf("x:1:1", ("field",), parse("status", {}), CODES, "draft"), {"stopped": "revoked"}, URL)
    assert write(with_default, {}, {}, {}) == {"status": "draft"}
    assert write(with_default, {"status": "theirs"}, {"id": "1"}, {"id": "1"}) == {"status": "theirs"}
    assert write(OWN, {}, {}, {}) == {}
    stands = {"status": "revoked", "_status": {"extension": [own("stopped"), {"url": "theirs"}]}}
    kept = {"status": "revoked", "_status": {"extension": [own("stopped"), {"url": "theirs"}]}}
    assert write(with_default, stands, {"field": "stopped", "more": 1}, {"field": "stopped"}) == kept


def test_a_name_and_an_id_are_two_fields_of_one_link() -> None:
    rule = Named(Leaf("x:1:1", ("who",), parse("ref", {}), Copy(lambda value: type(value) is dict)), ("called",))
    both = {"id": "1", "text": "A"}
    assert read(rule, {"ref": both}) == {"who": "1", "called": "A"}
    assert read(rule, {"ref": {"text": "A"}}) == {"called": "A"}
    assert read(rule, {}) == {}
    assert write(rule, {}, {"who": "1", "called": "A"}, {}) == {"ref": both}
    assert write(rule, {"ref": both}, {}, {"who": "1", "called": "A"}) == {}
    assert write(rule, {"ref": "theirs"}, {"called": "A"}, {"called": "A"}) == {"ref": "theirs"}


def test_further_codes_are_a_field_of_their_own() -> None:
    rule = WithCodes(Leaf("x:1:1", ("what",), parse("code", {}), Copy(lambda value: type(value) is dict)), ("codes",))
    assert read(rule, {"code": {"code": "a", "also": [1]}}) == {"what": {"code": "a"}, "codes": [1]}
    assert read(rule, {"code": {"code": "a"}}) == {"what": {"code": "a"}}
    assert write(rule, {}, {"what": {"code": "a"}, "codes": [1]}, {}) == {"code": {"code": "a", "also": [1]}}
    assert write(rule, {}, {"codes": [1]}, {}) == {"code": {"also": [1]}}
    assert rule.path.text == "code"
    out: Tree = {}
    assert read_all([rule], {"code": {"code": "a"}}, out, scope()) is out


def test_an_element_with_more_than_the_value_is_not_ours_where_it_must_stand_alone() -> None:
    flat = Scalars("x:1:1", ("flags",), parse("row", {}), Copy(is_flag), parse("flag", {}), alone=True)
    deep = Scalars("x:1:1", ("flags",), parse("row", {}), Copy(is_flag), parse("in.flag", {}), alone=True)
    for element in ({"flag": True}, {"flag": True, "id": "1", "extension": []}):
        assert read(flat, {"row": [element]}) == {"flags": [True]}
    assert read(flat, {"row": [{"flag": True, "theirs": 1}, {"flag": False}]}) == {"flags": [False]}
    assert read(deep, {"row": [{"in": {"flag": True}, "id": "1"}]}) == {"flags": [True]}
    assert read(deep, {"row": [{"in": {"flag": True}, "flag": 1}]}) == {}


def test_the_default_of_a_list_is_written_and_is_no_data() -> None:
    rule = Scalars("x:1:1", ("flags",), parse("flag", {}), Copy(is_flag), default=[True])
    assert write(rule, {}, {}, {}) == {"flag": [True]}
    assert write(rule, {"flag": ["theirs"]}, {"id": "1"}, {"id": "1"}) == {"flag": ["theirs"]}
    assert write(rule, {}, {"flags": [False]}, {}) == {"flag": [False]}
    assert read(rule, {"flag": [True]}) == {}
    assert write(Scalars("x:1:1", ("flags",), parse("flag", {}), Copy(is_flag)), {}, {}, {}) == {}


def test_ids_of_new_elements_are_written_where_they_are_not_derived() -> None:
    rule, here = items(), scope()
    derived = content_id(canonical({}), 1)
    for id_, wanted in (("plain", {"id": "plain"}), (derived, {}), (derived.upper(), {"id": derived.upper()})):
        element: Tree = {}
        rule.settle_new_ids([element], [{"id": id_}], here)
        assert element == wanted
    untouched: Tree = {}
    rule.settle_new_ids([untouched], ["no item"], here)
    rule.settle_new_ids([untouched], [{"id": 5}], here)
    assert untouched == {}
    other: Tree = {}
    random = "0b7b4e0c-1f5c-4c39-9f0e-2f7b6d1f0001"
    rule.settle_new_ids([other], [{"id": random}], here)
    assert other == {"id": random}


def test_items_of_numbered_columns_are_known_by_their_number() -> None:
    rule = items(NUMBER)
    node: Tree = {"a": {"row": [{"status": "A", "theirs": 1}, {"status": "B", "theirs": 2}]}}
    old = read(rule, node)
    assert old == {"rows": [{"id": "1", "field": "a"}, {"id": "2", "field": "b"}]}
    write(rule, node, {"rows": [{"id": "2", "field": "a"}]}, old)
    assert node == {"a": {"row": [{"id": "2", "status": "A", "theirs": 2}]}}


def test_plain_values_that_go_take_their_holder_along() -> None:
    rule = Scalars("x:1:1", ("flags",), parse("a.flag", {}), Copy(is_flag))
    assert write(rule, {"a": {"flag": [True], "_flag": [{"id": "x"}]}}, {}, {"flags": [True]}) == {}
