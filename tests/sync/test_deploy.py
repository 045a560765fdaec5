"""What deploy/ shows runs: its commands, settings and health check, with real PostgreSQL and Redis, as README.md there says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sync.daemons import ROOT

APART = ["unshare", "--net", "--mount"]


def test_it_is_set_up_by_what_the_page_says_and_exchanges(tmp_path: Path) -> None:
    if not shutil.which("unshare") or subprocess.run([*APART, "true"], capture_output=True).returncode:
        pytest.skip("a network apart needs root")
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    done = subprocess.run(
        [*APART, sys.executable, "-m", "tests.sync.stand", str(tmp_path)], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=240,
    )  # fmt: skip
    logs = "\n".join(f"{log.name}: {log.read_text(errors='replace')[-500:]}" for log in sorted(tmp_path.glob("*.log")))
    assert done.returncode == 0, done.stderr[-3000:] + logs
