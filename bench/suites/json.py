"""FHIR JSON read and written with every digit kept. The peer is the standard library, which does not keep them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from adapter import fhir_json
from bench.frame import Bar, Row, row
from bench.inputs import entries, valid_cases


def run() -> Iterator[Row]:
    """Reading and writing the fixtures' Bundles."""
    _, bundles = valid_cases()
    texts = [fhir_json.dumps(bundle) for bundle in bundles]
    plain = [json.loads(text) for text in texts]
    per = entries(bundles)
    reading = {"json.loads": lambda: [json.loads(text) for text in texts]}
    yield row("json", "read", lambda: [fhir_json.loads(text) for text in texts], reading, Bar(0.2, 0.5), per=per)
    writing = {"json.dumps": lambda: [json.dumps(tree) for tree in plain]}
    yield row("json", "write", lambda: [fhir_json.dumps(tree) for tree in bundles], writing, Bar(1.0, 2.0), per=per)
