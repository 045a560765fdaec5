from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapter.errors import PackError
from adapter.packs import available, load, root

HEAD = "name: site\nversion: 1.0.0\n"


def pack(folder: Path, head: str = HEAD, name: str = "site") -> Path:
    place = folder / name
    place.mkdir(parents=True)
    (place / "pack.yaml").write_text(head, "utf-8")
    return place


def resource(place: Path, folder: str, name: str, **tree: object) -> None:
    (place / folder).mkdir(exist_ok=True)
    (place / folder / f"{name}.json").write_text(json.dumps(tree), "utf-8")


def faults(place: Path) -> list[str]:
    with pytest.raises(PackError) as caught:
        load(str(place))
    assert caught.value.exit_code == 2
    return [str(fault) for fault in caught.value.faults]


def test_the_core_pack_is_there() -> None:
    core = load("core")
    assert "core" in available()
    assert (core.name, core.folder.name) == ("core", "core")
    assert core.fhir_versions == ("4.0.1", "4.3.0", "5.0.0")
    assert core.extends == ()
    assert core.examples == core.folder.parent.parent / "fixtures"
    assert core.maps["plan"] == core.folder / "maps" / "plan.yaml"
    assert load(root() / "core") is core


def test_a_pack_by_path(tmp_path: Path) -> None:
    place = pack(tmp_path, HEAD + "title: A site\nfhir: [4.0.1, 4.3.0]\nprefixes: {x: 'https://x.test/y'}\n")
    resource(place, "questionnaires", "q", resourceType="Questionnaire", url="https://x.test/q", version="2")
    resource(place, "codesystems", "c", resourceType="CodeSystem", url="https://x.test/c")
    found = load(str(place))
    assert (found.name, found.version, found.title) == ("site", "1.0.0", "A site")
    assert found.fhir_versions == ("4.0.1", "4.3.0")
    assert found.prefixes == {"x": "https://x.test/y"}
    assert list(found.questionnaires) == ["https://x.test/q|2"]
    assert list(found.code_systems) == ["c"]


def test_the_smallest_pack_is_r4(tmp_path: Path) -> None:
    assert load(str(pack(tmp_path))).fhir_versions == ("4.0.1",)


def test_an_unknown_pack_names_the_known(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="one of: core"):
        load(str(tmp_path / "nothing"))
    with pytest.raises(PackError, match="no pack nothing"):
        load("nothing")


def test_a_folder_in_the_way_does_not_hide_a_shipped_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack(tmp_path, HEAD, "core")
    monkeypatch.chdir(tmp_path)
    assert load("core").name == "core"
    assert load("./core").name == "site"


def test_what_a_pack_extends_is_put_in_under_its_own(tmp_path: Path) -> None:
    base = pack(tmp_path, "name: base\nversion: 1.0.0\nprefixes: {a: 'urn:a', b: 'urn:b'}\n", "base")
    resource(base, "codesystems", "one", resourceType="CodeSystem", url="urn:base-one")
    resource(base, "codesystems", "two", resourceType="CodeSystem", url="urn:base-two")
    middle = pack(tmp_path, "name: middle\nversion: 1.0.0\nextends: base\n", "middle")
    site = pack(tmp_path, HEAD + "extends: middle\nprefixes: {b: 'urn:mine'}\n")
    resource(site, "codesystems", "two", resourceType="CodeSystem", url="urn:site-two")
    found = load(str(site))
    assert found.name == "site"
    assert found.extends == ("middle", "base")
    assert found.prefixes == {"a": "urn:a", "b": "urn:mine"}
    assert {name: tree["url"] for name, tree in found.code_systems.items()} == {
        "one": "urn:base-one",
        "two": "urn:site-two",
    }
    assert load(str(middle)).code_systems["two"]["url"] == "urn:base-two"


def test_a_pack_may_extend_a_shipped_one(tmp_path: Path) -> None:
    found = load(str(pack(tmp_path, HEAD + "extends: core\n")))
    assert found.maps == load("core").maps


def test_a_loop_is_refused_by_name(tmp_path: Path) -> None:
    pack(tmp_path, "name: one\nversion: 1.0.0\nextends: two\n", "one")
    pack(tmp_path, "name: two\nversion: 1.0.0\nextends: one\n", "two")
    with pytest.raises(PackError, match="one → two → one"):
        load(str(tmp_path / "one"))


