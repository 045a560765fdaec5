"""A FHIR R4 server in memory: what a conformant one does, without a socket. For tests and `try --local`.

Versions, If-Match (412), conditional create, search, history, transactions that land whole or not at all.
https://hl7.org/fhir/R4/http.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

from adapter.errors import Conflict, Gone, NotFound, ServerRefused, UsageError
from adapter.exchange.matching import asked, meets
from adapter.fhir_json import copy, same
from adapter.ports import Capability, Clock, Rows, SystemClock, Tree, Versioned, moment

TYPES = frozenset(
    "Patient Questionnaire QuestionnaireResponse Condition CarePlan Goal CareTeam ServiceRequest MedicationRequest "
    "Observation Consent".split()
)
PAGE = 20
STAMPS = ("versionId", "lastUpdated")
_ETAG = re.compile(r'(?:W/)?"?([^"]+)"?')


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a resource; the deletion has no resource."""

    number: int
    at: str
    method: str
    resource: Tree | None


Held = dict[tuple[str, str], list[Version]]


class MemoryFhirServer:
    """Answers `adapter.ports.FhirServer`. `gate` gets every tree before it is taken in, as with `HttpFhirServer`.

    With `own_ids` an update of what never was there creates it under any If-Match, as HAPI does.
    """

    def __init__(
        self,
        base: str = "http://localhost/fhir",
        *,
        clock: Clock | None = None,
        gate: Callable[[Tree], Tree] | None = None,
        update_create: bool = True,
        own_ids: bool = False,
        type_history: bool = True,
    ) -> None:
        self.base = base
        self.writes = 0
        self._clock = clock or SystemClock()
        self._gate = gate or (lambda tree: tree)
        self._update_create = TYPES if update_create else frozenset[str]()
        self._own_ids = own_ids
        self._type_history = TYPES if type_history else frozenset[str]()
        self._held: Held = {}

    def capability(self) -> Capability:
        return Capability(
            software="memory",
            transaction=True,
            types=TYPES,
            conditional_create=TYPES,
            update_create=self._update_create,
            history_type=self._type_history,
            history_instance=TYPES,
            search_params=dict.fromkeys(TYPES, frozenset({"_id", "identifier", "patient", "subject", "_lastUpdated"})),
        )

    def read(self, type_: str, id_: str) -> Versioned:
        return _given(self._present(type_, id_))

    def vread(self, type_: str, id_: str, version: str) -> Versioned:
        found = [row for row in self._held.get((type_, id_), []) if str(row.number) == version]
        if not found:
            raise NotFound("The server does not know it.", place=f"{type_}/{id_}")
        if found[0].resource is None:
            raise Gone("It has been deleted on the server.")
        return _given(found[0])

    def search(self, type_: str, params: Mapping[str, str | Sequence[str]]) -> Iterator[Rows]:
        each = ((name, [given] if isinstance(given, str) else given) for name, given in params.items())
        pairs = [(name, value) for name, values in each for value in values]
        count = min(int(next((value for name, value in pairs if name == "_count"), PAGE)), 500)
        rows, stamp = self._matches(type_, pairs), _stamp(self._clock)
        for start in range(0, max(len(rows), 1), max(count, 1)):
            yield Rows([_given(row) for row in rows[start : start + count]], stamp)

    def history(self, type_: str, id_: str | None = None, *, since: str | None = None) -> Iterator[list[Tree]]:
        rows = [
            (row, key[1])
            for key, versions in self._held.items()
            if key[0] == type_ and id_ in {None, key[1]}
            for row in versions
            if since is None or moment(row.at) >= asked(since)
        ]
        if id_ is not None and (type_, id_) not in self._held:
            raise NotFound("The server does not know it.", place=f"{type_}/{id_}")
        rows.sort(key=lambda pair: (pair[0].at, pair[0].number), reverse=True)
        entries = [_history_entry(row, type_, id_) for row, id_ in rows]
        for start in range(0, max(len(entries), 1), PAGE):
            yield entries[start : start + PAGE]

    def create(self, resource: Tree, *, if_none_exist: str | None = None) -> Versioned:
        return _given(*self._create(self._taken(resource), if_none_exist))

    def update(self, resource: Tree, *, if_match: str | None = None) -> Versioned:
        return _given(*self._update(self._taken(resource), if_match))

    def delete(self, type_: str, id_: str) -> None:
        versions = self._held.get((type_, id_))
        if versions and versions[-1].resource is not None:
            self._add((type_, id_), None, "DELETE")

    def transaction(self, bundle: Tree) -> Tree:
        kind = bundle.get("type")
        if kind not in {"transaction", "batch"}:
            raise UsageError("Only a Bundle of type transaction or batch can be sent as one.")
        entries = self._taken(bundle).get("entry", [])
        before, writes = {key: list(rows) for key, rows in self._held.items()}, self.writes
        try:
            answers = self._entries(entries)
        except Exception:
            # All or nothing.
            self._held, self.writes = before, writes
            raise
        return {"resourceType": "Bundle", "type": f"{kind}-response", "entry": answers}

    def validate(self, resource: Tree, *, profile: str | None = None) -> Tree:
        raise ServerRefused("The server refused the request (HTTP status 501).", status=501)

    def _taken(self, tree: Tree) -> Tree:
        return copy(self._gate(tree))  # type: ignore[no-any-return]

    def _present(self, type_: str, id_: str) -> Version:
        versions = self._held.get((type_, id_))
        if not versions:
            raise NotFound("The server does not know it.", place=f"{type_}/{id_}")
        if versions[-1].resource is None:
            raise Gone("It has been deleted on the server.", place=f"{type_}/{id_}")
        return versions[-1]

    def _add(self, key: tuple[str, str], resource: Tree | None, method: str) -> Version:
        versions = self._held.setdefault(key, [])
        number = len(versions) + 1
        at = _stamp(self._clock)
        if resource is not None:
            meta = {**resource.get("meta", {}), "versionId": str(number), "lastUpdated": at}
            resource = {**resource, "id": key[1], "meta": meta}
        versions.append(Version(number, at, method, resource))
        self.writes += 1
        return versions[-1]

    def _create(self, resource: Tree, condition: str | None, id_: str = "") -> tuple[Version, str]:
        type_ = _type(resource)
        if condition is not None:
            found = self._matches(type_, parse_qsl(condition.rpartition("?")[2]))
            if len(found) > 1:
                raise ServerRefused("The server refused the request (HTTP status 412).", status=412)
            if found:
                return found[0], "200 OK"
        return self._add((type_, id_ or str(uuid4())), resource, "POST"), "201 Created"

    def _update(self, resource: Tree, if_match: str | None) -> tuple[Version, str]:
        type_, id_ = _type(resource), str(resource.get("id", ""))
        versions = self._held.get((type_, id_), [])
        present = versions[-1] if versions and versions[-1].resource is not None else None
        if if_match is not None and (versions or not self._own_ids):
            wanted = _ETAG.fullmatch(if_match)
            if present is None or wanted is None or str(present.number) != wanted[1]:
                raise Conflict("Somebody else wrote in between.", place=f"{type_}/{id_}")
        if present is None and not versions and type_ not in self._update_create:
            raise ServerRefused("The server refused the request (HTTP status 405).", status=405)
        if present is not None and same(_without_stamps(present.resource), _without_stamps(resource)):
            return present, "200 OK"
        return self._add((type_, id_), resource, "PUT"), "200 OK" if present is not None else "201 Created"

    def _entries(self, entries: list[Tree]) -> list[Tree]:
        """Answers in the order of the requests; ids of what is created are known before anything refers to them."""
        names = self._names(entries)
        answers = []
        for entry in entries:
            request = entry["request"]
            type_, _, id_ = str(request["url"]).partition("/")
            resource = _renamed(entry.get("resource"), names)
            if request["method"] == "POST":
                given = names.get(str(entry.get("fullUrl")), "").rpartition("/")[2]
                answers.append(_answer(type_, *self._create(resource, request.get("ifNoneExist"), given)))
            elif request["method"] == "PUT":
                answers.append(_answer(type_, *self._update(resource, request.get("ifMatch"))))
            elif request["method"] == "DELETE":
                self.delete(type_, id_)
                answers.append({"response": {"status": "204 No Content"}})
            else:
                found = self._present(type_, id_)
                answers.append(_answer(type_, found, "200 OK"))
        return answers

    def _names(self, entries: list[Tree]) -> dict[str, str]:
        names: dict[str, str] = {}
        for entry in entries:
            request, url = entry["request"], str(entry.get("fullUrl", ""))
            if url.startswith("urn:") and request["method"] == "PUT":
                names[url] = str(request["url"])
            elif url.startswith("urn:") and request["method"] == "POST":
                found = self._matches(request["url"], parse_qsl(str(request.get("ifNoneExist", "")).rpartition("?")[2]))
                here = found[0].resource if found and request.get("ifNoneExist") else None
                names[url] = f"{request['url']}/{here['id'] if here else uuid4()}"
        return names

    def _matches(self, type_: str, params: Sequence[tuple[str, str]]) -> list[Version]:
        rows = [versions[-1] for key, versions in self._held.items() if key[0] == type_]
        rows = [row for row in rows if row.resource is not None]
        for name, value in params:
            if name not in {"_count", "_sort", "_elements", "_total"}:
                rows = [row for row in rows if meets(row.resource or {}, row.at, name, value)]
        return sorted(rows, key=lambda row: row.at)


