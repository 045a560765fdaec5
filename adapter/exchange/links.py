"""Addresses: the server's base, and what of the links that it hands out may be followed."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, unquote, urljoin, urlsplit, urlunsplit

from adapter.errors import Unavailable, UsageError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_PORTS = {"http": 80, "https": 443}
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")


def checked_base(base: str) -> str:
    """A server's base URL without its trailing slash. Raises UsageError where it is no http(s) URL or holds more."""
    parts = _parsed(base.strip().rstrip("/"))
    if parts is None or parts.scheme not in _PORTS or not parts.hostname:
        raise UsageError("A FHIR server's address is an http or https URL, such as https://fhir.example.org/r4.")
    if parts.username is not None or parts.password is not None:
        raise UsageError("A server's address must not hold a user or password.", remedy="Give them as credentials.")
    if parts.query or parts.fragment or not _plain_path(parts.path):
        raise UsageError("A server's address has no query, no fragment and no dots in its path.")
    return urlunsplit((parts.scheme, parts.netloc.lower(), parts.path, "", ""))


def is_loopback(base: str) -> bool:
    """Whether the host is this machine."""
    return (urlsplit(base).hostname or "") in LOOPBACK


def held(base: str, link: str) -> str:
    """The URL of a link that the server at `base` gave, if it stays at home.

    Home is the base's own origin with its path or one below it. On the same host http is raised to https.
    Raises Unavailable for anything else, as credentials and patients' data would go there.
    """
    home = urlsplit(base)
    there = _parsed(link, base + "/") if not _UNSAFE.search(link) else None
    if there is None or there.username is not None or there.password is not None:
        raise _foreign(base)
    if not _same_origin(home, there) or not _plain_path(there.path) or not _below(home.path, there.path):
        raise _foreign(base)
    return urlunsplit((home.scheme, home.netloc, there.path, there.query, ""))


def same_origin(base: str, url: str) -> bool:
    """Whether a URL has the scheme, host and port of `base`."""
    home, there = urlsplit(base), urlsplit(url)
    return home.scheme == there.scheme and home.hostname == there.hostname and _port(home) == _port(there)


def _parsed(url: str, home: str = "") -> SplitResult | None:
    try:
        parts = urlsplit(urljoin(home, url))
        _ = parts.port
    except ValueError:
        return None
    return parts


def _port(parts: SplitResult) -> int | None:
    return parts.port or _PORTS.get(parts.scheme)


def _same_origin(home: SplitResult, there: SplitResult) -> bool:
    if home.hostname != there.hostname:
        return False
    if home.scheme == there.scheme:
        return _port(home) == _port(there)
    # Behind a proxy that ends TLS, servers name themselves http: the same place, with or without its port.
    raised = home.scheme == "https" and there.scheme == "http"
    return raised and there.port in {None, 80, _port(home)}


def _plain_path(path: str) -> bool:
    return not any(unquote(step) in {".", ".."} for step in re.split(r"/|%2[fF]|%5[cC]", path))


def _below(home: str, there: str) -> bool:
    return there.rstrip("/") == home or there.startswith(home + "/")


def _foreign(base: str) -> Unavailable:
    return Unavailable(
        "The server gave a link to a place outside its own origin and base path; it was not followed.",
        place=base,
        remedy="Its base URL may be set wrongly: add the server by the address that its links have.",
    )
