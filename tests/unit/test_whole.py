"""A file is written whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
import threading
from multiprocessing import get_context
from pathlib import Path

import pytest

from adapter.whole import replacing, write_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_old_file_stays_until_the_end_and_nothing_else_is_left(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b"old")
    with replacing(file) as target:
        target.write(b"new" * 100_000)
        assert file.read_bytes() == b"old"
    assert file.read_bytes() == b"new" * 100_000
    assert names(tmp_path) == ["a.json"]


def _cut_off(path: Path, cut: type[BaseException]) -> None:
    with replacing(path) as target:
        target.write(b"half")
        raise cut


@pytest.mark.parametrize("cut", [ValueError, KeyboardInterrupt, SystemExit])
def test_what_is_cut_off_leaves_the_old_file_and_no_part(tmp_path: Path, cut: type[BaseException]) -> None:
    (tmp_path / "a").write_bytes(b"old")
    for name in ("a", "new"):
        with pytest.raises(cut):
            _cut_off(tmp_path / name, cut)
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_what_may_be_done_with_the_file_stays(tmp_path: Path) -> None:
    file = tmp_path / "a"
    for kept in (0o600, 0o640, 0o755, 0o666):
        file.touch()
        file.chmod(kept)
        with replacing(file) as target:
            part = next(path for path in tmp_path.iterdir() if path != file)
            assert mode(part) == 0o600
            target.write(b"x")
        assert mode(file) == kept


def test_a_new_file_is_made_as_any_other(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"x")
    (tmp_path / "b").write_bytes(b"x")
    assert mode(tmp_path / "a") == mode(tmp_path / "b")


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for name in ("old", "not-yet"):
        link, file = tmp_path / f"link-{name}", tmp_path / "there" / name
        if name == "old":
            file.write_bytes(b"old")
        link.symlink_to(file)
        write_whole(link, b"new")
        assert (link.is_symlink(), file.read_bytes()) == (True, b"new")


def test_a_pipe_takes_the_bytes_as_they_come(tmp_path: Path) -> None:
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, b"through")
    reader.join(10)
    assert got == [b"through"]
    assert pipe.is_fifo()


def test_a_file_that_someone_holds_open_is_written_and_not_replaced(tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as held:
        write_whole(Path(f"/dev/fd/{held.fileno()}"), b"x")
        assert os.fstat(held.fileno()).st_size == 1


def test_what_cannot_be_written_is_an_oserror_and_leaves_nothing(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "no" / "a"):
        with pytest.raises(OSError, match=r"directory"):
            write_whole(path, b"x")
    assert names(tmp_path) == []


def _written_by_another(path: Path) -> None:
    """In a process of its own, and not as root, who may write everything."""
    if os.geteuid() == 0:
        os.setuid(65534)
    try:
        write_whole(path, b"new")
    except PermissionError:
        os._exit(7)


def test_a_file_that_may_not_be_written_is_not_replaced() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        file = Path(folder) / "a"
        file.write_bytes(b"old")
        file.chmod(0o444)
        child = get_context("fork").Process(target=_written_by_another, args=(file,))
        child.start()
        child.join(20)
        assert (child.exitcode, names(Path(folder)), file.read_bytes()) == (7, ["a"], b"old")
