"""The JSON Schema of mapping files takes what the compiler takes, and refuses what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from adapter.mapping.file_schema import file_schema
from adapter.mapping.keywords import FILE_KEYS, KEYWORDS
from adapter.packs import root

SCHEMA = file_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
FILES = sorted(root().glob("*/maps/*.yaml"))


def tree(**rule: Any) -> dict[str, Any]:
    return {"map": "m", "record": "goal", "resource": "Goal", "rules": [rule]}


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_the_files_of_packs_are_valid(path: Path) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(path.read_text("utf-8")))] == []


def test_every_keyword_is_in_it_and_is_described() -> None:
    assert SCHEMA["properties"].keys() == FILE_KEYS.keys()
    assert SCHEMA["$defs"]["rule"]["properties"].keys() == KEYWORDS.keys()
    assert all(keyword.says for keyword in (*FILE_KEYS.values(), *KEYWORDS.values()))


@pytest.mark.parametrize(
    "wrong",
    [
        tree(recrod="a", fhir="b"),
        tree(record=["a"], fhir="b"),
        tree(record="a", fhir="b", wrap="coding"),
        tree(fhir="text", derive="narrativ", names=["a"]),
        {"map": "m"},
        {**tree(), "colour": "red"},
    ],
)
def test_what_the_compiler_refuses_is_invalid(wrong: Any) -> None:
    assert not VALIDATOR.is_valid(wrong)
