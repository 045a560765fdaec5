"""Paths, headers and trees as they go over the wire: what a request says, and what is read from an answer."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeGuard
from urllib.parse import quote, urlsplit

from adapter.errors import UsageError
from adapter.exchange.transport import Answer
from adapter.ports import Tree, Versioned

_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
_ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9\-.]{1,64}")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})")
_ETAG = re.compile(r'(?:W/)?"([^"]*)"')


def versioned(tree: Tree, answer: Answer | None = None) -> Versioned:
    """A resource with its version and lastUpdated, from `meta`, else from the answer's ETag."""
    found = tree.get("meta")
    meta: Tree = found if isinstance(found, dict) else {}
    version, updated = meta.get("versionId"), instant_of(meta.get("lastUpdated"))
    if not isinstance(version, str) and answer is not None:
        etag = _ETAG.fullmatch(answer.headers.get("etag", "").strip())
        version = etag[1] if etag else ""
    created = answer is not None and answer.write and answer.status == 201
    return Versioned(tree, version if isinstance(version, str) else "", updated, created)


def stamp_of(page: Tree) -> str:
    """When the server says that it put a Bundle together; empty where it does not."""
    meta = page.get("meta")
    return instant_of(meta.get("lastUpdated")) if isinstance(meta, dict) else ""


def instant_of(value: Any) -> str:
    """An instant as it is written; empty where it is none, whatever a server says."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return ""
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return ""
    return value


def date_of(answer: Answer) -> str:
    """When the server says that it answered, to the second; empty where it does not."""
    try:
        moment = parsedate_to_datetime(answer.headers.get("date", ""))
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (TypeError, ValueError, OverflowError):
        return ""


def is_id(text: Any) -> TypeGuard[str]:
    """Whether it can stand as an id in a URL."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def path_of(type_: str, id_: str | None = None) -> str:
    """`Type` or `Type/id`. Raises UsageError where either is none."""
    if not _TYPE.fullmatch(type_):
        raise UsageError("That is no FHIR resource type.")
    if id_ is None:
        return type_
    if not _ID.fullmatch(id_):
        raise UsageError(f"That is no FHIR id of a {type_}.")
    return f"{type_}/{id_}"


def version_of(version: str) -> str:
    """A version id of `3`, `"3"` or `W/"3"`; HAPI answers other things with a 500."""
    etag = _ETAG.fullmatch(version)
    bare = etag[1] if etag else version
    if not _ID.fullmatch(bare):
        raise UsageError("That is no version id.")
    return bare


def condition_of(query: str) -> str:
    """A condition as it stands in a header, without its question mark. Raises UsageError for none."""
    query = query.strip().removeprefix("?")
    if not query or any(ord(char) < 32 for char in query):
        raise UsageError("A condition is a query such as identifier=system|value.")
    return quote(query, safe="=&|:/?,%+-._~;@!$'()*[]#")


def type_of(resource: Tree) -> str:
    """The resourceType."""
    return str(resource.get("resourceType", ""))


def entries_of(bundle: Tree) -> list[Tree]:
    """The entries of a Bundle that are objects."""
    rows: Any = bundle.get("entry")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def resources_of(page: Tree) -> list[Tree]:
    """The resources of a page; not what the server remarks on its search, nor what has no id to be called by."""
    rows = [row for entry in entries_of(page) if isinstance(row := entry.get("resource"), dict)]
    return [row for row in rows if row.get("resourceType") != "OperationOutcome" and is_id(row.get("id"))]


def method_of(entry: Tree) -> str:
    """The HTTP method that an entry of a transaction asks for."""
    request = entry.get("request")
    return str(request.get("method", "")) if isinstance(request, dict) else ""


def located(answer: Answer, type_: str) -> str:
    """The id in a Location or Content-Location header: what follows the type."""
    for name in ("location", "content-location"):
        steps = urlsplit(answer.headers.get(name, "")).path.split("/")
        for step, after in itertools.pairwise(steps):
            if step == type_ and _ID.fullmatch(after):
                return after
    return ""


def outcome_of(tree: Tree | None) -> Tree | None:
    """An OperationOutcome, bare or as the `return` of Parameters."""
    if tree is None or tree["resourceType"] == "OperationOutcome":
        return tree
    rows: Any = tree.get("parameter")
    for row in rows if isinstance(rows, list) else []:
        resource = row.get("resource") if isinstance(row, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") == "OperationOutcome":
            return resource
    return None
