"""Published packages: what they add, and those that are refused by name."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path
from time import process_time
from typing import Any

import pytest

from adapter.errors import UsageError
from adapter.issues import Issue
from adapter.validation import Validator
from tests.unit.validation.test_profiles import PATIENT, PROFILE, Tree, profile


def archive(path: Path, files: dict[str, Any]) -> Path:
    with tarfile.open(path, "w:gz") as made:
        for name, tree in files.items():
            data = json.dumps(tree).encode() if not isinstance(tree, bytes) else tree
            info = tarfile.TarInfo(name)
            info.size = len(data)
            made.addfile(info, io.BytesIO(data))
    return path


def test_a_package_adds_profiles_and_questionnaires(tmp_path: Path) -> None:
    form = {
        "resourceType": "Questionnaire",
        "url": "http://q",
        "item": [{"linkId": "a", "type": "string", "required": True}],
    }
    path = archive(
        tmp_path / "p.tgz",
        {
            "package/StructureDefinition-a.json": profile({"id": "Patient.birthDate", "min": 1}),
            "package/Questionnaire-q.json": form,
            "package/package.json": {"name": "x"},
        },
    )
    validator = Validator(packages=[path])
    tree = {"resourceType": "Patient", "meta": {"profile": [PROFILE]}}
    assert "profile-min" in [issue.message_id for issue in validator.validate(tree)]
    response = {"resourceType": "QuestionnaireResponse", "questionnaire": "http://q", "status": "completed"}
    assert "response-required" in [issue.message_id for issue in validator.validate(response)]


@pytest.mark.parametrize(
    "files",
    [
        {"package/StructureDefinition-a.json": b"{"},
        {"../StructureDefinition-a.json": {}},
        {
            "package/StructureDefinition-a.json": {
                "resourceType": "StructureDefinition",
                "url": "http://u",
                "type": "Patient",
                "derivation": "constraint",
            }
        },
        {"package/ValueSet-a.json": {"resourceType": "ValueSet", "url": "http://u", "compose": [1]}},
    ],
)
def test_packages_that_are_none_are_refused_by_name(tmp_path: Path, files: dict[str, Any]) -> None:
    path = archive(tmp_path / "bad.tgz", files)
    with pytest.raises(UsageError, match=r"bad\.tgz|http://u"):
        Validator(packages=[path])


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.tgz"
    path.write_bytes(b"nothing")
    with pytest.raises(UsageError, match=r"bad\.tgz"):
        Validator(packages=[path])


def test_a_package_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapter.definitions.archives.LARGEST", 1000)
    path = archive(tmp_path / "bomb.tgz", {"package/other.json": b" " * 2000})
    with pytest.raises(UsageError, match="too large"):
        Validator(packages=[path])


def test_a_bomb_whose_header_lies_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.tgz"
    info = tarfile.TarInfo("package/StructureDefinition-a.json")
    info.size = 8 << 30
    with gzip.open(path, "wb", compresslevel=1) as bomb:
        bomb.write(info.tobuf())
        for _ in range(450):
            bomb.write(bytes(1 << 20))
    with pytest.raises(UsageError, match=r"bomb\.tgz"):
        Validator(packages=[path])


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "link.tgz"
    with tarfile.open(path, "w:gz") as made:
        info = tarfile.TarInfo("package/StructureDefinition-a.json")
        info.type, info.linkname = kind, "/etc/passwd"
        made.addfile(info)
    with pytest.raises(UsageError, match=r"link\.tgz"):
        Validator(packages=[path])


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapter.definitions.archives.MOST", 10)
    path = archive(tmp_path / "many.tgz", {f"package/{index}.json": {} for index in range(12)})
    with pytest.raises(UsageError, match=r"many\.tgz"):
        Validator(packages=[path])


def value_set(name: str, *others: str) -> Tree:
    include = [{"valueSet": [f"http://example.org/vs/{other}"]} for other in others]
    return {"resourceType": "ValueSet", "url": f"http://example.org/vs/{name}", "compose": {"include": include}}


@pytest.mark.parametrize(
    "rows",
    [
        [value_set("a", "a")],
        [value_set("a", "b"), value_set("b", "c"), value_set("c", "a")],
        [profile({"id": "Patient.name", "min": 1}, base=PROFILE)],
        [profile({"id": "Patient.name", "min": 1}, base="http://example.org/absent")],
    ],
    ids=["value set of itself", "ring of value sets", "profile of itself", "profile of an absent one"],
)
def test_definitions_without_ground_are_refused_by_name(rows: list[Tree]) -> None:
    with pytest.raises(UsageError, match=r"http://example\.org/"):
        Validator().with_resources(rows)


def test_a_long_chain_of_value_sets_is_no_ring() -> None:
    chain = [value_set(str(index), str(index + 1)) for index in range(150)]
    Validator().with_resources([*chain, value_set("150")])


def test_a_chain_that_is_too_long_is_refused_by_name() -> None:
    chain = [value_set(str(index), str(index + 1)) for index in range(5000)]
    with pytest.raises(UsageError, match=r"http://example\.org/vs/"):
        Validator().with_resources(chain)


def said(validator: Validator, tree: Tree) -> list[Issue]:
    return validator.validate({**tree, "meta": {"profile": [PROFILE]}})


@pytest.mark.parametrize(
    "expression",
    [
        "nonsense(",
        "no.such.element.exists()",
        "aggregate($this + $total, 0) > 1",
        "name.repeat('a' & $this.toString()).exists()",
        "descendants()" + ".select(%resource.descendants())" * 20 + ".exists()",
        "(" * 500 + "true" + ")" * 500,
    ],
)
def test_an_invariant_that_cannot_be_checked_is_named_by_its_key(expression: str) -> None:
    rule = {"key": "pat-x", "severity": "error", "expression": expression, "human": "x"}
    validator = Validator().with_resources([profile({"id": "Patient", "constraint": [rule]})])
    start = process_time()
    [issue] = [each for each in said(validator, PATIENT) if each.code == "not-supported"]
    assert issue.severity == "information"
    assert "pat-x" in issue.text
    assert process_time() - start < 10


def test_a_filter_looks_into_the_hierarchy_of_a_published_code_system() -> None:
    system = "http://terminology.hl7.org/CodeSystem/goal-achievement"
    below = {
        "resourceType": "ValueSet",
        "url": "http://example.org/vs/in-progress",
        "compose": {
            "include": [
                {"system": system, "filter": [{"property": "concept", "op": "is-a", "value": "in-progress"}]},
            ]
        },
    }
    rows = [
        {
            **profile({"id": "Goal.achievementStatus", "binding": {"strength": "required", "valueSet": below["url"]}}),
            "type": "Goal",
            "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Goal",
        },
        below,
    ]
    validator = Validator().with_resources(rows)

    def codes(code: str) -> list[str]:
        tree = {"resourceType": "Goal", "achievementStatus": {"coding": [{"system": system, "code": code}]}}
        return [each.message_id for each in said(validator, tree) if each.message_id.startswith("binding")]

    assert codes("improving") == []
    assert codes("in-progress") == []
    assert codes("achieved") == ["binding-required"]


def test_a_profile_of_a_profile_that_is_not_at_hand_is_taken_from_its_snapshot() -> None:
    row = profile({"id": "Patient.name", "min": 1}, base="http://example.org/absent")
    elements = [
        {"id": "Patient", "path": "Patient", "min": 0, "max": "*", "base": {"path": "Patient", "min": 0, "max": "*"}},
        {
            "id": "Patient.birthDate",
            "path": "Patient.birthDate",
            "min": 1,
            "max": "1",
            "base": {"path": "Patient.birthDate"},
        },
        {"id": "Patient.gender", "path": "Patient.gender", "min": 0, "max": "1", "base": {"path": "Patient.gender"}},
    ]
    validator = Validator().with_resources([{**row, "snapshot": {"element": elements}}])
    found = [each.text for each in said(validator, PATIENT) if each.is_error]
    assert len(found) == 1
    assert "birthDate" in found[0]


def test_the_order_of_packages_does_not_matter(tmp_path: Path) -> None:
    base = profile({"id": "Patient.birthDate", "min": 1}, url="http://example.org/base")
    one = archive(tmp_path / "one.tgz", {"package/StructureDefinition-a.json": profile(base="http://example.org/base")})
    two = archive(tmp_path / "two.tgz", {"package/other-name.json": base})
    for packages in ([one, two], [two, one]):
        assert "profile-min" in [each.message_id for each in said(Validator(packages=packages), PATIENT)]
