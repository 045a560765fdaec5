"""What the routes need of the application that serves them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

from flask import current_app, g

from adapter.api.bodies import body_tree
from adapter.bootstrap import Services
from adapter.errors import BadInput
from adapter.fhir_json import Bounds, Tree
from adapter.issues import Issue

# Numbers of JSON are ints, or Decimals that keep their digits.
_READ: dict[type, tuple[type, ...]] = {float: (int, float, Decimal)}
_CALLED = {
    str: "a string", list: "a list", dict: "an object", int: "an integer", float: "a number", bool: "true or false",
}  # fmt: skip
_MOST = 20


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
    """The members of a body, which are known and of their type; a number as a float. Raises BadInput that names the others."""
    if not isinstance(tree, dict):
        raise BadInput("The body is an object.", issues=[fault("", "Expected an object.")])
    faults = [fault(f"/{name}", "It is missing.") for name in required if name not in tree]
    faults += [
        fault(f"/{name.replace('~', '~0').replace('/', '~1')}", _expected(known.get(name)))
        for name, value in tree.items()
        if name not in known or type(value) not in _READ.get(known[name], (known[name],))
    ]
    if faults:
        raise BadInput(
            "The body has fields that are unknown or of another type, or lacks some.",
            issues=faults[:_MOST],
            remedy=f"Known: {', '.join(known)}; required: {', '.join(required) or 'none'}.",
        )
    return {name: float(value) if known[name] is float else value for name, value in tree.items()}


def fault(pointer: str, text: str) -> Issue:
    """What is wrong with a member of a body."""
    return Issue("error", "invalid", "body-field", text, pointer=pointer)


def _expected(kind: type | None) -> str:
    return f"Expected {_CALLED[kind]}." if kind is not None else "There is no such field."
