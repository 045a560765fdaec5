"""careplan token add, list, remove."""

from __future__ import annotations

from typing import Literal

import click

from adapter.cli.app import example


@click.group()
def token() -> None:
    """Who may ask the service from another machine."""


@token.command("add")
@click.argument("name")
@click.option("--class", "host_class", type=click.Choice(["own", "partner"]), default="partner", show_default=True, help="Whose it is: what may leave for them is decided by it.")  # fmt: skip
@click.option("--read-only", is_flag=True, help="It may read and search, and change nothing.")
@click.option("--days", type=click.IntRange(1, 3650), help="How long it is good; without it, until it is removed.")
@example("careplan token add north", "careplan token add dashboard --class own --read-only --days 90")
def add(name: str, host_class: Literal["own", "partner"], read_only: bool, days: int | None) -> None:
    """Make a bearer token and print it, this once: the store keeps only a hash of it."""
    from adapter.bootstrap import Services
    from adapter.services.tokens import make

    with Services() as services:
        new = make(services.store(), name, host_class=host_class, writes=not read_only, now=services.now(), days=days)
    click.echo(f"Authorization: Bearer, for {name}; it is not shown again:", err=True)
    click.echo(new.secret)


@token.command("list")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
@example("careplan token list", "careplan token list --json")
def list_(as_json: bool) -> None:
    """Every token: name, class, what it may do, until when. Never the token itself."""
    from adapter.bootstrap import Services
    from adapter.cli.files import put

    with Services() as services:
        found = services.store().tokens()
    if as_json:
        put([{"name": one.name, "class": one.host_class, "writes": one.writes, "made": one.made, "until": one.until} for one in found])  # fmt: skip
        return
    for one in found:
        click.echo(
            f"{one.name:<16} {one.host_class:<8} {'read, write' if one.writes else 'read':<12} {one.until or '-'}"
        )


@token.command("remove")
@click.argument("name")
@example("careplan token remove north")
def remove(name: str) -> None:
    """Forget a token: from now on it opens nothing."""
    from adapter.bootstrap import Services

    with Services() as services:
        services.store().remove_token(name)
    click.echo(f"removed {name}")
