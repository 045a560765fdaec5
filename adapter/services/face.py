"""The FHIR face: what a FHIR server does, over the store. https://hl7.org/fhir/R4/http.html

`Rows` is what the face needs of the store. A write changes one resource and, by the maps, its record, in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import uuid4

from adapter.errors import BadInput, Conflict, DataError, NotFound
from adapter.fhir_json import Tree, same
from adapter.issues import Issue, has_errors
from adapter.ports import Versioned
from adapter.services.searching import Search, condition, parse

TYPES = (
    "CarePlan",
    "CareTeam",
    "Condition",
    "Goal",
    "MedicationRequest",
    "Observation",
    "Patient",
    "Questionnaire",
    "QuestionnaireResponse",
    "ServiceRequest",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One version of a resource; `resource` is None where that version is its deletion."""

    type_: str
    id: str
    version: str
    last_updated: str
    resource: Tree | None
    method: str = "PUT"


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a search: its rows, how many match in all, and the `_page` of the next one, None at the end."""

    rows: list[Versioned]
    total: int
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One write: a resource to put, or None to delete; with `version` only where that is still the present one."""

    type_: str
    id: str
    resource: Tree | None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a write; `created` where there was nothing before, `existed` where a condition was met by a resource."""

    row: Row
    created: bool = False
    existed: bool = False


class Rows(Protocol):
    """The resources of the store, each with its versions."""

    def read(self, type_: str, id_: str) -> Versioned:
        """The present version. Raises NotFound, Gone."""

    def vread(self, type_: str, id_: str, version: str) -> Versioned:
        """One version. Raises NotFound, and Gone where that version is a deletion."""

    def versions(self, type_: str, id_: str | None = None) -> list[Row]:
        """Every version, newest first. Raises NotFound where an id was never there."""

    def find(self, search: Search) -> Found:
        """A page of what matches."""

    def write(self, changes: Sequence[Change]) -> list[Written]:
        """All of these, or none, in one transaction, with the records that they belong to. Raises Conflict, DataError."""


@dataclass(frozen=True, slots=True)
class Face:
    """A FHIR server over `rows`; `validate` finds the issues of a resource."""

    rows: Rows
    validate: Callable[[Any], list[Issue]]
    types: Sequence[str] = field(default=TYPES)

    def read(self, type_: str, id_: str, version: str | None = None) -> Versioned:
        """A resource, the present version or one of the past. Raises NotFound, Gone."""
        self._known(type_)
        return self.rows.read(type_, id_) if version is None else self.rows.vread(type_, id_, version)

    def versions(self, type_: str, id_: str | None = None) -> list[Row]:
        """The versions of a resource or of a type, newest first. Raises NotFound."""
        self._known(type_)
        return self.rows.versions(type_, id_)

    def search(self, search: Search) -> Found:
        """A page of what matches. Raises NotFound for a type that is not held here."""
        self._known(search.type_)
        return self.rows.find(search)

    def create(self, type_: str, resource: Any, if_none_exist: str | None = None) -> Written:
        """A new resource under a new id; with a condition only where nothing meets it.

        Raises DataError (not valid), Conflict (several meet the condition).
        """
        self.check(type_, resource)
        if if_none_exist is not None and (there := self.met(type_, if_none_exist)) is not None:
            return Written(row_of(there), existed=True)
        id_ = str(uuid4())
        return self.rows.write([Change(type_, id_, {**resource, "id": id_})])[0]

    def update(self, type_: str, id_: str, resource: Any, if_match: str | None = None) -> Written:
        """The resource at this id, new or changed. Raises DataError, Conflict where `if_match` is not the present one."""
        self.check(type_, resource)
        if resource.get("id") != id_:
            raise faulty("The id in the body is not the id in the URL.", "id-differs", f"{type_}.id")
        present = self.present(type_, id_)
        if present is not None and unchanged(present.resource, resource) and if_match in (None, present.version):
            return Written(row_of(present))
        return self.rows.write([Change(type_, id_, resource, if_match)])[0]

    def delete(self, type_: str, id_: str, if_match: str | None = None) -> Written | None:
        """No resource at this id any more; None where there was none. Raises Conflict."""
        self._known(type_)
        if self.present(type_, id_) is None:
            return None
        return self.rows.write([Change(type_, id_, None, if_match)])[0]

    def check(self, type_: str, resource: Any) -> None:
        """Raises NotFound for a type that is not held here, BadInput for another one than the URL says, DataError where
        the resource is not valid."""
        self._known(type_)
        if not isinstance(resource, dict) or resource.get("resourceType") != type_:
            text = "The body is not a resource of the type in the URL."
            raise BadInput(text, issues=[Issue("error", "invalid", "type-differs", text)])
        errors = [issue for issue in self.validate(resource) if issue.is_error]
        if has_errors(errors):
            raise DataError("The resource is not valid.", issues=errors)

    def met(self, type_: str, query: str) -> Versioned | None:
        """The one resource that meets a condition, None where there is none. Raises Conflict where there are several."""
        found = self.rows.find(parse(type_, condition(query)))
        if found.total > 1:
            text = "Several resources meet the condition."
            raise Conflict(text, issues=[Issue("error", "multiple-matches", "condition-several", text)])
        return found.rows[0] if found.rows else None

    def present(self, type_: str, id_: str) -> Versioned | None:
        """The present version, None where there is none."""
        try:
            return self.rows.read(type_, id_)
        except DataError:
            return None

    def _known(self, type_: str) -> None:
        if type_ not in self.types:
            text = "Resources of this type are not held here."
            raise NotFound(text, issues=[Issue("error", "not-supported", "type-not-held", text)])


def row_of(found: Versioned) -> Row:
    """A resource as it was read, as a row."""
    tree = found.resource
    return Row(str(tree["resourceType"]), str(tree["id"]), found.version, found.last_updated, tree)


def unchanged(present: Tree, resource: Tree) -> bool:
    """Whether a write would change nothing: all but what the server itself puts into `meta` is the same."""
    return same(_without_stamps(present), _without_stamps(resource))


def _without_stamps(tree: Tree) -> Tree:
    meta = {key: value for key, value in tree.get("meta", {}).items() if key not in ("versionId", "lastUpdated")}
    rest = {key: value for key, value in tree.items() if key != "meta"}
    return {**rest, "meta": meta} if meta else rest


def faulty(text: str, message_id: str, expression: str = "") -> BadInput:
    """An error about a request that cannot be followed."""
    return BadInput(text, issues=[Issue("error", "invalid", message_id, text, expression=expression)])
