"""What is kept of a pack's files comes back as it was: every value, every line and column, groups that files share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapter import mapping, packs
from adapter.mapping import kept
from adapter.mapping.expanding import expanded
from adapter.mapping.source import Faults, Mapping, Sequence
from adapter.records import KINDS, json_schema

GROUPS = "groups:\n  note:\n    - {record: text, fhir: text}\n    - {record: time, fhir: time, only: R5}\n"
GOAL = """map: goal
record: goal
resource: Goal
match: {a: b}
groups:
  own:
    - {record: text, fhir: text}
rules:
  - {set: [{coding: [{code: x, display: é}]}], fhir: category}
  - {derive: narrative, fhir: text, names: [text, notes]}
  - record: notes
    fhir: note
    items: note
"""
TEXTS: dict[str, tuple[str, str | bytes]] = {
    "groups": ("p/maps/groups.yaml", GROUPS),
    "goal": ("p/maps/goal.yaml", GOAL),
    "plan": ("p/maps/plan.yaml", GOAL.replace("goal", "plan").encode()),
}


@pytest.fixture(autouse=True)
def _a_cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("CAREPLAN_CACHE", raising=False)


def entries(folder: Path) -> list[Path]:
    return sorted((folder / "careplan-adapter").glob("*.json"))


def shown(node: Any) -> Any:
    """A node with all that it says of its place."""
    if isinstance(node, Mapping):
        return ("object", node.line, node.column, node.file, node.lines, {key: shown(row) for key, row in node.items()})
    if isinstance(node, Sequence):
        return ("list", node.line, node.column, node.spots, [shown(row) for row in node])
    return {key: shown(row) for key, row in node.items()} if isinstance(node, dict) else node


def all_of(files: Any) -> Any:
    return {name: (file, shown(tree)) for name, (file, tree) in files.items()}


@pytest.mark.parametrize("release", ["R4", "R5"])
def test_what_was_told_out_comes_back_with_every_place(release: str, tmp_path: Path) -> None:
    fresh = expanded(TEXTS, release, Faults())
    first = kept.told(TEXTS, release, Faults())
    assert len(entries(tmp_path)) == 1
    again = kept.told(TEXTS, release, Faults())
    assert len(entries(tmp_path)) == 1
    assert all_of(again) == all_of(first) == all_of(fresh)
    assert list(again) == ["goal", "plan"]
    assert set(again["goal"][1]["groups"]) == {"note", "own"}


def test_a_group_that_files_share_is_one(tmp_path: Path) -> None:
    kept.told(TEXTS, "R4", Faults())
    again = kept.told(TEXTS, "R4", Faults())
    assert again["goal"][1]["groups"]["note"] is again["plan"][1]["groups"]["note"]
    raw = entries(tmp_path)[0].read_bytes()
    groups, rows = json.loads(raw[raw.index(b"[[") :])
    assert len(groups) == 3  # the shared one, and the own of each
    assert [sorted(row[2]) for row in rows.values()] == [["note", "own"]] * 2
    assert ["groups" in row[1][4] for row in rows.values()] == [False, False]


def test_other_texts_names_files_or_releases_are_something_else(tmp_path: Path) -> None:
    file, text = TEXTS["goal"]
    for texts, release in (
        (TEXTS, "R4"),
        (TEXTS, "R5"),
        ({**TEXTS, "goal": (file, str(text) + "\n")}, "R4"),
        ({**TEXTS, "goal": ("q/maps/goal.yaml", text)}, "R4"),
        ({"goal": TEXTS["goal"]}, "R4"),
    ):
        before = len(entries(tmp_path))
        kept.told(texts, release, Faults())
        assert len(entries(tmp_path)) == before + 1
    kept.told({**TEXTS, "plan": (TEXTS["plan"][0], TEXTS["plan"][1].decode())}, "R4", Faults())  # type: ignore[union-attr]
    assert len(entries(tmp_path)) == 5


def test_what_has_a_fault_is_told_each_time_and_not_kept(tmp_path: Path) -> None:
    texts = {"goal": ("p/maps/goal.yaml", GOAL + "  - {record: a, fhir: b, only: R6}\n")}
    for _ in range(2):
        faults = Faults()
        kept.told(texts, "R4", faults)
        assert [row.id for row in faults] == ["release-unknown"]
    assert entries(tmp_path) == []
    before = Faults()
    before.add("other", None, "x", "a fault of before")
    kept.told(TEXTS, "R4", before)
    assert len(entries(tmp_path)) == 1


def test_a_file_name_that_is_no_unicode_is_a_name(tmp_path: Path) -> None:
    texts = {"\udcff": ("p/\udcff.yaml", GOAL)}
    first = kept.told(texts, "R4", Faults())
    assert len(entries(tmp_path)) == 1
    assert all_of(kept.told(texts, "R4", Faults())) == all_of(first)


@pytest.mark.parametrize("pack", ["intake-flat", "intake-eav", "ecare"])
def test_the_files_of_a_pack_come_back_as_they_are(pack: str) -> None:
    texts = mapping.texts_of(packs.load(pack), Faults())
    fresh = expanded(texts, "R4", Faults())
    assert all_of(kept.told(texts, "R4", Faults())) == all_of(kept.told(texts, "R4", Faults())) == all_of(fresh)


def test_the_pairs_of_added_fields_come_back_with_their_place() -> None:
    head = "name: p\nversion: 1.0.0\nextra:\n  goal:\n    ward: {type: string, text: The ward.}\n"
    texts = {**TEXTS, "pack.yaml": ("p/pack.yaml", head)}
    fresh = expanded(texts, "R4", Faults())
    assert fresh["goal"][1]["rules"][-1]["record"] == "extra.p.ward"
    assert all_of(kept.told(texts, "R4", Faults())) == all_of(kept.told(texts, "R4", Faults())) == all_of(fresh)


def test_the_schemas_of_our_kinds_are_kept(tmp_path: Path) -> None:
    kept.schemas.cache_clear()
    first = kept.schemas()
    assert first == {kind: json_schema(kind) for kind in KINDS}
    assert len(entries(tmp_path)) == 1
    kept.schemas.cache_clear()
    assert kept.schemas() == first
    assert len(entries(tmp_path)) == 1
