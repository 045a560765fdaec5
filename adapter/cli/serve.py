"""careplan serve."""

from __future__ import annotations

import click

from adapter.cli.app import example


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on: this machine's own.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535), help="The port to listen on.")
@example("careplan serve", "careplan serve --port 8081", "curl http://127.0.0.1:8080/fhir/metadata")
def serve(host: str, port: int) -> None:
    """The service: the HTTP API under /v1, the FHIR face under /fhir, its description at /docs, until Ctrl-C.

    The store is brought up to date first. Only this machine can reach it: another host needs bearer tokens and a store
    that is encrypted at rest, which this version has not, so that it exits with status 2.
    """
    from adapter.api.serving import check_port, run
    from adapter.errors import UsageError
    from adapter.privacy import is_loopback

    if not is_loopback(host):
        raise UsageError(
            "Records of addiction treatment are served on this machine only: other hosts need bearer tokens and a store "
            "encrypted at rest, and this version has neither.",
            place="--host",
            remedy="Use 127.0.0.1.",
        )
    address = "127.0.0.1" if host == "localhost" else host
    check_port(address, port)
    said = f"serving http://{host}:{port} (FHIR at /fhir, description at /docs); Ctrl-C ends it"
    click.echo(f"careplan: {said}", err=True)
    run(address, port)
