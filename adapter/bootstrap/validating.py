"""The wiring of validation: what is at hand, and which servers are asked."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from adapter.bootstrap.mappers import mapper
from adapter.errors import UsageError
from adapter.fhir_json import Tree
from adapter.issues import Issue

if TYPE_CHECKING:
    from adapter.bootstrap import Services
    from adapter.exchange import HttpFhirServer
    from adapter.exchange.terminology import HttpTerminologyServer
    from adapter.ports import Server
    from adapter.services.validate import Checker
    from adapter.validation import Validator


def validator(  # noqa: PLR0913  (one for each thing that a caller may ask)
    *,
    fhir: str | None = None,
    profiles: Sequence[str] = (),
    questionnaires: Sequence[Path] = (),
    packages: Sequence[str | Path] = (),
    pack: str = "core",
    without: Collection[str] = (),
    display: Literal["error", "warning"] = "warning",
    as_reference: bool = False,
    **asked: Any,
) -> Validator:
    """The validator, with what the pack defines, the packages of the settings and these, and the Questionnaires of these
    files and folders, at hand.

    `without` names tiers that are left out, `display` says what a wrong display text is; `as_reference` gives the reference
    validator's own verdict where it is not the specification's; `asked` are Validator's `terminology` and `remote`. Raises
    UsageError.
    """
    from adapter.definitions import known_version
    from adapter.packs import load
    from adapter.services.validate import questionnaires as read
    from adapter.validation import AS_REFERENCE, TIERS, Quirks, Validator

    if not all(re.fullmatch(r"[^\s|/][^\s|]*[^\s|/](?:\|[^\s|]+)?", url) for url in profiles):
        raise UsageError("A profile is named by its URL.", place="profile")
    packs = [load(), load(pack)]
    defined = [
        tree
        for known in packs
        for trees in (known.structure_definitions, known.value_sets, known.code_systems)
        for tree in trees.values()
    ]
    forms = {**packs[0].questionnaires, **packs[1].questionnaires, **read(questionnaires)}
    every = [*packages, *packages_at_hand()]
    tiers = [tier for tier in TIERS if tier not in without]
    quirks = replace(AS_REFERENCE if as_reference else Quirks(), displays=display)
    made = Validator(known_version(fhir), every, profiles, questionnaires=forms, tiers=tiers, quirks=quirks, **asked)
    return made.with_resources(defined)


def packages_at_hand() -> list[str]:
    """The packages that the settings name."""
    from adapter import settings

    return [*filter(None, settings.load().packages.split(os.pathsep))]


def checker(*, pack: str = "core", **options: Any) -> Checker:
    """Document → issues: resources, records, lists of records; with the options of `validator`."""
    from adapter.services.validate import Checker

    made = validator(pack=pack, **options)
    # Resources need no maps: these are read when the first record comes.
    return Checker(
        made.validate,
        lambda record: mapper(pack).check(record),
        _clinical_issues,
        lambda record: mapper(pack).own.named(record),
        made.explain,
    )


def _clinical_issues(records: list[Tree]) -> list[Issue]:
    from adapter.records import clinical_issues

    return clinical_issues(records)


@contextmanager
def asked_servers(terminology_at: str | None, remote_at: str | None, origin: str | None) -> Iterator[dict[str, Any]]:
    """The servers that a validation asks, each by its name in the store or its URL, while their connections last."""
    from adapter.bootstrap import Services

    with Services() as services, ExitStack() as stack:
        asked: dict[str, Any] = {}
        if terminology_at is not None:
            asked["terminology"] = terminology(services, terminology_at, origin)
        if remote_at is not None:
            asked["remote"] = stack.enter_context(remote(services, remote_at, origin))
        yield asked


def terminology(services: Services, place: str, origin: str | None = None) -> HttpTerminologyServer:
    """A terminology server by its name in the store or its URL, behind the gate of privacy; see `remote`."""
    from adapter.exchange.terminology import HttpTerminologyServer

    server, gate = _named(services, place, origin)
    return HttpTerminologyServer(_client(services, server, lambda tree: tree, seconds=10), gate)


def remote(services: Services, place: str, origin: str | None = None) -> HttpFhirServer:
    """A server that validates, by its name in the store or its URL. A resource goes to it as the gate of privacy lets it.

    `origin` is what its caller knows of the resources; without it the store says it where the server is one of the
    store's, else they are a real patient's. Raises UsageError, SettingsError.
    """
    server, gate = _named(services, place, origin)
    return _client(services, server, gate)


Gate = Callable[[Tree], Tree]


def _named(services: Services, place: str, origin: str | None) -> tuple[Server, Gate]:
    from adapter.bootstrap.gate import asking, recipient_of
    from adapter.ports import Owner
    from adapter.privacy import Asking, let_out
    from adapter.services.servers import unnamed

    server = unnamed(place) if "://" in place else services.store().server(place)
    recipient = recipient_of(server)
    if origin or "://" in place:
        known = Asking(lambda some: [Owner(origin or "real", "")] * len(some))
    else:
        known = asking(services.store(), recipient, server=server.name)
    return server, lambda tree: let_out(tree, recipient, known)


def _client(services: Services, server: Server, gate: Gate, seconds: float | None = None) -> HttpFhirServer:
    from adapter.bootstrap.access import certificate, credentials
    from adapter.exchange import HttpFhirServer, Limits
    from adapter.ports import SystemClock

    settings = services.settings
    limits = Limits(seconds=settings.http_seconds, size=settings.http_megabytes * 1024 * 1024)
    if seconds is not None:
        limits = replace(limits, seconds=min(seconds, limits.seconds))
    return HttpFhirServer(
        server.url, auth=credentials(server), tls=certificate(server), clock=SystemClock(), limits=limits, gate=gate
    )
