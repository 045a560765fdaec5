"""All wiring, in one place: what stands on a higher floor asks here for what it needs, ready to use.

Nothing is imported before it is asked for, so that a small command starts at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Literal, Self

from adapter.bootstrap.exchange import Exchange
from adapter.bootstrap.mappers import held_pack, mapper
from adapter.bootstrap.validating import asked_servers, checker, terminology, validator
from adapter.errors import UsageError
from adapter.fhir_json import Tree
from adapter.issues import Issue

if TYPE_CHECKING:
    from adapter.bootstrap.border import Border
    from adapter.mapping import Mapper
    from adapter.ports import Link
    from adapter.privacy import Recipient
    from adapter.services.convert import Converter
    from adapter.services.face import Face
    from adapter.services.provider import Provider
    from adapter.services.records import Imported, Origin
    from adapter.services.validate import Checker
    from adapter.store import Store
    from adapter.sync.receive import Plan

# Checkers that are kept: one for each list of profiles that is asked for.
KEPT = 16
__all__ = ["Services", "asked_servers", "checker", "converter", "fixtures", "mapper", "terminology", "validator"]


def converter(
    *,
    pack: str = "core",
    fhir: str | None = None,
    strict: bool = False,
    bundle_type: str | None = None,
    create: Literal["put", "conditional"] = "put",
) -> Converter:
    """What converts one document. Raises PackError; UsageError for a FHIR version that is not spoken."""
    from adapter.mapping.versions import fhir_version
    from adapter.records import KINDS
    from adapter.services.convert import Converter

    known = mapper(pack)
    _refuse_other_version(pack, fhir)
    return Converter(
        known,
        known_type=_is_resource_type(fhir_version(fhir)),
        kinds=(*known.own.kinds, *KINDS),
        check=known.check,
        validate=validator(fhir=fhir, pack=pack).validate if strict else lambda _: [],
        strict=strict,
        fhir=fhir,
        bundle_type=bundle_type,
        create=create,
        shapes=_shapes(fhir_version(fhir)),
    )


def _refuse_other_version(pack: str, fhir: str | None) -> None:
    from adapter.mapping.versions import fhir_version
    from adapter.packs import load

    found = load(pack)
    if fhir is not None and fhir_version(fhir) not in found.fhir_versions:
        told = " and ".join(found.fhir_versions)
        text = f"The pack {found.name} is for FHIR {told}, not {fhir_version(fhir)}."
        raise UsageError(text, remedy="Give another --fhir or --pack, or add the version to its pack.yaml.")


def _shapes(version: str) -> Callable[[Any], list[Issue]]:
    from adapter.definitions import definitions
    from adapter.services.shapes import Shapes

    return Shapes(definitions(version)).issues


def _is_resource_type(version: str) -> Callable[[str], bool]:
    from adapter.definitions import definitions

    defs = definitions(version)
    return lambda name: name in defs and defs.type(name).kind == "resource"


class Services(Exchange):
    """What commands and API ask for; each part is made when first needed, and shared between threads.

    `url` is the database of the store; the settings say it where it is None. Use it as a context manager, or `close()` it.
    """

    def __init__(self, *, pack: str | None = None, url: str | None = None) -> None:
        from adapter import settings

        self.settings = settings.load()
        self.pack = pack or self.settings.pack
        self._url = url or self.settings.database_url
        self._made: dict[Any, Any] = {}
        self._checkers: dict[tuple[str | None, tuple[str, ...]], Checker] = {}
        self._lock = RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections to the store."""
        store = self._made.pop("store", None)
        if store is not None:
            store.close()

    def _once(self, key: Any, make: Callable[[], Any]) -> Any:
        with self._lock:
            if key not in self._made:
                self._made[key] = make()
            return self._made[key]

    def now(self) -> datetime:
        """The present instant, in UTC."""
        from adapter.ports import SystemClock

        return SystemClock().now()

    def converter(self, **options: Any) -> Converter:
        """What converts one document; see `converter`."""
        made: Converter = self._once(
            ("converter", *sorted(options.items())), lambda: converter(pack=self.pack, **options)
        )
        return made

    def checker(self, *, fhir: str | None = None, profiles: tuple[str, ...] = ()) -> Checker:
        """What finds the issues of one document; see `checker`. Those for the last few lists of profiles are kept."""
        place = self.settings.terminology
        with self._lock:
            found = self._checkers.pop((fhir, profiles), None)
            if found is None:
                asked = self._once("terminology", lambda: terminology(self, place)) if place else None
                found = checker(pack=self.pack, fhir=fhir, profiles=profiles, terminology=asked)
            self._checkers[fhir, profiles] = found
            while len(self._checkers) > KEPT:
                del self._checkers[next(iter(self._checkers))]
            return found

    def maps(self) -> Mapper:
        """The maps of the records that the store holds. Raises PackError."""
        return mapper(held_pack(self.pack))

    def store(self) -> Store:
        """The store, its tables up to date. Raises Unavailable."""
        from adapter.store import open_store

        timeout = self.settings.database_timeout
        made: Store = self._once(
            "store", lambda: open_store(self._url, timeout=timeout, key_file=self.settings.store_key_file)
        )
        return made

    def ready(self) -> None:
        """Raises Unavailable where the store cannot be used."""
        self.store().version()

    def take_in(
        self, tree: Any, *, origin: Origin | None = None, recorded_by: str = "", expect_revision: int | None = None
    ) -> Imported:
        """Brings records into the store: one, a list, or what from-fhir gave. What the clinical rules call an error is
        refused like any other fault. Raises BadInput.
        """
        from adapter.records import check, clinical_issues
        from adapter.services.records import import_records, taken_apart

        provider = self.provider(recorded_by)
        records, remainder = taken_apart(tree, provider)
        sound = [record if not check(record) else None for record in records]
        clinical = clinical_issues(sound)
        errors = _by_record(records, clinical)
        done = import_records(
            self.store(), self.maps(), lambda record: check(record) or errors.get(id(record), []), self.border(), records,
            remainder=remainder, origin=origin, recorded_by=recorded_by, expect_revision=expect_revision,
            provider=provider,
        )  # fmt: skip
        done.issues += [issue for issue in clinical if not issue.is_error]
        return done

    def provider(self, recorded_by: str = "") -> Provider | None:
        """The maps of the pack's own kinds over the store; None where the pack has no kinds of its own."""
        from adapter.records import check, clinical_issues
        from adapter.services.provider import Provider
        from adapter.services.records import unsendable

        own = mapper(self.pack)
        if not own.own.kinds:
            return None
        write = partial(self.carry_out, recorded_by=recorded_by)
        return Provider(
            self.store(), own, self.maps(), check, clinical_issues, partial(unsendable, self.border()), write
        )

    def release(self, tree: Tree, recipient: Recipient) -> Tree:
        """A tree of the store as it may leave for who asks. Raises Refused."""
        from adapter.bootstrap.gate import asking
        from adapter.privacy import let_out

        return let_out(tree, recipient, asking(self.store(), recipient))

    def face(self) -> Face:
        """The FHIR face over the store."""
        made: Face = self._once("face", self._face)
        return made

    def _face(self) -> Face:
        from adapter.records import check
        from adapter.services.face import Face

        return Face(self.store(), self.maps(), self.carry_out, self.border().validate, check)

    def carry_out(self, plan: Plan, links: Sequence[Link] = (), recorded_by: str = "") -> None:
        """Writes what came in, with its state of exchange, in one transaction. Raises Conflict, DataError."""
        from adapter.store.applying import apply

        writes = [(one.record, one.parts) for one in plan.writes]
        apply(self.store(), self.now(), writes, plan.deletes, plan.expect, links, recorded_by)

    def border(self) -> Border:
        """The validation of what comes in and goes out."""
        from adapter.bootstrap.border import Border

        made: Border = self._once("border", lambda: Border(held_pack(self.pack)))
        return made


def _by_record(records: Sequence[Any], issues: Sequence[Issue]) -> dict[int, list[Issue]]:
    """The errors of each record by its identity, with their pointers from the record itself."""
    found: dict[int, list[Issue]] = {}
    for issue in issues:
        _, index, *rest = (issue.pointer or "/0").split("/")
        if issue.is_error:
            own = replace(issue, pointer="".join(f"/{step}" for step in rest))
            found.setdefault(id(records[int(index)]), []).append(own)
    return found


def fixtures() -> Path:
    """Where the examples lie: in the wheel, or in a checkout."""
    here = Path(__file__).parent.parent
    inside = here / "_data" / "fixtures"
    return inside if inside.is_dir() else here.parent / "fixtures"
