"""Two-way functions: the law of each, what they refuse, and functions that a site brings."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.fhir_json import same
from adapter.mapping import registered
from adapter.mapping.functions import FUNCTIONS, Amount, flag, via
from adapter.mapping.registered import FunctionError
from adapter.mapping.units import convert
from tests.laws import values

SCOPE: Any = None


def anything(_: Any) -> bool:
    return True


def out(text: str, value: Any) -> Any:
    return via(text, anything).encode(value, None, SCOPE)


def back(text: str, value: Any) -> Any:
    return via(text, anything).decode(value, SCOPE)


@pytest.mark.parametrize(
    ("text", "ours", "fhir"),
    [
        ("date MM/DD/YYYY", "04/17/1991", "1991-04-17"),
        ("date MM/DD/YYYY or MM/YYYY or YYYY", "04/1991", "1991-04"),
        ("date MM/DD/YYYY or MM/YYYY or YYYY", "1991", "1991"),
        ("date DD.MM.YYYY", "29.02.2024", "2024-02-29"),
        ("date YYYYMMDD", "20240229", "2024-02-29"),
        ("date YYYY-MM-DD hh:mm as -05:00", "2024-02-29 13:05", "2024-02-29T13:05:00-05:00"),
        ("date YYYY-MM-DD hh:mm:ss ZZ", "2024-02-29 13:05:07 Z", "2024-02-29T13:05:07Z"),
        ("number", "1.50", Decimal("1.50")),
        ("number", "0", 0),
        ("number", "-7", -7),
        ("text", Decimal("1.50"), "1.50"),
        ("scale 2.54", Decimal("1.5"), Decimal("3.810")),
        ("scale 1000", 5, 5000),
        ("join ;", ["a", "b"], "a;b"),
        ("affix urn:x:{}", "7", "urn:x:7"),
    ],
)
def test_each_goes_out_and_comes_back(text: str, ours: Any, fhir: Any) -> None:
    assert same(out(text, ours), fhir)
    assert same(back(text, fhir), ours)


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("date MM/DD/YYYY", "4/17/1991"),
        ("date MM/DD/YYYY", "02/30/1991"),
        ("date MM/DD/YYYY", "17/04/1991"),
        ("date MM/DD/YYYY", "1991"),
        ("number", "1,5"),
        ("number", "+1"),
        ("number", "01"),
        ("number", "-0"),
        ("number", "1e3"),
        ("number", "\u0661"),
        ("text", True),
        ("scale 2.54", "1"),
        ("join ;", ["a;b"]),
        ("join ;", []),
        ("affix x{}", ""),
    ],
)
def test_what_is_not_of_its_form_is_not_taken(text: str, ours: Any) -> None:
    assert out(text, ours) is None


@pytest.mark.parametrize(
    ("text", "fhir"),
    [
        ("date MM/DD/YYYY", "1991-04"),
        ("date YYYY-MM-DD hh:mm as Z", "2024-02-29T13:05:07Z"),
        ("date YYYY-MM-DD hh:mm as Z", "2024-02-29T13:05:00+01:00"),
        ("date YYYY-MM-DD hh:mm as Z", "2024-02-29T13:05:00.5Z"),
        ("number", "1"),
        ("text", "one"),
        ("scale 3", 1),
        ("join ;", "a;;b"),
        ("affix urn:x:{}", "urn:y:7"),
        ("affix urn:x:{}", "urn:x:"),
    ],
)
def test_what_cannot_be_said_back_is_not_read(text: str, fhir: Any) -> None:
    assert back(text, fhir) is None


@pytest.mark.parametrize("text", ["date MM/DD/YY", "date hh:mm", "date DD", "date YYYY-MM-DD hh:mm", "scale 0", "scale x", "affix x", "join"])  # fmt: skip
def test_an_argument_that_makes_no_function_is_refused(text: str) -> None:
    with pytest.raises(FunctionError) as error:
        via(text, anything)
    assert error.value.id == "function-argument"


def test_an_unknown_function_is_told_with_the_nearest() -> None:
    with pytest.raises(FunctionError) as error:
        via("dat MM/DD/YYYY", anything)
    assert (error.value.id, error.value.near) == ("function-unknown", "date")


@given(values.dates(1000, 9999))
def test_every_date_has_one_text(date: str) -> None:
    text = "date MM/DD/YYYY or MM/YYYY or YYYY"
    assert out(text, back(text, date)) == date


@given(values.decimals(), st.sampled_from(["2.54", "1000", "0.001", "7", "453.59237"]))
def test_a_scaled_number_keeps_every_digit(number: Any, factor: str) -> None:
    there = out(f"scale {factor}", number)
    assert there is None or same(back(f"scale {factor}", there), number)


def test_yes_and_no_have_a_code_each() -> None:
    codec = flag({"yes": "1", "no": "2"}, str, anything)
    assert [codec.encode(code, None, SCOPE) for code in ("1", "2", "9")] == [True, False, None]
    assert [codec.decode(value, SCOPE) for value in (True, False, "1", 1)] == ["1", "2", None, None]
    with pytest.raises(FunctionError):
        flag({"yes": "1", "no": "1"}, str, anything)


def quantity(value: Any, code: str) -> dict[str, Any]:
    return {"value": value, "unit": code, "system": "http://unitsofmeasure.org", "code": code}


def test_an_amount_is_read_in_any_unit_of_its_kind_where_that_is_exact() -> None:
    codec = Amount("mg", anything)
    assert codec.encode(16, None, SCOPE) == quantity(16, "mg")
    assert same(codec.decode(quantity(Decimal("0.5"), "g"), SCOPE), 500)
    assert codec.decode(quantity(1, "mL"), SCOPE) is None
    assert codec.decode({**quantity(1, "g"), "comparator": "<"}, SCOPE) is None
    assert codec.decode({**quantity(1, "g"), "system": "x"}, SCOPE) is None


@pytest.mark.parametrize(
    ("value", "unit", "other", "found"),
    [
        ("1", "[lb_av]", "kg", "0.45359237"),
        ("12", "mo", "a", "1"),
        ("1", "mo", "a", None),
        ("90", "min", "h", "1.5"),
        ("1", "d", "wk", None),
        ("1", "kg", "m", None),
        ("3", "{drinks}", "{drinks}", "3"),
        ("3", "{drinks}", "{glasses}", None),
    ],
)
def test_units_are_converted_exactly_or_not_at_all(value: str, unit: str, other: str, found: str | None) -> None:
    made = convert(Decimal(value), unit, other)
    assert made == (Decimal(found) if found is not None else None)


MODULE = """
from adapter.mapping.registered import TwoWay
ROMAN = {"I": 1, "IV": 4, "IX": 9}
GOOD = TwoWay(ROMAN.get, {value: key for key, value in ROMAN.items()}.get, list(ROMAN.items()))
FEW = TwoWay(ROMAN.get, ROMAN.get, [])
WRONG = TwoWay(ROMAN.get, lambda value: "I", list(ROMAN.items()))
OTHER = 7
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package that brings functions."""
    info = tmp_path / "lakeside-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lakeside\nVersion: 1.0\n")
    rows = [f"{name} = lakeside_numbers:{name.upper()}" for name in ("good", "few", "wrong", "other", "gone")]
    (info / "entry_points.txt").write_text(f"[{registered.GROUP}]\n" + "\n".join(rows) + "\n")
    (tmp_path / "lakeside_numbers.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "lakeside_numbers", raising=False)
    registered.registered.cache_clear()


@pytest.mark.usefixtures("site")
def test_a_site_brings_a_function_with_samples_of_its_law() -> None:
    assert (out("good", "IV"), back("good", 9), out("good", "X"), out("good", [])) == (4, "IX", None, None)


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(("name", "what"), [("few", "samples"), ("wrong", "law at sample 2"), ("other", "no TwoWay"), ("gone", "loaded")])  # fmt: skip
def test_a_function_that_breaks_its_law_is_refused(name: str, what: str) -> None:
    with pytest.raises(FunctionError, match=what):
        via(name, anything)


def test_every_function_is_documented(root: Path) -> None:
    page = (root / "docs" / "mapping.md").read_text("utf-8")
    assert [name for name in FUNCTIONS if f"| `{name}" not in page] == []


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("date MM/DD/YYYY", "13/01/2026"),
        ("date MM/DD/YYYY", "1/2/2026"),
        ("date MM/DD/YYYY", 5),
        ("date YYYY-MM-DD hh:mm as Z", "2026-01-01 25:00"),
        ("number", "01"),
        ("number", ""),
        ("number", 5),
        ("text", "5"),
        ("text", True),
        ("scale 3", "5"),
        ("join ;", []),
        ("join ;", ["a;b"]),
        ("join ;", ["a", ""]),
        ("join ;", ["a", 5]),
        ("join ;", "ab"),
        ("affix urn:{}", ""),
        ("affix urn:{}", 5),
    ],
)
def test_what_is_not_of_the_form_does_not_go_out(text: str, ours: Any) -> None:
    assert out(text, ours) is None


@pytest.mark.parametrize(
    ("text", "fhir"),
    [
        ("date MM/DD/YYYY", "2026-01"),
        ("date MM/DD/YYYY", ""),
        ("date MM/DD/YYYY", None),
        ("date YYYY-MM-DD hh:mm as Z", "2026-01-01T10:00:05Z"),
        ("date YYYY-MM-DD hh:mm as Z", "2026-01-01T10:00:00+01:00"),
        ("number", "5"),
        ("number", True),
        ("scale 3", 1),
        ("join ;", ""),
        ("join ;", "a;;b"),
        ("join ;", 5),
        ("affix a{}a", "a"),
        ("affix a{}a", "aa"),
        ("affix ab{}ba", "aba"),
        ("affix urn:{}", "url:x"),
        ("affix {}.x", "a.y"),
        ("affix urn:{}", 5),
        ("json", 5),
        ("json", "{"),
    ],
)
def test_what_is_not_of_the_form_is_not_read(text: str, fhir: Any) -> None:
    assert back(text, fhir) is None


@pytest.mark.parametrize(
    ("text", "ours", "fhir"),
    [
        ("join '; '", ["a", "b;c"], "a; b;c"),
        ('join ", "', ["a", "b"], "a, b"),
        ("join ::", ["a", "b"], "a::b"),
        ("join ' '", ["a", "b"], "a b"),
        ("join '~'", ["a", "b"], "a~b"),
        ("affix a{}b", "x", "axb"),
        ("affix a{}", "aa", "aaa"),
        ("json", {"a": [Decimal("1.50")]}, '{"a":[1.50]}'),
        ("scale 0.001", 1, Decimal("0.001")),
        ("date YYYYMMDD", "20260102", "2026-01-02"),
    ],
)
def test_more_that_goes_out_and_comes_back(text: str, ours: Any, fhir: Any) -> None:
    assert same(out(text, ours), fhir)
    assert same(back(text, fhir), ours)


def test_a_value_that_the_field_does_not_take_is_not_read() -> None:
    digits = via("number", lambda value: value == "5")
    assert digits.decode(5, SCOPE) == "5"
    assert digits.decode(6, SCOPE) is None
    assert digits.encode("6", None, SCOPE) is None


@pytest.mark.parametrize(
    ("text", "id_", "near"),
    [
        ("numbr", "function-unknown", "number"),
        ("xyzzy", "function-unknown", ""),
        ("scale 0", "function-argument", ""),
        ("scale -1", "function-argument", ""),
        ("scale x", "function-argument", ""),
        ("scale Infinity", "function-argument", ""),
        ("join", "function-argument", ""),
        ("affix x", "function-argument", ""),
        ("date", "function-argument", ""),
        ("date MM/DD", "function-argument", ""),
        ("date YYYY/YYYY", "function-argument", ""),
        ("date YYYY-MM-DD hh:mm", "function-argument", ""),
        ("date YYYY-MM-DD hh:mm as 5", "function-argument", ""),
        ("date YYYY as Z", "function-argument", ""),
    ],
)
def test_what_is_no_function_is_refused_with_the_nearest(text: str, id_: str, near: str) -> None:
    with pytest.raises(FunctionError) as caught:
        via(text, anything)
    assert (caught.value.id, caught.value.near) == (id_, near)
    assert str(caught.value).startswith(("unknown function ", "expected "))


def test_an_amount_that_the_field_does_not_take_is_not_written() -> None:
    amount = Amount("mg", lambda value: value in (5, "5.0"))
    assert amount.encode(5, None, SCOPE)["value"] == 5
    assert same(amount.encode("5.0", None, SCOPE)["value"], Decimal("5.0"))
    assert amount.encode(6, None, SCOPE) is None
    assert amount.encode(True, None, SCOPE) is None
    assert Amount("mg", anything).encode("x", None, SCOPE) is None
    assert Amount("mg", anything).encode(None, None, SCOPE) is None


@pytest.mark.parametrize("table", [{}, {"maybe": "1"}, {"yes": "1", "maybe": "2"}, {"yes": "1", "no": "1"}])
def test_a_flag_has_one_code_for_yes_and_another_for_no(table: dict[str, str]) -> None:
    with pytest.raises(FunctionError):
        flag(table, str, anything)


def test_a_flag_is_named_and_reads_booleans_alone() -> None:
    found = flag({"yes": "1"}, str, anything)
    assert found.name == "flag"
    assert [found.decode(value, SCOPE) for value in (True, False, 1, "1")] == ["1", None, None, None]
    assert [found.encode(value, None, SCOPE) for value in ("1", "2")] == [True, None]


def test_a_function_that_does_not_lead_back_writes_nothing() -> None:
    """A form of the same day that reads back as another text is not that text."""
    assert out("date DD/MM/YYYY or MM/DD/YYYY", "01/13/2026") is None
    assert out("date DD/MM/YYYY or MM/DD/YYYY", "13/01/2026") == "2026-01-13"
    assert out("join ''", ["a"]) is None or back("join ''", out("join ''", ["a"])) == ["a"]


def test_an_affix_alone_is_no_text() -> None:
    assert back("affix a{}b", "ab") is None
    assert back("affix a{}", "a") is None
