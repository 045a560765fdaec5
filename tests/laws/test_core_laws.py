"""The laws of the core pack, on records drawn from the schemas (decision 2 of the design, issue 4 §1).

GetPut: what came from FHIR goes back as it was. PutGet: what was written is read. PutPut: the second write wins.
Locality: an edit changes what its rules own and nothing else.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, note, settings
from hypothesis import strategies as st

from adapter import mapping
from adapter.fhir_json import canonical, copy, dumps, loads, pretty, same
from tests.laws.editing import edits
from tests.laws.foreign import MARK, damaged, differing, injected, marks
from tests.laws.settling import nodes
from tests.laws.strategies import KINDS, records

Tree = dict[str, Any]
MAPPER = mapping.load("core")
TIMES = int(os.environ.get("LAWS_TIMES", "80" if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else "1"))
each_kind = pytest.mark.parametrize("kind", KINDS)


def bounded(examples: int) -> Any:
    """How long a law is looked at: the same examples every time, except in a soak or with LAWS_TIMES above 1."""
    return settings(
        max_examples=examples * TIMES,
        derandomize=TIMES == 1,
        database=None,
        deadline=None,
        print_blob=True,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )


def put(record: Tree, onto: dict[str, Tree] | None = None) -> dict[str, Tree]:
    """The record's resources by part."""
    parts, issues = MAPPER.parts(record, onto)
    assert not [issue for issue in issues if issue.is_error], issues
    return parts


def get(kind: str, parts: dict[str, Tree], record_id: str | None = None) -> Tree:
    """The record of these resources."""
    return MAPPER.record(kind, parts, None, record_id=record_id)[0]


def assert_same(found: Any, expected: Any) -> None:
    """The same JSON value; else both are shown."""
    if not same(found, expected):
        note(f"found    {pretty(found)}")
        note(f"expected {pretty(expected)}")
        raise AssertionError(f"differ at {sorted(differing(found, expected))}")


@each_kind
@bounded(60)
@given(data=st.data())
def test_what_is_written_is_read(kind: str, data: st.DataObject) -> None:
    record = data.draw(records(kind))
    before = copy(record)
    parts = put(record)
    assert_same(get(kind, parts), record)
    assert_same(record, before)
    assert_same(loads(dumps(parts)), parts)


@each_kind
@bounded(30)
@given(data=st.data())
def test_a_bundle_gives_back_its_records(kind: str, data: st.DataObject) -> None:
    found = data.draw(st.lists(records(kind), min_size=1, max_size=2, unique_by=lambda record: record["id"]))
    bundle = MAPPER.to_fhir(found).tree
    read = MAPPER.from_fhir(loads(dumps(bundle)))
    assert_same(read.records, found)
    assert_same(MAPPER.to_fhir(read.records, read.remainder).tree, bundle)


@each_kind
@bounded(60)
@given(data=st.data())
def test_an_edit_is_read_again(kind: str, data: st.DataObject) -> None:
    record, other = data.draw(records(kind)), data.draw(records(kind))
    parts = {key: data.draw(injected(tree, gentle=True)) for key, tree in put(record).items()}
    was = get(kind, parts, record["id"])
    edited = data.draw(edits(was, other))
    written = put(edited, parts)
    assert_same(get(kind, written, record["id"]), edited)


@each_kind
@bounded(60)
@given(data=st.data())
def test_without_an_edit_nothing_changes(kind: str, data: st.DataObject) -> None:
    bundle = MAPPER.to_fhir([data.draw(records(kind))]).tree
    for entry in bundle["entry"]:
        entry["resource"] = data.draw(injected(entry["resource"]))
    extra = {"resource": {"resourceType": "Basic", "id": "b"}, "fullUrl": "https://example.test/Basic/b"}
    bundle["entry"].insert(data.draw(st.integers(0, len(bundle["entry"]))), extra)
    read = MAPPER.from_fhir(bundle)
    assert_same(MAPPER.to_fhir(read.records, loads(dumps(read.remainder))).tree, bundle)


@each_kind
@bounded(40)
@given(data=st.data())
def test_parts_written_with_their_own_record_stay(kind: str, data: st.DataObject) -> None:
    parts = {key: data.draw(injected(tree)) for key, tree in put(data.draw(records(kind))).items()}
    assert_same(MAPPER.parts(get(kind, parts), parts)[0], parts)


@each_kind
@bounded(40)
@given(data=st.data())
def test_of_two_writes_the_second_wins(kind: str, data: st.DataObject) -> None:
    record, other = data.draw(records(kind)), data.draw(records(kind))
    parts = {key: data.draw(injected(tree, gentle=True)) for key, tree in put(record).items()}
    first = data.draw(edits(get(kind, parts, record["id"]), other))
    second = data.draw(edits(first, other))
    once = put(first, parts)
    assert_same(put(first, once), once)
    assert_same(get(kind, put(second, once), record["id"]), second)


@each_kind
@bounded(40)
@given(data=st.data())
def test_what_is_put_back_returns_without_foreign_content(kind: str, data: st.DataObject) -> None:
    record = data.draw(records(kind))
    lists = [name for name, value in record.items() if isinstance(value, list) and isinstance(value[0], dict)]
    assume(lists)
    name = data.draw(st.sampled_from(sorted(lists)))
    removed = {key: value for key, value in record.items() if key != name}
    fresh = put(record)
    gone = put(removed, {key: data.draw(injected(tree, gentle=True)) for key, tree in fresh.items()})
    left = sum(map(marks, gone.values()))
    again = put(record, gone)
    assert_same(get(kind, again, record["id"]), record)
    assert sum(map(marks, again.values())) == left


