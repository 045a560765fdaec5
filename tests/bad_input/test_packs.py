"""Bad packs: a sentence with file and line by every door, never a traceback, and nothing half-loaded."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from adapter import mapping, packs
from adapter.cli import main
from adapter.errors import PackError
from adapter.fhir_json import loads
from adapter.mapping.keywords import KEYWORDS
from adapter.packs import root
from adapter.services.lint import lint
from tests.bad_input.rows import raw
from tests.laws.foreign import JUNK, spots
from tests.laws.test_core_laws import TIMES

HEAD = "name: site\nversion: 1.0.0\n"
GOAL = "map: goal\nrecord: goal\nresource: Goal\nrules:\n"
RECORD = {"kind": "goal", "id": "0b5e7c1e-1111-4111-8111-000000000001", "lifecycle": "active"}
BOMB = "\n".join(["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)])


def careplan(*words: str | Path, given: bytes = b"") -> Result:
    done = CliRunner().invoke(main, [str(word) for word in words], input=given)
    assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
    return done


def made(folder: Path, files: dict[str, str | bytes]) -> Path:
    place = folder / "site"
    for name, content in {"pack.yaml": HEAD, **files}.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return place


def _link(place: Path) -> None:
    (place / "maps").mkdir()
    (place / "maps" / "goal.yaml").symlink_to(root() / "core" / "maps" / "goal.yaml")


def _folder(place: Path) -> None:
    (place / "maps" / "goal.yaml").mkdir(parents=True)


def _fifo(place: Path) -> None:
    (place / "maps").mkdir()
    os.mkfifo(place / "maps" / "goal.yaml")


def _fifo_map(place: Path) -> None:
    (place / "conceptmaps").mkdir()
    os.mkfifo(place / "conceptmaps" / "m.json")


def _huge(place: Path) -> None:
    (place / "maps").mkdir()
    with (place / "maps" / "goal.yaml").open("wb") as out:
        out.truncate(100 * 1024 * 1024)


def _huge_map(place: Path) -> None:
    (place / "conceptmaps").mkdir()
    with (place / "conceptmaps" / "m.json").open("wb") as out:
        out.truncate(100 * 1024 * 1024)


# what is wrong → (files, what else is done to the folder, what is said)
BAD: dict[str, tuple[dict[str, str | bytes], Callable[[Path], None] | None, str]] = {
    "head that is not YAML": ({"pack.yaml": "name: [\n"}, None, "site/pack.yaml:2:1: not YAML"),
    "head that is empty": ({"pack.yaml": ""}, None, "site/pack.yaml:1:1: expected an object"),
    "head of bytes": ({"pack.yaml": b"\x00\xff\xfe"}, None, "site/pack.yaml:1:1: not UTF-8"),
    "head with a bomb": ({"pack.yaml": BOMB}, None, "site/pack.yaml:1:5: anchors and aliases"),
    "head with a tag": ({"pack.yaml": HEAD + "title: !!python/object/apply:os.getcwd []\n"}, None, "site/pack.yaml:3:8: the tag"),
    "head of another version": ({"pack.yaml": HEAD + "fhir: 3.0.2\n"}, None, "site/pack.yaml:3:7: expected FHIR versions"),
    "head that extends a path": ({"pack.yaml": HEAD + "extends: ../../core\n"}, None, "site/pack.yaml:3:10: expected extends"),
    "head that extends nothing there": ({"pack.yaml": HEAD + "extends: nowhere\n"}, None, "There is no pack nowhere."),
    "head that extends itself": ({"pack.yaml": HEAD + "extends: site\n"}, None, "The pack site extends itself"),
    "map that is not YAML": ({"maps/goal.yaml": "map: {a\n"}, None, "site/maps/goal.yaml:2:1: not YAML"),
    "map of another encoding": ({"maps/goal.yaml": GOAL.encode("utf-16")}, None, "site/maps/goal.yaml:1:1: not UTF-8"),
    "map with a bomb": ({"maps/goal.yaml": BOMB}, None, "site/maps/goal.yaml:1:5: anchors and aliases"),
    "map with a tag": ({"maps/goal.yaml": "map: !!python/name:os.system x\n"}, None, "site/maps/goal.yaml:1:6: the tag"),
    "map that nests": ({"maps/goal.yaml": GOAL + "  " + "- " * 50_000 + "x"}, None, "nests deeper than 60 levels"),
    "map that is a list": ({"maps/goal.yaml": "- a\n"}, None, "site/maps/goal.yaml:1:1: expected an object"),
    "map of a function that is not there": ({"maps/goal.yaml": GOAL + "  - {derive: launch, fhir: text, names: [start]}\n"}, None, "site/maps/goal.yaml:5:6: unknown function launch"),
    "map of a date form that says a part twice": ({"maps/goal.yaml": GOAL + "  - {record: start, fhir: startDate, via: date YYYY/YYYY}\n"}, None, "site/maps/goal.yaml:5:38: expected a form"),
    "map that is a folder": ({}, _folder, "site/maps/goal.yaml:1:1: cannot be read"),
    "map that is a link out": ({}, _link, "site/maps/goal.yaml:1:1: leads out of the pack"),
    "map that is a pipe": ({}, _fifo, "site/maps/goal.yaml:1:1: cannot be read: it is not a file"),
    "ConceptMap that is a pipe": ({}, _fifo_map, "site/conceptmaps/m.json:1:1: cannot be read: it is not a file"),
    "map of 100 MB": ({}, _huge, "site/maps/goal.yaml:1:1: larger than"),
    "folder that is a file": ({"conceptmaps": "x"}, None, "site/conceptmaps:1:1: expected a folder"),
    "ConceptMap of 100 MB": ({}, _huge_map, "site/conceptmaps/m.json:1:1: larger than"),
    "ConceptMap that is not JSON": ({"conceptmaps/m.json": "{"}, None, "site/conceptmaps/m.json:1:2: Not JSON"),
    "ConceptMap that nests": ({"conceptmaps/m.json": "[" * 100_000}, None, "site/conceptmaps/m.json:1:1"),
    "ConceptMap of another type": ({"conceptmaps/m.json": '{"resourceType": "Goal"}'}, None, "expected one ConceptMap"),
    "ConceptMap of odd shapes": ({"conceptmaps/m.json": raw({"resourceType": "ConceptMap", "url": "x", "group": [{"element": {"code": "a"}}, 5]})}, None, "expected a list of objects for element"),
    "ConceptMap that leads to itself": ({"conceptmaps/m.json": raw({"resourceType": "ConceptMap", "url": "x", "group": [{"target": "/m"}]})}, None, "that never ends"),
    "ConceptMap that contradicts itself": ({"conceptmaps/m.json": raw({"resourceType": "ConceptMap", "url": "x", "group": [{"target": "t", "element": [{"code": "a", "target": [{"code": "1", "equivalence": "equal"}, {"equivalence": "unmatched"}]}]}]})}, None, "a has a target in t and is said to have none there"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_every_door_says_what_is_wrong(what: str, tmp_path: Path) -> None:
    files, change, said = BAD[what]
    place = made(tmp_path, files)
    if change is not None:
        change(place)
    with pytest.raises(PackError) as caught:
        mapping.load(str(place))
    assert said in str(caught.value)
    converted = careplan("convert", "to-fhir", "--pack", place, given=raw(RECORD))
    assert (converted.exit_code, converted.stdout) == (2, "")
    assert said in converted.stderr
    linted = careplan("pack", "lint", place)
    assert said.partition(": ")[2] in linted.stdout + linted.stderr
    assert linted.exit_code == (1 if linted.stdout else 2)


def test_a_pack_that_was_mended_is_read_again(tmp_path: Path) -> None:
    place = made(tmp_path, {"maps/goal.yaml": "map: [\n"})
    with pytest.raises(PackError):
        mapping.load(str(place))
    (place / "maps" / "goal.yaml").write_text(GOAL + "  - {record: lifecycle, fhir: lifecycleStatus}\n")
    made_resource = mapping.load(str(place)).to_fhir([RECORD]).tree["entry"][0]["resource"]
    assert made_resource["lifecycleStatus"] == "active"


def test_packs_that_extend_each_other(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pack.yaml").write_text(f"name: {name}\nversion: 1.0.0\nextends: {other}\n")
    with pytest.raises(PackError, match="The pack a extends itself: a → b → a"):
        packs.load(tmp_path / "a")


@pytest.mark.parametrize("name", ["..", ".", "", "../..", "/nowhere/at/all", "core/../nowhere", "core\x00", "a" * 5000])
def test_names_that_are_no_pack(name: str) -> None:
    done = careplan("pack", "lint", name)
    assert done.exit_code == 2
    assert done.stderr.startswith("careplan: ")


def test_a_path_with_dots_that_leads_to_a_pack(tmp_path: Path) -> None:
    place = made(tmp_path, {"maps/goal.yaml": GOAL})
    assert packs.load(str(place / "maps" / ".." / ".." / "site")) is packs.load(str(place))


def test_a_thousand_faults_are_told_at_once(tmp_path: Path) -> None:
    rules = "".join(f"  - {{record: nope{number}, fhir: startDate}}\n" for number in range(1000))
    place = made(tmp_path, {"maps/goal.yaml": GOAL + rules})
    done = careplan("convert", "to-fhir", "--pack", place, given=raw(RECORD))
    lines = [line for line in done.stderr.splitlines() if "the record has no nope" in line]
    assert len(lines) == 1000
    assert [int(line.split(":")[1]) for line in lines] == list(range(5, 1005))


def test_a_pack_for_one_version_is_not_used_for_another(tmp_path: Path) -> None:
    place = made(tmp_path, {"maps/goal.yaml": GOAL + "  - {record: lifecycle, fhir: lifecycleStatus}\n"})
    done = careplan("convert", "to-fhir", "--pack", place, "--fhir", "4.3.0", given=raw(RECORD))
    assert done.exit_code == 2
    assert "The pack site is for FHIR 4.0.1, not 4.3.0." in done.stderr


# What is not of the form of a keyword, and what nearly is.
ODD = (
    *JUNK,
    "a##",
    "#_*",
    "a[b=c",
    "a[!]",
    "$nowhere",
    "{a}{a}",
    "/goal",
    "date YYYY/YYYY",
    "scale NaN",
    "none",
    ["x"],
)
FILES = (
    "maps/goal.yaml",
    "maps/care_team.yaml",
    "maps/groups.yaml",
    "conceptmaps/roles.json",
    "codesystems/roles.json",
)
OTHERS = ("conceptmaps/goal-*.json", "structuredefinitions/code.json", "structuredefinitions/patient-words.json")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A part of core, small enough to be read many times."""
    core, place = root() / "core", tmp_path_factory.mktemp("packs") / "small"
    for pattern in (*FILES, *OTHERS, "pack.yaml"):
        for path in core.glob(pattern):
            target = place / path.relative_to(core)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    return place


@settings(
    max_examples=20 * TIMES,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_a_damaged_pack_is_told_and_never_breaks_lint(small: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([small / name for name in FILES if (small / name).exists()]))
    before = path.read_bytes()
    tree: Any = yaml.safe_load(before) if path.suffix == ".yaml" else loads(before)
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from(list(spots(tree)) or [(tree, "map")]))
        act = data.draw(st.sampled_from(["delete", "change", "add"] if isinstance(holder, dict) else ["change"]))
        if act == "delete":
            del holder[key]
        else:
            key = data.draw(st.sampled_from(list(KEYWORDS))) if act == "add" else key
            holder[key] = data.draw(st.sampled_from(ODD))
    text = yaml.safe_dump(tree, sort_keys=False) if path.suffix == ".yaml" else json.dumps(tree, default=str)
    path.write_text(text)
    try:
        found = lint(str(small))
        assert all(row.line >= 1 and row.column >= 1 and row.text for row in found)
        packs.load("core", fresh=True)
        mapping.load(str(small))
    except PackError as error:
        assert error.faults  # noqa: PT017 - either it loads, or it says why
    finally:
        path.write_bytes(before)
        packs.load("core", fresh=True)
