"""Settings from the environment, checked at start. Every one has a default that works; docs/settings.md lists them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from environs import Env, EnvError, validate

from adapter.errors import SettingsError

PREFIX = "CAREPLAN_"
DATABASES = ("sqlite", "postgresql", "postgresql+psycopg")
LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a site may set.

    `database_url`: SQLAlchemy's URL of the store, SQLite or PostgreSQL. `database_timeout`: seconds to wait for a lock.
    `http_seconds`, `http_megabytes`: bounds of one call to a FHIR server. `sync_overlap`: seconds that a pull reads again,
    more than a server's longest transaction. `lease`: seconds for which work on a link is one process's own.
    `broker_url`: Redis or RabbitMQ, where workers on several machines share the exchange; `tick`: seconds between two looks
    at what is due. `store_key_file`: the keys that seal the store's columns, one a line, the first for what is written now. `names`: host
    names, separated by commas, under which the service may be asked beside this machine's own. `require_tokens`: nobody comes in without one.
    `packages`: FHIR packages (`.tgz`) that validation knows besides its own, parted like PATH. `terminology`: the server that is asked for
    codes which are not at hand, by URL or by the name under which the store knows it.
    `cache`: whether packs that were read are kept in the user's cache folder.
    """

    database_url: str = "sqlite:///careplan.db"
    database_timeout: float = 30.0
    pack: str = "core"
    http_seconds: float = 60.0
    http_megabytes: int = 64
    sync_overlap: int = 120
    lease: int = 300
    broker_url: str = ""
    tick: float = 5.0
    store_key_file: str = ""
    names: str = ""
    require_tokens: bool = False
    packages: str = ""
    terminology: str = ""
    cache: str = "on"
    log_level: str = "info"


def load() -> Settings:
    """The settings of the environment. Raises SettingsError that names every setting that is not usable."""
    env = Env(prefix=PREFIX, eager=False)
    default = Settings()
    positive = validate.Range(min=0, min_inclusive=False)
    found = Settings(
        database_url=env.str("DATABASE_URL", default.database_url),
        database_timeout=env.float("DATABASE_TIMEOUT", default.database_timeout, validate=positive),
        pack=env.str("PACK", default.pack),
        http_seconds=env.float("HTTP_SECONDS", default.http_seconds, validate=positive),
        http_megabytes=env.int("HTTP_MEGABYTES", default.http_megabytes, validate=positive),
        sync_overlap=env.int("SYNC_OVERLAP", default.sync_overlap, validate=validate.Range(min=0)),
        lease=env.int("LEASE", default.lease, validate=positive),
        broker_url=env.str("BROKER_URL", default.broker_url),
        tick=env.float("TICK", default.tick, validate=positive),
        store_key_file=env.str("STORE_KEY_FILE", default.store_key_file),
        names=env.str("NAMES", default.names),
        require_tokens=env.bool("REQUIRE_TOKENS", default.require_tokens),
        packages=env.str("PACKAGES", default.packages),
        terminology=env.str("TERMINOLOGY", default.terminology),
        cache=env.str("CACHE", default.cache, validate=validate.OneOf(("on", "off"))),
        log_level=env.str("LOG_LEVEL", default.log_level, validate=validate.OneOf(LOG_LEVELS)),
    )
    try:
        env.seal()
    except EnvError as error:
        raise SettingsError(_said(error), place="environment", remedy="See docs/settings.md.") from None
    return _checked(found)


def _said(error: EnvError) -> str:
    """Which settings are wrong, without their values: an address may hold a password."""
    names = sorted(getattr(error, "error_messages", {}) or {})
    return f"Not usable: {', '.join(names)}." if names else "A setting is not usable."


def _checked(settings: Settings) -> Settings:
    try:
        scheme = urlsplit(settings.database_url).scheme
    except ValueError:
        scheme = ""
    if scheme not in DATABASES:
        raise SettingsError(
            "The store is kept in SQLite or PostgreSQL.",
            place=f"{PREFIX}DATABASE_URL",
            remedy="Write sqlite:///careplan.db or postgresql://user@host/name.",
        )
    return settings
