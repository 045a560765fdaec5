"""What a resource is found by, on every fixture and by the letter of the specification."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter.definitions.search_parameters import search_parameters
from adapter.errors import DataError
from adapter.fhir_json import loads
from adapter.mapping import load
from adapter.store import Store, new_key, open_store
from adapter.store.indexing import ANY, EARLIEST, LATEST, index_rows
from adapter.store.vault import Vault
from tests.unit.services.scene import Ticking

FIXTURES = Path(__file__).resolve().parent.parent.parent.parent / "fixtures"


@pytest.fixture(scope="module")
def resources() -> list[Any]:
    """Every resource that the records of the fixtures make."""
    made: dict[tuple[str, str], Any] = {}
    for path in sorted(FIXTURES.glob("*/records.json")):
        for entry in load("core").to_fhir(loads(path.read_bytes())).tree.get("entry", []):
            tree = entry["resource"]
            made[tree["resourceType"], tree["id"]] = tree
    return list(made.values())


@pytest.fixture(scope="module")
def full(resources: list[Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('search') / 's.db'}", clock=Ticking())
    for tree in resources:
        store.save({"kind": tree["resourceType"], "id": tree["id"]}, {"": tree})
    yield store
    store.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(f"sqlite:///{tmp_path / 's.db'}", clock=Ticking())
    yield made
    made.close()


def put(store: Store, type_: str, id_: str, **content: Any) -> None:
    store.save({"kind": type_, "id": id_}, {"": {"resourceType": type_, "id": id_, **content}})


def found(store: Store, type_: str, *params: tuple[str, str]) -> set[str]:
    return {row.id for row in store.search(type_, params, limit=500).rows}


def question(param: str, kind: str, low: str, value: str) -> str:
    """A query that must find the resource of an index row."""
    escaped = value.replace("\\", r"\\").replace(",", r"\,").replace("|", r"\|")
    if kind == "token":
        return f"{low}|{escaped}" if low not in ("", ANY) else escaped
    if kind == "reference":
        return f"{low}/{value}" if low and "://" not in value else value
    if kind == "date":
        return f"le{value[:10]}" if value != LATEST else f"ge{low[:10]}"
    return escaped


def test_whatever_is_indexed_is_found(full: Store, resources: list[Any]) -> None:
    asked = set()
    for tree in resources:
        for type_, _, param, _, system, value in index_rows(tree, Vault()):
            query = question(param, search_parameters(type_)[param].kind, system, value)
            assert tree["id"] in found(full, type_, (param, query)), (type_, param)
            asked.add((type_, param))
    assert len(asked) > 60, "the fixtures show most parameters"


def test_a_token_by_system_and_code(store: Store) -> None:
    put(store, "Condition", "c", code={"coding": [{"system": "http://a", "code": "1"}, {"code": "2"}]})
    put(
        store,
        "Condition",
        "d",
        code={"coding": [{"system": "http://b", "code": "1"}]},
        subject={"reference": "Patient/p"},
    )
    for query, ids in {
        "1": {"c", "d"}, "http://a|1": {"c"}, "http://a|": {"c"}, "|2": {"c"}, "|1": set(), "http://b|1,2": {"c", "d"},
    }.items():  # fmt: skip
        assert found(store, "Condition", ("code", query)) == ids, query
    assert found(store, "Condition", ("code:not", "http://a|1")) == {"d"}
    assert found(store, "Condition", ("subject:missing", "true")) == {"c"}
    assert found(store, "Condition", ("subject:missing", "false")) == {"d"}


def test_a_code_element_is_found_with_and_without_its_system(store: Store) -> None:
    put(store, "CarePlan", "c", status="active")
    assert found(store, "CarePlan", ("status", "active")) == {"c"}
    assert found(store, "CarePlan", ("status", "http://hl7.org/fhir/request-status|active")) == {"c"}
    assert found(store, "CarePlan", ("status", "draft,active")) == {"c"}


def test_dates_by_every_prefix(store: Store) -> None:
    put(store, "CarePlan", "c", period={"start": "2026-03-01", "end": "2026-03-31"})
    put(store, "CarePlan", "open", period={"start": "2026-03-15"})
    for query, ids in {
        "eq2026-03": {"c"}, "2026": {"c"}, "2026-03-10": set(), "ge2026-04": {"open"}, "gt2026-03-31": {"open"},
        "lt2026-03-02": {"c"}, "le2026-03-15": {"c"}, "le2026-03-16": {"c", "open"}, "sa2026-02": {"c", "open"}, "eb2026-04": {"c"},
        "ne2026-03": {"open"},
    }.items():  # fmt: skip
        assert found(store, "CarePlan", ("date", query)) == ids, query
    assert [row[-2:] for row in index_rows({"resourceType": "CarePlan", "id": "x", "period": {"end": "2026"}}, Vault())] == [(EARLIEST, "2027-01-01T00:00:00.000Z")]  # fmt: skip


def test_names_without_case_and_accents(store: Store) -> None:
    put(store, "Patient", "p", name=[{"family": "Müller-Öz", "given": ["Zoë"]}], birthDate="1984-05-01")
    for param, query in (
        ("family", "mull"),
        ("name", "ZOE"),
        ("given:exact", "Zoë"),
        ("name:contains", "oz"),
        ("birthdate", "1984"),
    ):
        assert found(store, "Patient", (param, query)) == {"p"}, (param, query)
    for param, query in (
        ("family", "oz"),
        ("given:exact", "zoe"),
        ("family", "%"),
        ("family", "_"),
        ("birthdate", "gt1984"),
    ):
        assert found(store, "Patient", (param, query)) == set(), (param, query)


def test_references_in_all_their_forms(store: Store) -> None:
    put(
        store,
        "CarePlan",
        "c",
        subject={"reference": "Patient/p"},
        careTeam=[{"reference": "http://far.example/fhir/CareTeam/t"}],
    )
    put(store, "QuestionnaireResponse", "q", questionnaire="http://x.example/Questionnaire/a|2")
    for query in ("p", "Patient/p", "http://here.example/fhir/Patient/p"):
        assert found(store, "CarePlan", ("subject", query)) == {"c"}, query
    assert found(store, "CarePlan", ("subject:Patient", "p")) == {"c"}
    assert found(store, "CarePlan", ("subject:Group", "p")) == set()
    assert found(store, "CarePlan", ("care-team", "CareTeam/t")) == {"c"}
    for query, ids in {"http://x.example/Questionnaire/a": {"q"}, "http://x.example/Questionnaire/a|1": set()}.items():
        assert found(store, "QuestionnaireResponse", ("questionnaire", query)) == ids


def test_one_step_along_a_reference(store: Store) -> None:
    put(store, "Patient", "p", identifier=[{"system": "urn:mrn", "value": "7"}], name=[{"family": "Muster"}])
    put(store, "CarePlan", "c", subject={"reference": "Patient/p"})
    put(store, "CarePlan", "d", subject={"reference": "Patient/other"})
    assert found(store, "CarePlan", ("patient.identifier", "urn:mrn|7")) == {"c"}
    assert found(store, "CarePlan", ("subject:Patient.family", "mus")) == {"c"}
    for name in ("subject.family", "status.x", "patient.nothing", "patient.general-practitioner.name"):
        with pytest.raises(DataError):
            found(store, "CarePlan", (name, "x"))


def test_telephone_and_mail_apart(store: Store) -> None:
    put(store, "Patient", "p", telecom=[{"system": "phone", "value": "1"}, {"system": "email", "value": "a@b.example"}])
    assert found(store, "Patient", ("phone", "1")) == {"p"}
    assert found(store, "Patient", ("email", "1")) == set()


@pytest.mark.parametrize(
    ("name", "value"), [("code:below", "x"), ("recorded-date", "soon"), ("subject:missing", "maybe"), ("nothing", "x")]
)
def test_what_is_not_understood_is_refused(store: Store, name: str, value: str) -> None:
    with pytest.raises(DataError):
        found(store, "Condition", (name, value))


def test_odd_shapes_have_no_rows_and_do_no_harm(store: Store) -> None:
    put(store, "CarePlan", "c", status=7, period=["x"], subject="p", category={"coding": [None, "x", {"code": 3}]})
    assert found(store, "CarePlan", ("_id", "c")) == {"c"}


def test_long_values_are_bounded(store: Store) -> None:
    put(store, "Questionnaire", "q", description="word " * 5000)
    assert found(store, "Questionnaire", ("description", "word")) == {"q"}


def test_a_sealed_store_is_found_by_whole_values(tmp_path: Path) -> None:
    key = tmp_path / "keys"
    key.write_text(new_key() + "\n")
    store = open_store(f"sqlite:///{tmp_path / 'sealed.db'}", clock=Ticking(), key_file=str(key))
    put(store, "Patient", "p", identifier=[{"system": "urn:mrn", "value": "7"}], name=[{"family": "Müller"}], birthDate="1984-05-01")  # fmt: skip
    put(store, "CarePlan", "c", subject={"reference": "Patient/p"}, period={"start": "2026-03-01"}, status="active")
    for param, query in (("identifier", "urn:mrn|7"), ("identifier", "7"), ("family", "muller"), ("family:exact", "Müller"), ("birthdate", "1984-05-01")):  # fmt: skip
        assert found(store, "Patient", (param, query)) == {"p"}, (param, query)
    assert found(store, "CarePlan", ("patient.identifier", "urn:mrn|7"), ("date", "ge2026"), ("status", "active")) == {
        "c"
    }
    assert found(store, "Patient", ("family", "mul")) == set()
    for param, query in (("family:contains", "ll"), ("birthdate", "lt1990")):
        with pytest.raises(DataError, match="sealed"):
            found(store, "Patient", (param, query))
    store.close()
