"""What `records import` takes in: documents and lines, each fault with its file, its line and its pointer there."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main
from adapter.cli.incoming import BATCH
from tests.unit.cli.test_convert import ROOT
from tests.unit.cli.test_out import COMMAND

MARK = "ZZSECRETZZ"


def patient(number: int, **more: Any) -> dict[str, Any]:
    return {"kind": "patient", "id": f"00000000-0000-4000-8000-{number:012}", **more}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CAREPLAN_DATABASE_URL", f"sqlite:///{tmp_path / 'store.db'}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def taken(*args: str, given: str | None = None) -> Result:
    return CliRunner().invoke(main, ["records", "import", *args], input=given)


def lines(*trees: Any) -> str:
    return "".join((tree if isinstance(tree, str) else json.dumps(tree)) + "\n" for tree in trees)


def test_a_bad_line_harms_no_other(store: Path) -> None:
    bad = ("{" + MARK, 5, {"records": [], "remainder": MARK}, patient(2, gender=MARK), {"error": {"text": MARK}})
    (store / "x.ndjson").write_text(lines(patient(1), *bad, "", [patient(3)], {"records": [patient(4)]}, patient(5)))
    done = taken("x.ndjson")
    assert done.exit_code == 1
    assert MARK not in done.output
    assert sorted(line.split(maxsplit=1)[1] for line in done.stdout.splitlines() if line.startswith("new")) == [
        f"patient/{patient(number)['id']}" for number in (1, 3, 4, 5)
    ]
    for number in range(2, 7):
        assert f"refused    x.ndjson:{number}" in done.stdout
        assert f"x.ndjson:{number}" in done.stderr
    assert "x.ndjson:5 /gender: " in done.stderr


def test_stdin_is_lines_where_that_is_said(store: Path) -> None:
    done = taken("--ndjson", "--json", given=lines(*(patient(number) for number in range(BATCH + 2))))
    assert [row["result"] for row in json.loads(done.stdout)] == ["new"] * (BATCH + 2)


def test_many_documents_in_a_document_are_told_of_the_lines(store: Path) -> None:
    done = taken(given=lines(patient(1), patient(2)))
    assert done.exit_code == 1
    assert "For one document a line there is --ndjson." in done.stderr


def test_a_fault_names_the_file_and_the_pointer_there(store: Path) -> None:
    (store / "one.json").write_text(json.dumps(patient(1, nonsense=1)))
    (store / "list.json").write_text(json.dumps([patient(2), patient(3, nonsense=1)]))
    (store / "read.json").write_text(json.dumps({"records": [patient(4, nonsense=1)]}))
    done = taken("one.json", "list.json", "read.json")
    assert [line.split(": ")[1] for line in done.stderr.splitlines()] == [
        "one.json /nonsense",
        "list.json /1/nonsense",
        "read.json /records/0/nonsense",
    ]
    assert done.stdout.splitlines() == [
        "refused    one.json",
        f"new        patient/{patient(2)['id']}",
        "refused    list.json /1",
        "refused    read.json /records/0",
    ]


def test_what_from_fhir_gave_of_several_files_comes_in(store: Path) -> None:
    for number in (1, 2):
        (store / f"{number}.json").write_text(json.dumps({"resourceType": "Patient", "id": f"p{number}"}))
    given = CliRunner().invoke(main, ["convert", "from-fhir", "1.json", "2.json"]).stdout
    done = taken(given=given)
    assert (done.exit_code, [line.split()[0] for line in done.stdout.splitlines()]) == (0, ["new", "new"])
    (store / "two.json").write_text(json.dumps([{"records": [patient(1)]}, {"records": [patient(2, nonsense=1)]}]))
    assert "two.json /1/records/0/nonsense: " in taken("two.json").stderr
    again = CliRunner().invoke(main, ["convert", "to-fhir"], input=given)
    assert (again.exit_code, again.stdout) == (2, "")
    assert "A remainder belongs to one input" in again.stderr


def test_a_document_that_is_none_leaves_the_others_out_too(store: Path) -> None:
    (store / "good.json").write_text(json.dumps(patient(1)))
    (store / "bad.json").write_text("{")
    assert taken("good.json", "bad.json").exit_code == 1
    assert CliRunner().invoke(main, ["records", "list"]).stdout == ""


@pytest.mark.parametrize("to", ["closed", "full", "limit"])
@pytest.mark.parametrize("args", [["--help"], ["convert", "from-fhir"], ["schema", "plan"]], ids=lambda args: args[0])
@pytest.mark.skipif(os.name != "posix", reason="a shell's redirections")
def test_output_that_goes_nowhere_is_a_sentence(tmp_path: Path, args: list[str], to: str) -> None:
    where = {"closed": ">&-", "full": "> /dev/full", "limit": f"> {tmp_path / 'out'}"}[to]
    limit = "ulimit -f 0; " if to == "limit" else ""
    command = f'{limit}exec "$@" {where}'
    call = ["sh", "-c", command, "sh", *COMMAND[:3], *args]
    done = subprocess.run(call, input=b'{"resourceType": "Basic"}', capture_output=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr.decode().count("\n")) == (2, 1)
    assert done.stderr.startswith(b"careplan: The output cannot be written: ")
