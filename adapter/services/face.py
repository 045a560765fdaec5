"""The FHIR face: what a FHIR server does, over the store. https://hl7.org/fhir/R4/http.html

A write changes one resource and, by the maps, its record, in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

from adapter.errors import BadInput, Conflict, DataError, NotFound
from adapter.fhir_json import Tree, same
from adapter.issues import Issue
from adapter.mapping.mapper import PackMaps
from adapter.ports import Page, RecordStore, StoredResource
from adapter.services.searching import Mark, Search, condition, parse, refused
from adapter.sync.receive import Key, Plan, plan

TYPES = (
    "CarePlan",
    "CareTeam",
    "Condition",
    "Consent",
    "Goal",
    "MedicationRequest",
    "Observation",
    "Patient",
    "Questionnaire",
    "QuestionnaireResponse",
    "ServiceRequest",
)
_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a search: its rows, how many match in all, and where the page ended, None where it is the last."""

    rows: list[StoredResource]
    total: int
    next: Mark | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One write: a resource to put, or None to delete; with `version` only where that is still the present one."""

    type_: str
    id: str
    resource: Tree | None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a write; `created` where there was nothing before, `existed` where a resource met the condition."""

    row: StoredResource
    created: bool = False
    existed: bool = False


@dataclass(frozen=True, slots=True)
class Face:
    """A FHIR server over a store. `apply` carries out a plan in one transaction, `validate` finds the issues of a
    resource, `check` those of a record.
    """

    store: RecordStore
    pack: PackMaps
    apply: Callable[[Plan], object]
    validate: Callable[[Any], list[Issue]]
    check: Callable[[Any], list[Issue]]
    types: Sequence[str] = TYPES

    def read(self, type_: str, id_: str, version: str | None = None) -> StoredResource:
        """A resource, the present version or one of the past. Raises NotFound, Gone."""
        self._known(type_)
        return self.store.resource(type_, id_) if version is None else self.store.vread(type_, id_, version)

    def history(self, type_: str, id_: str | None, since: str | None, limit: int, offset: int) -> Page:
        """A page of the versions of a resource or of a type, newest first. Raises NotFound, BadInput."""
        self._known(type_)
        return _asked(lambda: self.store.history(type_, id_, since=since, limit=limit, offset=offset))

    def search(self, search: Search) -> Found:
        """A page of what matches, by the time of the last change. Raises NotFound for a type that is not held here.

        A page begins after the last row of the one before it, so that a row that changes meanwhile is seen again, and
        none is passed over.
        """
        self._known(search.type_)
        whole = _asked(lambda: self.store.search(search.type_, search.params, limit=search.count + 1))
        rows = whole.rows if search.after is None else self._after(search, search.after)
        page = rows[: search.count]
        more = len(rows) > len(page) and bool(page)
        return Found(page, whole.total, Mark(page[-1].last_updated, page[-1].id) if more else None)

    def _after(self, search: Search, mark: Mark) -> list[StoredResource]:
        params = [*search.params, ("_lastUpdated", f"ge{mark.last_updated}")]
        rows: list[StoredResource] = []
        offset, step = 0, search.count + 1
        while len(rows) <= search.count:
            found = _asked(partial(self.store.search, search.type_, params, limit=step, offset=offset)).rows
            rows += [row for row in found if (row.last_updated, row.id) > (mark.last_updated, mark.id)]
            offset += len(found)
            if len(found) < step:
                break
        return rows

    def create(self, type_: str, resource: Any, if_none_exist: str | None = None) -> Written:
        """A new resource under a new id; with a condition only where nothing meets it.

        Raises DataError (not valid), Conflict (several meet the condition).
        """
        self.validated(type_, resource)
        if if_none_exist is not None and (there := self.met(type_, if_none_exist)) is not None:
            return Written(there, existed=True)
        id_ = str(uuid4())
        return self.write([Change(type_, id_, {**resource, "id": id_})])[0]

    def update(self, type_: str, id_: str, resource: Any, if_match: str | None = None) -> Written:
        """The resource at this id, new or changed. Raises DataError, Conflict where `if_match` is not the present one."""
        self.validated(type_, resource)
        if resource.get("id") != id_:
            raise faulty("The id in the body is not the id in the URL.", "id-differs", f"{type_}.id")
        return self.write([Change(type_, id_, resource, if_match)])[0]

    def delete(self, type_: str, id_: str, if_match: str | None = None) -> Written | None:
        """No resource at this id any more; None where there was none. Raises Conflict."""
        self._known(type_)
        if self.present(type_, id_) is None:
            return None
        return self.write([Change(type_, id_, None, if_match)])[0]

    def validated(self, type_: str, resource: Any) -> None:
        """Raises NotFound for a type that is not held here, BadInput for another one than the URL says, DataError where
        the resource is not valid.
        """
        self._known(type_)
        if not isinstance(resource, dict) or resource.get("resourceType") != type_:
            raise faulty("The body is not a resource of the type in the URL.", "type-differs")
        errors = [issue for issue in self.validate(resource) if issue.is_error]
        if errors:
            raise DataError("The resource is not valid.", issues=errors)

    def met(self, type_: str, query: str) -> StoredResource | None:
        """The one resource that meets a condition, None where there is none. Raises Conflict where there are several."""
        self._known(type_)
        found = self.search(parse(type_, condition(query)))
        if found.total > 1:
            text = "Several resources meet the condition."
            raise Conflict(text, issues=[Issue("error", "multiple-matches", "condition-several", text)])
        return found.rows[0] if found.rows else None

    def present(self, type_: str, id_: str) -> StoredResource | None:
        """The present version, None where there is none."""
        try:
            return self.store.resource(type_, id_)
        except DataError:
            return None

    def write(self, changes: Sequence[Change]) -> list[Written]:
        """All of these or none; what would change nothing makes no version. Raises Conflict, DataError."""
        for attempt in range(_ATTEMPTS):
            before = {(one.type_, one.id): self.present(one.type_, one.id) for one in changes}
            for one in changes:
                _hold(one, before[one.type_, one.id])
            wanted = {(one.type_, one.id): one.resource for one in changes if not _idle(one, before)}
            try:
                if wanted:
                    self.apply(plan(self.store, self.pack, wanted, self.check))
            except Conflict as error:
                # Somebody else wrote between our look and our write: look again.
                if attempt + 1 == _ATTEMPTS:
                    raise Conflict(error.message, reason="race", remedy="Send the request again.") from None
                continue
            return [self._written(one, before[one.type_, one.id]) for one in changes]
        raise AssertionError

    def _written(self, one: Change, before: StoredResource | None) -> Written:
        if one.resource is not None:
            return Written(self.store.resource(one.type_, one.id), created=before is None)
        rows = self.store.history(one.type_, one.id, limit=1).rows
        return Written(rows[0])

    def _known(self, type_: str) -> None:
        if type_ not in self.types:
            text = "Resources of this type are not held here."
            raise NotFound(text, issues=[Issue("error", "not-supported", "type-not-held", text)])


