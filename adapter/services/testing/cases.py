"""The examples of a pack: one folder each, with what goes in, what comes out, and why.

`records.json` and `fhir.json` are two sides of the same thing: each gives the other. `fhir-in.json` is another system's:
it gives `records.json`, and comes back unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapter.errors import BadInput, UsageError
from adapter.fhir_json import loads, pretty
from adapter.whole import write_whole

RECORDS, FHIR, FHIR_IN, WHY = "records.json", "fhir.json", "fhir-in.json", "why.md"


@dataclass(frozen=True, slots=True)
class Case:
    """One example. `foreign`: it begins with another system's FHIR."""

    folder: Path

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.folder.name

    @property
    def foreign(self) -> bool:
        """Whether it begins with another system's FHIR."""
        return (self.folder / FHIR_IN).is_file()

    @property
    def expectation(self) -> str:
        """The file that is made from the other."""
        return RECORDS if self.foreign else FHIR

    @property
    def why(self) -> str:
        """Why the example is there, in the words of its why.md."""
        path = self.folder / WHY
        return path.read_text("utf-8", errors="replace") if path.is_file() else ""

    def read(self, name: str) -> Any:
        """One of its files, None where it is not there. Raises BadInput with the file and the place."""
        path = self.folder / name
        if not path.is_file():
            return None
        try:
            return loads(path.read_bytes())
        except BadInput as error:
            issue = error.issues[0]
            spot = ":".join(str(part) for part in (f"{self.name}/{name}", issue.line, issue.column) if part)
            raise BadInput(error.message, issues=error.issues, place=spot) from None

    def accept(self, tree: Any) -> None:
        """Write what came as what is expected. Raises UsageError where that is not possible."""
        path = self.folder / self.expectation
        try:
            write_whole(path, f"{pretty(tree)}\n".encode())
        except OSError as error:
            raise UsageError(f"Cannot be written: {error.strerror}.", place=f"{self.name}/{path.name}") from None


def cases(folder: Path, only: tuple[str, ...] = ()) -> list[Case]:
    """The examples in a folder, by name. Raises UsageError for one that is named and not there."""
    found = [Case(path) for path in sorted(folder.iterdir()) if _is_case(path)] if folder.is_dir() else []
    missing = sorted(set(only) - {case.name for case in found})
    if missing:
        known = ", ".join(case.name for case in found) or "none"
        raise UsageError(f"There is no example {missing[0]}.", remedy=f"Known: {known}.")
    return [case for case in found if not only or case.name in only]


def _is_case(path: Path) -> bool:
    return (path / RECORDS).is_file() or (path / FHIR_IN).is_file()
