"""--out: the file before, or the file after; never half of one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from adapter.fhir_json import loads
from tests.unit.cli.test_convert import GOAL, ROOT, careplan, ndjson

COMMAND = [sys.executable, "-m", "adapter.cli", "convert", "from-fhir", "--ndjson"]
FEW = 40


def _part(folder: Path) -> Path:
    """The part beside, once there is something in it."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        for path in folder.glob(".careplan-*.part"):
            if path.stat().st_size:
                return path
        time.sleep(0.01)
    raise AssertionError("nothing is written")


def test_a_run_killed_in_the_middle_leaves_the_file_before(tmp_path: Path) -> None:
    out = tmp_path / "out.ndjson"
    out.write_bytes(b"before\n")
    process = subprocess.Popen([*COMMAND, "--out", str(out)], stdin=subprocess.PIPE, cwd=ROOT)
    assert process.stdin is not None
    # More than any buffer holds, and no end.
    process.stdin.write(ndjson(*[GOAL] * 2000))
    process.stdin.flush()
    _part(tmp_path)
    process.kill()
    process.wait(10)
    process.stdin.close()
    assert out.read_bytes() == b"before\n"
    assert careplan("convert", "from-fhir", "--ndjson", "--out", out, given=ndjson(GOAL)).returncode == 0
    assert out.read_bytes().count(b"\n") == 1


def test_an_input_that_cannot_be_read_leaves_the_file_before(tmp_path: Path) -> None:
    out, rows = tmp_path / "out.ndjson", tmp_path / "in.ndjson"
    out.write_bytes(b"before\n")
    rows.write_bytes(ndjson(*[GOAL] * FEW))
    done = careplan("convert", "from-fhir", "--ndjson", "--out", out, rows, tmp_path / "none.ndjson")
    assert (done.returncode, out.read_bytes()) == (2, b"before\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.ndjson", "out.ndjson"]


def test_bad_lines_are_an_output_too(tmp_path: Path) -> None:
    out = tmp_path / "out.ndjson"
    done = careplan("convert", "from-fhir", "--ndjson", "--workers", "2", "--out", out, given=ndjson(GOAL, b"{", GOAL))
    assert (done.returncode, out.read_bytes().count(b"\n")) == (1, 3)
    assert [path.name for path in tmp_path.iterdir()] == ["out.ndjson"]


def test_the_input_may_be_the_output(tmp_path: Path) -> None:
    rows = tmp_path / "rows.ndjson"
    rows.write_bytes(ndjson(*[GOAL] * FEW))
    assert careplan("convert", "from-fhir", "--ndjson", "--out", rows, rows).returncode == 0
    answers = [loads(line) for line in rows.read_bytes().splitlines()]
    assert [answer["records"][0]["kind"] for answer in answers] == ["goal"] * FEW


def test_stdout_by_its_name_is_a_pipe_or_the_file_that_the_shell_opened(tmp_path: Path) -> None:
    given = ndjson(GOAL)
    plain = careplan("convert", "from-fhir", given=given).stdout
    assert careplan("convert", "from-fhir", "--out", "/dev/stdout", given=given).stdout == plain
    file = tmp_path / "all"
    with file.open("wb") as shell:
        command = [*COMMAND[:-1], "--out", "/dev/stdout"]
        subprocess.run(command, input=given, stdout=shell, cwd=ROOT, check=True)
        assert os.fstat(shell.fileno()).st_size == len(plain)


@pytest.mark.parametrize("options", [(), ("--ndjson",)], ids=["document", "ndjson"])
def test_a_pipe_by_name(tmp_path: Path, options: tuple[str, ...]) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [*COMMAND[:-1], *options, "--out", str(pipe)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdin is not None
        process.stdin.write(ndjson(GOAL))
        process.stdin.close()
        got = pipe.read_bytes()
    assert (process.returncode, got) == (0, careplan("convert", "from-fhir", *options, given=ndjson(GOAL)).stdout)
