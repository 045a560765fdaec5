"""The options that say how a server is signed in to, of server add and server set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from adapter.ports import ACCESS


class _File(click.Path):
    """A file that is there; an empty word is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert(value, param, ctx) if value else value


_FILE = _File(exists=True, dir_okay=False, resolve_path=True)
_OPTIONS = (
    click.option(
        "--auth", type=click.Choice(["none", "bearer", "basic", "smart"]),
        help="How to sign in; smart is SMART Backend Services.  [default: none]",
    ),
    click.option("--auth-env", metavar="VARIABLE", help="The environment variable with the secret: a token, or USER:PASSWORD."),
    click.option("--client-id", help="With smart: the name under which the key is registered there."),
    click.option("--key-file", "key", type=_FILE, help="With smart: our private key, PEM or JWK, RSA or P-384."),
    click.option("--key-id", help="With smart: the key's id, where it is neither the JWK's own nor what `server jwks` says."),
    click.option("--scope", help="With smart: what we ask for.  [default: system/*.read system/*.write]"),
    click.option("--token-url", help="With smart: where tokens are had. As shipped what the server names, on its own host."),
    click.option("--audience", metavar="URL", help="With smart: how the authorization server names itself, where that is not the address we reach it by."),
    click.option("--certificate", type=_FILE, help="Our certificate, PEM, where the server wants one (mutual TLS)."),
    click.option("--certificate-key", type=_FILE, help="Its private key, where it is not in the same file."),
    click.option("--ca", type=_FILE, help="The authorities to trust, PEM, instead of this machine's."),
)  # fmt: skip


def signing_in(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds these options to a command, which gets them as `auth`, `auth_env` and the names of `ACCESS`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def taken(given: dict[str, Any]) -> dict[str, str]:
    """Takes what `ACCESS` names out of the arguments of a call: what was given of it."""
    named = {name: given.pop(name) for name in ACCESS}
    return {name: value for name, value in named.items() if value is not None}
