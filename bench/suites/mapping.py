"""Records to FHIR and back. The peer reads the same FHIR into typed models and writes it, and maps nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator

from adapter import fhir_json, mapping
from bench.frame import Bar, Row, row
from bench.inputs import entries, valid_cases
from bench.peers.typed import models


def run() -> Iterator[Row]:
    """The fixtures, out and back."""
    cases, bundles = valid_cases()
    mapper = mapping.load("core")
    typed = [
        (model, json.loads(fhir_json.dumps(tree)))
        for model, tree in models([entry["resource"] for bundle in bundles for entry in bundle["entry"]])
    ]
    peers = {
        "fhir.resources, read and write": lambda: [
            model.model_validate(tree).model_dump_json() for model, tree in typed
        ]
    }
    per = entries(bundles)
    yield row("mapping", "to FHIR", lambda: [mapper.to_fhir(case) for case in cases], peers, Bar(1, 2), per=per)
    yield row("mapping", "from FHIR", lambda: [mapper.from_fhir(tree) for tree in bundles], peers, Bar(1, 2), per=per)
