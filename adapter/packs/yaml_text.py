"""The YAML of a pack, read as a stranger's file: bounded in depth, without tags, anchors and aliases.

https://yaml.org/spec/1.2.2/ — nothing is built from the text but nodes; what they mean is up to whoever asked. What is
in the cache is read without this module, which takes PyYAML along.
"""

from __future__ import annotations

from typing import Any

import yaml

from adapter.errors import Finding

DEEPEST = 60


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
