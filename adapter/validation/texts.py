"""What a text is: an absolute URL, a restful one, a reference. https://hl7.org/fhir/R4/references.html#literal"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Any

_SCHEME = re.compile(r"(?:[a-z][a-z0-9+.\-]*|urn|https?):[^ ]+").fullmatch
_RESTFUL = re.compile(
    r"(?:(?:https?|Https?)://[^\s#]*/)?([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?"
).fullmatch
_FULL = re.compile(
    r"https?://(?:[A-Za-z0-9\-\\.:%$]*/)+([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?"
).fullmatch


def is_absolute(text: str) -> bool:
    """Whether a URL says its scheme, and something after it."""
    return _SCHEME(text) is not None


def restful(url: str, types: Container[str]) -> bool:
    """Whether a URL looks like that of a resource on a FHIR server."""
    found = _FULL(url)
    return found is not None and found.group(1) in types


def type_named(text: str, types: Container[str]) -> str:
    """The resource type that a literal reference names in its URL; empty where it names none."""
    found = _RESTFUL(text)
    return found.group(1) if found and found.group(1) in types else ""


def claimed(tree: Any) -> list[str]:
    """The profiles that a resource says it conforms to."""
    meta = tree.get("meta")
    rows = meta.get("profile") if isinstance(meta, dict) else None
    return [url for url in rows if isinstance(url, str)] if isinstance(rows, list) else []
