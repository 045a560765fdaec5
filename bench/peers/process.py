"""Peers that run in a process of their own, with what `make bench` installed for them under .cache/bench."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.frame import Meter
from bench.inputs import ROOT

HERE = Path(__file__).parent
PLACE = ROOT / ".cache" / "bench"
PYTHON = PLACE / "venv" / "bin" / "python"


class Peer:
    """A running peer: what it made of the job, and meters for both directions."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self._line()
        if not line:
            self.close()
            raise OSError(f"{command[0]} ended at once")
        self.made: Any = json.loads(line)

    def _line(self) -> str:
        return self._process.stdout.readline() if self._process.stdout else ""

    def meter(self, direction: str) -> Meter:
        """Seconds → calls a second."""

        def measured(seconds: float) -> float:
            if self._process.stdin is None:
                raise OSError("the peer cannot be spoken to")
            self._process.stdin.write(f"{direction} {seconds}\n")
            self._process.stdin.flush()
            return float(self._line())

        return measured

    def close(self) -> None:
        """Ends it."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(timeout=30)


@contextmanager
def running(name: str, command: Sequence[str], missing: dict[str, str]) -> Iterator[Peer | None]:
    """The peer, or None where it cannot be started: then `missing` says why, and it is not counted."""
    try:
        peer = Peer(command)
    except (OSError, ValueError) as error:
        missing[name] = f"{type(error).__name__}: {error}"
        yield None
        return
    try:
        yield peer
    finally:
        peer.close()


def install(missing: dict[str, str]) -> None:
    """The packages of bench/requirements.lock and bench/package-lock.json, into their own place. Done once."""
    PLACE.mkdir(parents=True, exist_ok=True)
    steps = {
        "Python peers": ("requirements.lock", _install_python),
        "Node peers": ("package-lock.json", _install_node),
    }
    for name, (lock, step) in steps.items():
        stamp, wanted = PLACE / f"{lock}.stamp", (ROOT / "bench" / lock).read_text("utf-8")
        if stamp.exists() and stamp.read_text("utf-8") == wanted:
            continue
        try:
            step()
        except (OSError, subprocess.CalledProcessError) as error:
            missing[name] = f"not installed ({type(error).__name__})"
        else:
            stamp.write_text(wanted, "utf-8")


def _install_python() -> None:
    uv = str(Path(sys.executable).parent / "uv")
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(PLACE / "venv")], check=True)
    lock = str(ROOT / "bench" / "requirements.lock")
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--python", str(PYTHON), "--require-hashes", "-r", lock], check=True
    )


def _install_node() -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(ROOT / "bench" / name, PLACE / name)
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm")
    subprocess.run([npm, "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=PLACE, check=True)


def python(name: str, job: Path) -> list[str]:
    """The command of a peer in Python."""
    return [str(PYTHON), str(HERE / "worker.py"), name, str(job)]


def node(name: str, job: Path) -> list[str]:
    """The command of a peer in Node."""
    return [shutil.which("node") or "node", str(HERE / "worker.mjs"), name, str(job), str(PLACE)]
