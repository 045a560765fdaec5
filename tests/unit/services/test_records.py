"""Bringing records in with the remainder of what they were read from: the store then holds what came in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter.bootstrap import Services, fixtures
from adapter.fhir_json import copy, loads, same
from adapter.identity import IDENTIFIER_SYSTEM
from adapter.services.transaction import renamed

Tree = dict[str, Any]
IN = sorted(path for name in ("fhir.json", "fhir-in.json") for path in fixtures().glob(f"*/{name}"))
R4 = [path for path in IN if path.parent.name != "foreign-r5-plan"]


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """An empty store."""
    with Services(url=f"sqlite:///{tmp_path / 'store.db'}") as made:
        yield made


def brought_in(services: Services, tree: Any) -> Any:
    """What an import of all that `convert from-fhir` gives does."""
    read, _ = services.converter().from_fhir(tree)
    return services.take_in({"records": read["records"], "remainder": read["remainder"]}, origin="synthetic")


def resources_of(tree: Any) -> list[Tree]:
    """The resources of a Bundle, or the one that it is."""
    return [entry["resource"] for entry in tree["entry"]] if tree["resourceType"] == "Bundle" else [tree]


def held(services: Services) -> list[Tree]:
    """Every resource that the store holds."""
    store = services.store()
    return [row.tree for one in store.records() for row in store.parts(one["kind"], one["id"]).values()]


def bare(tree: Any) -> Any:
    """A tree without what a store puts beside: a server's stamps, our identifier and the type in a Reference."""
    if isinstance(tree, list):
        return [bare(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    ours = "reference" in tree and tree.get("identifier", {}).get("system") == IDENTIFIER_SYSTEM
    gone = {"type", "identifier"} if ours else {"versionId", "lastUpdated"}
    return {key: bare(value) for key, value in tree.items() if key not in gone}


def expected(tree: Any) -> list[Tree]:
    """What a store holds of an input: references by `fullUrl` lead to type and id."""
    names = {}
    for entry in tree.get("entry", []):
        resource = entry["resource"]
        if "fullUrl" in entry and "id" in resource:
            names[entry["fullUrl"]] = f"{resource['resourceType']}/{resource['id']}"
    return [renamed(resource, names) for resource in resources_of(tree)]


def _same(given: Tree, row: Tree) -> bool:
    if "id" in given:
        return same(bare(given), bare(row))
    # Without ids, what a Reference leads to has another name in the store.
    return same(bare(_nameless(given)), bare(_nameless({key: value for key, value in row.items() if key != "id"})))


def _nameless(tree: Any) -> Any:
    if isinstance(tree, list):
        return [_nameless(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    return {key: "" if key == "reference" else _nameless(value) for key, value in tree.items()}


@pytest.mark.parametrize("path", R4, ids=[path.parent.name for path in R4])
def test_what_came_in_is_what_the_store_holds(services: Services, path: Path) -> None:
    tree = loads(path.read_bytes())
    done = brought_in(services, tree)
    assert done.rows
    assert done.refused == 0
    found = held(services)
    lost = [one for one in expected(tree) if not any(_same(one, row) for row in found)]
    unmapped = [issue for issue in done.issues if issue.message_id == "resource-not-held"]
    assert len(lost) == len(unmapped)
    assert len(found) == len(expected(tree)) - len(unmapped)


def test_foreign_content_of_every_part_is_kept_also_where_resources_have_no_id(services: Services) -> None:
    tree = copy(loads((fixtures() / "dual-diagnosis" / "fhir.json").read_bytes()))
    for resource in resources_of(tree):
        resource["language"] = "en"
        del resource["id"]
    done = brought_in(services, tree)
    assert {verb for _, verb in done.rows} == {"new"}
    found = held(services)
    assert len(found) == len(resources_of(tree))
    assert {resource.get("language") for resource in found} == {"en"}
    ids = {f"{resource['resourceType']}/{resource['id']}" for resource in found}
    plan = next(resource for resource in found if resource["resourceType"] == "CarePlan")
    assert {goal["reference"] for goal in plan["goal"]} <= ids
    assert {verb for _, verb in brought_in(services, tree).rows} == {"unchanged"}


def test_resources_that_no_record_can_hold_are_said(services: Services) -> None:
    basic = {"resourceType": "Basic", "code": {"text": "x"}}
    goal = {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": "Work"},
        "subject": {"reference": "Patient/p"},
    }
    done = brought_in(
        services, {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": basic}, {"resource": goal}]}
    )
    assert [verb for _, verb in done.rows] == ["new"]
    assert [issue.pointer for issue in done.issues if issue.message_id == "resource-not-held"] == [
        "/remainder/resources/0"
    ]


def test_of_an_input_of_r5_the_records_are_kept_and_the_rest_is_said(services: Services) -> None:
    tree = loads((fixtures() / "foreign-r5-plan" / "fhir-in.json").read_bytes())
    read, _ = services.converter(fhir="5.0.0").from_fhir(tree)
    done = services.take_in({"records": read["records"], "remainder": read["remainder"]})
    assert [issue.message_id for issue in done.issues if issue.pointer == "/remainder"] == ["remainder-release"]
    assert not [
        issue for resource in held(services) for issue in services.border().validate(resource) if issue.is_error
    ]


def test_a_record_that_the_store_cannot_hold_is_refused_alone(services: Services) -> None:
    tree = loads((fixtures() / "dual-diagnosis" / "fhir.json").read_bytes())
    brought_in(services, tree)
    # A goal of the plan, sent by itself, as a record of its own: its resource belongs to the plan.
    goal = next(resource for resource in expected(tree) if resource["resourceType"] == "Goal")
    patient = {"resourceType": "Patient", "id": "other", "gender": "male"}
    done = brought_in(
        services, {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": goal}, {"resource": patient}]}
    )
    assert [verb for _, verb in done.rows] == ["refused", "new"]
    assert [issue.pointer for issue in done.issues if issue.message_id == "record-not-held"] == ["/0"]


PATIENT = {"kind": "patient", "id": "11111111-1111-4111-8111-111111111111", "gender": "other"}


def test_what_an_import_gives_is_validated_once(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    services.take_in(PATIENT)
    (row,) = services.store().parts("patient", PATIENT["id"]).values()
    assert services.border().knows(row)
    monkeypatch.setattr("adapter.bootstrap.border._FILES", ("errors.py",))
    services._made.pop("border")
    assert not services.border().knows(row), "another validator may say otherwise"


def test_what_is_not_valid_as_fhir_is_taken_in_and_said(services: Services) -> None:
    tree = {"resourceType": "Patient", "id": "other", "gender": "male", "contact": [{"gender": "nobody's"}]}
    done = brought_in(services, {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": tree}]})
    assert [verb for _, verb in done.rows] == ["new"]
    (said,) = (issue for issue in done.issues if issue.message_id == "record-not-valid-fhir")
    assert (said.severity, said.pointer) == ("warning", "/0")
    assert "Patient" in said.text
    assert "Patient.contact[0].gender" in said.text
    assert "nobody" not in said.text
    (row,) = services.store().resources([("Patient", one["id"]) for one in held(services)]).values()
    assert not services.border().knows(row)
