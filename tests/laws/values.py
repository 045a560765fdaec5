"""Strategies for the leaves of a record: text, numbers, dates, ids, and the small objects with rules of their own."""

from __future__ import annotations

import string
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

Tree = dict[str, Any]
Trees = st.SearchStrategy[Tree]

# Awkward on purpose: markup, combining marks, emoji with joiners, right-to-left, leading zeros, YAML's traps.
TRICKY = [
    '<&">',
    "</div>",
    "&amp;",
    "e\u0301",
    "ñ",
    "👩\u200d⚕️",
    "שלום",
    "007",
    "NO",
    "null",
    "1.50",
    "a|b",
    "x:y",
    "{a}",
    "[0]",
    "'",
    "\\",
    "日本",
    "https://example.test/a?b=c#d",
]
_LETTERS = st.characters(
    categories=("L", "M", "N", "P", "S", "Zs"),
    exclude_characters="\u00a0\u1680\u2007\u202f\u3000",
    max_codepoint=0x2FFFF,
)


def _trim(text: str) -> str:
    return text.strip()


texts: st.SearchStrategy[str] = st.one_of(
    st.sampled_from(TRICKY),
    st.text(string.ascii_letters + " ", min_size=1, max_size=12).map(_trim).filter(bool),
    st.text(_LETTERS, min_size=1, max_size=8).map(_trim).filter(bool),
)
"""Non-empty text without control characters."""

uuids: st.SearchStrategy[str] = st.uuids(version=4).map(str)
"""UUIDs in canonical form."""

item_ids: st.SearchStrategy[str] = st.text(string.ascii_letters + string.digits + "-.", min_size=1, max_size=12)
"""Ids of list items."""

codes: st.SearchStrategy[str] = st.text(string.ascii_letters + string.digits + "-._", min_size=1, max_size=8)
"""Tokens without spaces."""

systems: st.SearchStrategy[str] = st.sampled_from(
    ["https://example.test/codes", "https://example.test/more-codes", "urn:oid:2.999.1"]
)
"""Code systems that no ConceptMap knows."""


def _decimal(units: int, places: int) -> int | Decimal:
    return Decimal(units).scaleb(-places) if places else units


def decimals(low: int | None = None, high: int | None = None) -> st.SearchStrategy[int | Decimal]:
    """Decimals as JSON gives them: whole ones as int, others as Decimal with trailing zeros kept."""
    whole = st.integers(-9999 if low is None else low, 9999 if high is None else high - 1)
    fraction = st.sampled_from(["0", "00", "5", "50", "25", "125", "900"])

    def join(pair: tuple[int, str]) -> Decimal:
        return Decimal(f"{pair[0]}.{pair[1]}")

    return st.one_of(whole, st.tuples(whole, fraction).map(join))


@st.composite
def _days(draw: st.DrawFn, low: int, high: int) -> str:
    year, month, day = draw(st.integers(low, high)), draw(st.integers(1, 12)), draw(st.integers(1, 28))
    form = draw(st.sampled_from([10, 10, 7, 4]))
    return f"{year:04}-{month:02}-{day:02}"[:form]


def dates(low: int = 1900, high: int = 2099) -> st.SearchStrategy[str]:
    """FHIR dates: a year, a month or a day."""
    return _days(low, high)


_clock = st.tuples(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59)).map(
    "{0[0]:02}:{0[1]:02}:{0[2]:02}".format
)
_fraction = st.sampled_from(["", "", ".0", ".120", ".000", ".123456"])
_zone = st.sampled_from(["Z", "+00:00", "-05:00", "+05:30", "+14:00", "-00:30"])
times: st.SearchStrategy[str] = st.tuples(_clock, _fraction).map("".join)
"""FHIR times of day."""


@st.composite
def datetimes(draw: st.DrawFn, low: int = 1900, high: int = 2099) -> str:
    """FHIR dateTimes as people write them: partial, or to the second with any fraction and zone."""
    day = draw(_days(low, high))
    if len(day) < 10 or draw(st.booleans()):
        return day
    return f"{day}T{draw(times)}{draw(_zone)}"


def instants() -> st.SearchStrategy[str]:
    """FHIR instants: always to the second and with a zone."""
    day = st.tuples(st.integers(1990, 2030), st.integers(1, 12), st.integers(1, 28)).map(
        "{0[0]:04}-{0[1]:02}-{0[2]:02}".format
    )
    return st.tuples(day, st.just("T"), times, _zone).map("".join)


periods: Trees = st.one_of(
    st.fixed_dictionaries({"start": datetimes(1950, 1999), "end": datetimes(2000, 2050)}),
    st.fixed_dictionaries({"start": datetimes()}),
    st.fixed_dictionaries({"end": datetimes()}),
)
"""Periods that do not end before they start."""

codings: Trees = st.fixed_dictionaries(
    {"system": systems, "code": codes}, optional={"display": texts, "version": st.sampled_from(["1", "2026-01"])}
)
"""Codings of systems that are not ours."""

