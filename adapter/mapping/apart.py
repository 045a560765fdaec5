"""A resource or Bundle taken apart into its resources, and put together again.

The remainder is the input itself, resource by resource, with the shape it came in: what was not touched comes back as it
was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from adapter.errors import BadInput
from adapter.fhir_json import copy
from adapter.issues import Issue
from adapter.mapping.mapper import PackMaps

Tree = dict[str, Any]


@dataclass(slots=True)
class Input:
    """A resource or Bundle taken apart: `entries` gives for each entry the index of its resource, or None.

    `rows` is the inverse: for each resource the index of its entry.
    """

    resources: list[Any]
    bundle: Tree | None
    entries: list[int | None]
    base: str = "none"
    rows: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self.rows = {index: row for row, index in enumerate(self.entries) if index is not None}

    def name_of(self, index: int) -> list[str]:
        """Every literal by which others may refer to a resource: its fullUrl first."""
        resource = self.resources[index]
        type_, id_ = resource.get("resourceType"), resource.get("id")
        url = self.bundle["entry"][self.rows[index]].get("fullUrl") if self.bundle is not None else None
        names = [url] if type(url) is str else []
        if type(id_) is str and type(type_) is str:
            names.append(f"{type_}/{id_}")
        return names


def take_apart(tree: Tree, base: str = "none") -> Input:
    """A tree → its resources and its shape; the trees are shared, not copied."""
    entries = tree.get("entry")
    if tree.get("resourceType") != "Bundle" or type(entries) is not list:
        return Input([tree], None, [], base)
    resources: list[Any] = []
    places: list[int | None] = []
    rest: list[Any] = []
    for entry in entries:
        resource = entry.get("resource") if type(entry) is dict else None
        if type(resource) is dict:
            places.append(len(resources))
            resources.append(resource)
            row = entry.copy()
            del row["resource"]
            rest.append(row)
        else:
            places.append(None)
            rest.append(entry)
    return Input(resources, {**tree, "entry": rest}, places, base)


def put_together(parts: Input) -> Tree:
    """The inverse of `take_apart`."""
    if parts.bundle is None:
        return parts.resources[0]  # type: ignore[no-any-return]
    entries = list(parts.bundle["entry"])
    for index, row in parts.rows.items():
        entries[row] = {**entries[row], "resource": parts.resources[index]}
    return {**parts.bundle, "entry": entries}


def remainder_of(parts: Input, pack: PackMaps, fhir: str) -> Tree:
    """What `to_fhir` needs to give back what came in."""
    shape: Tree = {"base": parts.base}
    if parts.bundle is not None:
        shape |= {"bundle": parts.bundle, "entries": [-1 if index is None else index for index in parts.entries]}
    return {
        "v": 1,
        "pack": f"{pack.name}@{pack.version}",
        "fhirVersion": fhir,
        "shape": shape,
        "resources": parts.resources,
    }


def from_remainder(remainder: Any) -> Input:
    """The input that a remainder was made of. Raises BadInput where it is not one of ours."""
    try:
        shape, resources = remainder["shape"], remainder["resources"]
        bundle, entries = shape.get("bundle"), shape.get("entries", [])
        right = remainder["v"] == 1 and type(resources) is list and all(type(tree) is dict for tree in resources)
        right = right and (bundle is not None or len(resources) == 1)
        if bundle is not None:
            rows = bundle["entry"]
            right = right and type(rows) is list and type(entries) is list and len(rows) == len(entries)
            # bool is an int to Python; an index is none. What holds a resource is an object.
            right = right and all(type(index) is int for index in entries)
            right = right and sorted(index for index in entries if index >= 0) == list(range(len(resources)))
            right = right and all(type(rows[row]) is dict for row, index in enumerate(entries) if index >= 0)
    except (TypeError, KeyError, AttributeError):
        right = False
    if not right:
        issue = Issue("fatal", "structure", "remainder-broken", "The remainder is not one that from-fhir gave.")
        raise BadInput("The remainder cannot be read.", issues=[issue], place="/remainder")
    places = [index if index >= 0 else None for index in entries]
    return Input(copy(resources), copy(bundle), places, str(shape.get("base", "none")))
