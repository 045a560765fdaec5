"""The service under granian: one process, several threads, until it is told to end."""

from __future__ import annotations

import logging
import os
import socket

from flask import Flask

from adapter.errors import UsageError

TARGET = "adapter.api.serving:application"


def application() -> Flask:
    """The application, over the store of the settings, brought up to date. Raises SettingsError, Unavailable."""
    from adapter.api.app import create_app
    from adapter.bootstrap import Services

    services = Services()
    services.ready()
    return create_app(services)


def run(host: str, port: int) -> None:
    """Serves until SIGINT or SIGTERM. Raises Unavailable where the store cannot be used."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    # Migrates, and says what is wrong with the store before anything listens.
    from adapter.bootstrap import Services

    with Services() as services:
        services.ready()
    logging.getLogger("_granian").setLevel(logging.WARNING)
    server = Server(
        TARGET, address=host, port=port, interface=Interfaces.WSGI, factory=True, workers=1, blocking_threads=max(2, min(8, os.cpu_count() or 2)),
        websockets=False, log_level=LogLevels.warning, log_access=False, backlog=256,
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
