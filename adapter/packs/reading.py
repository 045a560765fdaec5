"""The YAML of a pack, read as a stranger's file: bounded in size and depth, without tags, anchors and aliases.

https://yaml.org/spec/1.2.2/ — nothing is built from the text but nodes; what they mean is up to whoever asked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from adapter.errors import Finding

LARGEST = 1024 * 1024
DEEPEST = 60


def read_bytes(path: Path, folder: Path, faults: list[Finding], largest: int = LARGEST) -> bytes | None:
    """The bytes of a file below the folder of its pack.

    A fault, and None, where it cannot be read, lies elsewhere (a link) or is larger than a pack's file may be.
    """
    file = file_of(path, folder)
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            faults.append(Finding(file, 1, 1, "file-outside", "leads out of the pack: expected the file itself"))
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


def compose(data: bytes | str, file: str, faults: list[Finding]) -> yaml.Node | None:
    """The one document of a YAML text; what is wrong is appended to `faults`, and then there is none."""
    before = len(faults)
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data.removeprefix("\ufeff")
        _screen(text, file, faults)
        return yaml.compose(text, Loader=yaml.CSafeLoader) if len(faults) == before else None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        faults.append(Finding(file, line, 1, "yaml-encoding", "not UTF-8"))
    except yaml.MarkedYAMLError as error:
        note(faults, file, error.problem_mark or error.context_mark, "yaml-syntax", f"not YAML: {error.problem}")
    except yaml.YAMLError:
        faults.append(Finding(file, 1, 1, "yaml-syntax", "not YAML: a character that YAML does not allow"))
    return None


def _screen(text: str, file: str, faults: list[Finding]) -> None:
    """Refuse what could build objects, blow itself up or nest without end, before any node is made."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            note(faults, file, event.start_mark, "yaml-alias", "anchors and aliases are not part of the language")
        elif tag := getattr(event, "tag", None):
            note(faults, file, event.start_mark, "yaml-tag", f"the tag {tag} is not part of the language")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            note(faults, file, event.start_mark, "yaml-too-deep", f"nests deeper than {DEEPEST} levels")
            return


def note(faults: list[Finding], file: str, mark: Any, id_: str, text: str) -> None:
    """Append a fault at a mark of the YAML reader; at the first line where there is none."""
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    faults.append(Finding(file, line, column, id_, text))
