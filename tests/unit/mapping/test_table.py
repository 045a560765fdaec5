"""The rules of a pack as rows: what lint, explain, coverage and the sheets read."""

from __future__ import annotations

from adapter.mapping import Mapper, Row, load, table
from adapter.mapping.table import rows_of
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
