"""The text of `pack.yaml`, read: every fault with file, line and column. Every scalar is text, whatever it looks like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from adapter.errors import Finding
from adapter.packs.extras import Extra, extra_of
from adapter.packs.head import FHIR_VERSIONS, KEYS, Head, unusable
from adapter.packs.kinds import KEYS as KIND_KEYS
from adapter.packs.kinds import Declared
from adapter.packs.yaml_text import compose, note

_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")
_VERSION = re.compile(r"\d{1,6}\.\d{1,6}\.\d{1,6}")
_KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")
_REQUIRED = ("name", "version")
_PREFIX = re.compile(r"[a-z][a-z0-9]*")
_URL = re.compile(r"(?:https?://|urn:)\S+")


def parsed(data: bytes, folder: str) -> Head:
    """The head of the pack in a folder. Raises PackError with every fault as file:line:column."""
    reader = _Reader(f"{folder}/pack.yaml")
    node = compose(data, reader.file, reader.faults)
    found = reader.mapping(node) if not reader.faults else {}
    head = Head(
        name=reader.matching(found, "name", _NAME, "lower-case letters, digits and dashes"),
        version=reader.matching(found, "version", _VERSION, "three numbers with dots, as 1.0.0"),
        title=reader.text(found, "title"),
        extends=reader.matching(found, "extends", _NAME, "the name of a pack beside this one, or shipped"),
        fhir_versions=tuple(reader.fhir(found)),
        prefixes=dict(reader.prefixes(found)),
        examples=reader.text(found, "examples") or "examples",
        kinds={kind.name: kind for kind in reader.kinds(found)},
        extra=tuple(reader.extras(found)),
    )
    if reader.faults:
        raise unusable(folder, reader.faults)
    return head


class _Reader:
    """The faults of one file so far, and its nodes by key."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Finding] = []

    def mapping(self, node: yaml.Node | None) -> dict[str, yaml.Node]:
        """The keys of the file and their nodes."""
        if not isinstance(node, yaml.MappingNode):
            self.fault(node, f"expected an object with the keys {', '.join(KEYS)}", "head-key")
            return {}
        found: dict[str, yaml.Node] = {}
        for key, value in self.pairs(node):
            if key.value not in KEYS:
                self.fault(key, f"unknown key {key.value}; known are {', '.join(KEYS)}", "head-key")
            found[key.value] = value
        return found

    def pairs(self, node: yaml.MappingNode) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
        """Keys that are text, each once."""
        seen = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.fault(key, "expected a key that is text", "yaml-key")
            elif key.value in seen:
                self.fault(key, f"the key {key.value} stands here twice", "yaml-key-twice")
            else:
                seen.add(key.value)
                yield key, value

    def text(self, found: dict[str, yaml.Node], key: str) -> str:
        """The text of a key, empty where it is missing."""
        node = found.get(key)
        if node is None or isinstance(node, yaml.ScalarNode):
            return str(node.value) if node is not None else ""
        self.fault(node, f"expected text for {key}")
        return ""

    def matching(self, found: dict[str, yaml.Node], key: str, form: re.Pattern[str], words: str) -> str:
        """The text of a key that has one form."""
        before = len(self.faults)
        text = self.text(found, key)
        wanted = text or (found and key in _REQUIRED)
        if wanted and len(self.faults) == before and not form.fullmatch(text):
            self.fault(found.get(key), f"expected {key}: {words}")
        return text

    def fhir(self, found: dict[str, yaml.Node]) -> Iterator[str]:
        """The FHIR versions, with spaces or commas between, or as a list."""
        node = found.get("fhir")
        rows = node.value if isinstance(node, yaml.SequenceNode) else [node] if node is not None else []
        if not rows:
            yield FHIR_VERSIONS[0]
        for row in rows:
            for version in str(row.value).replace(",", " ").split() if isinstance(row, yaml.ScalarNode) else [""]:
                if version not in FHIR_VERSIONS:
                    self.fault(row, f"expected FHIR versions of {', '.join(FHIR_VERSIONS)}")
                yield version

    def prefixes(self, found: dict[str, yaml.Node]) -> Iterator[tuple[str, str]]:
        """Short names for URLs."""
        node = found.get("prefixes")
        if node is None:
            return
        if not isinstance(node, yaml.MappingNode):
            self.fault(node, "expected prefixes as an object of short names and URLs")
            return
        for key, value in self.pairs(node):
            if not _PREFIX.fullmatch(key.value):
                self.fault(key, "expected a prefix of lower-case letters and digits")
            elif not isinstance(value, yaml.ScalarNode) or not _URL.fullmatch(value.value):
                self.fault(value, f"expected a URL for the prefix {key.value}")
            else:
                yield key.value, value.value

    def kinds(self, found: dict[str, yaml.Node]) -> Iterator[Declared]:
        """The kinds of record of the pack's own."""
        node = found.get("kinds")
        if node is not None and not isinstance(node, yaml.MappingNode):
            self.fault(node, "expected kinds as an object of names")
        for key, value in self.pairs(node) if isinstance(node, yaml.MappingNode) else ():
            words = self._texts(value)
            if not _KIND.fullmatch(key.value):
                self.fault(key, "expected a kind of lower-case letters, digits and _")
            elif "schema" not in words or not words.keys() <= set(KIND_KEYS):
                self.fault(key, f"expected an object with the keys {', '.join(KIND_KEYS)}; schema must be there")
            else:
                spot = (self.file, key.start_mark.line + 1, key.start_mark.column + 1)
                yield Declared(key.value, words["schema"], words.get("id", ""), words.get("system", ""), spot)

    def extras(self, found: dict[str, yaml.Node]) -> Iterator[Extra]:
        """The fields that the pack adds to kinds of record, by kind and name."""
        node = found.get("extra")
        if node is not None and not isinstance(node, yaml.MappingNode):
            self.fault(node, "expected extra as an object of kinds, each with its fields")
        for kind, fields in self.pairs(node) if isinstance(node, yaml.MappingNode) else ():
            for name, value in self.pairs(fields) if isinstance(fields, yaml.MappingNode) else ():
                made = extra_of(self.text(found, "name"), kind.value, name.value, self._texts(value))
                if isinstance(made, str):
                    self.fault(name, made)
                else:
                    yield made

    def _texts(self, node: Any) -> dict[str, str]:
        """An object that holds nothing but text; else empty."""
        whole = isinstance(node, yaml.MappingNode) and all(isinstance(row, yaml.ScalarNode) for _, row in node.value)
        return {key.value: row.value for key, row in self.pairs(node)} if whole else {}

    def fault(self, node: yaml.Node | None, what: str, id_: str = "head-value") -> None:
        """Notes a fault at the place of a node."""
        note(self.faults, self.file, node.start_mark if node is not None else None, id_, what)
