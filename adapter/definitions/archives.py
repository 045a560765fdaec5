"""A published FHIR package (`.tgz`) read within bounds: nothing is unpacked to disk, and what looks like an attack is named.

https://hl7.org/fhir/packages.html
"""

from __future__ import annotations

import gzip
import json
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from adapter.errors import UsageError

Tree = dict[str, Any]
# Unpacked bytes and files of a package: the largest ones published have some 200 MB and 10,000 files.
LARGEST, MOST = 400 * 1024 * 1024, 50_000
KINDS = ("StructureDefinition", "ValueSet", "CodeSystem", "Questionnaire")


def read_package(path: str | Path) -> list[Tree]:
    """The resources of a package that matter here. Raises UsageError, naming it, for what is no package or harmful."""
    name = str(path)
    try:
        with gzip.open(path) as unpacked:
            stream: Any = _Bounded(unpacked, name)
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                return list(read_archive(archive, name))
    except (OSError, tarfile.TarError, EOFError, zlib.error, ValueError, RecursionError) as error:
        raise UsageError("The package cannot be read.", place=name, remedy="Give a FHIR package (.tgz).") from error


def read_archive(archive: tarfile.TarFile, name: str) -> Iterator[Tree]:
    """The resources of an open package, with the same care."""
    for count, member in enumerate(archive):
        if count > MOST:
            raise UsageError("The package holds too many files.", place=name, remedy=f"At most {MOST}.")
        parts = member.name.split("/")
        if ".." in parts or member.name.startswith(("/", "\\")):
            raise UsageError("The package names a path outside itself.", place=name)
        if not (member.isreg() or member.isdir()):
            raise UsageError("The package holds a link or a device.", place=name, remedy="Only plain files are read.")
        if member.isreg() and _wanted(parts):
            tree = json.loads(archive.extractfile(member).read())  # type: ignore[union-attr]
            if isinstance(tree, dict) and tree.get("resourceType") in KINDS and isinstance(tree.get("url"), str):
                yield tree


def _wanted(parts: list[str]) -> bool:
    return len(parts) == 2 and parts[1].endswith(".json") and parts[1] not in ("package.json", ".index.json")


class _Bounded:
    """A stream that ends in an error where it gives more than a package may hold, whatever its headers say."""

    def __init__(self, stream: gzip.GzipFile, name: str) -> None:
        self._stream = stream
        self._name = name
        self._left = LARGEST

    def read(self, size: int = -1) -> bytes:
        """The next bytes. Raises UsageError past the bound."""
        data = self._stream.read(size if 0 <= size <= self._left else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            remedy = f"At most {LARGEST} bytes unpacked."
            raise UsageError("The package is too large when unpacked.", place=self._name, remedy=remedy)
        return data