@each_kind
@bounded(60)
@given(data=st.data())
def test_an_edit_stays_where_its_rules_are(kind: str, data: st.DataObject) -> None:
    record, other = data.draw(records(kind)), data.draw(records(kind))
    edited = data.draw(edits(record, other))
    plain = put(record)
    parts = {key: data.draw(injected(tree, gentle=True)) for key, tree in plain.items()}
    assert_stays((plain, put(edited)), (parts, put(edited, parts)))


Parts = dict[str, Tree]


def assert_stays(bare: tuple[Parts, Parts], among: tuple[Parts, Parts]) -> None:
    """An edit, before and after, changes among what is foreign only what it changes where there is nothing else."""
    (plain, plain_edited), (parts, written) = bare, among
    for key in parts.keys() & written.keys() & plain_edited.keys():
        if parts[key]["resourceType"] != written[key]["resourceType"]:
            continue  # A service that becomes a medication is another resource.
        owned = {_owner(path) for path in differing(plain[key], plain_edited[key])} | {("text",), ("contained",)}
        changed = {_plain(path) for path in differing(parts[key], written[key])}
        astray = {path for path in changed if not any(path[: len(root)] == root for root in owned)}
        assert not astray, f"{key}: {sorted(astray)}"


def _plain(path: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.removeprefix("_") for name in path)


# A concept, a reference and an item known by its id are one value: another one takes its place as a whole.
_INSIDE_A_VALUE = frozenset({"coding", "text", "display", "reference", "identifier", "type", "id"})


def _owner(path: tuple[str, ...]) -> tuple[str, ...]:
    """The element that a rule owns: a path up to where a concept or a reference begins."""
    inside = next(
        (index for index, name in enumerate(path) if name in _INSIDE_A_VALUE or name.startswith("value")), len(path)
    )
    return _plain(path[: max(inside, 1)])


@each_kind
@bounded(40)
@given(data=st.data())
def test_a_moved_item_keeps_what_is_foreign_inside(kind: str, data: st.DataObject) -> None:
    record = data.draw(records(kind))
    lists = [name for name, value in record.items() if isinstance(value, list) and len(value) > 1]
    assume(lists)
    name = data.draw(st.sampled_from(sorted(lists)))
    parts = {key: data.draw(injected(tree, gentle=True)) for key, tree in put(record).items()}
    was = get(kind, parts, record["id"])
    moved = {**was, name: [*was[name][1:], was[name][0]]}
    written = put(moved, parts)
    assert_same(get(kind, written, record["id"]), moved)
    assert _holders(written) == _holders(parts)


def _holders(parts: dict[str, Tree]) -> Counter[bytes]:
    """What holds foreign extensions, without what may move or be told anew below it."""
    found: Counter[bytes] = Counter()
    for node in nodes(parts):
        if any(isinstance(row, dict) and row.get("url") == MARK for row in node.get("extension", ())):
            kept = {key: value for key, value in node.items() if not isinstance(value, (list, dict)) and key != "div"}
            found[canonical({**kept, "marks": [row for row in node["extension"] if row.get("url") == MARK]})] += 1
    return found


# Where a rule takes an element only as long as it is the only one, another one takes it away.
ALONE = frozenset(["communication", "dosageInstruction", "replaces", "locationCode", "reasonCode"])


@each_kind
@bounded(50)
@given(data=st.data())
def test_foreign_items_stay_in_place(kind: str, data: st.DataObject) -> None:
    record, other = data.draw(records(kind)), data.draw(records(kind))
    parts = put(record)
    names = [name for name, value in parts[""].items() if isinstance(value, list) and isinstance(value[0], dict)]
    names = [name for name in names if name not in ALONE]
    assume(names)
    name = data.draw(st.sampled_from(names))
    foreign = {"extension": [{"url": MARK, "valueString": "stays"}]}
    rows = parts[""][name]
    rows.insert(data.draw(st.integers(0, len(rows))), foreign)
    assert_same(get(kind, parts, record["id"]), record)
    edited = data.draw(edits(record, other))
    written = put(edited, parts)
    assert_same(get(kind, written, record["id"]), edited)
    if written[""]["resourceType"] == parts[""]["resourceType"]:
        assert [item for item in written[""].get(name, []) if item == foreign] == [foreign]


@each_kind
@bounded(40)
@given(data=st.data())
def test_no_shape_breaks_a_conversion(kind: str, data: st.DataObject) -> None:
    bundle = MAPPER.to_fhir([data.draw(records(kind))]).tree
    if data.draw(st.booleans()):
        bundle = bundle["entry"][0]["resource"]
    broken = data.draw(damaged(bundle))
    read = MAPPER.from_fhir(broken)
    assert_same(MAPPER.to_fhir(read.records, read.remainder).tree, broken)


@each_kind
def test_the_strategies_draw_what_the_schema_accepts(kind: str) -> None:
    from adapter.records import check

    @bounded(40)
    @given(records(kind))
    def law(record: Tree) -> None:
        assert check(record) == []

    law()
