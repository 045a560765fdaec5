"""Which answer of a Bundle belongs to which request: by what each names, and by place only where nothing contradicts. Pure.

HAPI gives one answer for two conditional writes that met the same target; others answer short, or out of order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adapter.mapping.scope import own_identifier
from adapter.ports import Tree
from adapter.sync.references import relative

Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one request: status, the id and version that the server gave, the resource where it came along."""

    status: int
    id: str = ""
    version: str = ""
    resource: Tree | None = None

    @property
    def done(self) -> bool:
        """Whether it took effect, or had done so before."""
        return 200 <= self.status < 300

    @property
    def created(self) -> bool:
        """Whether it came to be just now."""
        return self.status == 201


def outcomes(requests: Sequence[Tree], answer: Any, base: str) -> list[Outcome | None]:
    """The outcome of each request, in their order; None where the answer does not say."""
    rows = answer.get("entry") if isinstance(answer, dict) else None
    rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    found: list[Outcome | None] = [None] * len(requests)
    named: dict[Name, list[int]] = {}
    for at, row in enumerate(rows):
        for name in _names(row, base):
            named.setdefault(name, []).append(at)
    taken = set[int]()
    for index, request in enumerate(requests):
        places = named.get(_name(request), [])
        if len(places) == 1 and places[0] not in taken:
            found[index] = _outcome(rows[places[0]], base)
            taken.add(places[0])
    if len(rows) == len(requests):
        for index, request in enumerate(requests):
            if found[index] is None and index not in taken and _fits(request, rows[index], base):
                found[index] = _outcome(rows[index], base)
    return found


def _name(request: Tree) -> Name:
    """By what an answer can say that it is this request's: the place of an update, our identifier of what is created."""
    url = str(request["request"]["url"])
    if request["request"]["method"] == "PUT":
        return "place", url
    return "identifier", f"{url}|{own_identifier(request.get('resource', {}))}"


def _names(row: Tree, base: str) -> list[Name]:
    key, resource = _key(row, base), row.get("resource")
    names: list[Name] = [("place", f"{key[0]}/{key[1]}")] if key is not None else []
    if isinstance(resource, dict) and (own := own_identifier(resource)) is not None:
        names.append(("identifier", f"{resource.get('resourceType')}|{own}"))
    return names


def _fits(request: Tree, row: Tree, base: str) -> bool:
    """Whether an answer at the same place can be that request's."""
    key = _key(row, base)
    if key is None:
        return _status(row) >= 300
    url = str(request["request"]["url"])
    theirs = own_identifier(row.get("resource") or {})
    same_name = theirs is None or theirs == own_identifier(request.get("resource", {}))
    return url in (key[0], f"{key[0]}/{key[1]}") and same_name


def _key(row: Tree, base: str) -> tuple[str, str] | None:
    location = _response(row).get("location")
    key = relative(str(location).removeprefix(f"{base}/")) if location else None
    resource = row.get("resource")
    if key is None and isinstance(resource, dict) and isinstance(resource.get("id"), str):
        key = (str(resource.get("resourceType")), resource["id"])
    return key


def _outcome(row: Tree, base: str) -> Outcome | None:
    key, response, resource = _key(row, base), _response(row), row.get("resource")
    if key is None:
        return Outcome(_status(row)) if _status(row) >= 300 else None
    tree = resource if isinstance(resource, dict) and resource.get("resourceType") == key[0] else None
    version = str(response.get("etag", "")).removeprefix("W/").strip('"')
    version = version or str((tree or {}).get("meta", {}).get("versionId", ""))
    return Outcome(_status(row), key[1], version, tree)


def _response(row: Tree) -> Tree:
    response = row.get("response")
    return response if isinstance(response, dict) else {}


def _status(row: Tree) -> int:
    digits = str(_response(row).get("status", ""))[:3]
    return int(digits) if digits.isdigit() else 0
