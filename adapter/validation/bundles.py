"""What stands in a Bundle beside the invariants of its type, and what references inside it resolve to.

https://hl7.org/fhir/R4/bundle.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from adapter.definitions import Definitions
from adapter.validation.texts import is_absolute, restful

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapter.validation.run import Run

Tree = dict[str, Any]
REQUESTS = ("batch", "transaction")
RESPONSES = ("batch-response", "transaction-response")
ONCE = ("first", "previous", "next", "last", "self")


@dataclass(slots=True)
class Surroundings:
    """A Bundle as the references inside it see it: its resources by fullUrl, and the fullUrl of each by `id()`."""

    kind: str
    by_url: Mapping[str, list[Tree]]
    urls: Mapping[int, str | None] = field(default_factory=dict)

    def find(self, text: str, full_url: str | None) -> list[Tree]:
        """The resources that a literal reference leads to, from an entry of that fullUrl."""
        target, _, version = text.partition("/_history/")
        if not is_absolute(text):
            if full_url is None or target.count("/") != 1:
                return []
            if full_url.startswith("urn"):
                target = full_url.rpartition(":")[0] + ":" + target.partition("/")[2]
            else:
                target = full_url.rsplit("/", 2)[0] + "/" + target
        found = self.by_url.get(target, [])
        return [each for each in found if not version or _version(each) == version]


def surroundings(bundle: Tree) -> Surroundings:
    """What references inside a Bundle may name."""
    by_url: dict[str, list[Tree]] = {}
    urls: dict[int, str | None] = {}
    for entry in _entries(bundle):
        resource, url = entry.get("resource"), entry.get("fullUrl")
        if isinstance(resource, dict):
            urls[id(resource)] = url if isinstance(url, str) else None
            if isinstance(url, str):
                by_url.setdefault(url, []).append(resource)
    return Surroundings(str(bundle.get("type")), by_url, urls)


def check_bundle(defs: Definitions) -> Callable[[Tree, Run], None]:
    """The rule over a Bundle and its entries."""

    def rule(bundle: Tree, run: Run) -> None:
        kind = bundle.get("type")
        _check_links(bundle, run)
        entries = _entries(bundle)
        if kind == "searchset" and entries:
            _check_search(bundle, entries, run)
        elif kind in ("document", "message"):
            _check_first(str(kind), entries, run)
        seen: set[tuple[str, Any]] = set()
        for index, entry in enumerate(entries):
            _check_entry(defs, str(kind), entry, f".entry[{index}]", run)
            url, resource = entry.get("fullUrl"), entry.get("resource")
            if isinstance(url, str) and isinstance(resource, dict):
                known = (url, _version(resource))
                if known in seen and kind != "history":
                    run.add("bundle-full-url-twice", source="Bundle#bdl-7")
                seen.add(known)

    return rule


def _version(resource: Tree) -> str:
    meta = resource.get("meta")
    version = meta.get("versionId") if isinstance(meta, dict) else None
    return version if isinstance(version, str) else ""


def _check_entry(defs: Definitions, kind: str, entry: Tree, place: str, run: Run) -> None:
    resource, url = entry.get("resource"), entry.get("fullUrl")
    if url is None:
        if "_fullUrl" in entry:
            return
        if kind not in REQUESTS and kind not in RESPONSES:
            run.add("bundle-no-full-url", place)
        elif kind in REQUESTS and any(_references(resource)):
            run.add("bundle-request-no-full-url", place)
    elif isinstance(url, str) and url:
        # The reference says it of the first entry, whichever it is.
        place = ".entry[0]" if run.quirks.followed else place
        if not is_absolute(url):
            run.add("bundle-relative-full-url", place)
        elif isinstance(resource, dict) and restful(url, defs.resource_types):
            tail = f"/{resource.get('resourceType')}/{resource.get('id')}"
            if "id" not in resource or not url.endswith(tail):
                run.add("bundle-full-url-id", place)


def _references(tree: Any) -> Iterator[str]:
    """The literal references in a resource that lead out of it."""
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            text = node.get("reference")
            if isinstance(text, str) and text and not text.startswith("#"):
                yield text
            todo.extend(node.values())
        elif isinstance(node, list):
            todo.extend(node)


def _check_first(kind: str, entries: list[Tree], run: Run) -> None:
    wanted = "Composition" if kind == "document" else "MessageHeader"
    if not entries:
        run.add("bundle-no-first", wanted=wanted)
        return
    resource = entries[0].get("resource")
    if not isinstance(resource, dict):
        run.add("bundle-no-first", ".entry[0]", wanted=wanted)
    elif resource.get("resourceType") != wanted:
        run.add("bundle-no-first", ".entry[1].resource" if run.quirks.followed else ".entry[0].resource", wanted=wanted)


def _check_links(bundle: Tree, run: Run) -> None:
    rows = bundle.get("link")
    seen: set[str] = set()
    kind = bundle.get("type")
    for index, row in enumerate(rows if isinstance(rows, list) else []):
        relation = row.get("relation") if isinstance(row, dict) else None
        if not isinstance(relation, str):
            continue
        place = f".link[{index}]"
        if kind in ("history", "searchset"):
            if relation in ONCE and relation in seen:
                run.add("bundle-link-twice", place)
        elif relation in ONCE[:4]:
            run.add("bundle-link-prohibited", place + ".relation")
        elif relation == "self" and relation in seen:
            run.add("bundle-link-twice", place + ".relation")
        seen.add(relation)


def _check_search(bundle: Tree, entries: list[Tree], run: Run) -> None:
    """https://hl7.org/fhir/R4/search.html#entries"""
    types = _types_asked(bundle)
    modes = [_mode(entry) for entry in entries]
    for index, (entry, mode) in enumerate(zip(entries, modes, strict=True)):
        place, resource = f".entry[{index}]", entry.get("resource")
        if not isinstance(resource, dict):
            run.add("bundle-search-no-resource", place)
            continue
        place += ".resource"
        outcome = resource.get("resourceType") == "OperationOutcome"
        if mode in ("match", "include"):
            if "id" not in resource:
                run.add("bundle-search-no-id", place)
            if mode == "match" and types and resource.get("resourceType") not in types:
                run.add("bundle-search-type", place)
        elif mode is not None and not outcome:
            run.add("bundle-search-outcome", place)
        elif not any(modes) and "id" not in resource and not outcome:
            run.add("bundle-search-no-id", place, severity="warning")


def _mode(entry: Tree) -> str | None:
    search = entry.get("search")
    mode = search.get("mode") if isinstance(search, dict) else None
    return mode if isinstance(mode, str) else None


def _types_asked(bundle: Tree) -> set[str]:
    """The resource types that the self link of a searchset asks for; empty where it does not tell."""
    rows = bundle.get("link")
    for row in rows if isinstance(rows, list) else []:
        url = row.get("url") if isinstance(row, dict) and row.get("relation") == "self" else None
        if isinstance(url, str):
            try:
                parts = urlsplit(url)
            except ValueError:
                return set()
            last = parts.path.rpartition("/")[2]
            if last[:1].isupper() and last.isalpha():
                return {last}
            listed = [value for key, value in parse_qsl(parts.query) if key == "_type"]
            return {name for value in listed for name in value.split(",")}
    return set()


def _entries(bundle: Tree) -> list[Tree]:
    rows = bundle.get("entry")
    return [row if isinstance(row, dict) else {} for row in rows] if isinstance(rows, list) else []
