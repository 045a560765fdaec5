"""Lint of a pack: its files read as far as they can be, every finding at its place in them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from adapter.errors import Finding
from adapter.fhir_json import DEFAULT_BOUNDS
from adapter.issues import Issue
from adapter.mapping.choosing import nearest
from adapter.packs.reading import LARGEST, file_of
from adapter.packs.trees import FOLDERS
from adapter.services.positions import located

Tree = dict[str, Any]


def present() -> list[str]:
    """What is looked at where no pack is named: the pack of the current folder, else all that come with the adapter."""
    from adapter.packs import available

    return ["."] if Path("pack.yaml").is_file() else available()


def lint(name_or_path: str) -> list[Finding]:
    """Every finding of a pack's own files, first things first; files by their path from here, where they lie below.

    Raises PackError where there is no such pack.
    """
    from adapter.mapping import shape_of, texts_of
    from adapter.mapping.lint import lint as look
    from adapter.mapping.lint import told
    from adapter.packs import folder_of, read

    folder = folder_of(name_or_path)
    faults: list[Finding] = []
    pack = read(name_or_path, faults)
    if pack is not None:
        faults += look(pack, texts_of(pack, faults), partial(shape_of, pack=pack))
    faults += _ignored(folder)
    own = [finding for finding in faults if _is_own(folder.parent / finding.file, folder)]
    texts = {file: _text(folder.parent / file) for file in {finding.file for finding in own if finding.pointer}}
    remarks = {file: _text(folder.parent / file) for file in _commented(folder)}
    return [_placed(row, folder, Path(name_or_path)) for row in told((_pointed(row, texts) for row in own), remarks)]


def _is_own(path: Path, folder: Path) -> bool:
    """Whether a file is the pack's: what it extends has resources that are told as if they were here, and are not."""
    return path.is_relative_to(folder) and path.exists()


def _ignored(folder: Path) -> list[Finding]:
    """Files that nothing reads: a folder or an ending that is misspelt."""
    places = {"maps": ".yaml", "schemas": ".json", **dict.fromkeys(FOLDERS, ".json")}
    found = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if (
            path.is_dir()
            or parts == ("pack.yaml",)
            or path.suffix == ".md"
            or any(part.startswith(".") for part in parts)
        ):
            continue
        if parts[0] == "examples" or (len(parts) == 2 and path.suffix == places.get(parts[0])):
            continue
        near = f"{parts[0]}/{path.stem}{places[parts[0]]}" if parts[0] in places else nearest(parts[0], places)
        file = path.relative_to(folder.parent).as_posix()
        found.append(Finding(file, 1, 1, "file-ignored", "nothing in a pack reads this file", "warning", near=near))
    return found


def _commented(folder: Path) -> set[str]:
    """The files that may hold allowances."""
    paths = [folder / "pack.yaml", *(folder / "maps").glob("*.yaml")]
    return {file_of(path, folder) for path in paths if path.is_file() and path.stat().st_size <= LARGEST}


def _text(path: Path) -> str:
    try:
        # What is larger is told to be too large, and nothing else is looked at.
        return path.read_text("utf-8") if path.stat().st_size <= DEFAULT_BOUNDS.size else ""
    except (OSError, UnicodeDecodeError):
        return ""


def _pointed(finding: Finding, texts: dict[str, str]) -> Finding:
    """A finding in a JSON file with the line and column of its pointer."""
    if not finding.pointer:
        return finding
    issue = located(Issue("error", "", "", "", pointer=finding.pointer), texts.get(finding.file, ""))
    return replace(finding, line=issue.line or 1, column=issue.column or 1)


def _placed(finding: Finding, folder: Path, given: Path) -> Finding:
    """A finding with its file as it is found from the current folder, where the pack was not named by its whole path."""
    path, here = folder.parent / finding.file, Path.cwd()
    if path.is_relative_to(here):
        return replace(finding, file=path.relative_to(here).as_posix())
    if ".." in given.parts and not given.is_absolute():
        return replace(finding, file=(given / path.relative_to(folder)).as_posix())
    return finding
