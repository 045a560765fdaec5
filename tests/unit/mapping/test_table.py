"""The rules of a pack as rows: what lint, explain, coverage and the sheets read."""

from __future__ import annotations

from adapter.mapping import Mapper, Row, load, table
from adapter.mapping.source import Faults
from adapter.mapping.table import _form, rows_of
from adapter.packs import load as load_pack

ROWS = table(load_pack("core"))


def one(map_: str, record: str) -> Row:
    (row,) = [row for row in ROWS if row.map == map_ and row.record == record and row.keyword != "derive"]
    return row


def sources(mapper: Mapper) -> set[str]:
    found: set[str] = set()
    seen: set[int] = set()

    def walk(rules: object) -> None:
        for rule in rules if isinstance(rules, list) else []:
            # The pairs of an object stand at one place of the file; a group may hold itself.
            if id(rule) in seen:
                continue
            seen.add(id(rule))
            found.add(rule.source)
            walk(getattr(rule, "rules", None))
            walk(getattr(getattr(rule, "inline", None), "rules", None))
            walk(getattr(rule, "beside", None))

    for map_ in mapper.maps.values():
        walk(map_.rules)
    return found


def test_every_compiled_rule_has_its_row() -> None:
    assert sources(load("core")) == {row.source for row in ROWS}


def test_paths_are_told_from_the_top() -> None:
    row = one("goal", "target[].due")
    assert (row.fhir, row.kind, row.type_, row.keyword) == ("Goal.target.dueDate", "goal", "Goal", "copy")
    detail = one("plan", "interventions[].activity")
    assert (detail.fhir, detail.code_map, detail.keyword) == ("CarePlan.activity.detail.code", "activities", "concept")


def test_a_part_begins_at_the_list_that_it_is_an_item_of() -> None:
    assert one("score", "instruments[].total").fhir == "Observation.valueInteger"


def test_a_selector_stays_beside_the_elements() -> None:
    row = one("intake", "substances[].age_first_use")
    assert row.fhir == "QuestionnaireResponse.item.item.answer.valueInteger"
    assert row.selector.endswith("item[linkId=substances.age-first-use].answer[!].valueInteger")


def test_what_goes_one_way_says_why() -> None:
    assert one("score", "instruments[].name").reason == "the instrument is known by its answers"
    assert [row.reason for row in ROWS if row.fhir == "Goal.meta.profile"] == [
        "a constant, written when the element is made"
    ]


def test_a_group_that_holds_itself_is_told_once() -> None:
    text = "map: x\nrecord: form\nresource: Questionnaire\ngroups:\n  item:\n    - {record: linkId, fhir: linkId}\n    - {record: items, fhir: item, items: item}\nrules:\n  - {record: items, fhir: item, items: item}\n"
    rows = rows_of({"x": ("p/maps/x.yaml", text)}, {}, [])
    assert [(row.record, row.fhir, row.line) for row in rows] == [
        ("items", "Questionnaire.item", 9),
        ("items[].linkId", "Questionnaire.item.linkId", 6),
        ("items[].items", "Questionnaire.item.item", 7),
    ]


TEXT = """map: m
record: plan
resource: CarePlan
groups:
  g: [{record: deep, fhir: d, items: g}]
rules:
  - {set: x, fhir: status}
  - {derive: narrative, fhir: text, names: [a, b]}
  - {derive: owner, fhir: basedOn, names: [Goal]}
  - {derive: reference, fhir: subject, names: [n]}
  - {companion: n, fhir: 'extension[url=$x/s].valueReference', names: [total]}
  - {template: 'u/{a}[|{b}]', fhir: instantiatesUri}
  - {inherit: patient, fhir: subject, link: Patient}
  - {record: a, fhir: code, concept: codes, also: more, words: word}
  - {record: a, fhir: code, concept: none}
  - {record: a, fhir: code, called: name, link: Goal, one_way: a test}
  - {record: a, fhir: '[', values: odd, choice: [odd]}
  - {record: list, fhir: goal, parts: [n], held: flag, inline: [{record: i, fhir: j}], beside: [{record: k, fhir: l}, odd]}
  - {record: list, fhir: note, items: [{record: i, fhir: j}]}
  - {record: list, fhir: note, items: g}
  - {record: a, either: [{fhir: x, choice: codes}, {fhir: y}, odd]}
  - odd
"""
PART = "map: n\nrecord: plan\nresource: Goal\nat: list.inner\nrules:\n  - {record: t, fhir: /activity, items: [{record: u, fhir: v}]}\n"


def rows_by_hand() -> list[Row]:
    return rows_of({"n": ("p/n.yaml", PART), "m": ("p/m.yaml", TEXT)}, {"x": "urn:x"}, Faults())


