"""What deploy/ shows names commands and settings that are there."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest
import yaml

from adapter.cli import main
from adapter.settings import PREFIX, Settings

DEPLOY = Path(__file__).resolve().parent.parent.parent / "deploy"


def runs(words: list[str]) -> None:
    """The command exists and takes these options."""
    command: click.Command = main
    # Commands keep the help option of the context that first asks for it: here the program's own.
    context = main.make_context("careplan", [words[0]])
    while isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        assert found is not None, words
        command, words = found, words[1:]
    command.make_context(command.name or "", list(words), parent=context)


def test_the_services_of_compose_are_commands_of_ours() -> None:
    tree = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    ours = {name: one for name, one in tree["services"].items() if one["image"] == "careplan-adapter"}
    assert set(ours) == {"migrate", "service", "worker-one", "worker-two", "scheduler"}
    for one in ours.values():
        runs(one["command"])


def test_the_image_is_built_once_and_never_pulled() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]
    assert [name for name, one in services.items() if "build" in one] == ["migrate"]
    assert {one.get("pull_policy") for one in services.values() if one["image"] == "careplan-adapter"} == {"never"}


def test_what_ends_is_given_longer_than_a_request_may_take() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]
    unit = (DEPLOY / "systemd" / "careplan-worker@.service").read_text("utf-8")
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    for one in (services["worker-one"], services["worker-two"]):
        assert one["stop_grace_period"] == f"{seconds}s"
    assert int(seconds) > Settings().http_seconds + 10


def test_no_key_is_ever_where_others_could_read_it() -> None:
    """Neither in a folder of everybody's, nor in a file that is made before it is closed."""
    text = (DEPLOY / "README.md").read_text("utf-8")
    makes = [place.start() for place in re.finditer(r"db key > ", text)]
    assert len(makes) == 2
    assert "/tmp" not in text
    for place, closed in zip(makes, ("umask 077", "install -m 440 -g careplan /dev/null"), strict=True):
        assert closed in text[:place]


def test_what_the_page_says_to_run_are_commands_of_ours() -> None:
    text = (DEPLOY / "README.md").read_text("utf-8")
    lines = re.findall(r"docker compose run(?: -\S+)* migrate ([^`\n>]*)", text)
    lines += re.findall(r"^# careplan (.*)$", text, re.MULTILINE)
    lines += re.findall(r"`careplan ([^`]*)`", text)
    assert len(lines) > 10
    for line in lines:
        runs(shlex.split(line))


def test_nothing_is_published_but_the_service_and_that_on_loopback() -> None:
    tree = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    assert {name: one["ports"] for name, one in tree["services"].items() if "ports" in one} == {
        "service": ["127.0.0.1:8080:8080"]
    }


def test_the_builder_gets_what_it_copies_and_nothing_else() -> None:
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", (DEPLOY / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    assert ignored[1] == "*"
    assert {line[1:] for line in ignored if line.startswith("!")} == {word for line in copied for word in line.split()}
    assert all((DEPLOY.parent / word).exists() for line in copied for word in line.split())


@pytest.mark.parametrize("path", sorted((DEPLOY / "systemd").iterdir()), ids=lambda path: path.name)
def test_the_units_run_commands_of_ours(path: Path) -> None:
    lines = re.findall(r"^ExecStart(?:Pre)?=\S+/careplan (.*)$", path.read_text("utf-8"), re.MULTILINE)
    assert lines
    for line in lines:
        runs(shlex.split(line.replace("%i", "one")))


@pytest.mark.parametrize("name", ["careplan.env.example", "README.md", "compose.yaml"])
def test_the_settings_are_known(name: str) -> None:
    named = re.findall(rf"\b{PREFIX}(\w+)", (DEPLOY / name).read_text("utf-8"))
    assert named or name == "compose.yaml"
    assert {word.lower() for word in named} <= set(Settings.__dataclass_fields__)


def test_what_runs_is_what_is_tested() -> None:
    """Each package of the image has the version and digests of the lock that the tests run with; none is for development."""
    tested, run = (_locked(place / "requirements.lock") for place in (DEPLOY.parent, DEPLOY))
    assert run.items() <= tested.items()
    tree = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text("utf-8"))
    asked = [*tree["project"]["dependencies"], *tree["project"]["optional-dependencies"]["scale"]]
    assert {re.split(r"[\[>=]", one)[0].replace(".", "-") for one in asked} <= {name.partition("==")[0] for name in run}
    assert {"pytest", "ruff", "mypy", "uv"}.isdisjoint(name.partition("==")[0] for name in run)


def _locked(path: Path) -> dict[str, frozenset[str]]:
    """name==version → digests."""
    entries = re.split(r"\n(?=[a-z])", path.read_text("utf-8"))
    return {re.split(r"[ ;]", one, maxsplit=1)[0]: frozenset(re.findall(r"sha256:\w+", one)) for one in entries}
