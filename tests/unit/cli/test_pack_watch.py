"""careplan pack watch, as an integrator runs it beside an editor: a real process, real saves, Ctrl-C."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main
from tests.unit.cli.packing import RULES, make

PATIENCE = 60


def careplan(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["pack", *map(str, words)])


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    made = make(tmp_path / "lakeside")
    assert careplan("test", made, "--accept").exit_code == 0
    return made


class Watching:
    """A running watch and the lines that it has printed."""

    def __init__(self, pack: Path) -> None:
        command = [sys.executable, "-m", "adapter.cli", "pack", "watch", str(pack)]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        self.lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout or []:
            self.lines.put(line.rstrip("\n"))

    def round(self) -> list[str]:
        """The lines of the next round."""
        found = []
        while not (found and found[-1].startswith(("ok, ", "not ok, "))):
            found.append(self.lines.get(timeout=PATIENCE))
        return found


@pytest.fixture
def watching(pack: Path) -> Iterator[Watching]:
    made = Watching(pack)
    yield made
    if made.process.poll() is None:
        made.process.kill()
    made.process.communicate()


def test_saves_are_told_and_a_broken_one_does_not_end_it(pack: Path, watching: Watching) -> None:
    assert watching.round()[-1].startswith("ok, ")
    rules = pack / "maps" / "goal.yaml"

    rules.write_text(RULES.replace("fhir: dueDate", "fhir: dueDat"))
    broken = watching.round()
    assert broken[-1].startswith("not ok")
    assert any("goal.yaml:15:" in line and "dueDat" in line for line in broken)

    rules.write_text("rules: [")
    assert any("goal.yaml:1:" in line or "goal.yaml:2:" in line for line in watching.round())

    rules.write_text(RULES.replace("      - {record: detail.text, fhir: detailString}\n", ""))
    changed = watching.round()
    assert any(line.startswith("now  first: ") for line in changed)
    assert '    - "thirty minutes"' in changed
    assert "    + nothing" in changed
    assert "FAIL first: records → FHIR" in changed

    rules.write_text(RULES)
    assert watching.round()[-1].startswith("ok, ")

    watching.process.send_signal(signal.SIGINT)
    assert watching.process.wait(PATIENCE) == 0
    errors = watching.process.stderr.read() if watching.process.stderr else ""
    assert "no longer watching" in errors
    assert "Traceback" not in errors


def test_once_is_for_scripts(pack: Path) -> None:
    done = careplan("watch", pack, "--once")
    assert done.exit_code == 0
    assert "lakeside: 2 examples" in done.stdout
    (pack / "maps" / "goal.yaml").write_text(RULES.replace("{record: due,", "{recrod: due,"))
    done = careplan("watch", pack, "--once")
    assert done.exit_code == 1
    assert "2 faults: the examples wait until they are mended" in done.stdout


def test_a_broken_example_is_told(pack: Path) -> None:
    (pack / "examples" / "first" / "records.json").write_text("{")
    done = careplan("watch", pack, "--once")
    assert done.exit_code == 1
    assert "first/records.json:1:2" in done.stdout


def test_a_pack_that_is_not_there_is_a_wrong_call(tmp_path: Path) -> None:
    assert careplan("watch", tmp_path, "--once").exit_code == 2
