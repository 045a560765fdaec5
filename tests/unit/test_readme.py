"""What README and the how-tos show is run, and prints what they say.

A block marked `console` is run: each line after `$ ` as a shell command, all blocks of a page in one empty folder with
the fixtures in it, in order. It must end with exit status 0 (`|| echo exit $?` where it should not). `…` in the output
stands for anything, alone on a line for any number of lines. Where a page says port 8081 a second adapter serves its
FHIR face, as the other hospital; the test puts in the port that was free.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "how-to").glob("*.md"))]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
OTHER_PORT = "8081"
PATIENCE = 30.0
# It sets itself up and runs every test: this one too.
NOT_RUN = {"make test"}

pytestmark = pytest.mark.slow


def _examples(page: Path) -> list[tuple[str, str]]:
    """Command and expected output, in order."""
    found: list[tuple[str, str]] = []
    for block in BLOCK.findall(page.read_text("utf-8")):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.replace("\\\n", " ").split("\n", 1)
            found.append((lines[0].strip(), lines[1].rstrip() if len(lines) > 1 else ""))
    return found


def _shape(expected: str) -> re.Pattern[str]:
    lines = []
    for line in expected.splitlines():
        if line.strip() == "…":
            lines.append(r"(?:.*\n)*?")
        else:
            lines.append(r"[^\n]*".join(re.escape(part.rstrip()) for part in line.split("…")) + r"[ ]*\n")
    return re.compile("".join(lines))


def _environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CAREPLAN_")}
    folder = Path(sys.executable).parent
    return kept | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "120", "NO_COLOR": "1"} | more


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def _answers(port: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0


@pytest.fixture(scope="module")
def other_hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The port of a second adapter, on loopback, with a store of its own."""
    port = _free_port()
    place = tmp_path_factory.mktemp("other")
    command = [Path(sys.executable).with_name("careplan"), "serve", "--port", port]
    with (place / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=place, env=_environment(), stdout=log, stderr=subprocess.STDOUT)
        try:
            until = time.monotonic() + PATIENCE
            while not _answers(port) and server.poll() is None and time.monotonic() < until:
                time.sleep(0.1)
            assert _answers(port), (place / "log").read_text("utf-8")
            yield port
        finally:
            server.terminate()
            server.wait(PATIENCE)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_is_shown_is_what_happens(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    needed = OTHER_PORT in page.read_text("utf-8")
    other_hospital = request.getfixturevalue("other_hospital") if needed else OTHER_PORT
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    examples = [(command, expected) for command, expected in _examples(page) if command not in NOT_RUN]
    assert examples, "a page shows at least one command that is run"
    for command, expected in examples:
        shell = command.replace("make demo", "careplan demo").replace(OTHER_PORT, other_hospital)
        done = subprocess.run(
            ["bash", "-c", shell], cwd=tmp_path, env=_environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"$ {command}\n--- exit {done.returncode}\n{done.stdout}{done.stderr}"
        said = (done.stdout + done.stderr).replace(other_hospital, OTHER_PORT)
        assert _shape(expected).fullmatch(said.rstrip() + "\n" if said.strip() else ""), (
            f"$ {command}\n--- expected\n{expected}\n--- was\n{said}"
        )


def test_the_shape_of_output() -> None:
    assert _shape("a … c\n…\nend").fullmatch("a b c\nx\ny\nend\n")
    assert not _shape("a … c").fullmatch("a b d\n")
