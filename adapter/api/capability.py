"""What the FHIR face can do. https://hl7.org/fhir/R4/capabilitystatement.html"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from adapter import __version__
from adapter.fhir_json import Tree
from adapter.services.searching import parameters

INTERACTIONS = (
    "read", "vread", "update", "delete", "history-instance", "history-type", "create", "search-type",
)  # fmt: skip
DEFINITION = "http://hl7.org/fhir/OperationDefinition/Resource-validate"


def statement(types: Sequence[str], base: str, now: datetime) -> Tree:
    """The CapabilityStatement of a face with these types at this base."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "kind": "instance",
        "software": {"name": "Care-plan adapter", "version": __version__},
        "implementation": {"description": "The FHIR face of a care-plan adapter", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "resource": [_resource(type_) for type_ in types],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
            }
        ],
    }


def _resource(type_: str) -> Tree:
    return {
        "type": type_,
        "interaction": [{"code": code} for code in INTERACTIONS],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
        "searchParam": [{"name": name, "type": kind} for name, kind in sorted(parameters(type_).items())],
        "operation": [{"name": "validate", "definition": DEFINITION}],
    }
