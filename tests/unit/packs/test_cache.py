"""What was read of packs before: used where it is whole and ours, and never a reason to fail."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from adapter import fhir_json, mapping
from adapter.mapping import kept
from adapter.packs import cache, load
from adapter.packs import root as packs_root
from adapter.packs.trees import read_trees

LOAD = "from adapter import mapping; print(len(mapping.load('core').maps))"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "careplan-adapter"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    place = tmp_path / "core"
    shutil.copytree(packs_root() / "core", place)
    return place


def _anew() -> mapping.Mapper:
    mapping.forget()
    kept.schemas.cache_clear()
    load("core", fresh=True)
    return mapping.load("core")


def _put(key: str, folder: Path) -> Path:
    cache.put(key, b'{"a":1}')
    assert cache.get(key) == b'{"a":1}'
    return folder / f"{key}.json"


def test_what_was_read_is_read_again_as_it_was(folder: Path, pack: Path) -> None:
    first = read_trees(pack, [])
    assert [path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())] == [0o700, 0o600]
    again = read_trees(pack, [])
    assert again == first
    assert fhir_json.dumps(again) == fhir_json.dumps(first)
    assert len(list(folder.iterdir())) == 1


def test_one_byte_makes_another_entry(folder: Path, pack: Path) -> None:
    read_trees(pack, [])
    file = next((pack / "conceptmaps").glob("*.json"))
    file.write_bytes(file.read_bytes().replace(b'"url": "', b'"url": "x', 1))
    assert str(read_trees(pack, [])["conceptmaps"][file.stem]["url"]).startswith("x")
    assert len(list(folder.iterdir())) == 2


def test_faults_are_found_each_time(folder: Path, pack: Path) -> None:
    (pack / "conceptmaps" / "wrong.json").write_text("{", "utf-8")
    for _ in range(2):
        faults: list[object] = []
        read_trees(pack, faults)  # type: ignore[arg-type]
        assert len(faults) == 1
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("cut", [0, 10, 32, 35])
def test_a_cut_or_changed_entry_is_none(folder: Path, cut: int) -> None:
    path = _put("a", folder)
    path.write_bytes(path.read_bytes()[:cut] + b"!")
    assert cache.get("a") is None


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"conceptmaps": 3}', b"[[1], {}]", b"[[], []]"])
def test_an_entry_of_another_form_is_read_anew(folder: Path, pack: Path, body: bytes) -> None:
    first = read_trees(pack, [])
    path = next(folder.iterdir())
    path.write_bytes(hashlib.sha256(body).digest() + body)
    assert read_trees(pack, []) == first


def test_an_entry_that_others_may_touch_is_none(folder: Path) -> None:
    _put("a", folder).chmod(0o620)
    assert cache.get("a") is None


def test_a_link_is_none(folder: Path, tmp_path: Path) -> None:
    path = _put("a", folder)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert cache.get("a") is None


def test_a_folder_that_is_open_or_another_users_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _put("a", folder)
    folder.chmod(0o755)
    assert cache.get("a") is None
    folder.chmod(0o700)
    assert cache.get("a") is not None
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    assert cache.get("a") is None


def test_a_place_where_nothing_can_be_written_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    cache.put("a", b"1")
    assert cache.get("a") is None
    assert _anew().name == "core"


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no folder that nobody can write in")
def test_a_folder_that_even_root_cannot_write_in_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/self")
    cache.put("a", b"1")
    assert cache.get("a") is None
    assert _anew().name == "core"


def test_a_cache_that_was_made_read_only_is_read_and_left_alone(folder: Path) -> None:
    mounted = f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder}"
    _anew()
    before = sorted(folder.iterdir())
    if subprocess.run(["unshare", "-rm", "sh", "-c", mounted], check=False, capture_output=True).returncode:
        pytest.skip("no mount of one's own here")
    code = (
        "from adapter.packs import cache; from adapter import mapping; import sys; mapping.load('core');"
        "assert 'yaml' not in sys.modules; cache.put('a', b'1'); assert cache.get('a') is None"
    )
    subprocess.run(["unshare", "-rm", "sh", "-c", f'{mounted} && exec "$0" -c "$1"', sys.executable, code], check=True)
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("there", [True, False])
def test_code_that_cannot_be_read_means_no_cache(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    # As in an archive, where there are no files; or where one cannot be read, which a folder in its place is even to root.
    for name in ("errors.py", "fhir_json.py") if there else ():
        (tmp_path / "adapter" / name).mkdir(parents=True)
    monkeypatch.setattr(cache, "ROOT", tmp_path / "adapter")
    cache.code.cache_clear()
    try:
        assert cache.key_of("a", ()) is None
        cache.put(None, b"1")
        assert cache.get(None) is None
        assert _anew().name == "core"
        assert not folder.exists()
    finally:
        cache.code.cache_clear()


def _imported(name: str, found: set[str]) -> set[str]:
    """The modules of the adapter that a module imports, at its top or inside, and theirs."""
    spec = importlib.util.find_spec(name)
    if name in found or spec is None or spec.origin is None:
        return found
    found.add(name)
    for node in ast.walk(ast.parse(Path(spec.origin).read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("adapter"):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                _imported(inner if _is_module(inner) else str(node.module), found)
    return found


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def test_the_key_covers_all_code_that_an_entry_depends_on() -> None:
    needed: set[str] = set()
    for maker in ("adapter.mapping.kept", "adapter.packs.head_text", "adapter.packs.trees"):
        _imported(maker, needed)
    covered = {path for pattern in cache.CODE for path in cache.ROOT.glob(pattern)}
    files = {Path(str(spec.origin)) for spec in map(importlib.util.find_spec, needed) if spec is not None}
    # The package itself holds the version, which the key has.
    assert files - covered == {cache.ROOT / "__init__.py"}


def test_it_can_be_switched_off(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREPLAN_CACHE", "off")
    assert _anew().name == "core"
    assert not folder.exists()


def test_the_oldest_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST", 2)
    for age, key in enumerate("abc"):
        os.utime(_put(key, folder), (age, age))
    assert [cache.get(key) is not None for key in "bc"] == [True, True]
    assert cache.get("a") is None


def test_two_processes_at_once(folder: Path) -> None:
    runs = [subprocess.Popen([sys.executable, "-c", LOAD], stdout=subprocess.PIPE) for _ in range(2)]
    said = {run.communicate(timeout=60)[0] for run in runs}
    assert said == {f"{len(mapping.load('core').maps)}\n".encode()}
    assert not list(folder.glob(".*"))


def test_the_same_bytes_with_it_and_without(folder: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trees = [fhir_json.loads(path.read_bytes()) for path in sorted((root / "fixtures").glob("*/records.json"))]
    found = []
    for setting in ("off", "on", "on"):
        monkeypatch.setenv("CAREPLAN_CACHE", setting)
        mapper = _anew()
        made = [mapper.to_fhir(tree if isinstance(tree, list) else tree["records"]).tree for tree in trees[:12]]
        found.append(fhir_json.dumps(made))
    assert found[0] == found[1] == found[2]
    assert len(list(folder.iterdir())) >= 2
