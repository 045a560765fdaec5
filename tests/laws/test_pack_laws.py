"""The laws of every pack that has kinds of record of its own, on records drawn from its schemas and on its examples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter import mapping, packs
from adapter.bootstrap import validator
from adapter.fhir_json import dumps, loads
from adapter.issues import has_errors
from adapter.packs.extras import schema_with
from tests.laws.foreign import damaged, differing, injected, marks
from tests.laws.pack_records import edited, of, records
from tests.laws.strategies import records as core_records
from tests.laws.test_core_laws import assert_same, bounded

Tree = dict[str, Any]
OWN = [(pack, kind) for pack in packs.available() for kind in packs.load(pack).kinds]
ADDED = sorted({(extra.pack, extra.kind) for pack in packs.available() for extra in packs.load(pack).extra})
EXAMPLES = sorted(packs.root().glob("*/examples/*/records.json"))
each = pytest.mark.parametrize(("pack", "kind"), OWN)


def kind_of(pack: str, kind: str) -> packs.Kind:
    """A kind of a pack."""
    return packs.load(pack).kinds[kind]


def drawn(data: st.DataObject, pack: str, kind: str) -> Tree:
    """A record of a pack's own kind, with its kind."""
    return {"kind": kind, **data.draw(records(kind_of(pack, kind).schema))}


def put(pack: str, record: Tree) -> Tree:
    """A Bundle of one record."""
    made = mapping.load(pack).to_fhir([record])
    assert not has_errors(made.issues), made.issues
    return made.tree


def get(pack: str, tree: Tree) -> mapping.Read:
    """What the pack reads of a Bundle."""
    return mapping.load(pack).from_fhir(loads(dumps(tree)))


def onto(pack: str, read: mapping.Read, record: Tree) -> Tree:
    """The Bundle that was read, with another version of its one record."""
    made = mapping.load(pack).to_fhir([record], read.remainder)
    assert not has_errors(made.issues), made.issues
    return made.tree


def with_foreign(data: st.DataObject, bundle: Tree, *, gentle: bool) -> Tree:
    """The Bundle with foreign content in each of its resources."""
    rows = [{**entry, "resource": data.draw(injected(entry["resource"], gentle=gentle))} for entry in bundle["entry"]]
    return {**bundle, "entry": rows}


def edit_of(data: st.DataObject, pack: str, kind: str, record: Tree) -> Tree:
    """The record with an edit."""
    known = kind_of(pack, kind)
    other = data.draw(records(known.schema))
    bare = {key: value for key, value in record.items() if key != "kind"}
    return {"kind": kind, **data.draw(edited(bare, other, known.schema, known.id_field))}


@each
@bounded(15)
@given(data=st.data())
def test_what_is_written_is_read(pack: str, kind: str, data: st.DataObject) -> None:
    record = drawn(data, pack, kind)
    bundle = put(pack, record)
    read = get(pack, bundle)
    assert_same(read.records, [record])
    assert_same(onto(pack, read, record), bundle)


@each
@bounded(10)
@given(data=st.data())
def test_what_came_in_goes_out(pack: str, kind: str, data: st.DataObject) -> None:
    bundle = with_foreign(data, put(pack, drawn(data, pack, kind)), gentle=False)
    read = get(pack, bundle)
    assert_same(mapping.load(pack).to_fhir(read.records, read.remainder).tree, bundle)


@each
@bounded(12)
@given(data=st.data())
def test_an_edit_is_read_again(pack: str, kind: str, data: st.DataObject) -> None:
    record = drawn(data, pack, kind)
    read = get(pack, with_foreign(data, put(pack, record), gentle=True))
    assert_same(read.records, [record])
    changed = edit_of(data, pack, kind, record)
    written = onto(pack, read, changed)
    assert_same(get(pack, written).records, [changed])
    # Two equal writes are one.
    assert_same(onto(pack, get(pack, written), changed), written)


@each
@bounded(8)
@given(data=st.data())
def test_of_two_writes_the_second_wins(pack: str, kind: str, data: st.DataObject) -> None:
    first = drawn(data, pack, kind)
    second = edit_of(data, pack, kind, first)
    third = edit_of(data, pack, kind, second)
    once = onto(pack, get(pack, put(pack, first)), second)
    assert_same(get(pack, onto(pack, get(pack, once), third)).records, [third])


