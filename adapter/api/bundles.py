"""Bundles that answer a search or a history, with links that lead on. https://hl7.org/fhir/R4/bundle.html"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from flask import request

from adapter.api.fhir_headers import base_url
from adapter.fhir_json import Tree
from adapter.ports import Page, StoredResource
from adapter.services.face import Found
from adapter.services.searching import Search, token_of


def search_bundle(found: Found, search: Search, params: Iterable[tuple[str, str]]) -> Tree:
    """A page of a search; what was left out of the question is left out of `self` too."""
    kept = [(name, value) for name, value in params if name not in search.ignored]
    base = f"{base_url()}/{search.type_}"
    links = [_link("self", base, kept)]
    shown = [] if search.only_count else found.rows
    if found.next is not None and shown:
        on = [(name, value) for name, value in kept if name != "_page"]
        links.append(_link("next", base, [*on, ("_page", token_of(found.next))]))
    bundle: Tree = {"resourceType": "Bundle", "type": "searchset", "total": found.total, "link": links}
    entries = [{"fullUrl": f"{base}/{row.id}", "resource": row.served, "search": {"mode": "match"}} for row in shown]
    return {**bundle, "entry": entries} if entries else bundle


def history_bundle(page: Page, params: Mapping[str, str], offset: int) -> Tree:
    """A page of a history, newest first, that begins at this offset."""
    place = f"{request.host_url.rstrip('/')}{request.path}"
    links = [_link("self", place, list(params.items()))]
    if page.rows and offset + len(page.rows) < page.total:
        on = [(name, value) for name, value in params.items() if name != "_offset"]
        links.append(_link("next", place, [*on, ("_offset", str(offset + len(page.rows)))]))
    bundle: Tree = {"resourceType": "Bundle", "type": "history", "total": page.total, "link": links}
    entries = [_history_entry(row) for row in page.rows]
    return {**bundle, "entry": entries} if entries else bundle


def _history_entry(row: StoredResource) -> Tree:
    entry: Tree = {"fullUrl": f"{base_url()}/{row.type}/{row.id}"}
    if not row.deleted:
        entry["resource"] = row.served
    entry["request"] = {"method": row.method, "url": row.type if row.method == "POST" else f"{row.type}/{row.id}"}
    status = "204 No Content" if row.deleted else "201 Created" if row.method == "POST" else "200 OK"
    entry["response"] = {"status": status, "etag": f'W/"{row.version}"', "lastModified": row.last_updated}
    return entry


def _link(relation: str, place: str, params: Iterable[tuple[str, Any]]) -> Tree:
    query = urlencode(list(params))
    return {"relation": relation, "url": f"{place}?{query}" if query else place}
