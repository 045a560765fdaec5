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
BATCH = 256
BATCH_BYTES = 1 << 20
AHEAD = 3
"""How many items a worker may have waiting."""


def spread(work: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """`work(item)` for each item, by so many processes. Raises what `work` raises; Unavailable where a worker was killed."""
    if workers < 2 or "fork" not in multiprocessing.get_all_start_methods():
        yield from map(work, items)
        return
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(work,))
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(_one, item))
            if len(waiting) >= workers * AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise Unavailable(
            "A worker ended before its work was done.", remedy="Perhaps memory was short: use fewer workers."
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def batches(items: Iterable[Item], many: int = BATCH) -> Iterator[list[Item]]:
    """So many items together, or fewer where they are large: each way to a worker and back has its price."""
    batch: list[Item] = []
    size = 0
    for item in items:
        batch.append(item)
        size += len(item) if isinstance(item, bytes) else 0
        if len(batch) >= many or size >= BATCH_BYTES:
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


def _one(item: Any) -> Any:
    work = _work
    if work is None:
        raise RuntimeError("a worker was given nothing to do")
    return work(item)
