"""Several processes give what one gives: the same lines in the same order, the same refusals, the same counts."""

from __future__ import annotations

import io
import os
import signal
from typing import Any

import pytest

from adapter.bulk import workers
from adapter.bulk.ndjson import Answer, Tally, run
from adapter.bulk.workers import spread
from adapter.errors import BadInput, Unavailable, UsageError
from adapter.issues import Issue

ISSUE = Issue("warning", "value", "some", "Something.")


def _work(tree: Any, _: bytes) -> Answer:
    if tree.get("n") % 7 == 3:
        raise BadInput("no", issues=[Issue("fatal", "structure", "bad", "no")])
    if tree.get("n") % 11 == 5:
        raise KeyError("a fault of our own")
    return Answer({"n": tree["n"], "pid": os.getpid() < 0}, [ISSUE] if tree["n"] % 5 == 0 else [])


def _through(data: bytes, count: int) -> tuple[bytes, Tally, list[int]]:
    sink, said = io.BytesIO(), list[int]()
    tally = Tally(said=lambda number, _: said.append(number))
    run(io.BytesIO(data), sink, _work, tally=tally, workers=count)
    return sink.getvalue(), tally, said


def test_order_refusals_and_counts_are_those_of_one_worker() -> None:
    rows = [b'{"n": %d}' % number for number in range(1000)]
    rows[17], rows[400] = b"", b"not json"
    data = b"\n".join(rows)
    alone, together = _through(data, 1), _through(data, 2)
    assert together[0] == alone[0]
    assert (together[1].lines, together[1].bad, together[1].faulty) == (alone[1].lines, alone[1].bad, alone[1].faulty)
    assert together[2] == alone[2]


def test_the_work_is_done_elsewhere_and_read_ahead_is_bounded() -> None:
    taken: list[int] = []

    def items() -> Any:
        for number in range(100_000):
            taken.append(number)
            yield number

    found = spread(lambda number: (number, os.getpid()), items(), 2)
    first = next(found)
    assert first[0] == 0
    assert first[1] != os.getpid()
    assert len(taken) <= workers.AHEAD * 2 + 1
    found.close()


def test_an_error_that_ends_the_run_arrives() -> None:
    def refuse(_: int) -> int:
        raise UsageError("not so", place="here", remedy="else")

    with pytest.raises(UsageError, match=r"here: not so else") as caught:
        list(spread(refuse, range(10), 2))
    assert caught.value.remedy == "else"


def test_a_killed_worker_is_told() -> None:
    with pytest.raises(Unavailable, match="ended before"):
        list(spread(lambda _: os.kill(os.getpid(), signal.SIGKILL), range(10), 2))