@each
@bounded(10)
@given(data=st.data())
def test_an_edit_stays_where_its_rules_are(pack: str, kind: str, data: st.DataObject) -> None:
    record = drawn(data, pack, kind)
    plain = put(pack, record)
    names = [name for name, value in record.items() if type(value) is str and name != "kind"]
    names = [name for name in names if name != kind_of(pack, kind).id_field]
    other = drawn(data, pack, kind)
    chosen = data.draw(st.sets(st.sampled_from(names))) if names else set()
    changed = {**record, **{name: other[name] for name in chosen if name in other}}
    foreign = with_foreign(data, plain, gentle=True)
    written = onto(pack, get(pack, foreign), changed)
    owned = {path[:2] for path in _astray(plain, onto(pack, get(pack, plain), changed))}
    assert {path[:2] for path in _astray(foreign, written)} <= owned
    assert len(written["entry"]) < len(foreign["entry"]) or marks(written) <= marks(foreign)


def _astray(one: Tree, other: Tree) -> set[tuple[str, ...]]:
    """(type, element) of what differs between two Bundles, resource by resource; the narrative is told anew."""
    found = set()
    there = {entry["fullUrl"]: entry["resource"] for entry in other["entry"]}
    for entry in one["entry"]:
        resource = entry["resource"]
        for path in differing(resource, there.get(entry["fullUrl"], {})):
            if path[:1] != ("text",):
                found.add((resource["resourceType"], path[0].removeprefix("_")))
    return found


@each
@bounded(10)
@given(data=st.data())
def test_no_shape_breaks_a_conversion(pack: str, kind: str, data: st.DataObject) -> None:
    broken = data.draw(damaged(put(pack, drawn(data, pack, kind))))
    read = mapping.load(pack).from_fhir(broken)
    assert_same(mapping.load(pack).to_fhir(read.records, read.remainder).tree, broken)


@each
@bounded(5)
@given(data=st.data())
def test_what_is_written_is_valid(pack: str, kind: str, data: st.DataObject) -> None:
    found = validator(pack=pack).validate(put(pack, drawn(data, pack, kind)))
    assert [(issue.expression, issue.text) for issue in found if issue.is_error] == []


@pytest.mark.parametrize(("pack", "kind"), ADDED)
@bounded(5)
@given(data=st.data())
def test_fields_that_a_pack_adds_go_out_and_come_back(pack: str, kind: str, data: st.DataObject) -> None:
    added = [extra for extra in packs.load(pack).extra if extra.kind == kind]
    schema = schema_with({"properties": {}}, added)["properties"]["extra"]
    record = data.draw(core_records(kind))
    first, second = ({**record, "extra": data.draw(of(schema, schema))} for _ in range(2))
    assert mapping.load(pack).check(first) == []
    read = get(pack, with_foreign(data, put(pack, first), gentle=True))
    assert_same(read.records, [first])
    assert_same(get(pack, onto(pack, read, second)).records, [second])
    assert_same(get(pack, onto(pack, read, record)).records, [record])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: "/".join(path.parts[-4:-1]))
def test_examples(path: Path) -> None:
    """records.json gives fhir.json and back, valid, and core understands it; fhir-in.json gives records.json and itself again."""
    pack, foreign = path.parts[-4], path.parent / "fhir-in.json"
    mapper, given_ = mapping.load(pack), loads(path.read_bytes())
    if foreign.is_file():
        read = mapper.from_fhir(loads(foreign.read_bytes()))
        assert_same(read.records, given_)
        assert_same(mapper.to_fhir(read.records, read.remainder).tree, loads(foreign.read_bytes()))
        return
    expected = loads((path.parent / "fhir.json").read_bytes())
    made = mapper.to_fhir(given_)
    assert {issue.message_id for issue in made.issues} <= {"code-near"}
    assert_same(made.tree, expected)
    wanted = [mapper.own.plain(mapper.own.named(record)) for record in given_]
    assert_same(mapper.from_fhir(expected).records, wanted)
    found = [issue for issue in validator(pack=pack).validate(expected) if issue.severity != "information"]
    # That a goal is in words and has no code is no fault of the pack's.
    assert [issue.text for issue in found if issue.message_id != "binding-no-code"] == []
    assert (path.parent / "why.md").read_text("utf-8").strip()
    core = mapping.load()
    understood = core.from_fhir(expected).records
    assert understood
    assert [issue for record in understood for issue in core.check(record)] == []
