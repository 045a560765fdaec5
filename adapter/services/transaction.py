"""A transaction, all or nothing, and a batch, each entry by itself. https://hl7.org/fhir/R4/http.html#transaction"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from adapter.errors import BadInput, DataError
from adapter.fhir_json import Tree
from adapter.issues import Issue
from adapter.services.face import Change, Face, Written, faulty

Said = Callable[[Exception], tuple[int, Tree]]
MOST_ENTRIES = 5_000
_ORDER = ("DELETE", "POST", "PUT", "GET")
_URL = re.compile(r"/?([A-Z][A-Za-z]*)(?:/([A-Za-z0-9\-.]{1,64}))?")
_ETAG = re.compile(r'(?:W/)?"?([A-Za-z0-9\-.]{1,64})"?')


@dataclass(slots=True)
class Entry:
    """One request of a Bundle, taken apart; `index` is its place."""

    index: int
    method: str
    type_: str
    id: str | None
    resource: Tree | None
    full_url: str | None
    if_match: str | None = None
    if_none_exist: str | None = None
    there: Written | None = None

    @property
    def place(self) -> str:
        """Where it stands."""
        return f"Bundle.entry[{self.index}]"


def entries_of(bundle: Tree) -> list[Entry]:
    """The requests of a Bundle. Raises BadInput with every one that cannot be followed."""
    rows = bundle.get("entry", [])
    if not isinstance(rows, list) or len(rows) > MOST_ENTRIES:
        raise faulty(f"A Bundle holds a list of at most {MOST_ENTRIES} entries.", "bundle-entries", "Bundle.entry")
    return [_entry(index, row) for index, row in enumerate(rows)]


def _entry(index: int, row: Any) -> Entry:
    asked = row.get("request") if isinstance(row, dict) else None
    if not isinstance(asked, dict):
        raise faulty("An entry says what is asked in `request`.", "entry-request", f"Bundle.entry[{index}]")
    method, url = asked.get("method"), asked.get("url")
    match = _URL.fullmatch(url) if isinstance(url, str) else None
    needs_id = method in ("PUT", "DELETE", "GET")
    if method not in _ORDER or match is None or needs_id is not bool(match[2]):
        text = "Known here are POST Type, PUT Type/id, DELETE Type/id and GET Type/id."
        raise faulty(text, "entry-request", f"Bundle.entry[{index}].request")
    resource = row.get("resource")
    if method in ("POST", "PUT") and not isinstance(resource, dict):
        raise faulty("An entry that writes has a resource.", "entry-resource", f"Bundle.entry[{index}]")
    tag = asked.get("ifMatch")
    version = _ETAG.fullmatch(tag) if isinstance(tag, str) else None
    if tag is not None and version is None:
        raise faulty("ifMatch does not name a version.", "if-match-invalid", f"Bundle.entry[{index}].request.ifMatch")
    return Entry(
        index, method, match[1], match[2], resource, row.get("fullUrl"), version[1] if version else None,
        asked.get("ifNoneExist"),
    )  # fmt: skip


def transaction(face: Face, bundle: Tree) -> Tree:
    """All entries or none, references between them rewritten; the response Bundle, in the order of the requests.

    Raises BadInput, DataError, Conflict: then nothing is stored.
    """
    entries = entries_of(bundle)
    _refuse_twins(entries)
    names: dict[str, str] = {}
    for entry in entries:
        _settle(face, entry, names)
    writing = sorted((entry for entry in entries if _writes(entry)), key=lambda entry: _ORDER.index(entry.method))
    changes = [change for entry in writing if (change := _change(face, entry, names)) is not None]
    made = {(change.type_, change.id): done for change, done in zip(changes, face.write(changes), strict=True)}
    answers = [_answer(face, entry, entry.there or made.get((entry.type_, str(entry.id)))) for entry in entries]
    return _response("transaction-response", answers)


def _writes(entry: Entry) -> bool:
    return entry.method != "GET" and (entry.there is None or not entry.there.existed)


def _refuse_twins(entries: list[Entry]) -> None:
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        if entry.method in ("PUT", "DELETE"):
            key = (entry.type_, str(entry.id))
            if key in seen:
                raise faulty("Two entries of a transaction write the same resource.", "entry-twice", entry.place)
            seen.add(key)


def _settle(face: Face, entry: Entry, names: dict[str, str]) -> None:
    """Gives a new resource its id, finds the one that a condition speaks of, and notes by what name others know it."""
    if entry.method == "POST":
        found = face.met(entry.type_, entry.if_none_exist) if entry.if_none_exist else None
        if found is not None:
            entry.there = Written(found, existed=True)
        entry.id = found.id if found is not None else str(uuid4())
    if entry.method in ("POST", "PUT") and isinstance(entry.full_url, str):
        names[entry.full_url] = f"{entry.type_}/{entry.id}"


def _change(face: Face, entry: Entry, names: Mapping[str, str]) -> Change | None:
    id_ = str(entry.id)
    if entry.method == "DELETE":
        return Change(entry.type_, id_, None, entry.if_match) if face.present(entry.type_, id_) is not None else None
    resource = renamed(entry.resource, names)
    if entry.method == "POST":
        resource = {**resource, "id": id_}
    if resource.get("id") != id_:
        raise faulty("The id of the resource is not the id in the URL.", "id-differs", f"{entry.place}.resource.id")
    try:
        face.validated(entry.type_, resource)
    except DataError as error:
        raise type(error)(error.message, issues=[_below(issue, entry) for issue in error.issues]) from None
    return Change(entry.type_, id_, resource, entry.if_match)


def _below(issue: Issue, entry: Entry) -> Issue:
    _, dot, path = issue.expression.partition(".")
    return replace(issue, expression=f"{entry.place}.resource{dot}{path}")


def renamed(tree: Any, names: Mapping[str, str]) -> Any:
    """A tree in which references by the names of a Bundle lead to where its resources came to be."""
    if isinstance(tree, dict):
        return {key: _name(key, value, names) for key, value in tree.items()}
    if isinstance(tree, list):
        return [renamed(item, names) for item in tree]
    return tree


def _name(key: str, value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return names.get(value, value) if key in ("reference", "valueUri", "valueUrl", "valueCanonical") else value
    return renamed(value, names)


def _answer(face: Face, entry: Entry, done: Written | None) -> Tree:
    if entry.method == "GET":
        found = face.read(entry.type_, str(entry.id))
        return {"resource": found.served, "response": {"status": "200 OK", "etag": f'W/"{found.version}"'}}
    if entry.method == "DELETE" or done is None:
        return {"response": {"status": "204 No Content"}}
    row = done.row
    response = {
        "status": "201 Created" if done.created else "200 OK",
        "location": f"{row.type}/{row.id}/_history/{row.version}",
        "etag": f'W/"{row.version}"',
        "lastModified": row.last_updated,
    }
    return {"resource": row.served, "response": response}


def batch(face: Face, bundle: Tree, said: Said) -> Tree:
    """Every entry by itself, in order; `said` makes the status and OperationOutcome of one that failed."""
    answers = []
    for index, row in enumerate(bundle.get("entry", []) if isinstance(bundle.get("entry", []), list) else []):
        try:
            alone = transaction(face, {"resourceType": "Bundle", "type": "transaction", "entry": [row]})
            answers.append(alone["entry"][0])
        except (DataError, BadInput) as error:
            status, outcome = said(error)
            answers.append({"response": {"status": str(status), "outcome": outcome}})
        if index >= MOST_ENTRIES:
            raise faulty(f"A Bundle holds at most {MOST_ENTRIES} entries.", "bundle-entries", "Bundle.entry")
    return _response("batch-response", answers)


def _response(kind: str, answers: list[Tree]) -> Tree:
    bundle: Tree = {"resourceType": "Bundle", "type": kind}
    return {**bundle, "entry": answers} if answers else bundle
