"""The data files, read a line at a time when first asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

Tree = dict[str, Any]


class Table:
    """A file of `key<TAB>JSON` lines: read whole on first use, each line parsed on its own first use."""

    def __init__(self, folder: str, name: str) -> None:
        self._folder = folder
        self._name = name
        self._parsed: dict[str, Any] = {}

    @cached_property
    def _lines(self) -> dict[str, str]:
        text = (files("adapter.definitions") / "data" / self._folder / self._name).read_text("utf-8")
        return {key: rest for key, _, rest in (line.partition("\t") for line in text.split("\n")) if key}

    def get(self, key: str) -> Any:
        """The tree of one line, or None; trees are shared and never changed."""
        if key not in self._parsed:
            line = self._lines.get(key)
            if line is None:
                return None
            self._parsed[key] = json.loads(line)
        return self._parsed[key]

    def __contains__(self, key: object) -> bool:
        return key in self._lines

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)


@cache
def table(folder: str, name: str) -> Table:
    """The one table of a file; all definitions share what was read of it."""
    return Table(folder, name)


class Layers:
    """Several tables as one: the first that has a key counts. Tables of packages are plain mappings.

    A null in a table takes away what the tables below it have.
    """

    def __init__(self, *tables: Table | Mapping[str, Any]) -> None:
        self.tables = tables

    def get(self, key: str) -> Any:
        """The tree of a key, or None."""
        for table in self.tables:
            if key in table:
                return table.get(key)
        return None
