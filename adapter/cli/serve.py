"""careplan serve."""

from __future__ import annotations

import click

from adapter.cli.app import example


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback; any other needs tokens and encryption.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@example("careplan serve", "careplan serve --port 8080")
def serve(host: str, port: int) -> None:
    """The service: HTTP API under /v1, FHIR face under /fhir, with the store brought up to date first.

    It listens on this machine alone. Any other host would need bearer tokens and encryption at rest, which this version
    does not have: it exits with 2.
    """
    from adapter.bootstrap import Services
    from adapter.errors import UsageError
    from adapter.privacy import is_loopback

    if not is_loopback(host):
        raise UsageError(
            "The service listens on this machine alone.",
            place="--host",
            remedy="Another host needs bearer tokens and encryption at rest, which this version does not have.",
        )
    with Services() as made:
        made.ready()
    _listen(host, port)


def _listen(host: str, port: int) -> None:
    from granian import Granian
    from granian.constants import Interfaces

    click.echo(f"http://{host}:{port}/fhir and /v1; Ctrl-C ends it", err=True)
    Granian("adapter.api.wsgi:app", address=host, port=port, interface=Interfaces.WSGI, log_enabled=False).serve()
