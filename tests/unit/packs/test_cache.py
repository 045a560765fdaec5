"""What was read of packs before: used where it is whole and ours, and never a reason to fail."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from adapter import fhir_json, mapping
from adapter.mapping import kept
from adapter.packs import cache
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
