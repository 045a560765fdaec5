"""Connections to PostgreSQL that let another thread compute while they wait. https://www.psycopg.org/psycopg3/docs/api/connections.html"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import psycopg

from adapter.baton import aside


class Waiting(psycopg.Connection[Any]):
    """Waits for the database without the baton."""

    def wait(self, gen: Generator[Any, Any, Any], *args: Any, **kwargs: Any) -> Any:
        """What the database answers."""
        with aside():
            return super().wait(gen, *args, **kwargs)


def connect(_: Any, __: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> Waiting:
    """For SQLAlchemy's event `do_connect`."""
    return Waiting.connect(*arguments, **options)
