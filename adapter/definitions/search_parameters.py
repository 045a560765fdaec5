"""What resources of a type can be found by. https://hl7.org/fhir/R4/searchparameter-registry.html

`data/search-parameters.tsv` holds them as type, name, kind and the paths of the elements; `*` is for every type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """A name, its kind (token, reference, date, string or uri), and where in a resource its values stand."""

    name: str
    kind: str
    paths: tuple[tuple[str, ...], ...]

    @property
    def patients_only(self) -> bool:
        """Whether only references to a Patient count, as for `patient` on an element that may name others."""
        return self.name == "patient"


@lru_cache(maxsize=64)
def search_parameters(type_: str) -> Mapping[str, SearchParameter]:
    """Those of a type by name, without `_id` and `_lastUpdated`, which are not read from the resource's content."""
    found = {}
    for row in _rows():
        if row[0] in {type_, "*"}:
            paths = tuple(tuple(path.split(".")) for path in row[3].split(" "))
            found[row[1]] = SearchParameter(row[1], row[2], paths)
    return MappingProxyType(found)


@lru_cache(maxsize=1)
def _rows() -> list[list[str]]:
    text = (files("adapter.definitions") / "data" / "search-parameters.tsv").read_text("utf-8")
    return [line.split("\t") for line in text.splitlines()]