quantities: Trees = st.fixed_dictionaries(
    {"value": decimals()},
    optional={
        "comparator": st.sampled_from(["<", "<=", ">=", ">"]),
        "unit": texts,
        "system": st.just("http://unitsofmeasure.org"),
        "code": st.sampled_from(["mg", "h", "%", "{score}", "mm[Hg]"]),
    },
)
"""Quantities."""

references: Trees = st.fixed_dictionaries(
    {
        "reference": st.sampled_from(
            [
                "Organization/o-1",
                "https://example.test/fhir/Location/7",
                "urn:uuid:6f2ad6ba-1a44-4d0c-9a9e-3c1fb9a3f7de",
            ]
        )
    },
    optional={
        "type": st.sampled_from(["Organization", "Location"]),
        "display": texts,
        "identifier": st.fixed_dictionaries({"value": texts}, optional={"system": systems}),
    },
)
"""References to things that are not records."""


parties: Trees = st.one_of(
    st.fixed_dictionaries(
        {"reference": st.sampled_from(["Organization/o-1", "https://example.test/fhir/Location/7"])},
        optional={"type": st.sampled_from(["Organization", "Location"]), "text": texts},
    ),
    st.fixed_dictionaries(
        {"identifier": st.fixed_dictionaries({"value": texts}, optional={"system": systems})},
        optional={"type": st.sampled_from(["Organization", "Practitioner"]), "text": texts},
    ),
)
"""People, places and things that others keep."""


@st.composite
def foreign_concepts(draw: st.DrawFn) -> Tree:
    """Concepts of other people: coded, coded with more codings beside, or text alone."""
    form = draw(st.sampled_from(["coded", "coded", "text", "also"]))
    if form == "text":
        return {"text": draw(texts)}
    concept: Tree = {"system": draw(systems), "code": draw(codes)}
    if draw(st.booleans()):
        concept["display"] = draw(texts)
    if draw(st.integers(0, 3)) == 0:
        concept["version"] = draw(st.sampled_from(["1", "2026-01"]))
    if draw(st.booleans()):
        concept["text"] = draw(texts)
    if form == "also":
        concept["also"] = draw(st.lists(codings, min_size=1, max_size=2))
    return concept


def concepts(internal: tuple[str, ...] = ()) -> Trees:
    """Concepts: ours where the place has codes of ours, else foreign ones."""
    if not internal:
        return foreign_concepts()
    ours = st.sampled_from(internal).map(lambda code: {"code": code})
    worded = st.tuples(ours, texts).map(lambda pair: {**pair[0], "text": pair[1]})
    beside = st.tuples(ours, codings).map(lambda pair: {**pair[0], "also": [pair[1]]})
    return st.one_of(ours, ours, worded, beside, foreign_concepts())


INSTRUMENTS: dict[str, tuple[str, int]] = {
    "phq-9": ("phq9", 9),
    "gad-7": ("gad7", 7),
    "audit": ("audit", 10),
    "audit-c": ("auditc", 3),
    "dast-10": ("dast10", 10),
    "pc-ptsd-5": ("pcptsd5", 5),
}
_LIKERT = ["not-at-all", "several-days", "more-than-half", "nearly-every-day"]
_OFTEN = ["never", "less-than-monthly", "monthly", "weekly", "daily"]
_AUDIT = {
    1: ["never", "monthly-or-less", "2-4-a-month", "2-3-a-week", "4-or-more-a-week"],
    2: ["1-or-2", "3-or-4", "5-or-6", "7-to-9", "10-or-more"],
    9: ["no", "yes-not-last-year", "yes-last-year"],
    10: ["no", "yes-not-last-year", "yes-last-year"],
}


def answer_codes(name: str, item: int) -> list[str]:
    """Our codes of an item's answers, from the lowest score to the highest."""
    if name in ("phq-9", "gad-7"):
        return _LIKERT
    if name in ("audit", "audit-c"):
        return _AUDIT.get(item, _OFTEN)
    return ["no", "yes"]


@st.composite
def instruments(draw: st.DrawFn) -> Tree:
    """Instruments with some or all of their answers; a total is data and stands only where every answer does."""
    name = draw(st.sampled_from(sorted(INSTRUMENTS)))
    prefix, size = INSTRUMENTS[name]
    absent = draw(st.sets(st.integers(1, size), max_size=2))
    answers, total = [], 0
    for item in sorted(set(range(1, size + 1)) - absent):
        options = answer_codes(name, item)
        index = draw(st.integers(0, len(options) - 1))
        answers.append({"linkId": f"{prefix}-{item}", "value": options[index]})
        step = 2 if options[0] == "no" and len(options) == 3 else 1
        total += 1 - index if (name, item) == ("dast-10", 3) else index * step
    tree: Tree = {"id": draw(uuids), "name": name, "complete": not absent, "answers": answers}
    if not absent and draw(st.booleans()):
        tree["total"] = total
    if draw(st.booleans()):
        tree["authored"] = draw(datetimes())
    if draw(st.booleans()):
        tree["version"] = "1.0.0"
    return tree
