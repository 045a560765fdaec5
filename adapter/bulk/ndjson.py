r"""NDJSON: one JSON document a line in, exactly one line out for each, in order, in bounded memory.

Lines end at `\n` only, a blank line gives a blank line, a leading BOM is accepted. A bad line gives the OperationOutcome
that says why, and the others go on. https://github.com/ndjson/ndjson-spec
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, BinaryIO

from adapter.bulk.workers import BATCH, batches, spread
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


@dataclass(slots=True)
class Done:
    """Lines of output, each with its end, how many were refused or went through with errors, and what is to be said of which."""

    data: bytes
    lines: int
    bad: int = 0
    faulty: int = 0
    said: list[tuple[int, Sequence[Issue]]] = field(default_factory=list)


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
    each = partial(_done, work=work, bounds=bounds, refusal=refusal, heard=tally.said is not None)
    # Who feeds us line by line may wait for the answer; several workers get, and give, many lines at once.
    batch = 1 if workers == 1 else BATCH
    for done in spread(each, batches(lines(source, bounds.size), batch), workers):
        _count(tally, done)
        sink.write(done.data)
        if workers == 1:
            sink.flush()
    return tally


def _done(
    batch: list[bytes | None],
    *,
    work: Callable[[Any, bytes], Answer],
    bounds: Bounds,
    refusal: Callable[[dict[str, Any]], Any],
    heard: bool,
) -> Done:
    out: list[bytes] = []
    done = Done(b"", len(batch))
    for index, line in enumerate(batch, 1):
        if line is not None and not line.strip():
            out.append(b"\n")
            continue
        answer = _answer(line, work, bounds, refusal)
        out += (answer.tree if isinstance(answer.tree, bytes) else dumps(answer.tree), b"\n")
        if answer.failed:
            done.bad += 1
        elif has_errors(answer.issues):
            done.faulty += 1
        if heard and answer.issues:
            done.said.append((index, answer.issues))
    done.data = b"".join(out)
    return done


def _count(tally: Tally, done: Done) -> None:
    for index, issues in done.said:
        if tally.said is not None:
            number = tally.lines + index
            tally.said(number, [replace(issue, line=number) for issue in issues])
    tally.lines += done.lines
    tally.bad += done.bad
    tally.faulty += done.faulty


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
