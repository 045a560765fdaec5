"""A CapabilityStatement, read as far as the exchange needs it. https://hl7.org/fhir/R4/capabilitystatement.html"""

from __future__ import annotations

from typing import Any

from adapter.errors import UsageError
from adapter.ports import Capability, Tree

_TOO_OLD = {"0": "DSTU1", "1": "DSTU2", "3": "STU3"}


def capability_of(tree: Tree, place: str) -> Capability:
    """What the statement says. Raises UsageError for a server of DSTU2 or STU3, by name."""
    version = _text(tree.get("fhirVersion"))
    if (name := _TOO_OLD.get(version.partition(".")[0])) is not None:
        raise UsageError(
            f"The server speaks FHIR {name} ({version}), which this adapter does not.",
            place=place,
            remedy="Many servers have an R4 address beside it.",
        )
    rest = _server_side(tree)
    rows = {_text(row.get("type")): row for row in _objects(rest.get("resource"))}
    software = tree.get("software") if isinstance(tree.get("software"), dict) else {}
    return Capability(
        software=_text((software or {}).get("name")),
        software_version=_text((software or {}).get("version")),
        fhir_version=version or "4.0.1",
        transaction="transaction" in _codes(rest.get("interaction")),
        batch="batch" in _codes(rest.get("interaction")),
        types=frozenset(rows),
        conditional_create=_where(rows, lambda row: row.get("conditionalCreate") is True),
        update_create=_where(rows, lambda row: row.get("updateCreate") is True),
        history_type=_where(rows, lambda row: "history-type" in _codes(row.get("interaction"))),
        history_instance=_where(rows, lambda row: "history-instance" in _codes(row.get("interaction"))),
        search_params={
            type_: frozenset(_text(param.get("name")) for param in _objects(row.get("searchParam")))
            for type_, row in rows.items()
        },
        tree=tree,
    )


def _server_side(tree: Tree) -> Tree:
    sides = _objects(tree.get("rest"))
    return next((side for side in sides if side.get("mode") == "server"), sides[0] if sides else {})


def _where(rows: dict[str, Tree], holds: Any) -> frozenset[str]:
    return frozenset(type_ for type_, row in rows.items() if holds(row))


def _codes(value: Any) -> set[str]:
    return {_text(row.get("code")) for row in _objects(value)}


def _objects(value: Any) -> list[Tree]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
