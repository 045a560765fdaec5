"""careplan server add, list, set, pause, resume, hook, jwks, remove."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from adapter.cli.access import signing_in, taken
from adapter.cli.app import example

DIRECTION = click.Choice(["both", "push", "pull"])
POLICY = click.option(
    "--policy", "policies", multiple=True, metavar="FIELD=TAKE",
    help="Who wins where both changed: a FHIR path or *, and ours, theirs, newest or ask. May be given several times.",
)  # fmt: skip
RECIPIENT = click.option(
    "--recipient", multiple=True, metavar="NAME",
    help="What consents call who stands behind it, beside its name and address: a name, or system|value. May be given several times.",
)  # fmt: skip
PURPOSE = click.option("--purpose", metavar="CODE", help="What it is sent for, as consents say it.  [default: TREAT]")
CONSENT = click.option(
    "--consent", type=click.Choice(["heed", "require"]),
    help="Heed the consents that there are, or send a real record only with one that permits it.  [default: heed]",
)  # fmt: skip
BUNDLE = click.option(
    "--bundle", type=click.IntRange(1, 10_000), help="The most resources in one request; as shipped 100."
)
CONNECTIONS = click.option(
    "--connections", type=click.IntRange(1, 64),
    help="How many requests may be under way at once; as shipped 4, to a public server 1.",
)  # fmt: skip
KIND = click.option("--kind", "kinds", multiple=True, help="Only records of this kind. May be given several times.")


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
@signing_in
@click.option(
    "--rate", type=click.FloatRange(0, 10_000), default=0.0, help="The most requests a second; 0 is no limit."
)
@BUNDLE
@CONNECTIONS
@click.option("--direction", type=DIRECTION, default="both", show_default=True, help="Which way records go.")
@KIND
@click.option(
    "--patients", metavar="FILE|all",
    help="Only the patients of this file (a record id or system|value in each line), new ones included; or all.",
)  # fmt: skip
@click.option("--every", default="5m", show_default=True, help="How often `sync --watch` looks: 30s, 5m, 2h, 1d.")
@POLICY
@click.option(
    "--removal", type=click.Choice(["withdraw", "delete"]), default="withdraw", show_default=True,
    help="What is deleted here is withdrawn there by its status, or deleted.",
)  # fmt: skip
@RECIPIENT
@PURPOSE
@CONSENT
@example(
    "careplan server add north http://127.0.0.1:8081/fhir",
    "careplan server add north https://fhir.north.example/r4 --class partner --auth bearer --auth-env NORTH_TOKEN",
    "careplan server add south https://south.example/r4 --class partner --auth smart --client-id us --key-file us.pem",
    "careplan server add ward http://127.0.0.1:8081/fhir --patients ward-3.txt --policy Goal.statusReason=theirs",
)
def add(
    name: str, url: str, host_class: str | None, auth: str | None, auth_env: str | None, direction: str,
    kinds: tuple[str, ...], patients: str | None, every: str, policies: tuple[str, ...], removal: str, rate: float,
    bundle: int | None, connections: int | None, recipient: tuple[str, ...], purpose: str | None, consent: str | None, **access: str | None,
) -> None:  # fmt: skip
    """Name a server. Nothing is sent to it before `careplan push` or `careplan sync`.

    To a public server only synthetic records can go; no option lifts that. The secret itself is never stored. Without
    --patients everything goes out, and what comes in is about patients who are there from us.
    """
    from adapter.bootstrap import Services
    from adapter.cli.files import tell
    from adapter.services.servers import add as add_server
    from adapter.services.servers import options_of, others, seconds

    which, listed = _patients(patients)
    options = options_of(
        direction=direction, kinds=kinds, patients=which, every=seconds(every), policies=policies, removal=removal,
        rate=rate, access=taken(access), recipient=recipient,
        purpose=purpose or "TREAT", consent=consent or "heed", **({"bundle": bundle} if bundle else {}),
    )  # fmt: skip
    with Services() as services:
        made = add_server(
            services.store(), name, url, host_class=host_class, auth=auth or "none", auth_env=auth_env or "",
            options=options, connections=connections, patients=listed,
        )  # fmt: skip
        also = others(services.store(), made)
    if also:
        tell(f"careplan: {name}: This server is {', '.join(also)} already: with two names each record has two links to it, and "
             f"each conflict is told twice. To change how it is exchanged with: careplan server set {also[0]}.")  # fmt: skip
    click.echo(f"added {made.name}: {made.url} ({made.host_class})")


def _patients(given: str | None) -> tuple[str, list[str]]:
    from adapter.cli.files import read
    from adapter.errors import UsageError
    from adapter.services.servers import listed

    if given in (None, "all", "linked"):
        return given or "linked", []
    try:
        found = listed(read(given).decode())
    except UnicodeDecodeError:
        raise UsageError("The file of patients is not text.", place=given) from None
    if not found:
        raise UsageError("The file names no patient.", place=given)
    return "listed", found


@server.command("set")
@click.argument("name")
@click.option("--direction", type=DIRECTION, help="Which way records go.")
@click.option("--kind", "kinds", multiple=True, help="Only records of this kind, or all. May be given several times.")
@click.option(
    "--patients", metavar="FILE|all|linked",
    help="Only the patients of this file from now on; all; or those that it has from us.",
)  # fmt: skip
@click.option("--every", help="How often `sync --watch` looks: 30s, 5m, 2h, 1d.")
@POLICY
@click.option("--removal", type=click.Choice(["withdraw", "delete"]), help="How a deletion is told.")
@BUNDLE
@CONNECTIONS
@click.option("--rate", type=click.FloatRange(0, 10_000), help="The most requests a second; 0 is no limit.")
@RECIPIENT
@PURPOSE
@CONSENT
@signing_in
@example("careplan server set north --every 1m --policy '*=newest'", "careplan server set north --direction pull",
         "careplan server set north --recipient 'http://hl7.org/fhir/sid/us-npi|1999999984' --consent require",
         "careplan server set south --scope 'system/*.cruds' --key-file new.pem")  # fmt: skip
def set_(
    name: str, direction: str | None, kinds: tuple[str, ...], patients: str | None, every: str | None,
    policies: tuple[str, ...], removal: str | None, bundle: int | None, connections: int | None, rate: float | None, recipient: tuple[str, ...],
    purpose: str | None, consent: str | None, **access: str | None,
) -> None:  # fmt: skip
    """Change how a server is exchanged with; what is not given stays.

    Of how it is signed in to, an empty word (`--key-id ''`) takes away what was said before.
    """
    from adapter.bootstrap import Services
    from adapter.services.servers import change, seconds
    from adapter.sync.policy import policy_of

    asked: dict[str, Any] = {
        "direction": direction, "kinds": () if kinds == ("all",) else kinds or None, "every": seconds(every) if every else None,
        "policies": dict(map(policy_of, policies)) or None, "removal": removal, "bundle": bundle,
        "connections": connections, "rate": rate, "recipient": recipient or None, "purpose": purpose,
        "consent": consent, "access": taken(access) or None, **access,
    }  # fmt: skip
    which, listed = _patients(patients)
    if patients is not None:
        asked["patients"] = which
    with Services() as services:
        change(services.store(), name, listed=listed if patients is not None else None, **asked)
    click.echo(f"changed {name}")


@server.command("list")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
@example("careplan server list", "careplan server list --json")
def list_(as_json: bool) -> None:
    """Every server: name, class, address, options."""
    from adapter.bootstrap import Services
    from adapter.cli.files import put
    from adapter.services.servers import others, shown

    with Services() as services:
        found = services.store().servers()
        also = {one.name: others(services.store(), one) for one in found}
    if as_json:
        put([shown(one, also[one.name]) for one in found])
        return
    for one in found:
        same = f"  the same server: {', '.join(also[one.name])}" if also[one.name] else ""
        paused = f"  paused: {one.paused}" if one.paused else ""
        click.echo(f"{one.name:<16} {one.host_class:<8} {one.url}{same}{paused}")


@server.command("pause")
@click.argument("name")
@click.option("--reason", default="", help="Why; stands in the status.")
@example("careplan server pause north --reason 'moving house'")
def pause(name: str, reason: str) -> None:
    """Exchange nothing with a server until it is resumed."""
    from adapter.bootstrap import Services
    from adapter.services.servers import pause as stop

    with Services() as services:
        stop(services.store(), name, reason)
    click.echo(f"paused {name}")


@server.command("resume")
@click.argument("name")
@click.option(
    "--missing", type=click.Choice(["keep", "send"]),
    help="What is gone there: keep it here and mark it, or send it again.",
)  # fmt: skip
@example("careplan server resume north", "careplan server resume north --missing send")
def resume(name: str, missing: str | None) -> None:
    """Exchange with a paused server again.

    Where it was paused because too much was gone there at once, --missing says what becomes of that.
    """
    from adapter.bootstrap import Services
    from adapter.services.servers import resume as go_on

    with Services() as services:
        go_on(services.store(), name)
        if missing is not None:
            number = services.reconcile(name, send=missing == "send")
            click.echo(f"{number} were gone: {'to be sent again' if missing == 'send' else 'kept here, and marked'}")
    click.echo(f"resumed {name}")


@server.command("hook")
@click.argument("name")
@example("careplan server hook north")
def hook(name: str) -> None:
    """A new secret for the webhooks of a server; shown once, kept as a hash.

    Its Subscription sends `Authorization: Bearer SECRET` to /v1/hooks/NAME. A webhook is only a hint: what it names is
    read from the server itself.
    """
    from adapter.bootstrap import Services
    from adapter.services.servers import new_hook

    with Services() as services:
        secret = new_hook(services.store(), name)
    click.echo(secret)


@server.command("jwks")
@click.argument("files", nargs=-1, required=True, metavar="KEY-FILE...", type=click.Path(exists=True, dir_okay=False))
@example("careplan server jwks south.pem", "careplan server jwks old.pem new.pem > jwks.json")
def jwks(files: tuple[str, ...]) -> None:
    """The public halves of key files, as the JWK Set that an authorization server is given (SMART Backend Services).

    While a key is being changed it is given both, until the new file stands in the place of the old one.
    """
    from adapter.cli.files import put
    from adapter.exchange.keys import key_set

    put(key_set(map(Path, files)))


@server.command("remove")
@click.argument("name")
@example("careplan server remove north")
def remove(name: str) -> None:
    """Forget a server and what was exchanged with it; nothing on it changes."""
    from adapter.bootstrap import Services

    with Services() as services:
        services.store().remove_server(name)
    click.echo(f"removed {name}")
