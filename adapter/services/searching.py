"""A FHIR search as the face understands it. https://hl7.org/fhir/R4/search.html

What a value means is the store's to say; here are the names, the paging, and the forms of a condition.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from adapter.definitions.search_parameters import search_parameters
from adapter.errors import BadInput
from adapter.issues import Issue

COUNT, MOST = 50, 500
_RESULT = frozenset({"_count", "_sort", "_summary", "_total", "_format", "_pretty", "_page"})
_WHOLE = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a page ended: the stamp and id of its last row."""

    last_updated: str
    id: str


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, and which page of it; `ignored` names the parameters that were left out."""

    type_: str
    params: tuple[tuple[str, str], ...] = ()
    count: int = COUNT
    after: Mark | None = None
    only_count: bool = False
    ignored: tuple[str, ...] = ()


def parse(type_: str, params: Iterable[tuple[str, str]], *, lenient: bool = False) -> Search:
    """The search of a query. Raises BadInput for a parameter that is not known; `lenient` leaves it out."""
    kept: list[tuple[str, str]] = []
    ignored: list[str] = []
    result: dict[str, str] = {}
    for name, value in params:
        if name in _RESULT:
            result[name] = value
        elif re.split("[:.]", name, maxsplit=1)[0] in parameters(type_):
            if not value.strip(","):
                raise refused("A search parameter has no value.")
            kept.append((name, value))
        elif lenient:
            ignored.append(name)
        else:
            raise refused("This server does not know one of the search parameters.", "search-parameter-unknown")
    if result.get("_sort", "_lastUpdated") != "_lastUpdated":
        raise refused("Results are sorted by _lastUpdated and in no other way.")
    return Search(
        type_, tuple(kept), count=whole(result, "_count", COUNT, MOST), after=_mark(result.get("_page")),
        only_count=result.get("_summary") == "count", ignored=tuple(ignored),
    )  # fmt: skip


def parameters(type_: str) -> dict[str, str]:
    """What resources of a type can be found by: name and kind."""
    found = {name: parameter.kind for name, parameter in search_parameters(type_).items()}
    return {"_id": "token", "_lastUpdated": "date", **found}


def refused(text: str, message_id: str = "search-value-invalid") -> BadInput:
    """The error of a search that is not understood."""
    return BadInput(text, issues=[Issue("error", "invalid", message_id, text)])


def whole(params: Mapping[str, str], name: str, default: int, most: int) -> int:
    """A parameter that is a whole number, and `most` where it is larger. Raises BadInput."""
    text = params.get(name, str(default))
    if not _WHOLE.fullmatch(text):
        raise refused(f"{name} is a whole number.")
    return min(int(text), most)


def token_of(mark: Mark) -> str:
    """A mark as `_page` holds it."""
    return base64.urlsafe_b64encode(f"{mark.last_updated} {mark.id}".encode()).decode().rstrip("=")


def _mark(token: str | None) -> Mark | None:
    if token is None:
        return None
    try:
        stamp, blank, id_ = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().partition(" ")
    except (binascii.Error, ValueError):
        blank = ""
    if not blank:
        raise refused("The link to this page is not one of this server's.")
    return Mark(stamp, id_)


def condition(query: str) -> Sequence[tuple[str, str]]:
    """The parameters of an If-None-Exist or `ifNoneExist`: bare, or after `?` or `Type?`. Raises BadInput."""
    found = parse_qsl(query.rpartition("?")[2], keep_blank_values=True)
    if not found or not all(value for _, value in found) or any(name in _RESULT for name, _ in found):
        raise refused("The condition of a conditional create names nothing.", "condition-invalid")
    return found
