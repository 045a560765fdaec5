"""Commands of ours as processes of their own, while they are needed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.inputs import ROOT


@contextmanager
def careplan(words: Sequence[str], folder: Path, **env: str) -> Iterator[None]:
    """`careplan WORDS` in a folder; what it says is in a file there, named after the words."""
    command = [sys.executable, "-m", "adapter.cli", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **env}
    with (folder / f"{'-'.join(word.lstrip('-') for word in words)}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)
