"""The FHIR servers that the store exchanges with: add, change, list, forget."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from adapter.errors import UsageError
from adapter.fhir_json import Tree
from adapter.ports import ACCESS, ORDER, Options, Server, SyncLedger
from adapter.privacy import classify, is_loopback
from adapter.services.policies import check_fields
from adapter.services.tokens import digest_of
from adapter.sync.policy import FIELD, TAKES, policy_of

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONGEST = 10_000
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
# Small letters and digits together: names of variables seldom have them, tokens nearly always.
_LIKE_A_SECRET = re.compile(r"[a-z].*[0-9]|[0-9].*[a-z]")
# urlsplit takes such characters away without a word.
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]|%2[fF]|%5[cC]")


def add(  # noqa: PLR0913 - the options of one call
    ledger: SyncLedger,
    name: str,
    url: str,
    *,
    host_class: str | None = None,
    auth: str = "none",
    auth_env: str = "",
    options: Options | None = None,
    connections: int | None = None,
    patients: Sequence[str] = (),
) -> Server:
    """A new server; how many connections it may have depends on its class, where that is not said. Raises UsageError for a
    name, address, class, option or way to sign in that cannot be used.
    """
    if not _NAME.fullmatch(name):
        raise UsageError("A server's name is of lower-case letters, digits, dots and hyphens.", place="NAME")
    made = Server(
        name, _checked(url), classify(url, host_class), auth, auth_env, f"run-{secrets.token_hex(4)}",
        options=options or Options(),
    )  # fmt: skip
    if connections is None and made.host_class == "public":
        # What is everybody's is asked one thing at a time, until a person says otherwise.
        connections = 1
    if connections is not None:
        made = replace(made, options=checked(replace(made.options, connections=connections)))
    _check_access(made)
    if made.options.patients == "all" and made.host_class == "public":
        text = "A public server holds everybody's data: not all of its patients are taken over."
        raise UsageError(text, place="--patients")
    ledger.add_server(made, patients)
    return made


def _check_access(server: Server) -> None:
    access = server.options.access
    if server.auth not in ("none", "bearer", "basic", "smart"):
        raise UsageError("A server is signed in to with none, bearer, basic or smart.", place="--auth")
    if server.auth in ("bearer", "basic") and not server.auth_env:
        raise UsageError("Say which environment variable holds the secret.", place="--auth-env")
    if server.auth_env and (not _VARIABLE.fullmatch(server.auth_env) or _LIKE_A_SECRET.search(server.auth_env)):
        text = "Expected the name of an environment variable, such as NORTH_TOKEN, and not the secret itself."
        raise UsageError(text, place="--auth-env")
    if server.auth == "smart" and not (access.get("client_id") and access.get("key")):
        raise UsageError("SMART Backend Services needs a client id and a key.", place="--client-id, --key-file")
    if (server.auth != "none" or access) and server.host_class == "public":
        raise UsageError("To a public server no credentials are sent.", place="--auth")
    parts = urlsplit(server.url)
    if server.auth != "none" and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise UsageError("Credentials are not sent over plain http.", place="--auth", remedy="Use the https address.")


def change(ledger: SyncLedger, name: str, *, listed: Sequence[str] | None = None, **asked: Any) -> Server:
    """Another way to sign in (`auth`, `auth_env`), other options of a server, other listed patients; what is not given
    stays. Raises UsageError.
    """
    server = ledger.server(name)
    given = {field: value for field, value in asked.items() if value is not None}
    if "policies" in given:
        check_fields(given["policies"])
        given["policies"] = {**server.options.policies, **given["policies"]}
    if "access" in given:
        named = {**server.options.access, **given["access"]}
        given["access"] = {field: value for field, value in named.items() if value}
    signing = {field: given.pop(field) for field in ("auth", "auth_env") if field in given}
    new = replace(server, options=checked(replace(server.options, **given)), **signing)
    if signing or "access" in given:
        _check_access(new)
    if new.options.patients == "all" and new.host_class == "public":
        raise UsageError("A public server holds everybody's data: not all of its patients are taken over.")
    ledger.set_server(new)
    if listed is not None:
        ledger.list_patients(name, listed)
    if given.keys() & {"kinds", "patients"} or listed is not None:
        ledger.look_anew(name)
    if given.keys() & {"recipient", "purpose", "consent"}:
        ledger.renew(name, everything=True)
    return new


def resume(ledger: SyncLedger, name: str) -> Server:
    """Exchanges with a paused server again."""
    server = replace(ledger.server(name), paused="")
    ledger.set_server(server)
    ledger.note(name, failures=0, not_before="", error="")
    return server


def pause(ledger: SyncLedger, name: str, reason: str) -> Server:
    """Exchanges nothing with a server until it is resumed."""
    server = replace(ledger.server(name), paused=reason or "paused")
    ledger.set_server(server)
    return server


def options_of(
    *, kinds: Sequence[str] = (), policies: Sequence[str] = (), recipient: Sequence[str] = (), **more: Any
) -> Options:
    """Options from words (`policies` as `Goal.statusReason=theirs`), `more` of them as they are. Raises UsageError."""
    fields = dict(map(policy_of, policies))
    check_fields(fields)
    return checked(Options(kinds=tuple(kinds), policies=fields, recipient=tuple(recipient), **more))


def checked(options: Options) -> Options:
    """The options, where they can be used. Raises UsageError."""
    words = {
        "direction": ("both", "push", "pull"), "patients": ("linked", "all", "listed"), "removal": ("withdraw", "delete"),
        "consent": ("heed", "require"),
    }  # fmt: skip
    for name, known in words.items():
        if getattr(options, name) not in known:
            raise UsageError(f"Known: {', '.join(known)}.", place=name)
    strange = [kind for kind in options.kinds if kind not in ORDER]
    if strange:
        raise UsageError("There is no such kind of record.", place="kinds", remedy=f"Known kinds: {', '.join(ORDER)}.")
    if not all(type(field) is str and FIELD.fullmatch(field) for field in options.policies):
        raise UsageError("A policy is about a FHIR path, such as Goal.statusReason, or *.", place="policies")
    if any(take not in TAKES for take in options.policies.values()):
        raise UsageError(f"Known: {', '.join(TAKES)}.", place="policies")
    if any(name not in ACCESS or not isinstance(value, str) for name, value in options.access.items()):
        raise UsageError(f"Known: {', '.join(ACCESS)}.", place="access")
    if not all(type(name) is str and 0 < len(name) < 500 for name in options.recipient):
        raise UsageError("Expected names, or system|value of identifiers.", place="recipient")
    if not re.fullmatch("[A-Z]{2,20}", options.purpose):
        raise UsageError("Expected a code of v3-ActReason, such as TREAT.", place="purpose")
    if not 0 <= options.rate <= _LONGEST:
        raise UsageError("Expected requests a second, or 0 for no limit.", place="rate")
    for name in ("every", "bundle", "connections", "sweep"):
        if not 1 <= getattr(options, name) <= (86_400 * 366 if name in ("every", "sweep") else _LONGEST):
            raise UsageError("Expected a number of at least 1, and not beyond reason.", place=name)
    return options


def seconds(text: str) -> int:
    """`90`, `30s`, `5m`, `2h`, `1d` → seconds. Raises UsageError."""
    found = re.fullmatch(r"([0-9]{1,6})([smhd]?)", text)
    if not found:
        raise UsageError("Expected a time such as 30s, 5m, 2h or 1d.", place="--every")
    return int(found[1]) * _SECONDS[found[2] or "s"]


def listed(text: str) -> list[str]:
    """The patients of a file: a record id or an identifier (system|value) in each line; `#` begins a remark."""
    lines = (line.split("#", 1)[0].strip() if "|" not in line else line.strip() for line in text.splitlines())
    return [line for line in lines if line]


def new_hook(ledger: SyncLedger, name: str) -> str:
    """A new secret that the webhooks of a server must bear, to be shown once; only its hash is kept."""
    secret = secrets.token_urlsafe(32)
    ledger.set_server(replace(ledger.server(name), hook=digest_of(secret)))
    return secret


def shown(server: Server, also: Sequence[str] = ()) -> Tree:
    """A server as JSON, without secrets; `also` are its other names."""
    options = asdict(server.options)
    return {
        "name": server.name, "url": server.url, "class": server.host_class, "auth": server.auth,
        "paused": server.paused, **options, "kinds": list(server.options.kinds),
        "recipient": list(server.options.recipient), "webhook": bool(server.hook),
        "auth_env": server.auth_env, "also": list(also),
    }  # fmt: skip


def others(ledger: SyncLedger, server: Server) -> list[str]:
    """The other names under which the store exchanges with the same server: each has a link of its own to a resource."""
    here = _place(server.url)
    return [one.name for one in ledger.servers() if one.name != server.name and _place(one.url) == here]


def _place(url: str) -> tuple[str, int | None, str]:
    """What an address leads to: host, port and path; all names of this machine are one."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return "localhost" if is_loopback(host) else host, port, parts.path.rstrip("/")


def unnamed(url: str) -> Server:
    """A server that no store knows: no credentials, and public unless it is on this machine. Raises UsageError."""
    checked = _checked(url)
    return Server(checked, checked, classify(checked), "none", "", f"run-{secrets.token_hex(4)}")


def _checked(url: str) -> str:
    """An address as it is asked: scheme and host in lower case, no slash at its end."""
    try:
        parts = urlsplit(url.rstrip("/"))
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query and not parts.fragment
        good = good and parts.username is None and (parts.port is None or parts.port > 0) and not _UNSAFE.search(url)
        good = good and not any(unquote(step) in (".", "..") for step in parts.path.split("/"))
    except ValueError:
        good = False
    if not good:
        raise UsageError(
            "Expected the base address of a FHIR server, without user, query, fragment or dots.",
            place="URL",
            remedy="For example http://127.0.0.1:8080/fhir.",
        )
    return urlunsplit((parts.scheme, parts.netloc.lower(), parts.path, "", ""))
