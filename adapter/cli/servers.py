"""careplan server add, list, remove."""

from __future__ import annotations

import click

from adapter.cli.app import example


@click.group()
def server() -> None:
    """The FHIR servers that the store exchanges with."""


@server.command("add")
@click.argument("name")
@click.argument("url")
@click.option(
    "--class",
    "host_class",
    type=click.Choice(["own", "partner", "public"]),
    help="Whose it is. Without it a server on this machine is own, any other is public.",
)
@click.option(
    "--auth", type=click.Choice(["none", "bearer", "basic"]), default="none", show_default=True, help="How to sign in."
)
@click.option("--auth-env", default="", metavar="VARIABLE", help="The environment variable with the secret: a token, or USER:PASSWORD.")  # fmt: skip
@example(
    "careplan server add north http://127.0.0.1:8081/fhir",
    "careplan server add north https://fhir.north.example/r4 --class partner --auth bearer --auth-env NORTH_TOKEN",
)
def add(name: str, url: str, host_class: str | None, auth: str, auth_env: str) -> None:
    """Name a server. Nothing is sent to it before `careplan push`.

    To a public server only synthetic records can go; no option lifts that. The secret itself is never stored.
    """
    from adapter.bootstrap import Services
    from adapter.services.servers import add as add_server

    with Services() as services:
        made = add_server(services.store(), name, url, host_class=host_class, auth=auth, auth_env=auth_env)
    click.echo(f"added {made.name}: {made.url} ({made.host_class})")


@server.command("list")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
@example("careplan server list", "careplan server list --json")
def list_(as_json: bool) -> None:
    """Every server: name, class, address."""
    from adapter.bootstrap import Services
    from adapter.cli.files import put

    with Services() as services:
        found = services.store().servers()
    if as_json:
        put([{"name": one.name, "url": one.url, "class": one.host_class, "auth": one.auth} for one in found])
        return
    for one in found:
        click.echo(f"{one.name:<16} {one.host_class:<8} {one.url}")


@server.command("remove")
@click.argument("name")
@example("careplan server remove north")
def remove(name: str) -> None:
    """Forget a server and what was exchanged with it; nothing on it changes."""
    from adapter.bootstrap import Services

    with Services() as services:
        services.store().remove_server(name)
    click.echo(f"removed {name}")
