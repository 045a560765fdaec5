"""Node, and packages of its kind by their lock, for servers of other makes that tests start.

Each server's packages go to `.cache/NAME/` of the checkout, or to `$CAREPLAN_CACHE/NAME/`, once.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from tests.hapi.launch import CannotBuild, cache_dir, locked

_SECONDS = 300


def packages(name: str, here: Path) -> Path:
    """The folder with the packages of `here`'s lock; installed unless that is unchanged. Raises CannotBuild."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise CannotBuild("no node and npm on the PATH")
    place = cache_dir().parent / name
    folder = place / f"packages-{sha256((here / 'package-lock.json').read_bytes()).hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    with locked(place / "build.lock"):
        if not (folder / "complete").exists():
            print(f"{name}: installing its packages into {folder}, once", file=sys.stderr, flush=True)
            for one in ("package.json", "package-lock.json"):
                shutil.copyfile(here / one, folder / one)
            _run([npm, "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"], folder)
            (folder / "complete").touch()
    return folder


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        raise CannotBuild("npm took too long") from None
    if done.returncode:
        raise CannotBuild(f"npm could not install:\n{(done.stdout + done.stderr)[-2000:]}")