def _asked(look: Callable[[], Page]) -> Page:
    """What the store finds. A value of the query that it does not understand is the caller's fault: BadInput."""
    try:
        return look()
    except NotFound:
        raise
    except DataError as error:
        raise refused(error.message) from None


def _hold(one: Change, present: StoredResource | None) -> None:
    if one.version is not None and (present is None or str(present.version) != one.version):
        raise Conflict(
            "The version given is not the present one.",
            remedy="Read the resource again, and send the change onto that.",
        )


def _idle(one: Change, before: Mapping[Key, StoredResource | None]) -> bool:
    present = before[one.type_, one.id]
    return one.resource is not None and present is not None and unchanged(present.tree, one.resource)


def unchanged(present: Tree, resource: Tree) -> bool:
    """Whether a write would change nothing: all but what the server itself puts into `meta` is the same."""
    return same(_without_stamps(present), _without_stamps(resource))


def _without_stamps(tree: Tree) -> Tree:
    meta = tree.get("meta", {})
    kept = {key: value for key, value in meta.items() if key not in ("versionId", "lastUpdated")}
    rest = {key: value for key, value in tree.items() if key != "meta"}
    return {**rest, "meta": kept} if kept else rest


def faulty(text: str, message_id: str, expression: str = "") -> BadInput:
    """An error about a request that cannot be followed."""
    return BadInput(text, issues=[Issue("error", "invalid", message_id, text, expression=expression)])
