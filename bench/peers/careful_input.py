"""A resource or Bundle taken apart by hand: ids, what each resource is called, whose it is, and what gives it all back."""

from __future__ import annotations

from typing import Any

from adapter.fhir_json import canonical
from adapter.identity import content_id, foreign_record_id
from adapter.issues import Issue
from bench.peers.careful_values import own_id

Tree = dict[str, Any]
KINDS = {"CarePlan": "plan", "CareTeam": "care_team", "Goal": "goal", "ServiceRequest": "request"}
LISTS = (("careTeam", "", "CareTeam"), ("goal", "", "Goal"), ("activity", "reference", "ServiceRequest"))
"""Arrays of a CarePlan whose items are resources: where in an element the reference stands, and of which type it is."""


class Input:
    """One input: its resources, what each may be called by, and whose each is."""

    def __init__(self, tree: Tree) -> None:
        self.resources: list[Tree] = []
        self.bundle: Tree | None = None
        self.entries: list[int] = []
        self.targets: dict[str, int] = {}
        self.ids: list[str] = []
        self.types: list[str] = []
        self._take_apart(tree)
        seen: dict[str, int] = {}
        for resource in self.resources:
            self.ids.append(_id_of(resource, seen))
            self.types.append(str(resource.get("resourceType")))
        self._name_all()
        self.owners = self._owners()

    def _take_apart(self, tree: Tree) -> None:
        entries = tree.get("entry")
        if tree.get("resourceType") != "Bundle" or type(entries) is not list:
            self.resources.append(tree)
            return
        rest: list[Any] = []
        for entry in entries:
            resource = entry.get("resource") if type(entry) is dict else None
            if type(resource) is dict:
                self.entries.append(len(self.resources))
                self.resources.append(resource)
                row = dict(entry)
                del row["resource"]
                rest.append(row)
            else:
                self.entries.append(-1)
                rest.append(entry)
        self.bundle = {**tree, "entry": rest}

    def remainder(self) -> Tree:
        """What gives back all that came in."""
        shape: Tree = {"base": "none"}
        if self.bundle is not None:
            shape |= {"bundle": self.bundle, "entries": self.entries}
        return {"v": 1, "pack": "bench@1.0.0", "fhirVersion": "4.0.1", "shape": shape, "resources": self.resources}

    def _name_all(self) -> None:
        """What references may call each resource: its fullUrl, its type and id."""
        rows = zip(self.bundle["entry"], self.entries, strict=True) if self.bundle is not None else [({}, 0)]
        for row, index in rows:
            if index >= 0:
                url, resource = row.get("fullUrl"), self.resources[index]
                id_, type_ = resource.get("id"), resource.get("resourceType")
                if type(url) is str:
                    self.targets.setdefault(url, index)
                if type(id_) is str and type(type_) is str:
                    self.targets.setdefault(f"{type_}/{id_}", index)

    def named(self, literal: Any) -> int | None:
        """The index of the resource that a Reference names, in whatever version."""
        if type(literal) is not str:
            return None
        index = self.targets.get(literal)
        if index is None and "/_history/" in literal:
            return self.targets.get(literal.split("/_history/", maxsplit=1)[0])
        return index

    def _owners(self) -> dict[int, int]:
        """The plan of each resource on which exactly one plan hangs it."""
        owners: dict[int, int] = {}
        shared: set[int] = set()
        for index, type_ in enumerate(self.types):
            if type_ == "CarePlan":
                for target in self._items_of(index):
                    if owners.setdefault(target, index) != index:
                        shared.add(target)
        return {target: owner for target, owner in owners.items() if target not in shared}

    def _items_of(self, index: int) -> list[int]:
        found = []
        for name, at, type_ in LISTS:
            elements = self.resources[index].get(name)
            for element in elements if type(elements) is list else ():
                reference = element.get(at) if at and type(element) is dict else element
                if type(reference) is dict:
                    target = self.named(reference.get("reference"))
                    if target is not None and self.types[target] == type_:
                        found.append(target)
        return found

    def unmapped(self) -> list[Issue]:
        """One issue for each resource that is of no kind of ours."""
        found = []
        for index, type_ in enumerate(self.types):
            if type_ not in KINDS:
                known = "resourceType" in self.resources[index] and type_.isalpha() and len(type_) < 64
                name = type_ if known else "this type"
                place = f"Bundle.entry[{self.entries.index(index)}].resource" if self.bundle is not None else name
                text = f"No map of this pack is for {name}: the resource is carried along as it is."
                found.append(Issue("information", "not-supported", "type-not-mapped", text, expression=place))
        return found


def _id_of(resource: Tree, seen: dict[str, int]) -> str:
    """Ours by our identifier, else made of type and id, else of what it holds; a second one of the same is another's."""
    id_ = own_id(resource)
    if id_ is None and type(resource.get("id")) is str:
        id_ = foreign_record_id("none", str(resource.get("resourceType")), resource["id"])
    elif id_ is None:
        id_ = content_id(canonical(resource), 0)
    count = seen[id_] = seen.get(id_, 0) + 1
    return id_ if count == 1 else foreign_record_id("again", id_, str(count))
