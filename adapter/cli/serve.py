"""careplan serve."""

from __future__ import annotations

from pathlib import Path

import click

from adapter.cli.app import example

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on: this machine's own.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535), help="The port to listen on.")
@click.option("--certificate", type=_FILE, help="The certificate to show, PEM, with those between it and the root.")
@click.option("--key", type=_FILE, help="The certificate's private key, PEM.")
@click.option(
    "--behind-proxy",
    is_flag=True,
    help="TLS ends at a proxy before this service: links say https, and tokens are asked for on loopback too.",
)
@example(
    "careplan serve",
    "curl http://127.0.0.1:8080/fhir/metadata",
    "CAREPLAN_NAMES=fhir.clinic.example careplan serve --host 0.0.0.0 --certificate c.pem --key k.pem",
)
def serve(host: str, port: int, certificate: Path | None, key: Path | None, behind_proxy: bool) -> None:
    """The service: the HTTP API under /v1, the FHIR face under /fhir, its description at /docs, until Ctrl-C.

    The store is brought up to date first. On any host but this machine's own, and behind a proxy, it serves only with
    TLS, bearer tokens (`careplan token add`) and a store that is encrypted at rest (`careplan db seal`); else it exits
    with status 2.
    """
    from adapter.api.serving import Entrance, check_port, run
    from adapter.errors import UsageError

    if (certificate is None) != (key is None):
        raise UsageError("A certificate and its key go together.", place="--certificate")
    entrance = Entrance("127.0.0.1" if host == "localhost" else host, port, certificate, key, behind_proxy)
    if entrance.for_others:
        entrance.check_fit_for_others()
    check_port(entrance.host, port)
    scheme = "https" if certificate else "http"
    click.echo(
        f"careplan: serving {scheme}://{host}:{port} (FHIR at /fhir, description at /docs); Ctrl-C ends it", err=True
    )
    run(entrance)
