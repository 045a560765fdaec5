"""What the routes need of the application that serves them."""

from __future__ import annotations

from typing import Any, cast

from flask import current_app, g

from adapter.api.bodies import body_tree
from adapter.bootstrap import Services
from adapter.errors import BadInput
from adapter.fhir_json import Bounds, Tree


def services() -> Services:
    """The services of this application."""
    return cast("Services", current_app.extensions["careplan"])


def bounds() -> Bounds:
    """How large what comes in may be."""
    return cast("Bounds", current_app.extensions["careplan_bounds"])


def given() -> object:
    """The tree of the request's body. Raises BadInput, and HTTP 413 and 415."""
    return body_tree(bounds())


def released(tree: Tree) -> Tree:
    """The tree as it may leave to who asks: the gate of privacy, which may refuse. Raises Refused."""
    return services().release(tree, g.recipient)


def fields(tree: object, known: dict[str, type], required: tuple[str, ...]) -> dict[str, Any]:
    """The members of a body, which are known and of their type. Raises BadInput."""
    if not isinstance(tree, dict):
        raise BadInput("The body is an object.")
    strange = sorted(name for name, value in tree.items() if name not in known or type(value) is not known[name])
    missing = [name for name in required if name not in tree]
    if strange or missing:
        raise BadInput(
            "The body has fields that are unknown or of another type, or lacks some.",
            remedy=f"Known: {', '.join(known)}; required: {', '.join(required) or 'none'}.",
        )
    return tree