def _given(row: Version, status: str = "") -> Versioned:
    return Versioned(copy(row.resource), str(row.number), row.at, status.startswith("201"))


def _answer(type_: str, row: Version, status: str) -> Tree:
    tree = row.resource or {}
    location = f"{type_}/{tree.get('id')}/_history/{row.number}"
    response = {"status": status, "location": location, "etag": f'W/"{row.number}"', "lastModified": row.at}
    return {"resource": copy(tree), "response": response}


def _history_entry(row: Version, type_: str, id_: str) -> Tree:
    response = {"status": "200", "etag": f'W/"{row.number}"', "lastModified": row.at}
    entry: Tree = {"request": {"method": row.method, "url": f"{type_}/{id_}"}, "response": response}
    return entry if row.resource is None else {**entry, "resource": copy(row.resource)}


def _renamed(tree: Any, names: Mapping[str, str]) -> Any:
    if isinstance(tree, dict):
        return {
            key: names.get(value, value) if key == "reference" and isinstance(value, str) else _renamed(value, names)
            for key, value in tree.items()
        }
    return [_renamed(value, names) for value in tree] if isinstance(tree, list) else tree


def _without_stamps(tree: Tree | None) -> Tree:
    meta = {key: value for key, value in (tree or {}).get("meta", {}).items() if key not in STAMPS}
    return {**(tree or {}), "meta": meta}


def _stamp(clock: Clock) -> str:
    return clock.now().astimezone(UTC).isoformat(timespec="milliseconds")


def _type(resource: Tree) -> str:
    type_ = resource.get("resourceType")
    if type_ not in TYPES:
        raise ServerRefused("The server refused the request (HTTP status 404).", status=404)
    return str(type_)
