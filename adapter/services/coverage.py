"""`careplan pack coverage`: what a pack covers of both sides, by definition and by data.

By data: how many of the leaves of resources the records alone give back, with the remainder thrown away, and how many of
the leaves of records FHIR gives back; what is left most often; which codes have no map, and how often they came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from adapter.errors import AdapterError
from adapter.mapping.apart import take_apart
from adapter.mapping.bundle import Analysis
from adapter.mapping.coverage import STATUSES, Entry, coverage, share
from adapter.mapping.leaves import Tally, understood
from adapter.mapping.trace import trace
from adapter.records.kinds import ENVELOPE
from adapter.services.convert import taken
from adapter.services.knowledge import Knowledge

Tree = dict[str, Any]
_NOT_COUNTED = ENVELOPE | {"kind", "id"}


@dataclass(slots=True)
class Data:
    """What was counted in documents; `refused` could not be converted."""

    documents: int = 0
    refused: int = 0
    leaves: Tally = field(default_factory=Tally)
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)

    def tree(self) -> Tree:
        """For programs: the share in all and of each type or kind, what is left, the codes without a map."""
        owners = sorted({path.partition(".")[0] for path in self.leaves.total})
        return {
            "documents": self.documents,
            "refused": self.refused,
            "share": round(self.leaves.share(), 4),
            "types": {owner: self._of(owner) for owner in owners},
            "left": [{"path": path, "left": left, "of": self.leaves.total[path]} for path, left in self.leaves.lost()],
            "codes": [
                {"code_map": name, "code": code, "count": count}
                for (name, code), count in sorted(self.codes.items(), key=lambda row: (-row[1], row[0]))
            ],
        }

    def _of(self, owner: str) -> Tree:
        rows = [(path, count) for path, count in self.leaves.total.items() if path.partition(".")[0] == owner]
        back = sum(self.leaves.back[path] for path, _ in rows)
        total = sum(count for _, count in rows)
        return {"leaves": total, "back": back, "share": round(back / total, 4)}


def by_definition(known: Knowledge) -> Tree:
    """Every element and field with its status, and the shares of both sides."""
    found = coverage(known.rows, known.definitions, known.shape_of, known.choosing())
    demanded = [entry for entry in found.fhir if entry.must_support or entry.required]
    return {
        "pack": known.pack.name,
        "version": known.pack.version,
        "totals": {
            "fhir": _total(found.fhir),
            "demanded": _total(demanded),
            "records": _total(found.records),
        },
        "fhir": [_entry(entry) for entry in found.fhir],
        "records": [_entry(entry) for entry in found.records],
    }


def _total(entries: list[Entry]) -> Tree:
    counts = Counter(entry.status for entry in entries)
    return {"elements": len(entries), **{name: counts[name] for name in STATUSES}, "share": round(share(entries), 4)}


def _entry(entry: Entry) -> Tree:
    tree: Tree = {"owner": entry.owner, "path": entry.path, "status": entry.status, "rules": list(entry.rules)}
    if entry.reason:
        tree["reason"] = entry.reason
    return tree | {name: True for name in ("required", "must_support") if getattr(entry, name)}


def by_data(known: Knowledge, documents: Iterable[Any], fhir: str | None = None) -> Data:
    """Count documents: resources, Bundles, records, lists of records. What cannot be converted is counted as refused."""
    data = Data()
    for tree in documents:
        data.documents += 1
        try:
            data.leaves.add(_leaves(known, data, tree, fhir))
        except AdapterError:
            data.refused += 1
    return data


def _leaves(known: Knowledge, data: Data, tree: Any, fhir: str | None) -> Tally:
    if isinstance(tree, dict) and "resourceType" in tree:
        _count_codes(known, data, tree)
        return understood(known.mapper, tree, fhir=fhir)
    records = [known.mapper.own.named(record) for record in taken(tree)[0]]
    made = known.mapper.to_fhir(records, fhir=fhir).tree
    _count_codes(known, data, made)
    there, again = (
        _record_leaves(records),
        _record_leaves(map(known.mapper.own.named, known.mapper.from_fhir(made, fhir=fhir).records)),
    )
    tally = Tally()
    for (path, value), count in there.items():
        tally.total[path] += count
        tally.back[path] += min(count, again[path, value])
    return tally


def _record_leaves(records: Iterable[Tree]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()

    def walk(path: str, node: Any) -> None:
        if isinstance(node, dict):
            for key, inner in node.items():
                walk(f"{path}.{key}", inner)
        elif isinstance(node, list):
            for inner in node:
                walk(path, inner)
        else:
            found[path, str(node)] += 1

    for record in records:
        for key, inner in record.items():
            if key not in _NOT_COUNTED:
                walk(f"{record['kind']}.{key}", inner)
    return found


def _count_codes(known: Knowledge, data: Data, tree: Tree) -> None:
    """Codes that a ConceptMap was asked for and does not have."""
    named = {row.source: row.code_map for row in known.rows if row.code_map in known.pack.concept_maps}
    traced = trace(Analysis(known.mapper, take_apart(tree)))
    for visit in traced.visits:
        if visit.source not in named:
            continue
        for place in visit.ours:
            value: Any = traced.records[int(place[0])].record
            for step in place[1:]:
                value = value[step]
            if isinstance(value, dict) and "system" in value:
                data.codes[named[visit.source], f"{value['system']}|{value.get('code', '')}"] += 1
