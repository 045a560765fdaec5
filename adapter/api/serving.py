"""The service under granian: one process, several threads, until it is told to end."""

from __future__ import annotations

import logging
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask

from adapter.api.front import Front
from adapter.errors import UsageError
from adapter.privacy import is_loopback

TARGET, BEHIND_PROXY = "adapter.api.serving:front", "adapter.api.serving:front_behind_proxy"
# So many may be open and waited for; one more costs some memory and no thread.
CONNECTIONS = 1024


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where the service listens, the certificate that it shows there, if any, and whether a proxy ends TLS before it."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None
    behind_proxy: bool = False

    @property
    def for_others(self) -> bool:
        """Whether others than this machine come in by it: through a proxy they come to loopback too."""
        return self.behind_proxy or not is_loopback(self.host)

    def check_fit_for_others(self) -> None:
        """Raises UsageError where something is missing that other machines may be let in with."""
        from adapter.bootstrap import Services

        if self.certificate is None and not self.behind_proxy:
            raise _unfit("no certificate", "Give --certificate and --key, or --behind-proxy where a proxy ends TLS.")
        with Services() as services:
            if not services.settings.names:
                raise _unfit("no name to be asked under", "Set CAREPLAN_NAMES to its host names.")
            if not services.settings.store_key_file:
                raise _unfit("no encryption of the store at rest", "See `careplan db key` and `careplan db seal`.")
            if not services.store().tokens():
                raise _unfit("no bearer token", "Make one: `careplan token add NAME`.")


def _unfit(what: str, remedy: str) -> UsageError:
    message = f"Records of addiction treatment are not served beyond this machine without more: there is {what}."
    return UsageError(message, place="--host", remedy=remedy)


def application() -> Flask:
    """The application, over the store of the settings, brought up to date. Raises SettingsError, Unavailable."""
    from adapter.api.access import LOOPBACK, Door
    from adapter.api.app import create_app
    from adapter.bootstrap import Services

    services = Services()
    services.ready()
    names = LOOPBACK | {name.strip().lower() for name in services.settings.names.split(",") if name.strip()}
    return create_app(services, door=Door(names, tokens=services.settings.require_tokens))


def behind_proxy() -> Flask:
    """The same where a proxy ends TLS: its own address, in links and as the origin of its pages, is the proxy's."""
    app = application()
    inner = app.wsgi_app

    def https(environ: Any, start: Any) -> Any:
        return inner({**environ, "wsgi.url_scheme": "https"}, start)

    app.wsgi_app = https  # type: ignore[method-assign, assignment]
    return app


def front() -> Front:
    """The application and what stands before it."""
    return _front(application())


def front_behind_proxy() -> Front:
    """The same where a proxy ends TLS."""
    return _front(behind_proxy())


def _front(app: Flask) -> Front:
    return Front(app.wsgi_app, max(2, min(8, os.cpu_count() or 2)))


def run(entrance: Entrance) -> None:
    """Serves until SIGINT or SIGTERM. Raises Unavailable where the store cannot be used."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    # Migrates, and says what is wrong with the store before anything listens.
    from adapter.bootstrap import Services

    with Services() as services:
        services.ready()
    if entrance.for_others:
        # The process that answers is another one: what it has to know goes along in its environment.
        os.environ["CAREPLAN_REQUIRE_TOKENS"] = "true"
    logging.getLogger("_granian").setLevel(logging.WARNING)
    server = Server(
        BEHIND_PROXY if entrance.behind_proxy else TARGET, address=entrance.host, port=entrance.port, interface=Interfaces.RSGI, factory=True, workers=1,
        websockets=False, log_level=LogLevels.warning, log_access=False, backlog=CONNECTIONS,
        ssl_cert=entrance.certificate, ssl_key=entrance.key,
    )  # fmt: skip
    server.serve()


def check_port(host: str, port: int) -> None:
    """Raises UsageError where the port cannot be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(
                f"Port {port} of {host} cannot be used: {error.strerror}.", remedy="Choose another with --port."
            ) from None
