"""Validation of the fixtures' resources, all tiers. The peer checks structure alone."""

from __future__ import annotations

import json
from collections.abc import Iterator

from adapter import fhir_json, validation
from bench.frame import Bar, Row, row
from bench.inputs import entries, valid_cases
from bench.peers.typed import models


def run() -> Iterator[Row]:
    """Every resource by itself."""
    _, bundles = valid_cases()
    ours = [entry["resource"] for bundle in bundles for entry in bundle["entry"]]
    typed = [(model, json.loads(fhir_json.dumps(tree))) for model, tree in models(ours)]
    peers = {"fhir.resources, structure": lambda: [model.model_validate(tree) for model, tree in typed]}
    yield row(
        "validation", "fixtures", lambda: [validation.validate(one) for one in ours], peers,
        Bar(1.0, 2.0), per=entries(bundles),
    )  # fmt: skip
