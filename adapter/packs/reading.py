"""The files of a pack, read as a stranger's: bounded in size, and none that leads out of the pack."""

from __future__ import annotations

from pathlib import Path

from adapter.errors import Finding

LARGEST = 1024 * 1024


def read_bytes(path: Path, folder: Path, faults: list[Finding], largest: int = LARGEST) -> bytes | None:
    """The bytes of a file below the folder of its pack.

    A fault, and None, where it cannot be read, lies elsewhere (a link) or is larger than a pack's file may be.
    """
    file = file_of(path, folder)
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            faults.append(Finding(file, 1, 1, "file-outside", "leads out of the pack: expected the file itself"))
            return None
        if path.exists() and not (path.is_file() or path.is_dir()):
            # A pipe would be waited for until somebody writes to it.
            faults.append(Finding(file, 1, 1, "file-unreadable", "cannot be read: it is not a file"))
            return None
        with path.open("rb") as source:
            data = source.read(largest + 1)
    except OSError as error:
        faults.append(Finding(file, 1, 1, "file-unreadable", f"cannot be read: {_why(error)}"))
        return None
    if len(data) > largest:
        faults.append(Finding(file, 1, 1, "file-too-large", f"larger than {largest} bytes"))
        return None
    return data


def check_folder(folder: Path, faults: list[Finding]) -> None:
    """A fault where something else stands in the place of a folder of a pack."""
    if folder.exists() and not folder.is_dir():
        faults.append(Finding(file_of(folder, folder.parent), 1, 1, "file-unreadable", "expected a folder"))


def file_of(path: Path, folder: Path) -> str:
    """How a file of a pack is called in messages: the name of the pack's folder, then its place in it."""
    return path.relative_to(folder.parent).as_posix()


def _why(error: OSError) -> str:
    return (error.strerror or "it is not a file").lower()
