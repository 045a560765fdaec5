"""What the routes need of the application that serves them."""

from __future__ import annotations

from typing import cast

from flask import current_app, request

from adapter.api.bodies import body_tree
from adapter.bootstrap import Services
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
    return services().release(tree, request.remote_addr or "")
