"""The Celery application over the services, and what one look does."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from adapter.errors import SettingsError

if TYPE_CHECKING:
    from celery import Celery

    from adapter.bootstrap import Services
    from adapter.errors import AdapterError
    from adapter.services.exchange import How


def celery_app(services: Services) -> Celery:
    """The application at the broker of the settings. Raises SettingsError where there is none, or Celery is missing."""
    broker = services.settings.broker_url
    if not broker:
        raise SettingsError(
            "No broker is named.", place="CAREPLAN_BROKER_URL", remedy="For example redis://127.0.0.1/0."
        )
    try:
        from adapter.jobs.queue import make_app
    except ImportError:
        remedy = "Install careplan-adapter[scale]."
        raise SettingsError("Celery is not installed.", place="CAREPLAN_BROKER_URL", remedy=remedy) from None
    return make_app(
        broker, look=lambda name, how: look(services, name, how), due=lambda: due(services), tick=services.settings.tick
    )


def look(services: Services, name: str, how: str) -> None:
    """One run of the exchange with a server, over one of its connections: several are as many workers. What went wrong is
    in its state, for `careplan status`.
    """
    from adapter.jobs.queue import stopping
    from adapter.ports import SystemClock
    from adapter.services.exchange import attempt

    alone = partial(services.partner, alone=True, stopping=stopping)
    ran = attempt(services.store(), SystemClock(), alone, name, cast("How", how), shared=True)
    if ran.error is not None:
        # A server that was removed meanwhile, a secret that is not set: the worker goes on with the others.
        _log(name, ran.error)


def due(services: Services) -> Iterator[tuple[str, str]]:
    """What is to be looked at now; a server with several connections is looked at by as many workers."""
    from adapter.services.watch import due as found

    store = services.store()
    servers = {one.name: one for one in store.servers()}
    waiting = store.waiting()
    for name, how in found(store, services.now()):
        yield name, how
        for _ in range(servers[name].options.connections - 1 if name in waiting else 0):
            yield name, "push"


def _log(name: str, error: AdapterError) -> None:
    import logging

    logging.getLogger("adapter.jobs").warning("%s: %s", name, error)
