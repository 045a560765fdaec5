"""A file is written whole, or what was there stays: what is cut off in the middle leaves no half of one."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

# What is written under these names belongs to whoever opened it, also where it is a file.
_DESCRIPTORS = ("/dev/fd/", "/dev/std", "/proc/")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A stream whose bytes are the file once the block has ended well; until then the file that was there stays.

    It keeps its permissions and, where we may give it away, its owner; a link stays a link. What is no file (a pipe, a
    device, `/dev/stdout`) takes the bytes as they come. A process that is killed leaves `.careplan-….part` beside the
    file. Raises OSError.
    """
    if _is_stream(path):
        with path.open("wb") as target:
            yield target
        return
    place = path.resolve()
    before = _before(place)
    part = place.with_name(f".careplan-{secrets.token_hex(8)}.part")
    # Nobody may read what is half written who may not read the whole.
    mode = 0o666 if before is None else 0o600
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode), "wb") as target:  # fmt: skip
            yield target
            target.flush()
            os.fsync(target.fileno())
        if before is not None:
            _like(part, before)
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)
    _settle(place.parent)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all. Raises OSError."""
    with replacing(path) as target:
        target.write(data)


def _is_stream(path: Path) -> bool:
    named = Path(os.path.abspath(path)).as_posix()  # noqa: PTH100 - resolve() would follow /dev/stdout to what it is
    return named.startswith(_DESCRIPTORS) or (path.exists() and not path.is_file())


def _before(place: Path) -> os.stat_result | None:
    """What is known of the file that is there. Raises PermissionError where it may not be written."""
    if not place.exists():
        return None
    if not os.access(place, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(place))
    return place.stat()


def _like(part: Path, before: os.stat_result) -> None:
    if hasattr(os, "chown"):
        for owner in ((-1, before.st_gid), (before.st_uid, -1)):
            with suppress(OSError):
                os.chown(part, *owner)
    part.chmod(stat.S_IMODE(before.st_mode))


def _settle(folder: Path) -> None:
    """The new name on disk too, where folders can be told to."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
