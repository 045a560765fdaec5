"""The wheel, installed in an empty environment away from the checkout: everything is in it and every command starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
UV = Path(sys.executable).with_name("uv")
LEFT_OUT = {"__pycache__", ".DS_Store"}

pytestmark = pytest.mark.slow


def _run(*command: str | Path, cwd: Path, **environment: str) -> str:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("CAREPLAN_", "PYTHON", "VIRTUAL_ENV"))
    }
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=kept | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command[1:4]}: {done.stdout}{done.stderr}"
    return done.stdout


def _uv(*command: str | Path, cwd: Path) -> None:
    """From what set-up left in the cache; over the network only where that is not enough."""
    try:
        _run(UV, "--quiet", "--offline", *command, cwd=cwd)
    except AssertionError:
        _run(UV, "--quiet", *command, cwd=cwd)


def _files(folder: str) -> set[str]:
    place = ROOT / folder
    return {
        path.relative_to(ROOT).as_posix()
        for path in place.rglob("*")
        if path.is_file() and not LEFT_OUT & set(path.parts) and path.suffix != ".pyc"
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the sdist and so from what an sdist holds."""
    place = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", place, cwd=ROOT)
    (archive,) = place.glob("*.tar.gz")
    _run("tar", "-xzf", archive, cwd=place)
    (source,) = (path for path in place.iterdir() if path.is_dir())
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", place, cwd=source)
    (built,) = place.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment that holds the wheel and its locked dependencies, nothing of the checkout."""
    place = tmp_path_factory.mktemp("away")
    python = place / "env" / "bin" / "python"
    locked = ["--generate-hashes", "--constraint", ROOT / "requirements.lock", "--output-file", "run.txt"]
    _uv("venv", "--python", sys.executable, "env", cwd=place)
    _uv("pip", "compile", "--python", python, *locked, ROOT / "pyproject.toml", cwd=place)
    _uv("pip", "install", "--python", python, "--require-hashes", "-r", "run.txt", cwd=place)
    _uv("pip", "install", "--python", python, "--no-deps", wheel, cwd=place)
    return place / "env" / "bin"


def test_it_holds_packs_fixtures_and_definitions(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {f"adapter/_data/{name}" for name in _files("mappings") | _files("fixtures")} | _files("adapter")
    assert wanted - names == set()
    assert {name.rsplit("/", 1)[1] for name in names if "/licenses/" in name} == {"LICENSE", "NOTICE"}


def test_it_holds_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert [name for name in names if not name.startswith(("adapter/", "careplan_adapter-"))] == []
    assert [name for name in names if LEFT_OUT & set(name.split("/")) or name.endswith((".pyc", ".db"))] == []


def test_the_command_starts(installed: Path, tmp_path: Path) -> None:
    assert "Usage: careplan" in _run(installed / "careplan", "--help", cwd=tmp_path)


def test_its_pack_converts_a_fixture_both_ways(installed: Path, tmp_path: Path) -> None:
    place = _run(installed / "python", "-c", "import adapter; print(adapter.__path__[0])", cwd=tmp_path).strip()
    records = next(iter(sorted(Path(place, "_data", "fixtures").glob("*/records.json"))))
    bundle = _run(installed / "careplan", "convert", "to-fhir", records, cwd=tmp_path)
    (tmp_path / "bundle.json").write_text(bundle, "utf-8")
    assert json.loads(bundle)["resourceType"] == "Bundle"
    assert json.loads(_run(installed / "careplan", "validate", "--json", records, cwd=tmp_path))
    back = json.loads(_run(installed / "careplan", "convert", "from-fhir", "bundle.json", cwd=tmp_path))
    assert len(back["records"]) >= 1


def test_a_schema_is_printed(installed: Path, tmp_path: Path) -> None:
    assert json.loads(_run(installed / "careplan", "schema", "plan", cwd=tmp_path))


def test_it_knows_nothing_of_the_checkout(installed: Path, tmp_path: Path) -> None:
    shown = _run(installed / "python", "-c", "import sys; print(sys.path)", cwd=tmp_path)
    assert str(ROOT) not in shown