def test_every_scalar_is_text(tmp_path: Path) -> None:
    assert load(str(pack(tmp_path, "name: 'no'\nversion: 1.0.0\ntitle: 012\n"))).title == "012"


@pytest.mark.parametrize(
    ("head", "fault"),
    [
        (HEAD + "colour: red\n", "site/pack.yaml:3:1: unknown key colour"),
        (HEAD + "name: again\n", "site/pack.yaml:3:1: the key name stands here twice"),
        ("name: Site\nversion: 1.0.0\n", "site/pack.yaml:1:7: expected name"),
        ("name: site\nversion: one\n", "site/pack.yaml:2:10: expected version"),
        ("name: site\n", "site/pack.yaml:1:1: expected version"),
        ("name: [site]\nversion: 1.0.0\n", "site/pack.yaml:1:7: expected text for name"),
        (HEAD + "fhir: 3.0.2\n", "site/pack.yaml:3:7: expected FHIR versions"),
        (HEAD + "fhir: {a: b}\n", "site/pack.yaml:3:7: expected FHIR versions"),
        (HEAD + "fhir: [[4.0.1]]\n", "site/pack.yaml:3:8: expected FHIR versions"),
        (HEAD + "prefixes: x\n", "site/pack.yaml:3:11: expected prefixes"),
        (HEAD + "prefixes: {X: 'urn:x'}\n", "site/pack.yaml:3:12: expected a prefix"),
        (HEAD + "prefixes: {x: y}\n", "site/pack.yaml:3:15: expected a URL"),
        (HEAD + "? [a]\n: b\n", "site/pack.yaml:3:3: expected a key"),
        ("- a\n", "site/pack.yaml:1:1: expected an object"),
        ("", "site/pack.yaml:1:1: expected an object"),
        ("name: [\n", "site/pack.yaml:2:1: not YAML"),
        ("name: \x07\n", "site/pack.yaml:1:1: not YAML"),
        (HEAD + "title: !!python/object:os.system x\n", "site/pack.yaml:3:8: the tag"),
        ("name: &a site\nversion: 1.0.0\n", "site/pack.yaml:1:7: anchors"),
        (HEAD + "title: &a x\nextends: *a\n", "site/pack.yaml:4:10: anchors"),
        (HEAD + "title: " + "[" * 70 + "]" * 70, "site/pack.yaml:3:67: nests deeper"),
        (HEAD + "title: " + "x" * 1_100_000, "site/pack.yaml:1:1: larger than"),
    ],
)
def test_each_fault_is_told_at_its_place(tmp_path: Path, head: str, fault: str) -> None:
    assert any(row.startswith(fault) for row in faults(pack(tmp_path, head)))


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    place = pack(tmp_path)
    (place / "pack.yaml").write_bytes(b"name: \xff\n")
    assert faults(place) == ["site/pack.yaml:1:1: not UTF-8"]


def test_all_faults_of_all_files_come_at_once(tmp_path: Path) -> None:
    place = pack(tmp_path, "name: Site\nversion: x\n")
    resource(place, "conceptmaps", "wrong", resourceType="CodeSystem", url="urn:x")
    resource(place, "valuesets", "nameless", resourceType="ValueSet")
    resource(place, "questionnaires", "unversioned", resourceType="Questionnaire", url="urn:q")
    resource(place, "codesystems", "one", resourceType="CodeSystem", url="urn:c")
    resource(place, "codesystems", "two", resourceType="CodeSystem", url="urn:c")
    (place / "codesystems" / "broken.json").write_text('{"a": 1,\n "a": }', "utf-8")
    assert [row.split(": ")[0] for row in faults(place)] == [
        "site/pack.yaml:1:7",
        "site/pack.yaml:2:10",
        "site/conceptmaps/wrong.json:1:1",
        "site/codesystems/broken.json:2:7",
        "site/codesystems/two.json:1:1",
        "site/valuesets/nameless.json:1:1",
        "site/questionnaires/unversioned.json:1:1",
    ]


def test_a_pack_is_read_once_unless_somebody_asks_for_it_fresh(tmp_path: Path) -> None:
    place = pack(tmp_path)
    assert load(str(place)).title == ""
    (place / "pack.yaml").write_text(HEAD + "title: New\n", "utf-8")
    assert load(str(place)).title == ""
    assert load(str(place), fresh=True).title == "New"
