"""The second opinion: fhir.resources' R4B models. A typed edge for people and for tests, never the main path.

It sees unknown and missing elements, shapes of dates, ids and codes, and double choices, and nothing of invariants,
bindings and references. https://github.com/nazrulworld/fhir.resources
"""

from __future__ import annotations

from decimal import Decimal
from importlib import import_module
from typing import Any

from adapter.issues import Issue
from adapter.validation.messages import MESSAGES

Tree = dict[str, Any]


def second_opinion(resource: Tree) -> list[Issue]:
    """What the models say; an information issue where they know no such type.

    Their messages repeat values and are not passed on: only the kind of fault and its place are.
    """
    name = resource.get("resourceType")
    model = _model(name) if isinstance(name, str) and name.isidentifier() else None
    if model is None:
        return []
    from pydantic import ValidationError

    try:
        model.model_validate(plain(resource))
    except ValidationError as error:
        return [
            _issue(str(name), row["loc"], row["type"]) for row in error.errors(include_input=False, include_url=False)
        ]
    except (TypeError, ValueError, AttributeError, KeyError, RecursionError):
        return [_issue(str(name), (), "not_read")]
    return []


def _model(name: str) -> Any:
    try:
        return getattr(import_module(f"fhir.resources.R4B.{name.lower()}"), name)
    except (ImportError, AttributeError):
        return None


def plain(tree: Any) -> Any:
    """A copy for the models: they take decimals as Decimal, and bounded."""
    if isinstance(tree, dict):
        return {key: plain(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [plain(value) for value in tree]
    return tree if not isinstance(tree, Decimal) or tree.is_finite() else str(tree)


def _issue(name: str, location: tuple[int | str, ...], kind: str) -> Issue:
    message = MESSAGES["typed-model"]
    path = name
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if str(step).isidentifier() else ""
    return Issue(message.severity, message.code, "typed-model", message.text.format(kind=kind), expression=path)
