"""The tutorial of docs/mapping.md does what it says, and its reference leaves no keyword out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from adapter.cli.app import main
from adapter.fhir_json import loads
from adapter.mapping.derived import DERIVED
from adapter.mapping.keywords import FILE_KEYS, KEYWORDS
from adapter.packs.extras import TYPES

FILES = re.compile(r"^```(?:json|yaml) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def page(root: Path) -> str:
    return (root / "docs" / "mapping.md").read_text("utf-8")


def test_the_tutorial_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.findall(page):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, "utf-8")
    sessions = CONSOLE.findall(page)
    assert len(sessions) == 3
    for session in sessions:
        for step in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
            command, _, expected = step.partition("\n")
            done = CliRunner().invoke(main, _words(command))
            assert (done.exit_code, done.output.strip()) == (0, expected.strip()), command
    given = loads((tmp_path / "visit.json").read_bytes())
    assert loads((tmp_path / "back.json").read_bytes())["records"] == [{"kind": "visit", **given}]


def _words(command: str) -> list[str]:
    words = re.findall(r'"([^"]*)"|(\S+)', command)
    return [quoted or plain for quoted, plain in words][1:]


def test_every_word_of_the_language_is_in_the_reference(page: str) -> None:
    reference = page[page.index("## Reference") :]
    told = set(re.findall(r"`([a-z_]+)", reference))
    assert (KEYWORDS.keys() | FILE_KEYS.keys()) - told - {"record", "fhir"} == set()
    assert [name for name in DERIVED if f"derive: {name}" not in reference] == []
    assert [name for name in TYPES if name not in reference] == []
