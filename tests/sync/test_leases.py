"""How much is leased at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.sync.world import World, name_of


@pytest.mark.parametrize(("bundle", "most"), [(20, 80), (1, 25)])
def test_where_there_is_much_to_do_several_requests_are_leased_together(
    bundle: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(synced=False)
    try:
        west, server = world.adapters["west"], world.sites["north"].server
        known = west.store.server("north")
        options = replace(known.options, bundle=bundle, connections=1)
        west.store.set_server(replace(known, options=options))
        for number in range(100, 300):
            west.write({"kind": "patient", "id": name_of(number), "gender": "other"})
        limits, sizes = list[int](), list[int]()
        claim, transaction = west.store.claim, server.transaction

        def claimed(*args: Any, limit: int, **rest: Any) -> Any:
            limits.append(limit)
            return claim(*args, limit=limit, **rest)

        def sent(tree: Any) -> Any:
            sizes.append(len(tree["entry"]))
            return transaction(tree)

        monkeypatch.setattr(west.store, "claim", claimed)
        monkeypatch.setattr(server, "transaction", sent)
        ran = west.run("north", "push")
        assert ran is not None
        assert ran.error is None
        assert not west.store.counts("north").get("waiting")
        assert limits[0] == 25
        assert max(limits) == most
        assert max(sizes, default=1) <= bundle
    finally:
        world.close()
