"""Rules over rows of name and value: an edit touches the row that it is of, and nothing else."""

from __future__ import annotations

from typing import Any

from adapter.mapping.codecs import Copy, is_text
from adapter.mapping.lists import Scalars
from adapter.mapping.paths import parse
from adapter.mapping.rowwise import Order, Selected
from adapter.mapping.rules import Leaf
from adapter.mapping.scope import RelativeRefs, Scope

Tree = dict[str, Any]
SCOPE = Scope(RelativeRefs(), "visit", "1", {}, {})
AGE = Selected(Leaf("f:1", ("value",), parse("age", {}), Copy(is_text)), ("rows",), (("name", "age"),))
ORDER = Order(Scalars("f:2", ("rows",), parse("order", {}), Copy(is_text)), ("rows",), "name", [AGE])


def rows(**values: str) -> Tree:
    return {"rows": [{"name": name, "value": value} for name, value in values.items()]}


def test_a_row_that_stays_leaves_its_place_alone() -> None:
    node: Tree = {"age": "theirs"}
    AGE.write(node, rows(sex="m", age="7"), rows(age="7"), SCOPE)
    assert node == {"age": "theirs"}
    AGE.write(node, rows(age="8"), rows(age="7"), SCOPE)
    assert node == {"age": "8"}
    AGE.write(node, {}, rows(age="8"), SCOPE)
    assert node == {}


def ordered(node: Tree, new: Tree, old: Tree) -> Tree:
    ORDER.write(node, new, old, SCOPE)
    return node


def test_an_order_is_written_while_it_is_not_that_of_the_rules() -> None:
    assert ordered({}, rows(age="7", sex="m"), {}) == {}
    assert ordered({}, rows(sex="m", age="7"), {}) == {"order": ["sex", "age"]}
    assert ordered({"order": ["sex", "age"]}, rows(sex="f", age="7"), rows(sex="m", age="7")) == {
        "order": ["sex", "age"]
    }
    assert ordered({"order": ["sex", "age"]}, rows(age="7", sex="m"), rows(sex="m", age="7")) == {}
    assert ordered({"order": ["sex", "age"]}, {}, rows(sex="m", age="7")) == {}


def test_an_order_that_names_rows_of_before_does_not_order_those_that_come() -> None:
    stale = {"order": ["sex"]}
    assert ordered(stale, rows(age="7", sex="m"), rows(age="7")) == {}


def test_rows_that_are_none_have_no_name_in_the_order() -> None:
    odd: Tree = {"rows": ["x", *rows(sex="m", age="7")["rows"]]}
    assert ordered({}, odd, {}) == {"order": ["sex", "age"]}


def test_rows_are_read_in_the_order_that_is_said_and_the_others_behind() -> None:
    out = rows(age="7", sex="m", town="x")
    ORDER.read({"order": ["town", "gone", "sex"]}, out, SCOPE)
    assert [row["name"] for row in out["rows"]] == ["town", "sex", "age"]
    ORDER.read({"order": ["sex"]}, empty := {}, SCOPE)
    assert empty == {}