def test_each_pair_is_a_row_with_all_that_it_says() -> None:
    rows = rows_by_hand()
    assert [(row.map, row.line, row.keyword, row.records, row.fhir) for row in rows] == [
        ("n", 6, "items", ("list[].inner[].t",), "CarePlan.activity"),
        ("n", 6, "copy", ("list[].inner[].t[].u",), "CarePlan.activity.v"),
        ("m", 7, "set", (), "CarePlan.status"),
        ("m", 8, "derive", ("a", "b"), "CarePlan.text"),
        ("m", 9, "derive", (), "CarePlan.basedOn"),
        ("m", 10, "derive", (), "CarePlan.subject"),
        ("m", 11, "companion", ("total",), "CarePlan.extension.valueReference"),
        ("m", 12, "template", ("a", "b"), "CarePlan.instantiatesUri"),
        ("m", 13, "inherit", ("patient",), "CarePlan.subject"),
        ("m", 14, "concept", ("a", "more", "word"), "CarePlan.code"),
        ("m", 15, "concept", ("a",), "CarePlan.code"),
        ("m", 16, "link", ("a", "name"), "CarePlan.code"),
        ("m", 17, "copy", ("a",), "CarePlan.["),
        ("m", 18, "parts", ("list", "list[].flag"), "CarePlan.goal"),
        ("m", 18, "copy", ("list[].i",), "CarePlan.goal.j"),
        ("m", 18, "copy", ("list[].k",), "CarePlan.goal.l"),
        ("m", 19, "items", ("list",), "CarePlan.note"),
        ("m", 19, "copy", ("list[].i",), "CarePlan.note.j"),
        ("m", 20, "items", ("list",), "CarePlan.note"),
        ("m", 5, "items", ("list[].deep",), "CarePlan.note.d"),
        ("m", 21, "choice", ("a",), "CarePlan.x"),
        ("m", 21, "copy", ("a",), "CarePlan.y"),
    ]
    said = {row.line: row for row in rows if row.map == "m"}
    assert said[11].selector == "CarePlan.extension[url=$x/s].valueReference"
    assert [row.code_map for row in rows if row.code_map] == ["codes", "codes"]
    assert [(row.line, row.reason) for row in rows if row.reason] == [
        (7, "a constant, written when the element is made"),
        (8, "made from the record: narrative"),
        (9, "made from the record: owner"),
        (10, "made from the record: reference"),
        (16, "a test"),
    ]
    assert said[17].keys == {"record": "a", "fhir": "["}
    assert said[14].keys is not None
    assert [row.line for row in rows if row.structural] == [6, 11, 18, 19, 20, 5]
    assert (said[7].record, said[14].record, said[7].source) == ("", "a", "p/m.yaml:7:5")
    assert rows[1].above == "list[].inner[].t[]."
    assert {(row.kind, row.file) for row in rows} == {("plan", "p/n.yaml"), ("plan", "p/m.yaml")}


def test_a_file_whose_keys_are_odd_has_no_rows() -> None:
    assert rows_of({"m": ("p/m.yaml", TEXT.replace("resource: CarePlan", "resource: [x]"))}, {}, Faults()) == []


def test_an_array_of_the_main_resource_is_told_of_it_whatever_the_order_of_files() -> None:
    part = (
        'map: part\nrecord: plan\nresource: Goal\nat: list\nrules:\n  - {record: a, fhir: "/goal"}\n  - {record: b}\n'
    )
    texts = {
        "plan": ("p/plan.yaml", "map: plan\nrecord: plan\nresource: CarePlan\nrules: []\n"),
        "z": ("p/z.yaml", part),
    }
    found = rows_of(texts, {}, Faults())
    assert [(row.record, row.fhir, row.selector, row.type_) for row in found] == [
        ("list[].a", "CarePlan.goal", "CarePlan.goal", "CarePlan"),
        ("list[].b", "Goal.", "Goal.", "Goal"),
    ]


def row(*records: str) -> Row:
    return Row("m", "plan", "CarePlan", "p/m.yaml", 1, 1, "copy", records, "CarePlan.a", "CarePlan.a")


def test_which_fields_a_row_is_for() -> None:
    _form.cache_clear()
    wide = row("sub#_*[].name", "rows[name=age].value", "plain")
    taken = ["sub12_name", "rows[].value", "plain", "rows[name=age].value"]
    assert [field for field in (*taken, "sub_name", "sub1_age", "rows[].name", "plain2") if wide.takes(field)] == taken
    assert not row().takes("plain")
    columns = row("sub#_*")
    assert [name for name in ("sub1_age", "sub12_days-used", "sub_age", "sub1_", "sub1") if columns.takes(name)] == [
        "sub1_age",
        "sub12_days-used",
    ]
    deep = row("visits[].rows[k=v].value")
    assert [
        names
        for names in (("visits",), ("visits", "rows"), ("visits", "rows", "value"), ("visi",), ("rows",))
        if deep.around(names)
    ] == [
        ("visits",),
        ("visits", "rows"),
        ("visits", "rows", "value"),
    ]
