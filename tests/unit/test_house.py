"""Rules of the house that no linter knows: sizes, documentation, and nothing of one machine in any file."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
import tomllib
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
MODULES = sorted((ROOT / "adapter").rglob("*.py"))
LONGEST_MODULE = 300
LONGEST_FUNCTION = 50
# Modules that run when imported: `python -m`, and Alembic's environment.
PROGRAMS = {"__main__", "env"}
# path: why it may be longer.
LONG_MODULES: dict[str, str] = {}
# path::function: why it may be longer.
LONG_FUNCTIONS: dict[str, str] = {}

# Addresses of package registries: a checkout works with whatever its user has set up.
REGISTRY = re.compile(
    r"(?:pypi|pythonhosted|npmjs|crates)\.(?:org|com|io)|repo1?\.maven|maven\.org|proxy\.golang|(?:deb|security)\.debian",
    re.IGNORECASE,
)
# Folders of somebody's machine.
MACHINE = re.compile(r"(?<![\w.:/{}$-])/(?:work|root|opt/wheels|home/\w+|Users/\w+)(?:/|\b)(?!-)")
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _tracked() -> list[Path]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        found = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in found.split("\0") if name and (ROOT / name).is_file()]


def _lines_that_match(pattern: re.Pattern[str]) -> Iterator[str]:
    for path in _tracked():
        if path != Path(__file__):
            for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), start=1):
                if pattern.search(line):
                    yield f"{_name(path)}:{number}: {line.strip()[:120]}"


def _functions(tree: ast.AST) -> Iterator[FunctionNode]:
    return (node for node in ast.walk(tree) if isinstance(node, FunctionNode))


def test_no_module_is_long() -> None:
    lengths = {_name(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert {name: n for name, n in lengths.items() if n > LONGEST_MODULE and name not in LONG_MODULES} == {}


def test_no_function_is_long() -> None:
    long = {}
    for path in MODULES:
        for node in _functions(ast.parse(path.read_text("utf-8"))):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            name = f"{_name(path)}::{node.name}"
            if length > LONGEST_FUNCTION and name not in LONG_FUNCTIONS:
                long[name] = length
    assert long == {}


def _classes() -> Iterator[type]:
    """Every public class that adapter/ defines."""
    for path in [path for path in MODULES if path.stem not in PROGRAMS]:
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for found in vars(importlib.import_module(name)).values():
            if inspect.isclass(found) and found.__module__ == name and not found.__name__.startswith("_"):
                yield found


def test_every_public_method_says_what_it_does() -> None:
    """The linter holds this of modules, classes and functions; here a method that answers a base class or a Protocol of
    ours is excused, because it is described there."""
    classes = list(_classes())
    answered = {name for one in classes if getattr(one, "_is_protocol", False) for name in vars(one)}
    missing = [
        f"{one.__module__}.{one.__qualname__}.{name}"
        for one in classes
        for name, member in vars(one).items()
        if isinstance(member, types.FunctionType | property | classmethod | staticmethod)
        and not name.startswith("_")
        and not member.__doc__
        and name not in answered
        and not any(hasattr(base, name) for base in one.__mro__[1:])
    ]
    assert missing == []


def test_no_file_names_a_registry() -> None:
    assert list(_lines_that_match(REGISTRY)) == []


def test_no_file_names_a_folder_of_one_machine() -> None:
    assert list(_lines_that_match(MACHINE)) == []


def test_the_lock_holds_digests_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert "://" not in lock
    assert not re.search(r"^\s*-[-\w]", lock.replace("    --hash=sha256:", ""), re.MULTILINE)
    pins = re.findall(r"^([a-z0-9][a-z0-9._-]*)==\S+[^\n]*\\\n +--hash=sha256:[0-9a-f]{64}", lock, re.MULTILINE)
    assert pins == re.findall(r"^([^ #\n=]+)", lock, re.MULTILINE)


def _required() -> dict[str, set[str]]:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    groups = {
        "run": data["project"]["dependencies"],
        "extra": [row for rows in data["project"]["optional-dependencies"].values() for row in rows],
        "dev": data["dependency-groups"]["dev"],
    }
    return {group: {re.split(r"[\[<>=~! ]", row)[0] for row in rows} for group, rows in groups.items()}


def test_every_required_package_is_locked() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    pins = set(re.findall(r"^([^ #\n=]+)==", lock, re.MULTILINE))
    wanted = _required()
    assert {re.sub(r"[._]", "-", name).lower() for name in wanted["run"] | wanted["dev"]} - pins == set()


def test_everything_imported_is_required() -> None:
    """By name of the package, or as what a required package brings along and hands out (requests its urllib3)."""
    package = {
        "yaml": "pyyaml",
        "re2": "google-re2",
        "flask_smorest": "flask-smorest",
        "fhir": "fhir.resources",
        "jwt": "pyjwt",
    }
    brought = {"urllib3", "werkzeug", "pydantic", "fhir_core"}
    imported = set()
    for node in [node for path in MODULES for node in ast.walk(ast.parse(path.read_text("utf-8")))]:
        if isinstance(node, ast.Import):
            imported.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            imported.add(node.module.split(".")[0])
    foreign = imported - set(sys.stdlib_module_names) - brought - {"adapter"}
    wanted = _required()
    assert {package.get(name, name).replace("_", "-") for name in foreign} - wanted["run"] - wanted["extra"] == set()


def test_every_dependency_is_explained_and_nothing_else() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    explained = re.findall(r"^\| ([\w.-]+) \| \S", page, re.MULTILINE)
    assert set(explained) - {"Package"} == set().union(*_required().values())


def test_the_picture_shows_the_rooms_that_are_there_and_says_which_are_not() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    picture = page.split("## The floors")[1].split("```")[1]
    shown = {room for line in picture.splitlines() for room in re.findall(r"\w+", line[:40])}
    planned = set(re.findall(r"`(\w+)`", page.split("Planned and not yet built:")[1].split(".")[0]))
    there = {path.stem for path in (ROOT / "adapter").glob("*.py")} | {
        path.parent.name for path in (ROOT / "adapter").glob("*/__init__.py")
    }
    assert shown - planned == there - {"__init__"}


def test_every_file_of_the_exchange_has_its_place_on_the_page() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    told = re.findall(r"`(\w+)`", page.split("## The exchange, file by file")[1].split("\n| |")[1].split("\n## ")[0])
    there = {path.stem for path in (ROOT / "adapter" / "sync").glob("*.py")} - {"__init__"}
    assert set(told) - {"Names"} == there


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    page = (folder / "README.md").read_text("utf-8")
    assert [path.name for path in sorted(folder.glob("0*.md")) if f"({path.name})" not in page] == []


def test_links_between_pages_lead_somewhere() -> None:
    links = {page: LINK.findall(page.read_text("utf-8")) for page in _tracked() if page.suffix == ".md"}
    broken = [
        f"{_name(page)}: {to}" for page, targets in links.items() for to in targets if not (page.parent / to).exists()
    ]
    assert broken == []
