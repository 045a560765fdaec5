"""Lines in, lines out: ends, blanks, bounds, refusals, order. The command's own contract is in tests/unit/cli."""

from __future__ import annotations

import io
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapter.bulk.ndjson import Answer, lines, run
from adapter.errors import DataError
from adapter.fhir_json import Bounds, loads


def through(data: bytes, bounds: Bounds | None = None, **options: Any) -> tuple[list[bytes], Any]:
    sink = io.BytesIO()
    tally = run(io.BytesIO(data), sink, lambda tree, _: Answer(tree), bounds=bounds or Bounds(), **options)
    out = sink.getvalue()
    assert not out or out.endswith(b"\n")
    return out.split(b"\n")[:-1], tally


def test_lines_end_at_newline_only() -> None:
    text = '{"a": "x\u2028y\u0085z"}\n{"b": 1}\r\n'.encode()
    out, tally = through(text)
    assert out == ['{"a":"x\u2028y\u0085z"}'.encode(), b'{"b":1}']
    assert tally.clean


def test_blank_lines_bom_and_a_last_line_without_end() -> None:
    out, tally = through(b'\xef\xbb\xbf{"a":1}\n\n  \n1.50')
    assert out == [b'{"a":1}', b"", b"", b"1.50"]
    assert tally.lines == 4
    assert through(b"") == ([], through(b"")[1])


def test_bad_lines_say_why_and_the_others_go_on() -> None:
    bad = [b"{", b"\xff\xfe", b'{"a":1,"a":2}', b"[" * 200 + b"]" * 200, b"NaN"]
    out, tally = through(b"\n".join([*bad, b'{"ok":true}']))
    assert out[-1] == b'{"ok":true}'
    assert [loads(line)["error"]["resourceType"] for line in out[:-1]] == ["OperationOutcome"] * 5
    assert (tally.lines, tally.bad, tally.clean) == (6, 5, False)


def test_a_line_beyond_the_bound_is_one_line_and_is_not_kept() -> None:
    long = b'"' + b"x" * 200_000 + b'"'
    out, _ = through(long + b"\n1\n" + long, Bounds(size=1000))
    assert [b"error" in line for line in out] == [True, False, True]
    held = list(lines(io.BytesIO(long + b"\n1"), 1000))
    assert held == [None, b"1"]


def test_a_line_of_exactly_the_bound_passes() -> None:
    for end in (b"", b"\n"):
        assert list(lines(io.BytesIO(b"x" * 10 + end), 10)) == [b"x" * 10]
        assert list(lines(io.BytesIO(b"\xef\xbb\xbf" + b"x" * 10 + end), 10)) == [b"x" * 10]
        assert list(lines(io.BytesIO(b"x" * 11 + end), 10)) == [None]


def test_a_fault_of_ours_is_said_of_its_line_alone() -> None:
    def work(tree: Any, _: bytes) -> Answer:
        if tree == 2:
            raise KeyError("Odile")
        if tree == 3:
            raise DataError("no")
        return Answer(tree)

    sink = io.BytesIO()
    tally = run(io.BytesIO(b"1\n2\n3\n4\n"), sink, work)
    rows = sink.getvalue().split(b"\n")
    assert (rows[0], rows[3]) == (b"1", b"4")
    assert b"internal-error" in rows[1]
    assert b"Odile" not in rows[1]
    assert tally.bad == 2


@given(st.lists(st.one_of(st.just(b""), st.integers().map(lambda n: str(n).encode()), st.just(b"{"))), st.booleans())
def test_one_line_out_for_each_line_in(rows: list[bytes], ended: bool) -> None:
    data = b"\n".join(rows) + (b"\n" if ended and rows else b"")
    out, tally = through(data)
    expected = data.count(b"\n") + (1 if data and not data.endswith(b"\n") else 0)
    assert len(out) == tally.lines == expected
