"""Scores: every band at both ends, the odd items, and that a missing item is never a zero."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.errors import UsageError
from adapter.records.scoring import NAMES, Score, instrument, score

Tree = dict[str, Any]
BANDS: dict[str, list[tuple[str, int, int]]] = {
    "phq-9": [
        *[("minimal", 0, 4), ("mild", 5, 9), ("moderate", 10, 14)],
        *[("moderately-severe", 15, 19), ("severe", 20, 27)],
    ],
    "gad-7": [("minimal", 0, 4), ("mild", 5, 9), ("moderate", 10, 14), ("severe", 15, 21)],
    "audit": [("low-risk", 0, 7), ("hazardous", 8, 15), ("harmful", 16, 19), ("possible-dependence", 20, 40)],
    "audit-c": [("negative", 0, 2), ("positive-women", 3, 3), ("positive", 4, 12)],
    "dast-10": [("none", 0, 0), ("low", 1, 2), ("moderate", 3, 5), ("substantial", 6, 8), ("severe", 9, 10)],
    "pc-ptsd-5": [("negative", 0, 2), ("positive", 3, 5)],
}
CODES = {
    "phq-9": ("44249-1", "44261-6"),
    "gad-7": ("69737-5", "70274-6"),
    "audit": ("72110-0", "75624-7"),
    "audit-c": ("72109-2", "75626-2"),
    "dast-10": ("82666-9", "82667-7"),
    "pc-ptsd-5": ("102010-6", "102017-1"),
}
ITEMS = {
    **{
        f"phq9-{i}": code
        for i, code in enumerate(
            "44250-9 44255-8 44259-0 44254-1 44251-7 44258-2 44252-5 44253-3 44260-8".split(), start=1
        )
    },
    **{
        f"gad7-{i}": code
        for i, code in enumerate("69725-0 68509-9 69733-4 69734-2 69735-9 69689-8 69736-7".split(), start=1)
    },
}
each = pytest.mark.parametrize("name", NAMES)


def answers_for(name: str, total: int) -> list[Tree]:
    """Answers whose scores sum up to a total, found item by item from the highest scores down."""
    answers = []
    left = total
    items = list(instrument(name).items.items())
    for position, (link_id, scale) in enumerate(items):
        rest = [sorted(inner.values()) for _, inner in items[position + 1 :]]
        reachable = {sum(way) for way in itertools.product(*[{0, max(row)} for row in rest])}
        limit = sum(row[-1] for row in rest)
        wanted = [value for value in sorted(scale.values(), reverse=True) if value <= left]
        exact = [value for value in wanted if left - value in reachable] or wanted
        value = next(v for v in (exact if left - exact[0] <= limit else wanted) if left - v <= limit)
        answers.append({"linkId": link_id, "value": next(code for code, points in scale.items() if points == value)})
        left -= value
    assert left == 0
    return answers


@each
def test_the_bands_are_the_published_ones(name: str) -> None:
    assert [(band.code, band.low, band.high) for band in instrument(name).bands] == BANDS[name]


@each
def test_bands_cover_every_total_once(name: str) -> None:
    known = instrument(name)
    rows = [range(band.low, band.high + 1) for band in known.bands]
    assert list(itertools.chain(*rows)) == list(range(known.maximum + 1))
    assert known.band(-1) is None
    assert known.band(known.maximum + 1) is None


@pytest.mark.parametrize(
    ("name", "total", "band"),
    [(name, total, code) for name, rows in BANDS.items() for code, low, high in rows for total in {low, high}],
)
def test_each_band_at_both_ends(name: str, total: int, band: str) -> None:
    assert score(name, answers_for(name, total)) == Score(total, band, complete=True)


@each
def test_codes_are_those_of_the_reference(name: str) -> None:
    codes = instrument(name).codes
    assert (codes["panel"], codes["total"]) == CODES[name]


def test_codes_of_items() -> None:
    assert {
        link: instrument(name).codes[link] for name in ("phq-9", "gad-7") for link in instrument(name).items
    } == ITEMS
    assert [instrument("audit").codes[f"audit-{i}"] for i in (1, 2, 3, 4, 10)] == [
        *["68518-0", "68519-8", "68520-6", "97734-8", "97740-5"]
    ]
    assert [instrument("audit-c").codes[f"auditc-{i}"] for i in (1, 2, 3)] == ["68518-0", "68519-8", "68520-6"]


@each
def test_every_code_has_its_check_digit(name: str) -> None:
    """The last digit of a LOINC code is modulus 10 over the others: a slip of the pen shows."""
    for code in instrument(name).codes.values():
        number, digit = code.split("-")
        odd, even = number[::-1][0::2], number[::-1][1::2]
        total = sum(map(int, str(int(odd[::-1]) * 2) + even[::-1]))
        assert (-total) % 10 == int(digit), code


@pytest.mark.parametrize(
    ("name", "prefix", "size", "maximum"),
    [
        ("phq-9", "phq9", 9, 27),
        ("gad-7", "gad7", 7, 21),
        ("audit", "audit", 10, 40),
        ("audit-c", "auditc", 3, 12),
        ("dast-10", "dast10", 10, 10),
        ("pc-ptsd-5", "pcptsd5", 5, 5),
    ],
)
def test_items_and_highest_total(name: str, prefix: str, size: int, maximum: int) -> None:
    known = instrument(name)
    assert known.name == name
    assert list(known.items) == [f"{prefix}-{item}" for item in range(1, size + 1)]
    assert known.maximum == maximum


def test_item_3_of_dast_10_is_scored_in_reverse() -> None:
    items = instrument("dast-10").items
    assert [link for link, scale in items.items() if scale == {"no": 1, "yes": 0}] == ["dast10-3"]
    assert all(scale == {"no": 0, "yes": 1} for link, scale in items.items() if link != "dast10-3")
    assert score("dast-10", [{"linkId": link, "value": "no"} for link in items]) == Score(1, "low", complete=True)


def test_audit_has_four_kinds_of_items() -> None:
    items = instrument("audit").items
    assert list(items["audit-1"].values()) == list(items["audit-2"].values()) == [0, 1, 2, 3, 4]
    assert (
        items["audit-3"]
        == items["audit-8"]
        == {
            "never": 0,
            "less-than-monthly": 1,
            "monthly": 2,
            "weekly": 3,
            "daily": 4,
        }
    )
    assert items["audit-9"] == items["audit-10"] == {"no": 0, "yes-not-last-year": 2, "yes-last-year": 4}


def test_only_the_self_harm_item_is_an_alert() -> None:
    assert {link for name in NAMES for link in instrument(name).alerts} == {"phq9-9"}


def test_an_unknown_instrument() -> None:
    with pytest.raises(UsageError):
        instrument("cage")
    with pytest.raises(UsageError):
        score("../phq-9", [])


@st.composite
def filled(draw: st.DrawFn) -> tuple[str, list[Tree]]:
    name = draw(st.sampled_from(NAMES))
    items = instrument(name).items.items()
    return name, [{"linkId": link, "value": draw(st.sampled_from(sorted(scale)))} for link, scale in items]


@given(filled(), st.randoms())
def test_the_order_of_answers_is_nothing(drawn: tuple[str, list[Tree]], random: Any) -> None:
    name, answers = drawn
    mixed = list(answers)
    random.shuffle(mixed)
    assert score(name, mixed) == score(name, answers)


@given(filled())
def test_a_complete_score_lies_in_its_band(drawn: tuple[str, list[Tree]]) -> None:
    name, answers = drawn
    found = score(name, answers)
    assert found.complete
    assert found.total is not None
    assert found.band == next(code for code, low, high in BANDS[name] if low <= found.total <= high)


@given(filled(), st.data())
def test_a_missing_unknown_or_doubled_answer_gives_no_total(drawn: tuple[str, list[Tree]], data: Any) -> None:
    name, answers = drawn
    at = data.draw(st.integers(0, len(answers) - 1))
    nothing = Score(None, None, complete=False)
    assert score(name, answers[:at] + answers[at + 1 :]) == nothing
    assert score(name, [*answers, answers[at]]) == nothing
    for odd in ("perhaps", None, 0, True, ["no"]):
        assert score(name, [*answers[:at], {**answers[at], "value": odd}, *answers[at + 1 :]]) == nothing


@given(filled())
def test_items_of_others_count_nothing(drawn: tuple[str, list[Tree]]) -> None:
    name, answers = drawn
    assert score(name, [*answers, {"linkId": "zzz-1", "value": "yes"}, {"linkId": 7}, {}]) == score(name, answers)
