"""The schema of each kind of record, and what follows from it: its JSON Schema, and the normal form of a record."""

from __future__ import annotations

from functools import cache
from typing import Any

from adapter.errors import UsageError
from adapter.fhir_json import Tree
from adapter.records.assessment import Assessment
from adapter.records.base import Base
from adapter.records.care_team import CareTeam
from adapter.records.consent import Consent
from adapter.records.diagnosis import Diagnosis
from adapter.records.fields import Either, Leaf, Many, One
from adapter.records.form import Form
from adapter.records.goal import Goal
from adapter.records.json_schemas import json_schema_of
from adapter.records.kinds import KINDS
from adapter.records.patient import Patient
from adapter.records.plan import Plan
from adapter.records.request import Request
from adapter.records.shared import Record

_SCHEMAS: dict[str, type[Record]] = {
    "patient": Patient,
    "form": Form,
    "assessment": Assessment,
    "diagnosis": Diagnosis,
    "plan": Plan,
    "goal": Goal,
    "care_team": CareTeam,
    "request": Request,
    "consent": Consent,
}


def schema(kind: str) -> Record:
    """The one marshmallow schema of a kind. Raises UsageError for an unknown kind."""
    if kind not in _SCHEMAS:
        raise UsageError("There is no such kind of record.", remedy=f"Known kinds: {', '.join(KINDS)}.")
    return _SCHEMAS[kind].shared()


@cache
def _json_schema(kind: str) -> Tree:
    return json_schema_of(kind, schema(kind))


def json_schema(kind: str) -> Tree:
    """The JSON Schema 2020-12 of a kind: one shared tree, not to be changed. Raises UsageError for an unknown kind."""
    return _json_schema(kind)


def normalise(record: Tree) -> Tree:
    """A copy in normal form: without null, empty text, list or object, and without values equal to a default."""
    kind = record.get("kind")
    base = _SCHEMAS[kind].shared() if type(kind) is str and kind in _SCHEMAS else None
    return _object(record, base)


def _object(tree: Tree, base: Base | None) -> Tree:
    fields: dict[str, Any] = dict(base.fields) if base is not None else {}
    kept = {}
    for key, value in tree.items():
        field = fields.get(key)
        inner = _value(value, field)
        default = field.default if isinstance(field, (Leaf, Many)) else None
        if not _is_empty(inner) and (default is None or inner != default):
            kept[key] = inner
    return kept


def _value(value: Any, field: Any) -> Any:
    if isinstance(value, dict):
        one = field.one if isinstance(field, Either) else field
        return _object(value, one.schema if isinstance(one, One) else None)
    if isinstance(value, list):
        inner = field.inner if isinstance(field, Many) else None
        return [item for item in (_value(item, inner) for item in value) if not _is_empty(item)]
    return value


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, (str, list, dict)) and not value)
