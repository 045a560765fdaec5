"""What is read in the place of the schemas says what they say, and leaves marshmallow alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

from adapter.records import KINDS
from adapter.records.plain import COMPILED, fits
from tests.unit.records.samples import full
from tools.compile_records import compiled


def test_the_compiled_file_is_what_the_schemas_say() -> None:
    assert COMPILED.read_bytes() == compiled(), "run python -m tools.compile_records"


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_record_fits_and_a_strange_field_does_not(kind: str) -> None:
    assert fits(full(kind))
    assert not fits(full(kind) | {"colour": "x"})


def test_a_record_without_fault_is_checked_without_marshmallow() -> None:
    code = (
        "import sys; from adapter.records import check; from tests.unit.records.samples import full;"
        "assert not check(full('plan')); assert 'marshmallow' not in sys.modules;"
        "assert check({'kind': 'plan'}); assert 'marshmallow' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
