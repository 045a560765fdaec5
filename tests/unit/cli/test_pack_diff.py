"""careplan pack diff: what a new version changes, its class, and the step of the version that it needs."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main
from adapter.services.diff import bump
from tests.unit.cli.packing import HEAD, RULES, concept_map, goal, make, write

Tree = dict[str, Any]
Differ = Callable[..., Tree]


def careplan(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["pack", "diff", *map(str, words)])


@pytest.fixture
def differ(tmp_path: Path) -> Differ:
    one = make(tmp_path / "one" / "lakeside")
    numbers = count()

    def run(rules: str = RULES, version: str = "1.0.1", codes: Tree | None = None, data: Path | None = None) -> Tree:
        two = make(tmp_path / str(next(numbers)) / "lakeside", rules, HEAD.replace("1.0.0", version))
        if codes is not None:
            write(two / "conceptmaps" / "goal-priority.json", codes)
        done = careplan(one, two, "--json", *(["--data", data] if data else []))
        assert done.exit_code in (0, 1), done.stderr
        tree: Tree = json.loads(done.stdout)
        assert (tree["refused"] or tree["data"]["refused"] > 0) is (done.exit_code == 1)
        return tree

    return run


def test_the_same_is_the_same(differ: Differ) -> None:
    found = differ(version="1.0.0")
    assert (found["class"], found["changes"], found["refused"]) == ("same", [], False)
    assert found["data"]["documents"] == 2


def test_a_new_rule_is_compatible_and_a_patch_is_enough(differ: Differ) -> None:
    rules = f"{RULES}  - {{record: start, fhir: startDate}}\n"
    found = differ(rules)
    assert (found["class"], found["needed"], found["refused"]) == ("compatible", "patch", False)
    assert [(row["act"], row["text"]) for row in found["changes"]] == [("added", "goal.start ↔ Goal.startDate")]
    assert found["changes"][0]["rules"][0].startswith("lakeside/maps/goal.yaml:16")
    assert differ(rules, "1.0.0")["refused"]


def test_a_new_constant_needs_re_send(differ: Differ) -> None:
    rules = f"{RULES}  - {{set: [{{text: plan}}], fhir: category}}\n"
    found = differ(rules)
    assert (found["class"], found["needed"], found["refused"]) == ("re-send", "minor", True)
    assert found["data"]["sent_differently"] == 2
    assert found["data"]["read_differently"] == 0
    assert not differ(rules, "1.1.0")["refused"]


def test_a_rule_that_goes_or_moves_breaks_the_reverse(differ: Differ) -> None:
    moved = differ(RULES.replace("fhir: dueDate", "fhir: dueString"))
    assert [row["act"] for row in moved["changes"]] == ["re-pathed"]
    assert (moved["class"], moved["needed"], moved["refused"]) == ("breaks", "major", True)
    gone = differ(RULES.replace("      - {record: due, fhir: dueDate}\n", ""), "2.0.0")
    assert ([row["act"] for row in gone["changes"]], gone["refused"]) == (["removed"], False)
    place = {"document": "first", "way": "read", "place": "[0].target[0].due", "was": "2026-05-06", "is": None}
    assert place in gone["data"]["places"]


def test_a_way_that_closes_breaks_and_one_that_opens_does_not(differ: Differ) -> None:
    closed = RULES.replace("fhir: dueDate}", "fhir: dueDate, one_way: a test}")
    assert differ(closed)["class"] == "breaks"
    (row,) = differ(closed)["changes"]
    assert row["text"] == "goal.target[].due ↔ Goal.target.dueDate (one_way: none → a test)"


def test_codes(differ: Differ) -> None:
    more = concept_map()
    more["group"][0]["element"].append({"code": "none", "target": []})
    added = differ(codes=more)
    assert [(row["class"], row["text"]) for row in added["changes"]] == [("compatible", "goal-priority: none")]
    other = concept_map()
    other["group"][0]["element"][0]["target"][0]["code"] = "urgent"
    assert differ(codes=other)["class"] == "breaks"
    assert "high-priority (equivalent) → " in differ(codes=other)["changes"][0]["text"]
    both = concept_map()
    both["group"][0]["element"][0]["target"].insert(0, {"code": "urgent", "equivalence": "equivalent"})
    sent = differ(codes=both)
    assert [row["class"] for row in sent["changes"]] == ["re-send"]
    assert sent["class"] == "breaks", "the data shows more: what stood there comes back as a further code"
    less = concept_map()
    del less["group"][0]["element"][2]
    assert [row["act"] for row in differ(codes=less)["changes"]] == ["removed"]


def test_data_of_one_s_own(differ: Differ, tmp_path: Path) -> None:
    data = tmp_path / "export.ndjson"
    data.write_text(f"{json.dumps(goal(5))}\nno json\n{json.dumps(goal(6, target=[]))}\n")
    found = differ(RULES.replace("fhir: dueDate", "fhir: dueString"), "2.0.0", data=data)["data"]
    assert (found["documents"], found["refused"], found["sent_differently"]) == (3, 1, 1)


def test_for_people(tmp_path: Path) -> None:
    one = make(tmp_path / "one" / "lakeside")
    two = make(tmp_path / "two" / "lakeside", RULES.replace("fhir: dueDate", "fhir: dueString"))
    done = careplan(one, two)
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[0] == "lakeside@1.0.0 → lakeside@1.0.0: breaks"
    assert lines[1] == "breaks the reverse: what was sent is not read as it was"
    assert "is no step; the change needs a major one" in done.stderr


def test_packs_that_are_not_there(tmp_path: Path) -> None:
    assert careplan("core", tmp_path).exit_code == 2
    assert careplan("core").exit_code == 2


@pytest.mark.parametrize(
    ("old", "new", "step"),
    [
        ("1.0.0", "1.0.0", "none"), ("1.2.0", "1.1.9", "none"), ("1.0.0", "1.0.1", "patch"),
        ("1.0.9", "1.1.0", "minor"), ("1.9.9", "2.0.0", "major"), ("0.1.0", "0.2.0", "major"), ("0.1.0", "0.1.1", "minor"),
    ],
)  # fmt: skip
def test_steps_of_versions(old: str, new: str, step: str) -> None:
    assert bump(old, new) == step


def test_data_that_cannot_be_converted_is_said(tmp_path: Path) -> None:
    pack, data = make(tmp_path / "one" / "lakeside"), tmp_path / "data.ndjson"
    data.write_text('{"resourceType": "Goal"}\nno json\n')
    done = careplan(pack, pack, "--data", data)
    assert done.exit_code == 1
    assert "1 documents could not be converted and were not compared" in done.stderr
