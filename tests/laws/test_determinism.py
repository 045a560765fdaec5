"""The same input gives the same bytes in another process, with another hash seed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_SCRIPT = """
import hashlib, pathlib, sys
from adapter import mapping
from adapter.fhir_json import dumps, loads
digest = hashlib.sha256()
root = pathlib.Path(sys.argv[1])
cases = [("core", path) for path in sorted(root.glob("fixtures/*/records.json"))]
cases += [(path.parts[-4], path) for path in sorted(root.glob("mappings/*/examples/*/records.json"))]
for pack, path in cases:
    mapper = mapping.load(pack)
    bundle = mapper.to_fhir(loads(path.read_bytes())).tree
    read = mapper.from_fhir(bundle)
    digest.update(dumps(bundle) + dumps(read.records) + dumps(read.remainder))
print(digest.hexdigest())
"""


def _digest(root: Path, seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", _SCRIPT, str(root)]
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def test_another_process_gives_the_same_bytes(root: Path) -> None:
    found = {_digest(root, seed) for seed in ("0", "1", "4711")}
    assert len(found) == 1
