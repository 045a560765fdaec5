"""What was read of a pack before, kept in the user's cache folder under the SHA-256 of everything that it was made from.

An entry is JSON behind the SHA-256 of itself. The folder is used only where it is the user's own and closed to others
(mode 0700), an entry only where it is the user's own file. Whatever is wrong with either, there is no entry, and the
pack is read anew: a cache never fails and never says anything. `CAREPLAN_CACHE=off` does without.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from adapter import __version__
from adapter.errors import BadInput
from adapter.fhir_json import reloads

T = TypeVar("T")
ROOT = Path(__file__).parent.parent

MOST = 64
"""How many entries are kept; beyond it the oldest go."""
LARGEST = 64 * 1024 * 1024
"""How many bytes an entry may have."""
_SUFFIX = ".json"
CODE = (
    *("errors.py", "fhir_json.py", "identity.py", "issues.py", "packs/*.py", "records/*.py"),
    *(f"mapping/{name}.py" for name in ("expanding", "kept", "parsing", "source")),
)
"""The code that entries depend on, below the package."""


def key_of(what: str, parts: Iterable[bytes]) -> str | None:
    """The name of an entry: of what it is, of the code that makes it, and of every part, in their order.

    None where there is no cache, since that code cannot be read.
    """
    maker = code(CODE)
    if maker is None:
        return None
    found = hashlib.sha256()
    for part in (what.encode(), maker, *parts):
        found.update(len(part).to_bytes(8, "big"))
        found.update(part)
    return found.hexdigest()


@cache
def code(files: tuple[str, ...]) -> bytes | None:
    """The version of the adapter and of Python, and these files below the package (patterns), of which there is one for each:
    a checkout changes under one version.

    None where the code is not there as files that can be read: in an archive, or without its source.
    """
    found = hashlib.sha256(f"{__version__} {sys.version}".encode())
    try:
        for pattern in files:
            paths = sorted(ROOT.glob(pattern))
            if not paths:
                return None
            for path in paths:
                found.update(hashlib.sha256(path.read_bytes()).digest())
    except OSError:
        return None
    return found.digest()


def get(key: str | None) -> bytes | None:
    """What stands under a key; None where there is nothing that can be trusted."""
    folder = _folder() if key is not None else None
    if folder is None:
        return None
    try:
        number = os.open(folder / f"{key}{_SUFFIX}", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(number, "rb") as source:
            if not _is_own(os.fstat(number), stat.S_ISREG):
                return None
            data = source.read(LARGEST)
    except OSError:
        return None
    body = data[32:]
    return body if hashlib.sha256(body).digest() == data[:32] else None


def read(key: str | None, make: Callable[[Any], T]) -> T | None:
    """What `make` gives of the JSON under a key; None where there is none, or none that it can be made of."""
    body = get(key)
    try:
        return make(reloads(body)) if body is not None else None
    except (AttributeError, BadInput, LookupError, RecursionError, TypeError, ValueError):
        return None


def put(key: str | None, body: bytes) -> None:
    """Keep something: whole, or not at all."""
    folder = _folder() if key is not None else None
    if folder is None or len(body) > LARGEST - 32:
        return
    try:
        number, name = tempfile.mkstemp(prefix=".", dir=folder)
        try:
            with os.fdopen(number, "wb") as target:
                target.write(hashlib.sha256(body).digest() + body)
            Path(name).replace(folder / f"{key}{_SUFFIX}")
        except OSError:
            Path(name).unlink(missing_ok=True)
            return
        _prune(folder)
    except OSError:
        return


def _prune(folder: Path) -> None:
    entries = sorted(folder.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime)
    for path in entries[:-MOST]:
        path.unlink(missing_ok=True)


def _folder() -> Path | None:
    """The cache folder, made where it is missing; None where it cannot be made, or is not the user's own and closed."""
    if os.environ.get("CAREPLAN_CACHE", "on").lower() == "off" or not hasattr(os, "geteuid"):
        return None
    home = os.environ.get("XDG_CACHE_HOME", "")
    try:
        folder = (Path(home) if Path(home).is_absolute() else Path.home() / ".cache") / "careplan-adapter"
        if not os.path.lexists(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
        return folder if _is_own(folder.lstat(), stat.S_ISDIR) else None
    except (OSError, RuntimeError, ValueError):
        return None


def _is_own(found: os.stat_result, is_type: Callable[[int], bool]) -> bool:
    """Whether it is of the type, ours, and nobody else may touch it."""
    return is_type(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def content(folder: Path, largest: int) -> list[bytes] | None:
    """Names and bytes of the files of a folder, in their order; none where it is not there.

    None where it holds anything but plain files, or too large ones: then who reads them says what is wrong.
    """
    found: list[bytes] = []
    try:
        if folder.is_symlink():
            return None
        with os.scandir(folder) as entries:
            rows = sorted(entries, key=lambda entry: entry.name)
        for entry in rows:
            if not entry.is_file(follow_symlinks=False):
                return None
            data = _bytes(entry.path, largest)
            if data is None:
                return None
            found += [os.fsencode(entry.name), data]
    except FileNotFoundError:
        return []
    except OSError:
        return None
    return found


def _bytes(path: str, largest: int) -> bytes | None:
    """The bytes of a plain file, by the calls of the system: a hundred files are looked at for each load."""
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        size = os.fstat(number).st_size
        data = os.read(number, size + 1) if size <= largest else b""
        return data if len(data) == size else None
    finally:
        os.close(number)
