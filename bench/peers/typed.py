"""fhir.resources: typed models of FHIR R4B, whose tree is that of R4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


def models(resources: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """(model class, resource) of each resource."""
    from fhir.resources.R4B import get_fhir_model_class

    for tree in resources:
        yield get_fhir_model_class(tree["resourceType"]), tree
