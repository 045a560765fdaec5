"""The rows of bad input, as bytes, and the command that gets them. Every text of a person in them is MARK."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "adapter.cli"]
MARK = "ZZSECRETZZ"
PATIENT = {"resourceType": "Patient", "id": "a", "name": [{"family": MARK}]}
RECORD = {
    "kind": "patient",
    "id": "0b5e7c1e-1111-4111-8111-000000000001",
    "names": [{"id": "n1", "text": MARK}],
}
_FHIR = f'"resourceType":"Patient","name":[{{"family":"{MARK}"}}]'
_KIND = f'"kind":"patient","id":"0b5e7c1e-1111-4111-8111-000000000001","names":[{{"id":"n1","text":"{MARK}"}}]'


def raw(tree: Any) -> bytes:
    return json.dumps(tree).encode()


def unreadable(inner: str) -> dict[str, bytes]:
    """Rows that no reader of JSON may accept, around the inside of an object."""
    return {
        "not-json": f"<html>{MARK}</html>".encode(),
        "empty": b"",
        "cut-off": f"{{{inner}".encode(),
        "two-documents": f"{{{inner}}}{{{inner}}}".encode(),
        "wrong-charset-latin1": f'{{{inner},"note":"é"}}'.encode("latin-1"),
        "wrong-charset-utf16": f"{{{inner}}}".encode("utf-16"),
        "nan": f'{{{inner},"n":NaN}}'.encode(),
        "infinity": f'{{{inner},"n":-Infinity}}'.encode(),
        "duplicate-keys": f'{{{inner},"gender":"{MARK}","gender":"male"}}'.encode(),
        "depth-10000": f'{{{inner},"n":'.encode() + b"[" * 10_000 + b"]" * 10_000 + b"}",
        "depth-10000-of-objects": f'{{{inner},"n":'.encode() + b'{"a":' * 10_000 + b"1" + b"}" * 10_001,
        "unclosed-depth-1000000": b"[" * 1_000_000,
        "lone-surrogate": f'{{{inner},"n":"\\ud800"}}'.encode(),
        "number-of-10000-digits": f'{{{inner},"n":'.encode() + b"9" * 10_000 + b"}",
    }


UNREADABLE_FHIR = unreadable(_FHIR)
UNREADABLE_RECORDS = unreadable(_KIND)
NOT_A_RESOURCE = {
    "type-that-is-not-ours": raw({"resourceType": MARK, "text": MARK}),
    "no-type": raw({"name": MARK}),
    "type-as-list": raw({"resourceType": ["Patient"], "name": MARK}),
    "type-as-number": raw({"resourceType": 5, "name": MARK}),
    "proto-key": raw({"__proto__": {"resourceType": "Patient"}, "constructor": MARK}),
    "text": raw(MARK),
    "number": b"5",
    "null": b"null",
    "empty-object": b"{}",
}
NOT_A_RECORD = {
    "kind-that-is-not-ours": raw({"kind": MARK}),
    "kind-as-number": raw({"kind": 5, "names": MARK}),
    "kind-as-list": raw({"kind": ["patient"], "names": MARK}),
    "no-kind": raw({"names": MARK}),
    "list-of-numbers": b"[1, 2]",
    "list-in-list": raw([[RECORD]]),
    "text": raw(MARK),
    "null": b"null",
    "proto-key": raw({"__proto__": {"kind": "patient"}, "constructor": MARK}),
}


def run(
    *arguments: str, data: bytes | None = b"", cwd: Path | None = None, seconds: float = 30, **more: Any
) -> subprocess.CompletedProcess[bytes]:
    """`careplan …` in a process of its own."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **more.pop("environ", {})}
    given = {} if "stdin" in more else {"input": data}
    if "stdout" not in more:
        given |= {"stdout": subprocess.PIPE}
    return subprocess.run(
        [*COMMAND, *arguments],
        stderr=subprocess.PIPE,
        cwd=cwd or ROOT,
        env=environ,
        timeout=seconds,
        check=False,
        **given,
        **more,
    )


def clear(done: subprocess.CompletedProcess[bytes], status: int) -> str:
    """It ended with this status, in sentences, and told nothing of the person; gives what it said on stderr."""
    said = done.stderr.decode()
    assert "Traceback" not in said, said
    assert MARK not in said
    assert done.returncode == status, said
    return said


def peak(*arguments: str, given: Path) -> tuple[int, int, str]:
    """(exit status, peak memory in MB, stderr) of the command with a file as its stdin."""
    code = (
        "import resource, subprocess, sys\n"
        "with open(sys.argv[1], 'rb') as source:\n"
        "    done = subprocess.run(sys.argv[2:], stdin=source, stdout=subprocess.DEVNULL)\n"
        "print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(given), *COMMAND, *arguments],
        capture_output=True,
        cwd=ROOT,
        timeout=60,
        check=True,
    )
    status, memory = done.stdout.split()
    return int(status), int(memory), done.stderr.decode()


def hundred_megabytes(place: Path) -> Path:
    """A resource with one text of 100 MB, on one line."""
    file = place / "big.json"
    with file.open("wb") as target:
        target.write(b'{"resourceType":"Patient","kind":"patient","id":"')
        for _ in range(100):
            target.write(b"Z" * (1 << 20))
        target.write(b'"}')
    return file
