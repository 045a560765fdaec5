"""Bundles that answer a search or a history, with links that lead on. https://hl7.org/fhir/R4/bundle.html"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from flask import request

from adapter.api.fhir_headers import base_url, stamped
from adapter.fhir_json import Tree
from adapter.services.face import Found, Row, faulty
from adapter.services.searching import MOST, Search, span

_MADE = ("200 OK", "201 Created")


def search_bundle(found: Found, search: Search, params: Iterable[tuple[str, str]]) -> Tree:
    """A page of a search; what was left out of the question is left out of `self` too."""
    kept = [(name, value) for name, value in params if name not in search.ignored]
    base = f"{base_url()}/{search.type_}"
    links = [_link("self", base, kept)]
    if found.next is not None and search.count and not search.only_count:
        on = [(name, value) for name, value in kept if name != "_page"]
        links.append(_link("next", base, [*on, ("_page", found.next)]))
    bundle: Tree = {"resourceType": "Bundle", "type": "searchset", "total": found.total, "link": links}
    rows = [] if search.only_count or not search.count else found.rows
    entries = [
        {
            "fullUrl": f"{base}/{row.resource['id']}",
            "resource": row.resource,
            "search": {"mode": "match"},
        }
        for row in rows
    ]
    return {**bundle, "entry": entries} if entries else bundle


def history_bundle(rows: list[Row], params: Mapping[str, str]) -> Tree:
    """A page of a history, newest first; `_since` is inclusive, `_count` and `_offset` page. Raises BadInput."""
    since = params.get("_since")
    if since is not None:
        low = span(since)[0]
        rows = [row for row in rows if stamped(row.last_updated) >= low]
    count, offset = _number(params, "_count", 50), _number(params, "_offset", 0)
    page = rows[offset : offset + min(count, MOST)]
    on = [(name, value) for name, value in params.items() if name != "_offset"]
    place = f"{request.host_url.rstrip('/')}{request.path}"
    links = [_link("self", place, list(params.items()))]
    if page and offset + len(page) < len(rows):
        links.append(_link("next", place, [*on, ("_offset", str(offset + len(page)))]))
    bundle: Tree = {"resourceType": "Bundle", "type": "history", "total": len(rows), "link": links}
    entries = [_history_entry(row) for row in page]
    return {**bundle, "entry": entries} if entries else bundle


def _number(params: Mapping[str, str], name: str, default: int) -> int:
    text = params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise faulty(f"{name} is a whole number.", "search-value-invalid")
    return int(text)


def _history_entry(row: Row) -> Tree:
    entry: Tree = {"fullUrl": f"{base_url()}/{row.type_}/{row.id}"}
    if row.resource is not None:
        entry["resource"] = row.resource
    url = row.type_ if row.method == "POST" else f"{row.type_}/{row.id}"
    entry["request"] = {"method": "DELETE" if row.resource is None else row.method, "url": url}
    status = "204 No Content" if row.resource is None else _MADE[row.version == "1"]
    entry["response"] = {"status": status, "etag": f'W/"{row.version}"', "lastModified": row.last_updated}
    return entry


def _link(relation: str, place: str, params: Iterable[tuple[str, Any]]) -> Tree:
    query = urlencode(list(params))
    return {"relation": relation, "url": f"{place}?{query}" if query else place}
