"""Records and FHIR, whole inputs: `from_fhir` and `to_fhir`.

`to_fhir(from_fhir(x).records, from_fhir(x).remainder)` is x again, and after an edit x with that edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from adapter.errors import BadInput, UsageError
from adapter.fhir_json import same
from adapter.identity import IDENTIFIER_SYSTEM, resource_id
from adapter.issues import Issue
from adapter.mapping.apart import Input, from_remainder, put_together, remainder_of, take_apart
from adapter.mapping.bundle import Analysis, BundleRefs, Owned, refuse_single
from adapter.mapping.mapper import PackMaps
from adapter.mapping.versions import fhir_version
from adapter.records.kinds import content_of

Tree = dict[str, Any]
Create = Literal["put", "conditional"]


@dataclass(frozen=True, slots=True)
class Read:
    """What `from_fhir` gives: records, the remainder for the way back, issues."""

    records: list[Tree]
    remainder: Tree
    issues: list[Issue] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Converted:
    """What `to_fhir` gives: a Bundle (or what came in, with the records' edits) and issues.

    `untouched` are the (kind, id) of records that are just as they were read.
    """

    tree: Tree
    issues: list[Issue] = field(default_factory=list)
    untouched: frozenset[tuple[str, str]] = frozenset()


def from_fhir(pack: PackMaps, tree: Any, *, base: str = "none", fhir: str | None = None) -> Read:
    """A resource or Bundle → its records. Raises BadInput where it is neither."""
    if type(tree) is not dict or type(tree.get("resourceType")) is not str or not tree["resourceType"]:
        issue = Issue("fatal", "structure", "fhir-no-type", "A FHIR resource is an object with a resourceType.")
        raise BadInput("This is not a FHIR resource.", issues=[issue])
    parts = take_apart(tree, base)
    analysis = Analysis(pack, parts)
    records = [pack.own.plain(owned.record) for owned in analysis.records()]
    return Read(records, remainder_of(parts, pack, fhir_version(fhir)), analysis.issues + analysis.unmapped())


def to_fhir(
    pack: PackMaps,
    records: Sequence[Tree],
    remainder: Any = None,
    *,
    bundle_type: str | None = None,
    create: Create = "put",
) -> Converted:
    """Records → a Bundle; with the remainder → what came in, with the edits of the records and nothing else changed.

    Raises UsageError (an option that does not fit), BadInput (no known kind, a broken remainder, two records of one id),
    DataError (a record added to or removed from a single resource).
    """
    contents = [_content(pack.own.named(record)) for record in records]
    _refuse_twins(contents)
    if remainder is None:
        return _fresh(pack, contents, bundle_type or "collection", create)
    if bundle_type is not None:
        raise UsageError("--type does not go with a remainder: its shape decides.")
    return _onto(pack, contents, remainder)


def _content(record: Any) -> Tree:
    id_ = record.get("id") if type(record) is dict else None
    if type(record) is not dict or type(record.get("kind")) is not str or type(id_) is not str or not id_:
        issue = Issue("fatal", "structure", "record-no-kind", "A record is an object with a kind and an id.")
        raise BadInput("This is not a record.", issues=[issue])
    return content_of(record)


def _refuse_twins(contents: Sequence[Tree]) -> None:
    seen: set[tuple[str, str]] = set()
    for index, record in enumerate(contents):
        key = (record["kind"], record["id"])
        if key in seen:
            issue = Issue("fatal", "duplicate", "record-twice", "A record stands here twice.", pointer=f"/{index}/id")
            raise BadInput("Two records have the same kind and id.", issues=[issue], place=f"/{index}/id")
        seen.add(key)


def _fresh(pack: PackMaps, contents: Sequence[Tree], bundle_type: str, create: Create) -> Converted:
    if bundle_type not in ("collection", "transaction"):
        raise UsageError(f"A Bundle of type {bundle_type} is not made here.", remedy="Use collection or transaction.")
    named = [(record, resource_id(record["kind"], record["id"])) for record in contents]
    given = {(pack.maker(record).type_, record["id"]): f"urn:uuid:{id_}" for record, id_ in named}
    entries: list[Tree] = []
    issues: list[Issue] = []
    for record, id_ in named:
        parts, said = pack.parts(record, refs=BundleRefs("none", {}, [], [], given=given), new_id=id_)
        issues += said
        entries += [_entry(resource, bundle_type, create) for resource in parts.values()]
    bundle: Tree = {"resourceType": "Bundle", "type": bundle_type}
    if entries:
        bundle["entry"] = entries
    return Converted(bundle, issues)


def _entry(resource: Tree, bundle_type: str, create: Create = "put") -> Tree:
    entry: Tree = {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}
    if bundle_type in ("transaction", "batch"):
        entry["request"] = _request(resource, create)
    return entry


def _request(resource: Tree, create: Create) -> Tree:
    type_ = resource["resourceType"]
    if create == "put":
        return {"method": "PUT", "url": f"{type_}/{resource['id']}"}
    found = resource["identifier"]
    value = (found[0] if isinstance(found, list) else found)["value"]
    return {"method": "POST", "url": type_, "ifNoneExist": f"identifier={IDENTIFIER_SYSTEM}|{value}"}


def _onto(pack: PackMaps, contents: Sequence[Tree], remainder: Any) -> Converted:
    parts = from_remainder(remainder)
    analysis = Analysis(pack, parts)
    before = {(owned.record["kind"], owned.record["id"]): owned for owned in analysis.records()}
    issues: list[Issue] = []
    if remainder.get("pack") != f"{pack.name}@{pack.version}":
        text = "The remainder was made with another pack or version; it is read with the present one."
        issues.append(Issue("warning", "business-rule", "remainder-pack", text, pointer="/remainder/pack"))
    writer = _Writer(pack, analysis, parts)
    untouched: set[tuple[str, str]] = set()
    wanted = {(record["kind"], record["id"]) for record in contents}
    for record in contents:
        owned = before.get((record["kind"], record["id"]))
        if owned is None:
            issues += writer.add(record)
        elif same(owned.record, record):
            untouched.add((record["kind"], record["id"]))
        else:
            issues += writer.edit(owned, record)
    for key, owned in before.items():
        if key not in wanted:
            writer.remove(owned)
    return Converted(writer.result(), issues, frozenset(untouched))


class _Writer:
    """Edits one input in place: its own copy."""

    def __init__(self, pack: PackMaps, analysis: Analysis, parts: Input) -> None:
        self.pack, self.analysis, self.input = pack, analysis, parts
        self.gone: set[int] = set()
        self.added: list[Tree] = []

    def edit(self, owned: Owned, record: Tree) -> list[Issue]:
        refs = self.analysis.refs(owned.parts)
        single = self.input.bundle is None
        refs.scheme = "#" if single else "urn:uuid:"
        trees = {key: self.input.resources[index] for key, index in owned.parts.items()}
        written, issues = self.pack.parts(record, trees, refs)
        for key, index in owned.parts.items():
            if key in written:
                self.input.resources[index] = written.pop(key)
            else:
                self.gone.add(index)
        if single and written:
            self.input.resources[0].setdefault("contained", []).extend(written.values())
        else:
            self.added += written.values()
        return issues

    def add(self, record: Tree) -> list[Issue]:
        if self.input.bundle is None:
            raise refuse_single("added")
        written, issues = self.pack.parts(record, refs=self.analysis.refs({}))
        self.added += written.values()
        return issues

    def remove(self, owned: Owned) -> None:
        if self.input.bundle is None:
            raise refuse_single("removed")
        self.gone |= set(owned.parts.values())

    def result(self) -> Tree:
        bundle = self.input.bundle
        if bundle is None:
            return put_together(self.input)
        tree = put_together(self.input)
        gone = {self.input.rows[index] for index in self.gone}
        kept = [entry for row, entry in enumerate(tree["entry"]) if row not in gone]
        new = [_entry(resource, str(bundle.get("type"))) for resource in self.added]
        if self.gone or new:
            tree["entry"] = kept + new
            if type(tree.get("total")) is int:
                tree["total"] += len(new) - len(self.gone)
            if not tree["entry"]:
                del tree["entry"]
        return tree
