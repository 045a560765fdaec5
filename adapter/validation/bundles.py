"""What stands in a Bundle beside the invariants of its type, and what references inside it resolve to.

https://hl7.org/fhir/R4/bundle.html
"""

from __future__ import annotations

from typing import Any

from adapter.validation.run import Run, Tree


def prepare(bundle: Tree, run: Run) -> None:
    """Notes what in-bundle references may name: each fullUrl, and Type/id of each resource."""
    index: dict[str, Tree] = {}
    for entry in _entries(bundle):
        resource = entry.get("resource")
        if not isinstance(resource, dict):
            continue
        type_, id_, url = resource.get("resourceType"), resource.get("id"), entry.get("fullUrl")
        if isinstance(type_, str) and isinstance(id_, str):
            index.setdefault(f"{type_}/{id_}", resource)
        if isinstance(url, str):
            index.setdefault(url, resource)
            tail = f"{type_}/{id_}"
            if url.endswith("/" + tail):
                run.bases[id(resource)] = url[: -len(tail)]
    run.bundle = index


def check_bundle(bundle: Tree, run: Run) -> None:
    """The rules over a Bundle and its entries."""
    kind = bundle.get("type")
    seen: set[tuple[str, Any]] = set()
    for index, entry in enumerate(_entries(bundle)):
        resource, url = entry.get("resource"), entry.get("fullUrl")
        if not isinstance(resource, dict):
            continue
        place = f".entry[{index}]"
        if url is None:
            if (
                kind not in ("batch", "transaction", "batch-response", "transaction-response")
                and "_fullUrl" not in entry
            ):
                run.add("bundle-no-full-url", place)
        elif isinstance(url, str):
            _check_full_url(url, resource, place, run)
            meta = resource.get("meta")
            version = meta.get("versionId") if isinstance(meta, dict) else None
            known = (url, version if isinstance(version, str) else "")
            if known in seen and kind != "history":
                run.add("bundle-full-url-twice", place, source="Bundle#bdl-7")
            seen.add(known)


def _check_full_url(url: str, resource: Tree, place: str, run: Run) -> None:
    if ":" not in url:
        run.add("bundle-relative-full-url", place + ".fullUrl")
        return
    id_, type_ = resource.get("id"), resource.get("resourceType")
    restful = isinstance(id_, str) and isinstance(type_, str) and url.startswith("http") and f"/{type_}/" in url
    if restful and not url.endswith(f"/{type_}/{id_}"):
        run.add("bundle-full-url-id", place)


def _entries(bundle: Tree) -> list[Tree]:
    rows = bundle.get("entry")
    return [row if isinstance(row, dict) else {} for row in rows] if isinstance(rows, list) else []
