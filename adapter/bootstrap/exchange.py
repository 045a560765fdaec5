"""What the exchange with other servers needs, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from adapter.fhir_json import Tree

if TYPE_CHECKING:
    from adapter.bootstrap.border import Border
    from adapter.exchange import Pace
    from adapter.mapping import Mapper
    from adapter.ports import Link, Server
    from adapter.services.conflicts import Desk
    from adapter.services.remap import Remapped
    from adapter.services.watch import Watch
    from adapter.settings import Settings
    from adapter.store import Store
    from adapter.sync.partner import Partner
    from adapter.sync.receive import Plan


class Exchange:
    """The part of `Services` that speaks of servers and of what was decided."""

    settings: Settings
    pack: str

    if TYPE_CHECKING:

        def _once(self, key: Any, make: Callable[[], Any]) -> Any: ...

        def store(self) -> Store: ...

        def maps(self) -> Mapper: ...

        def border(self) -> Border: ...

        def carry_out(self, plan: Plan, links: Sequence[Link] = (), recorded_by: str = "") -> None: ...

    @contextmanager
    def partner(
        self, name: str, *, alone: bool = False, stopping: Callable[[], bool] = lambda: False
    ) -> Iterator[Partner]:
        """A server that the store exchanges with, connected: by all the connections that its options allow, or `alone`,
        by one of them, with its share of the rate. `stopping` says that this process is to end: a run then ends before its
        next request. Raises UsageError, SettingsError.
        """
        from adapter.bootstrap.access import certificate, credentials
        from adapter.bootstrap.gate import asking, recipient_of, withheld_by
        from adapter.exchange import HttpFhirServer, Limits
        from adapter.ports import SystemClock
        from adapter.privacy import let_out
        from adapter.records import check
        from adapter.sync.partner import Partner

        store, clock, border = self.store(), SystemClock(), self.border()
        server = store.server(name)
        recipient = recipient_of(server)
        asked = asking(store, recipient, server=server.name, clock=clock)
        with HttpFhirServer(
            server.url,
            auth=self._once(("credentials", repr(server)), lambda: credentials(server)),
            tls=certificate(server),
            pace=self._once(("pace", repr(server), alone), lambda: self._pace(server, alone=alone)),
            clock=clock,
            limits=Limits(seconds=self.settings.http_seconds, size=self.settings.http_megabytes * 1024 * 1024),
            gate=lambda tree: let_out(tree, recipient, asked),
        ) as client:
            yield Partner(
                server, client, store, self.maps(), clock, border.validate, check, self.carry_out,
                overlap=self.settings.sync_overlap, lease=self.settings.lease, most=1 if alone else store.hands,
                withheld=withheld_by(recipient, asked), known=border.knows, stopping=stopping,
            )  # fmt: skip

    @staticmethod
    def _pace(server: Server, *, alone: bool) -> Pace:
        from adapter.exchange import Pace

        connections = max(1, server.options.connections)
        shares = connections if alone else 1
        return Pace(per_second=server.options.rate / shares or None, at_once=connections // shares)

    def watch(self, name: str | None = None) -> Watch:
        """The exchange by schedule, with one server or with all. Raises UsageError."""
        from adapter.ports import SystemClock
        from adapter.services.watch import Watch

        if name is not None:
            self.store().server(name)
        return Watch(self.store(), self.partner, SystemClock(), name, wake=self.store().wake)

    def reconcile(self, name: str, *, send: bool) -> int:
        """After an incident: what a server no longer has is kept and marked, or sent again; how many those were."""
        from adapter.sync.brake import reconcile

        with self.partner(name) as partner:
            return reconcile(partner, send=send)

    def desk(self) -> Desk:
        """Where conflicts are decided."""
        from adapter.records import check
        from adapter.services.conflicts import Desk

        return Desk(self.store(), self.maps(), check, self.carry_out, self.border().validate)

    def delete(self, kind: str, id_: str, *, as_error: bool = False, by: str = "") -> None:
        """Deletes a record as it now stands. Raises NotFound, Gone, Conflict."""
        store = self.store()
        store.record(kind, id_)
        expect = {(one.type, one.id): str(one.version) for one in store.parts(kind, id_).values()}
        store.delete(kind, id_, expect=expect, ending="error" if as_error else "", recorded_by=by)

    def history(self, name: str) -> tuple[str, str, list[Tree]]:
        """Kind and id of a record named so, and its history. Raises NotFound, UsageError."""
        from adapter.services.history import found, history

        kind, id_ = found(self.store(), name)
        return kind, id_, history(self.store(), kind, id_)

    def bring_back(self, kind: str, id_: str, revision: int, by: str = "") -> Tree:
        """An earlier revision of a record as a new one. Raises NotFound, DataError, Conflict."""
        from adapter.records import check
        from adapter.services.history import bring_back

        return bring_back(self.store(), self.maps(), check, kind, id_, revision, by)

    def remap(self, *, write: bool = False) -> Remapped:
        """What the pack makes of the records that are there; see `services.remap`."""
        from adapter.services.remap import remap

        return remap(self.store(), self.maps(), write=write)
