"""A server stays connected between two runs, and not for longer than it may be relied on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapter.errors import SettingsError
from adapter.services.kept import SECONDS, Kept
from adapter.sync.partner import Partner
from tests.unit.services.scene import NAME, Scene, scene


@pytest.fixture
def made(tmp_path: Path) -> Scene:
    return scene(tmp_path)


class Connections:
    """Says what was connected and ended."""

    def __init__(self, made: Scene) -> None:
        self.made, self.said = made, list[str]()

    @contextmanager
    def __call__(self, name: str) -> Iterator[Partner]:
        self.said.append("connected")
        try:
            yield self.made.partner()
        finally:
            self.said.append("ended")


def test_it_is_connected_once_for_many_runs(made: Scene) -> None:
    connections = Connections(made)
    kept, server = Kept(connections, made.clock), made.store.server(NAME)
    for _ in range(3):
        with kept.connected(server) as partner:
            assert partner.server == server
        kept.tidy()
    assert connections.said == ["connected"]
    kept.close()
    assert connections.said == ["connected", "ended"]


def test_other_options_are_heeded_at_once(made: Scene) -> None:
    connections = Connections(made)
    kept = Kept(connections, made.clock)
    with kept.connected(made.store.server(NAME)):
        pass
    made.set(kinds=("patient",))
    with kept.connected(made.store.server(NAME)) as partner:
        assert partner.server.options.kinds == ("patient",)
    assert connections.said == ["connected", "ended", "connected"]


@pytest.mark.parametrize("tidied", [True, False])
def test_what_was_idle_for_long_is_connected_anew(made: Scene, tidied: bool) -> None:
    connections = Connections(made)
    kept, server = Kept(connections, made.clock), made.store.server(NAME)
    with kept.connected(server):
        pass
    made.clock.at += timedelta(seconds=SECONDS + 1)
    if tidied:
        kept.tidy()
        assert connections.said == ["connected", "ended"]
    with kept.connected(server):
        pass
    assert connections.said == ["connected", "ended", "connected"]


def test_after_an_error_nothing_is_kept(made: Scene) -> None:
    connections = Connections(made)
    kept, server = Kept(connections, made.clock), made.store.server(NAME)
    with pytest.raises(ZeroDivisionError), kept.connected(server):
        raise ZeroDivisionError
    assert connections.said == ["connected", "ended"]
    with kept.connected(replace(server, paused="x")):
        pass
    assert connections.said == ["connected", "ended", "connected"]


def test_what_cannot_be_connected_says_so(made: Scene) -> None:
    @contextmanager
    def broken(_: str) -> Iterator[Partner]:
        raise SettingsError("The secret is not set.")
        yield made.partner()

    kept = Kept(broken, made.clock)
    with pytest.raises(SettingsError), kept.connected(made.store.server(NAME)):
        pass
    kept.close()
