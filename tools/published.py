"""The published packages that FHIR's definitions are compiled from: fetched once, known by their digests, read whole."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapter.definitions import definitions
from adapter.definitions.archives import read_archive
from tools.fhir_xml import entries

Tree = dict[str, Any]
HAPI = "8.8.1"


@dataclass(frozen=True)
class Source:
    """A published package: its name and version in its registry, its digest, and what the file is called in the cache."""

    name: str
    version: str
    sha256: str
    file: str

    def fetch(self, cache: Path) -> Path:
        """The archive, fetched where it is not in the cache yet. Exits where it is not the one this was made for."""
        archive = cache / self.file
        if not archive.exists():
            cache.mkdir(parents=True, exist_ok=True)
            subprocess.run(self._command(cache), cwd=cache, check=True, stdout=subprocess.DEVNULL)
        self.check(archive)
        return archive

    def check(self, archive: Path) -> None:
        """Exits where an archive is not the one this was made for."""
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        if digest != self.sha256:
            raise SystemExit(f"{archive}: SHA-256 is {digest}, expected {self.sha256}")

    def _command(self, cache: Path) -> list[str]:
        what = [f"-Dartifact={self.name}:{self.version}", f"-DoutputDirectory={cache}"]
        return ["mvn", "-q", "-B", "dependency:copy", *what]


R4 = Source(
    "ca.uhn.hapi.fhir:hapi-fhir-validation-resources-r4",
    HAPI,
    "801cb6de72b4a9bbbf6589dcf1327b4c9626564105233d9e213066f0183ea0b1",
    f"hapi-fhir-validation-resources-r4-{HAPI}.jar",
)
R4B = Source(
    "ca.uhn.hapi.fhir:hapi-fhir-validation-resources-r4b",
    HAPI,
    "71c762afb81cc9be0abba8d08b8208bdd14196c284e3f0ec69802f40165af956",
    f"hapi-fhir-validation-resources-r4b-{HAPI}.jar",
)
R5 = Source(
    "ca.uhn.hapi.fhir:hapi-fhir-validation-resources-r5",
    HAPI,
    "913172549df8c02993c9ed8e009e4bc3917189490296b0cba5836844990e48b7",
    f"hapi-fhir-validation-resources-r5-{HAPI}.jar",
)
US_CORE = Source(
    "hl7.fhir.us.core",
    "6.1.0",
    "4c4e7fbb07ef2fdb35bdfc3f5d09a417ee0d8644ea17cb3692ca6d03c4358b1d",
    "hl7.fhir.us.core-6.1.0.tgz",
)
TYPES = ("profiles-types", "profiles-resources", "profiles-others", "extension-definitions")
TERMS = ("valuesets", "v3-codesystems", "v2-tables")


def read_xml(archive_path: Path) -> list[Tree]:
    """The definitions of R4 or R4B, which are published in XML; the types of R4 at hand tell how it is read."""
    defs = definitions("4.0.1")
    found: list[Tree] = []
    with zipfile.ZipFile(archive_path) as archive:
        for name in sorted(archive.namelist()):
            if Path(name).stem in (*TYPES, *TERMS):
                with archive.open(name) as stream:
                    found.extend(entries(stream, defs))
    return found


def read_r5(archive_path: Path) -> list[Tree]:
    """The definitions of R5: FHIR packages inside the archive, its core before its extensions and terminology."""
    with zipfile.ZipFile(archive_path) as archive:
        return [row for name in sorted(archive.namelist()) for row in _inner(archive, name)]


def _inner(archive: zipfile.ZipFile, name: str) -> Iterator[Tree]:
    if name.endswith(".tgz"):
        with tarfile.open(fileobj=io.BytesIO(archive.read(name))) as inner:
            yield from read_archive(inner, name)
