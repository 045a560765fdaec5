"""The Celery application: one task that looks, one that says where to look. https://docs.celeryq.dev/en/stable/

Messages hold the name of a server and a direction, never a record.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from celery import Celery
from celery.worker import state as worker_state

LOOK, TICK = "careplan.look", "careplan.tick"
_QUEUE = "careplan"


def make_app(
    broker: str, *, look: Callable[[str, str], object], due: Callable[[], Iterable[tuple[str, str]]], tick: float
) -> Celery:
    """The application at a broker. `look` runs the exchange with one server, `due` gives what is to be looked at, every
    `tick` seconds.
    """
    app = Celery("careplan", broker=broker)
    app.conf.update(
        task_default_queue=_QUEUE,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"visibility_timeout": 3600, "socket_keepalive": True},
        timezone="UTC",
        # What nobody took up until the next tick is said again by it.
        beat_schedule={"tick": {"task": TICK, "schedule": tick, "options": {"expires": tick}}},
        beat_max_loop_interval=tick,
    )

    @app.task(name=LOOK)  # type: ignore[untyped-decorator]
    def _look(server: str, how: str) -> None:
        look(server, how)

    @app.task(name=TICK)  # type: ignore[untyped-decorator]
    def _tick() -> None:
        for server, how in due():
            _look.apply_async((server, how), expires=max(tick, 1.0))

    return app


def stopping() -> bool:
    """Whether this worker was told to end. It does when its look is over; so a look asks, and is over soon."""
    return any(
        flag is not None and flag is not False for flag in (worker_state.should_stop, worker_state.should_terminate)
    )


def run_worker(app: Celery, *, name: str) -> None:
    """Works until SIGTERM, one look at a time; a second worker is a second process, here or on another machine."""
    app.worker_main(["--quiet", "worker", "--pool=solo", f"--hostname={name}@%h", "--loglevel=WARNING", "--without-gossip", "--without-mingle"])  # fmt: skip


def run_scheduler(app: Celery, *, state: str) -> None:
    """Ticks until SIGTERM; `state` is the file where it keeps when it last did."""
    logging.getLogger("celery.beat").addFilter(_in_a_sentence)
    beat: Any = app.Beat(schedule=state, loglevel="WARNING", quiet=True)
    beat.run()


def _in_a_sentence(record: logging.LogRecord) -> bool:
    """A broker that is away is told at each tick: by what was wrong, not by a hundred lines of where."""
    if record.exc_info:
        record.msg, record.args, record.exc_info = "%s", (record.exc_info[1],), None
    return True
