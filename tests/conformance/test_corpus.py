"""The shared corpus: what is invalid or malformed is refused, the examples of US Core conform. See test_agreement.py too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapter import fhir_json
from adapter.errors import BadInput
from adapter.validation import AS_REFERENCE, Validator

pytestmark = pytest.mark.corpus
VALIDATOR = Validator(quirks=AS_REFERENCE)


def resources(corpus: Path, validity: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (corpus / "index.ndjson").read_text("utf-8").splitlines()]
    return [row for row in rows if row["file"].startswith(validity + "/")]


def errors(path: Path) -> list[str]:
    try:
        tree = fhir_json.loads(path.read_bytes())
    except BadInput as error:
        return [issue.message_id for issue in error.issues]
    return [issue.message_id for issue in VALIDATOR.validate(tree) if issue.is_error]


def test_invalid_resources_are_refused(corpus: Path) -> None:
    rows = resources(corpus, "invalid")
    missed = [row["file"] for row in rows if not errors(corpus / row["file"])]
    assert len(missed) <= 1, missed


def test_malformed_files_are_refused(corpus: Path) -> None:
    for path in (corpus / "malformed").rglob("*.txt"):
        assert errors(path), path.name


def test_us_core_examples_conform(root: Path) -> None:
    """The examples in the package of US Core 6.1.0, against the profiles that they claim."""
    import tarfile

    path = root.parent / "shared" / "packages" / "hl7.fhir.us.core-6.1.0.tgz"
    if not path.exists():
        pytest.skip("the US Core package is not beside this checkout (../shared/packages)")
    refused = {}
    with tarfile.open(path) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.startswith("package/example/") else None
            if file is None or member.name.endswith(".index.json"):
                continue
            issues = VALIDATOR.validate(fhir_json.loads(file.read()))
            refused[member.name] = [issue.message_id for issue in issues if issue.is_error]
    assert len(refused) > 150
    # Narrative links and fullUrls of three Bundles are as the package has them.
    assert {each for ids in refused.values() for each in ids} <= {"narrative-link", "bundle-full-url-id"}
