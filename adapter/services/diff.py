"""`careplan pack diff`: what the second version of a pack does differently, by its rules and to the same data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapter.errors import AdapterError
from adapter.fhir_json import same
from adapter.mapping.changes import BREAKS, CLASSES, COMPATIBLE, RESEND, Change, Version, changes, gravest
from adapter.mapping.places import written
from adapter.services.convert import taken
from adapter.services.knowledge import Knowledge
from adapter.services.testing.comparing import NOTHING, Difference, differences

Tree = dict[str, Any]
BUMPS = ("none", "patch", "minor", "major")
# The smallest step of a version for the gravest change.
NEEDED = {COMPATIBLE: "patch", RESEND: "minor", BREAKS: "major"}
SHOWN = 50


@dataclass(slots=True)
class Effects:
    """What happened to data: documents in all, those that go out differently, those that are read back differently."""

    documents: int = 0
    refused: int = 0
    out: int = 0
    back: int = 0
    found: list[tuple[str, str, Difference]] = field(default_factory=list)

    @property
    def class_(self) -> str:
        """The class that the data shows."""
        return BREAKS if self.back else RESEND if self.out else COMPATIBLE

    def tree(self) -> Tree:
        """For programs; the first places only."""
        return {
            "documents": self.documents,
            "refused": self.refused,
            "sent_differently": self.out,
            "read_differently": self.back,
            "places": [
                {
                    "document": name,
                    "way": way,
                    "place": written(row.place),
                    "was": _plain(row.want),
                    "is": _plain(row.got),
                }
                for name, way, row in self.found[:SHOWN]
            ],
        }


def diff(one: Knowledge, two: Knowledge, documents: Iterable[tuple[str, Any]]) -> Tree:
    """`changes`, `data`, `class`, and `bump` against the least that is needed; `refused` where the bump is smaller."""
    found = changes(Version(one.pack, one.rows), Version(two.pack, two.rows))
    effects = Effects()
    for name, tree in documents:
        _compare(one, two, name, tree, effects)
    class_ = max(gravest(found), effects.class_, key=CLASSES.index)
    made, needed = bump(one.pack.version, two.pack.version), NEEDED[class_] if found or effects.found else "none"
    another = one.pack.name != two.pack.name
    return {
        "from": f"{one.pack.name}@{one.pack.version}",
        "to": f"{two.pack.name}@{two.pack.version}",
        "class": class_ if found or effects.found else "same",
        "bump": made,
        "needed": needed,
        "refused": not another and BUMPS.index(made) < BUMPS.index(needed),
        "changes": [_tree(change) for change in found],
        "data": effects.tree(),
    }


def bump(old: str, new: str) -> str:
    """The step between two versions; before 1.0.0 a minor one may break, as Semantic Versioning has it."""
    first, second = ([int(part) for part in version.split(".")] for version in (old, new))
    if second <= first:
        return "none"
    step = next(index for index in range(3) if first[index] != second[index])
    if first[0] == 0 and step > 0:
        step -= 1
    return BUMPS[3 - step]


def _tree(change: Change) -> Tree:
    row: Tree = {"what": change.what, "act": change.act, "class": change.class_, "text": change.text}
    return row | ({"rules": list(change.rules)} if change.rules else {})


def _compare(one: Knowledge, two: Knowledge, name: str, tree: Any, effects: Effects) -> None:
    effects.documents += 1
    try:
        if isinstance(tree, dict) and "resourceType" in tree:
            _note(effects, name, "read", *(known.mapper.from_fhir(tree).records for known in (one, two)))
            return
        records = taken(tree)[0]
        sent = [known.mapper.to_fhir(records).tree for known in (one, two)]
        _note(effects, name, "sent", *sent)
        _note(effects, name, "read", *(known.mapper.from_fhir(sent[0]).records for known in (one, two)))
    except AdapterError:
        effects.refused += 1


def _note(effects: Effects, name: str, way: str, was: Any, now: Any) -> None:
    if same(was, now):
        return
    if way == "sent":
        effects.out += 1
    else:
        effects.back += 1
    effects.found += [(name, way, row) for row in differences(was, now)]


def _plain(side: Any) -> Any:
    return None if side is NOTHING else side


def examples(*packs: Knowledge) -> Sequence[tuple[str, Any]]:
    """The inputs of the examples of several packs, each once."""
    from adapter.services.testing.cases import FHIR_IN, RECORDS, cases

    found: dict[str, Any] = {}
    for known in packs:
        for case in cases(known.pack.examples):
            found.setdefault(case.name, case.read(FHIR_IN if case.foreign else RECORDS))
    return list(found.items())
