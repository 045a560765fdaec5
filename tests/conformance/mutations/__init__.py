"""Mutations: see core.py. `SUITES` says which operators each kind of resource meets."""

from tests.conformance.mutations import rules, shapes, types
from tests.conformance.mutations.bundles import BUNDLES
from tests.conformance.mutations.core import OPERATORS, Operator, Tree
from tests.conformance.mutations.profiles import PROFILED
from tests.conformance.mutations.responses import RESPONSES

SUITES: dict[str, dict[str, Operator]] = {
    "base": OPERATORS,
    "responses": RESPONSES,
    "bundles": BUNDLES,
    "us-core": {**PROFILED, **shapes.OPERATORS},
}
__all__ = ["SUITES", "Operator", "Tree", "rules", "types"]
