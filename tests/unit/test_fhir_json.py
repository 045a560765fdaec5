"""FHIR JSON: every digit kept, bounds before anything else, faults with their place."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.errors import BadInput
from adapter.fhir_json import Bounds, canonical, copy, dumps, loads, pretty, reloads, same

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
trees = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner), max_leaves=20)


@given(trees)
def test_what_is_written_is_read_again(tree: Any) -> None:
    assert same(_whole(loads(dumps(tree))), _whole(tree))
    assert same(loads(pretty(tree)), loads(dumps(tree)))
    assert same(copy(tree), tree)


def _whole(node: Any) -> Any:
    """Decimals without point or exponent are integers in JSON."""
    if isinstance(node, Decimal):
        text = str(node)
        return int(text) if text.lstrip("-").isdigit() and text != "-0" else node
    if isinstance(node, dict):
        return {key: _whole(value) for key, value in node.items()}
    return [_whole(value) for value in node] if isinstance(node, list) else node


@pytest.mark.parametrize(
    "text", ["1.50", "0.010", "-0.00", "-0", "123456789012345678901234567890", "18.000000000000000001"]
)
def test_digits_stay(text: str) -> None:
    assert dumps(loads(f'{{"v":{text}}}')) == f'{{"v":{text}}}'.encode()


def test_a_leading_bom_is_accepted() -> None:
    assert loads(b'\xef\xbb\xbf{"a":1}') == {"a": 1}
    assert loads('\ufeff{"a":1}') == {"a": 1}


@pytest.mark.parametrize(
    ("data", "message_id"),
    [
        (b'{"a":1,"a":2}', "json-duplicate-key"),
        (b'{"b":{"a":1,"a":2}}', "json-duplicate-key"),
        (b"\xff\xfe", "json-not-utf8"),
        (b'"\\ud800"', "json-not-utf8"),
        (b"NaN", "json-syntax"),
        (b'{"a":Infinity}', "json-syntax"),
        (b"", "json-syntax"),
        (b'{"a":1', "json-syntax"),
        (b"{'a':1}", "json-syntax"),
        (b"[" * 10_000, "json-too-deep"),
        (b"[" * 10_000 + b"]" * 10_000, "json-too-deep"),
        (b"[" * 101 + b"]" * 101, "json-too-deep"),
        (b"1" * 401, "json-number-too-long"),
        (b"1e" + b"1" * 400, "json-number-too-long"),
    ],
)
def test_what_is_refused_has_a_message_id(data: bytes, message_id: str) -> None:
    with pytest.raises(BadInput) as caught:
        loads(data)
    assert [issue.message_id for issue in caught.value.issues] == [message_id]
    assert caught.value.issues[0].severity == "fatal"


def test_a_hundred_levels_are_accepted() -> None:
    assert loads(b"[" * 100 + b"]" * 100)


def test_size_is_bounded() -> None:
    with pytest.raises(BadInput) as caught:
        loads(b'"' + b"x" * 100 + b'"', Bounds(size=50))
    assert caught.value.issues[0].message_id == "json-too-large"


def test_a_syntax_fault_has_line_and_column_and_no_text_of_the_input() -> None:
    with pytest.raises(BadInput) as caught:
        loads(b'{\n  "name": "Secret Person",\n  oops\n}')
    issue = caught.value.issues[0]
    assert (issue.line, issue.column) == (3, 3)
    assert "Secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, True), (1, Decimal("1.0")), (Decimal("1.5"), Decimal("1.50")), ([1], [1, 2]), ({"a": 1}, {"b": 1}), ("1", 1)],
)
def test_what_differs_is_not_the_same(one: Any, other: Any) -> None:
    assert not same(one, other)


def test_one_byte_string_for_equal_trees() -> None:
    assert canonical({"b": 1, "a": Decimal("1.0")}) == canonical({"a": Decimal("1.0"), "b": 1}) == b'{"a":1.0,"b":1}'


@pytest.mark.parametrize("text", [b"[-0]", b'{"a":-0,"b":1.50}', b'["a-0,"]', b'{"date":"2024-01-05"}', b"[-0.0]"])
def test_what_we_wrote_is_read_again_to_the_sign(text: bytes) -> None:
    tree = loads(text)
    assert dumps(reloads(dumps(tree))) == dumps(reloads(dumps(tree).decode())) == text


def test_what_somebody_spoilt_is_no_crash() -> None:
    with pytest.raises(BadInput):
        reloads('{"half":')
