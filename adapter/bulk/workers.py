"""The same work in several processes, its results in the order of what they were made from, in bounded memory.

The processes are forks of this one: what the work needs is there already, and nothing of it is sent. Where a system
cannot fork, this process does the work alone.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from adapter.errors import Unavailable

Item = TypeVar("Item")
Result = TypeVar("Result")
BATCH = 64
BATCH_BYTES = 1 << 20
AHEAD = 3
"""How many batches a worker may have waiting."""


def spread(work: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """`work(item)` for each item, by so many processes. Raises what `work` raises; Unavailable where a worker was killed."""
    if workers < 2 or "fork" not in multiprocessing.get_all_start_methods():
        yield from map(work, items)
        return
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(work,))
    waiting: deque[Future[list[Result]]] = deque()
    try:
        for batch in _batches(items):
            waiting.append(pool.submit(_each, batch))
            if len(waiting) >= workers * AHEAD:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    except BrokenProcessPool:
        raise Unavailable(
            "A worker ended before its work was done.", remedy="Perhaps memory was short: use fewer workers."
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """So many items, or fewer where they are large."""
    batch: list[Item] = []
    size = 0
    for item in items:
        batch.append(item)
        size += len(item) if isinstance(item, bytes) else 0
        if len(batch) >= BATCH or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


_work: Callable[[Any], Any] | None = None


def _begin(work: Callable[[Any], Any]) -> None:
    """In a new worker: what it does with each item. Ctrl-C is for the process that started it."""
    global _work  # noqa: PLW0603 - a process has one work, given once
    _work = work
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _each(batch: list[Any]) -> list[Any]:
    work = _work
    if work is None:
        raise RuntimeError("a worker was given nothing to do")
    return [work(item) for item in batch]
