"""Every command, option and setting is documented, and every documented one exists."""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from adapter.cli import main as careplan
from adapter.settings import PREFIX, Settings
from tools.write_docs import PAGE, commands, pages

ROOT = Path(__file__).resolve().parent.parent.parent
COMMANDS = dict(commands(careplan))
PROSE = sorted(path for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")] if path != PAGE)
SETTING = re.compile(r"\bCAREPLAN_[A-Z][A-Z_]*[A-Z]\b")


def _shown(text: str) -> Iterator[str]:
    """Every call of careplan that a page shows: lines of fenced blocks, and inline code."""
    fenced = re.findall(r"^```[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    for line in [line for block in fenced for line in block.replace("\\\n", " ").splitlines()] + inline:
        for call in re.split(r"\||&&|;", line.removeprefix("$ ")):
            words = call.strip()
            if re.match(r"(?:\.venv/bin/)?careplan [a-z]", words):
                yield words.removeprefix(".venv/bin/")


def _fault(call: str) -> str | None:
    """What is wrong with a call that a page shows, or None."""
    try:
        words = shlex.split(re.sub(r"[<>].*|…|\[|\]|#.*", "", call))
    except ValueError:
        return "cannot be read"
    name = words.pop(0)
    while words and f"{name} {words[0]}" in COMMANDS:
        name = f"{name} {words.pop(0)}"
    command = COMMANDS[name]
    if isinstance(command, click.Group) and words and not words[0].startswith("-"):
        return f"no command {name} {words[0]}"
    known = {opt for parameter in command.params for opt in [*parameter.opts, *parameter.secondary_opts]} | {"--help"}
    strange = [word for word in words if word.startswith("--") and word.split("=")[0] not in known]
    return f"no option {strange[0]} of {name}" if strange else None


def test_the_pages_that_are_written_are_what_the_program_says() -> None:
    assert [path.name for path, text in pages().items() if path.read_text("utf-8") != text] == [], "run `make docs`"


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_call_that_is_shown_exists(path: Path) -> None:
    assert [(call, fault) for call in _shown(path.read_text("utf-8")) if (fault := _fault(call))] == []


def test_a_call_that_does_not_exist_is_found() -> None:
    assert _fault("careplan convert sideways") == "no command careplan convert sideways"
    assert _fault("careplan convert to-fhir --sideways") == "no option --sideways of careplan convert to-fhir"
    assert _fault("careplan convert to-fhir record.json") is None


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    if not isinstance(command, click.Group):
        assert "careplan " in command.help, f"{name} --help has no example"
    undescribed = [
        parameter.opts[0] for parameter in command.params if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert undescribed == []


@pytest.mark.parametrize("path", [*sorted((ROOT / "docs" / "how-to").glob("*.md"))], ids=lambda path: path.name)
def test_a_how_to_is_one_page(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 120


def test_every_setting_is_documented_with_its_default() -> None:
    told = re.findall(
        r"^\| `(CAREPLAN_\w+)` \| `([^`]*)` \| \S", (ROOT / "docs" / "settings.md").read_text("utf-8"), re.MULTILINE
    )
    assert told == [(f"{PREFIX}{field.name.upper()}", str(field.default)) for field in dataclasses.fields(Settings)]


def test_every_setting_that_is_mentioned_exists() -> None:
    known = {f"{PREFIX}{field.name.upper()}" for field in dataclasses.fields(Settings)}
    mentioned = {name for path in PROSE for name in SETTING.findall(path.read_text("utf-8"))}
    assert mentioned - known == set()


def test_readme_is_short_and_runs_early() -> None:
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    assert len(lines) < 120
    assert any(line.startswith("$ make demo") for line in lines[:30])
