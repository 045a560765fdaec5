"""What a search of the server in memory finds. https://hl7.org/fhir/R4/search.html"""

from __future__ import annotations

from datetime import datetime

from adapter.errors import ServerRefused
from adapter.ports import Tree, moment

_PREFIXES = ("ge", "gt", "le", "lt", "eq")


def meets(tree: Tree, at: str, name: str, value: str) -> bool:
    """Whether a resource that was last written `at` is what a parameter asks for. Raises ServerRefused for one that is unknown."""
    if name == "_lastUpdated":
        prefix, text = (value[:2], value[2:]) if value[:2] in _PREFIXES else ("eq", value)
        written, limit = moment(at), asked(text)
        after = {"ge": written >= limit, "gt": written > limit, "le": written <= limit, "lt": written < limit}
        return after.get(prefix, written == limit)
    if name == "_id":
        return tree.get("id") in value.split(",")
    if name == "identifier":
        return any(_has_token(tree, token) for token in value.split(","))
    if name in {"patient", "subject"}:
        reference = tree.get("subject", tree.get("patient"))
        literal = reference.get("reference") if isinstance(reference, dict) else None
        return any(literal in {wanted, f"Patient/{wanted}"} for wanted in value.split(","))
    raise ServerRefused("The server refused the request (HTTP status 400).", status=400)


def _has_token(tree: Tree, token: str) -> bool:
    system, bar, value = token.partition("|")
    if bar and not value:
        return any(row.get("system") == system for row in _identifiers(tree))
    for row in _identifiers(tree):
        if row.get("value") == (value if bar else token):
            return not bar or row.get("system", "") == system
    return False


def _identifiers(tree: Tree) -> list[Tree]:
    found = tree.get("identifier")
    return [row for row in (found if isinstance(found, list) else [found]) if isinstance(row, dict)]


def asked(text: str) -> datetime:
    """An instant that a request names. Raises ServerRefused for what is none."""
    try:
        return moment(text)
    except ValueError:
        raise ServerRefused("The server refused the request (HTTP status 400).", status=400) from None
