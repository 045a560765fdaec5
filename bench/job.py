"""The one job of the mapping suite: a plan with goals, team and activities, to FHIR and back."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from adapter import fhir_json, mapping
from adapter.identity import resource_id
from bench.inputs import ROOT

PACK = ROOT / "bench" / "pack"
PARTS = {"goals": "Goal", "interventions": "ServiceRequest", "care_team": "CareTeam"}


@cache
def mapper() -> mapping.Mapper:
    """Ours, with the bench pack: core without narrative, and with the fields of this plan."""
    return mapping.load(str(PACK))


@cache
def plan() -> Any:
    """The record."""
    return fhir_json.loads((PACK / "plan.json").read_bytes())


@cache
def bundle() -> Any:
    """The record as FHIR, as ours makes it."""
    return mapper().to_fhir([plan()]).tree


def resources() -> int:
    """How many resources the plan makes."""
    return len(bundle()["entry"])


def given() -> Any:
    """The record with the ids of its resources: most peers have no UUIDv5, so theirs are given to them."""
    tree = json.loads(fhir_json.dumps(plan()))
    tree["fhirId"] = resource_id("plan", tree["id"])
    for name, type_ in PARTS.items():
        for item in tree[name]:
            item["fhirId"] = resource_id("plan", tree["id"], f"{type_}/{item['id']}")
    return tree


def is_right(out: Any, back: Any) -> tuple[bool, bool]:
    """Whether a peer's Bundle and record are ours, numbers compared as numbers."""
    return out == json.loads(fhir_json.dumps(bundle())), back == json.loads(fhir_json.dumps(plan()))
