"""Mapping files in one form: keys in the order of the language, one style of quotes and lists, comments where they are.

`formatted` changes no meaning and is its own fixed point. A rule stands on one line where it fits and holds no other
rules; else each of its keys has a line. A blank line between rules stays.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

import yaml

from adapter.errors import Finding, PackError
from adapter.mapping.keywords import FILE_KEYS, GROUPS, KEYWORDS, ROWS, ROWS_OR_GROUP, Keyword
from adapter.mapping.remarks import Remarks
from adapter.packs.yaml_text import compose

WIDTH = 140
_PLAIN = re.compile(r"[^\W\d][\w.$/+-]*(?: [\w.$/+()-]+)*|\$\w[\w./-]*")
# What readers of YAML other than ours take for no text.
_OTHER = re.compile(r"y|n|yes|no|on|off|true|false|null", re.IGNORECASE)
_CONTROL = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")


def formatted(data: bytes | str, file: str) -> str:
    """The same file in the one form. Raises PackError where it is not one."""
    faults: list[Finding] = []
    node = compose(data, file, faults)
    if not isinstance(node, yaml.MappingNode):
        text = "expected an object with the keys map, record, resource and rules"
        raise PackError(f"{file} cannot be read.", faults=faults or [Finding(file, 1, 1, "file-shape", text)])
    text = data.decode("utf-8-sig") if isinstance(data, bytes) else data.removeprefix("\ufeff")
    writer = _Writer(Remarks(text, node))
    writer.mapping(node, "", FILE_KEYS)
    writer.lines += writer.remarks.last
    return "\n".join(writer.lines).strip("\n") + "\n"


class _Writer:
    """The lines so far; `remarks` are the comments and blank lines that stand before and behind each node."""

    def __init__(self, remarks: Remarks) -> None:
        self.remarks = remarks
        self.lines: list[str] = []

    def mapping(self, node: yaml.MappingNode, indent: str, known: Mapping[str, Keyword], first: str = "") -> None:
        """Each key on a line of its own; `first` stands before the first."""
        has_groups = known is FILE_KEYS and any(key.value == "groups" for key, _ in node.value)
        for number, (key, value) in enumerate(_ordered(node, known)):
            if has_groups and key.value in ("groups", "rules") and self.lines and self.lines[-1]:
                self.lines.append("")
            self.before(key, indent)
            lead = (first or indent) if number == 0 else indent
            form = known[key.value].form if key.value in known else None
            self.pair(key, value, lead, indent, form)

    def pair(self, key: yaml.Node, value: yaml.Node, lead: str, indent: str, form: object = None) -> None:
        """A key and its value: on one line where that fits."""
        name = f"{lead}{_scalar(key.value)}:"
        behind = self.remarks.behind(key)
        one_line = f"{name} {_flow(value)}"
        if self.flat(value, form) and (isinstance(value, yaml.ScalarNode) or len(one_line) <= WIDTH):
            self.lines.append(one_line + behind)
            return
        self.lines.append(name + behind)
        if isinstance(value, yaml.SequenceNode):
            self.sequence(value, f"{indent}  ", rules=form in (ROWS, ROWS_OR_GROUP))
        elif isinstance(value, yaml.MappingNode):
            for inner_key, inner in value.value:
                self.before(inner_key, f"{indent}  ")
                self.pair(inner_key, inner, f"{indent}  ", f"{indent}  ", ROWS if form is GROUPS else None)

    def sequence(self, node: yaml.SequenceNode, indent: str, *, rules: bool) -> None:
        """Each item on a line of its own."""
        for item in node.value:
            self.before(item, indent)
            one_line = f"{indent}- {_flow(item, KEYWORDS if rules else None)}"
            behind = self.remarks.behind(item)
            fits = len(one_line) <= WIDTH or isinstance(item, yaml.ScalarNode)
            if fits and self.flat(item, None, KEYWORDS if rules else {}):
                self.lines.append(one_line + behind)
                continue
            if behind:
                self.lines.append(f"{indent}{behind.strip()}")
            if isinstance(item, yaml.MappingNode):
                self.mapping(item, f"{indent}  ", KEYWORDS if rules else {}, f"{indent}- ")
            else:
                self.lines.append(f"{indent}-")
                self.sequence(item, f"{indent}  ", rules=False)

    def before(self, node: yaml.Node, indent: str) -> None:
        """The comments and the blank line before a node."""
        for line in self.remarks.before(node):
            if line or (self.lines and self.lines[-1] and not self.lines[-1].endswith(":")):
                self.lines.append(f"{indent}{line}" if line else "")

    def flat(self, node: yaml.Node, form: object, known: Mapping[str, Keyword] | None = None) -> bool:
        """Whether it may stand on one line: no comment inside, no rules inside."""
        if form in (ROWS, ROWS_OR_GROUP, GROUPS) and node.value and not isinstance(node, yaml.ScalarNode):
            return False
        if isinstance(node, yaml.MappingNode):
            rows = [
                (key, inner, known[key.value].form if known and key.value in known else None)
                for key, inner in node.value
            ]
            return all(not self.remarks.at(key) and self.flat(inner, form) for key, inner, form in rows)
        if isinstance(node, yaml.SequenceNode):
            return all(not self.remarks.at(item) and self.flat(item, None) for item in node.value)
        return True


def _ordered(node: yaml.MappingNode, known: Mapping[str, Keyword] | None) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """The pairs of an object in the order of the language; what it does not know comes last, as it stands."""
    ranks = {name: rank for rank, name in enumerate(known or ())}
    return iter(sorted(node.value, key=lambda pair: ranks.get(pair[0].value, len(ranks))))


def _flow(node: yaml.Node, known: Mapping[str, Keyword] | None = None) -> str:
    """A node on one line."""
    if isinstance(node, yaml.MappingNode):
        return "{" + ", ".join(f"{_scalar(key.value)}: {_flow(value)}" for key, value in _ordered(node, known)) + "}"
    if isinstance(node, yaml.SequenceNode):
        return "[" + ", ".join(map(_flow, node.value)) + "]"
    return _scalar(node.value)


def _scalar(text: str) -> str:
    """Text, in quotes where any reader could take it for something else."""
    if _PLAIN.fullmatch(text) and not _OTHER.fullmatch(text):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
