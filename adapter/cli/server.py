"""careplan server add, list, remove."""

from __future__ import annotations

import click

from adapter.cli.app import example
from adapter.cli.store import JSON, rows, services


@click.group()
def server() -> None:
    """The FHIR servers that the store exchanges with."""


@server.command()
@click.argument("name")
@click.argument("url")
@click.option("--class", "host_class", type=click.Choice(["own", "partner", "public"]), help="Whose host it is.")
@click.option("--auth", type=click.Choice(["none", "bearer", "basic"]), default="none", show_default=True)
@click.option("--auth-env", default="", metavar="VARIABLE", help="The environment variable that holds the secret.")
@example(
    "careplan server add ward http://127.0.0.1:8080/fhir",
    "careplan server add clinic https://fhir.clinic.example/r4 --class partner --auth bearer --auth-env CLINIC_TOKEN",
)
def add(name: str, url: str, host_class: str | None, auth: str, auth_env: str) -> None:
    """A server to exchange with. Everything in the store is then to go there.

    A server is public unless it is on this machine or added with --class own or partner; to a public one only synthetic
    records go. Secrets stay in the environment: the store keeps the variable's name.
    """
    from adapter.services.servers import add as add_server

    with services() as made:
        new = add_server(made.store(), name, url, host_class=host_class, auth=auth, auth_env=auth_env)
    click.echo(f"{new.name}  {new.host_class}  {new.url}")


@server.command("list")
@JSON
@example("careplan server list")
def list_(as_json: bool) -> None:
    """Every server: name, class, address."""
    from adapter.cli.files import put

    with services() as made:
        found = made.store().servers()
    lines = [{"name": one.name, "class": one.host_class, "url": one.url, "auth": one.auth} for one in found]
    if as_json:
        put(lines)
    else:
        rows([tuple(line.values()) for line in lines], "There is no server yet: careplan server add NAME URL.")


@server.command()
@click.argument("name")
@example("careplan server remove ward")
def remove(name: str) -> None:
    """Forget a server. What is on it stays; what is here stays too."""
    with services() as made:
        made.store().remove_server(name)
    click.echo(f"{name}  forgotten", err=True)
