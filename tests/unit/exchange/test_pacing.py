"""One server is asked no faster than it may be, and left alone when it is sick; no other server feels it."""

from __future__ import annotations

import threading
import time

import pytest

from adapter.errors import Conflict, Unavailable
from adapter.exchange import HttpFhirServer, Pace
from adapter.exchange.pacing import Sick
from tests.unit.exchange.stub import StubServer

PATIENT = {"resourceType": "Patient", "id": "p1"}


class Time:
    """Seconds that pass only by sleeping."""

    def __init__(self) -> None:
        self.at = 0.0

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


def paced(**options: object) -> tuple[Pace, Time]:
    passing = Time()
    return Pace(clock=passing, sleep=passing.sleep, **options), passing  # type: ignore[arg-type]


def test_requests_are_spread_over_the_second() -> None:
    pace, passing = paced(per_second=4)
    starts = [pace.turn(passing.monotonic, "x") for _ in range(5)]
    assert starts == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_who_would_wait_too_long_is_told_to_come_back() -> None:
    pace, passing = paced(per_second=0.01, patience=10)
    pace.turn(passing.monotonic, "x")
    with pytest.raises(Unavailable) as caught:
        pace.turn(passing.monotonic, "x")
    assert caught.value.retry_after == 100.0


def test_a_server_that_asked_for_rest_is_not_asked() -> None:
    pace, passing = paced()
    pace.rest_for(36_000)
    with pytest.raises(Unavailable) as caught:
        pace.turn(lambda: pytest.fail("was asked"), "x")
    assert caught.value.retry_after == 36_000
    passing.at = 36_001
    assert pace.turn(lambda: "well", "x") == "well"


def test_no_more_than_so_many_at_once() -> None:
    pace, under_way, most = Pace(at_once=2), [0], [0]
    lock = threading.Lock()

    def work() -> None:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        time.sleep(0.02)
        with lock:
            under_way[0] -= 1

    threads = [threading.Thread(target=pace.turn, args=(work, "x")) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 2


def fail() -> None:
    raise Unavailable("down")


def test_the_circuit_opens_after_failures_in_a_row_and_one_try_closes_it() -> None:
    pace, passing = paced(failures=3, rest=30)
    for _ in range(3):
        with pytest.raises(Unavailable, match="down"):
            pace.turn(fail, "x")
    assert pace.circuit == "open"
    with pytest.raises(Unavailable, match="left alone"):
        pace.turn(lambda: pytest.fail("was asked"), "x")
    passing.at += 31
    assert pace.circuit == "half-open"
    assert pace.turn(lambda: 1, "x") == 1
    assert pace.circuit == "closed"


def test_a_try_that_fails_opens_it_again() -> None:
    pace, passing = paced(failures=2, rest=30)
    for seconds in (0, 0, 31):
        passing.at += seconds
        with pytest.raises(Unavailable, match="down"):
            pace.turn(fail, "x")
    with pytest.raises(Unavailable, match="left alone") as caught:
        pace.turn(lambda: pytest.fail("was asked"), "x")
    assert caught.value.retry_after == 30


def test_while_one_tries_the_others_wait() -> None:
    pace, passing = paced(failures=1, rest=30)
    with pytest.raises(Unavailable):
        pace.turn(fail, "x")
    passing.at += 31

    def second() -> str:
        with pytest.raises(Unavailable, match="left alone"):
            pace.turn(lambda: pytest.fail("was asked"), "x")
        return "well"

    assert pace.turn(second, "x") == "well"
    assert pace.circuit == "closed"


def test_a_refusal_of_one_request_says_nothing_of_the_server() -> None:
    pace = Pace(failures=1)
    for _ in range(3):
        with pytest.raises(Conflict):
            pace.turn(lambda: (_ for _ in ()).throw(Conflict("stale")), "x")
    assert pace.circuit == "closed"


def test_an_answer_that_counts_as_failure_is_still_given() -> None:
    pace = Pace(failures=1)

    def sick() -> str:
        raise Sick("the answer")

    assert pace.turn(sick, "x") == "the answer"
    assert pace.circuit == "open"


def test_a_storm_of_502_opens_the_circuit_and_the_server_is_spared() -> None:
    with StubServer(lambda c: c.send(502)) as stub:
        server = HttpFhirServer(stub.base, pace=Pace(failures=3))
        for _ in range(6):
            with pytest.raises(Unavailable):
                server.read("Patient", "p1")
        assert len(stub.asked) == 3


def test_a_poison_record_that_makes_500_does_not_open_it() -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
    pace = Pace(failures=2)
    with StubServer(lambda c: c.tree(500, outcome)) as stub:
        server = HttpFhirServer(stub.base, pace=pace)
        for _ in range(4):
            with pytest.raises(Unavailable):
                server.create(PATIENT)
    assert pace.circuit == "closed"


def test_retry_after_holds_back_the_next_request_too() -> None:
    with StubServer(lambda c: c.send(429, more="Retry-After: 600\r\n")) as stub:
        server = HttpFhirServer(stub.base, pace=Pace())
        for _ in range(2):
            with pytest.raises(Unavailable) as caught:
                server.read("Patient", "p1")
        assert len(stub.asked) == 1
    assert 590 < (caught.value.retry_after or 0) <= 600
