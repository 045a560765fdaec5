r"""NDJSON: one JSON document a line in, exactly one line out for each, in order, in bounded memory.

Lines end at `\n` only, a blank line gives a blank line, a leading BOM is accepted. A bad line gives the OperationOutcome
that says why, and the others go on. https://github.com/ndjson/ndjson-spec
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, BinaryIO

from adapter.bulk.workers import spread
from adapter.errors import BadInput, DataError
from adapter.fhir_json import DEFAULT_BOUNDS, Bounds, dumps, loads
from adapter.issues import Issue, has_errors, to_operation_outcome

BOM = b"\xef\xbb\xbf"
_PIECE = 1 << 16


@dataclass(slots=True)
class Answer:
    """What a line gives: a tree (or bytes that are passed on as they came), and what is to be said of it."""

    tree: Any
    issues: Sequence[Issue] = ()
    failed: bool = False


@dataclass(slots=True)
class Tally:
    """How many lines were read, how many of them were refused, how many went through with errors."""

    lines: int = 0
    bad: int = 0
    faulty: int = 0
    said: Callable[[int, Sequence[Issue]], None] | None = field(default=None, repr=False)

    @property
    def clean(self) -> bool:
        """Whether nothing in the data was wrong."""
        return not self.bad and not self.faulty


def lines(source: BinaryIO, longest: int) -> Iterator[bytes | None]:
    """The lines of a stream without their ends; None for one that is longer than `longest` bytes."""
    first = True
    while line := source.readline(longest + len(BOM) + 2):
        whole = line.endswith(b"\n")
        text = line.removesuffix(b"\n")
        if first:
            text, first = text.removeprefix(BOM), False
        if len(text) > longest:
            while not whole and (piece := source.readline(_PIECE)):
                whole = piece.endswith(b"\n")
            yield None
        else:
            yield text


@dataclass(frozen=True, slots=True)
class Done:
    """A line of output without its end, and what is to be said of it; a blank line is one of neither kind."""

    data: bytes
    issues: Sequence[Issue] = ()
    failed: bool = False


def run(
    source: BinaryIO,
    sink: BinaryIO,
    work: Callable[[Any, bytes], Answer],
    *,
    refusal: Callable[[dict[str, Any]], Any] = lambda outcome: {"error": outcome},
    bounds: Bounds = DEFAULT_BOUNDS,
    tally: Tally | None = None,
    workers: int = 1,
) -> Tally:
    """Put every line through `work`, which gets its tree and its bytes and may raise DataError to refuse it.

    `refusal` makes the output line of a refused one from its OperationOutcome. Errors other than DataError end the run,
    except faults of our own, which are said of that line alone. With several `workers` lines are read ahead in batches,
    and come out in order all the same.
    """
    tally = tally or Tally()
    each = partial(_done, work=work, bounds=bounds, refusal=refusal)
    for done in spread(each, lines(source, bounds.size), workers):
        tally.lines += 1
        _count(tally, done)
        sink.write(done.data)
        sink.write(b"\n")
        if workers == 1:
            # Who feeds us line by line may wait for the answer.
            sink.flush()
    return tally


def _done(
    line: bytes | None,
    *,
    work: Callable[[Any, bytes], Answer],
    bounds: Bounds,
    refusal: Callable[[dict[str, Any]], Any],
) -> Done:
    if line is not None and not line.strip():
        return Done(b"")
    answer = _answer(line, work, bounds, refusal)
    data = answer.tree if isinstance(answer.tree, bytes) else dumps(answer.tree)
    return Done(data, answer.issues, answer.failed)


def _count(tally: Tally, done: Done) -> None:
    if done.failed:
        tally.bad += 1
    elif has_errors(done.issues):
        tally.faulty += 1
    if done.issues and tally.said is not None:
        tally.said(tally.lines, [replace(issue, line=tally.lines) for issue in done.issues])


def _answer(
    line: bytes | None, work: Callable[[Any, bytes], Answer], bounds: Bounds, refusal: Callable[[dict[str, Any]], Any]
) -> Answer:
    try:
        if line is None:
            text = f"The line is longer than {bounds.size} bytes."
            raise BadInput(text, issues=[Issue("fatal", "too-long", "json-too-large", text)])
        return work(loads(line, bounds), line)
    except DataError as error:
        issues = list(error.issues) or [Issue("fatal", "invalid", "input-refused", error.message)]
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        # One poisoned line must not end the run; what it was is said without its values.
        text = f"The adapter failed on this line ({type(error).__name__}); this is a fault of the adapter."
        issues = [Issue("fatal", "exception", "internal-error", text)]
    return Answer(refusal(to_operation_outcome(issues)), issues, failed=True)
