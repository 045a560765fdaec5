"""A first pack from samples: clean for lint, and what goes out comes back exactly, whatever the samples look like."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from adapter.bootstrap import converter
from adapter.errors import BadInput, UsageError
from adapter.fhir_json import dumps, loads, same
from adapter.mapping import parsing
from adapter.services.lint import lint
from adapter.services.scaffold import Made, new_pack
from adapter.services.scaffold.samples import read_samples

INTAKE: list[dict[str, Any]] = [
    {
        "client_no": "C-1",
        "first_name": "Ana",
        "dob": "1984-03-02",
        "sex": "F",
        "intake_date": "2024-05-01",
        "counselor": "J. Park",
        "housing": "shelter",
        "substances": [{"name": "heroin", "age": 17, "last_use": "2024-04"}, {"name": "alcohol"}],
        "asam": {"d1": 2, "notes": ["stable", "stable"]},
        "naloxone": True,
        "weird": [1, "a", {"x": 2}],
        "empty": None,
    },
    {"client_no": "C-2", "first_name": "Bo", "dob": "1990", "sex": "M", "weird": {"a": [[1], [2]]}, "Größe (cm)": 180},
]
FORM = {
    "resourceType": "Questionnaire",
    "url": "https://clinic.example/Questionnaire/intake",
    "version": "3",
    "status": "active",
    "item": [
        {
            "linkId": "7",
            "text": "Housing",
            "type": "choice",
            "answerOption": [
                {"valueCoding": {"system": "https://clinic.example/housing", "code": code, "display": display}}
                for code, display in (("s", "shelter"), ("o", "own"))
            ],
        },
        {"linkId": "8", "type": "group", "item": [{"linkId": "8.1", "text": "Naloxone", "type": "boolean"}]},
    ],
}


def made(folder: Path, samples: Any, name: str = "site", file: str = "samples.json", **more: Any) -> Made:
    data = samples if isinstance(samples, bytes) else dumps(samples)
    return new_pack(folder / name, [(file, data)], **more)


def check(pack: Made) -> Any:
    """Clean with warnings, and the samples come back as they were; gives the Bundle."""
    place = str(pack.folder)
    assert [str(row) for row in lint(place)] == []
    both = converter(pack=place)
    records = loads((pack.folder / "examples/samples/records.json").read_bytes())
    kind = next(
        iter(
            loads((pack.folder / f"schemas/{path.stem}.json").read_bytes())["title"]
            for path in (pack.folder / "schemas").iterdir()
        )
    )
    bundle, issues = both.to_fhir([{"kind": kind, **record} for record in records])
    assert [issue for issue in issues if issue.is_error] == []
    back, _ = both.from_fhir(bundle)
    assert len(back["records"]) == len(records)
    assert all(same(one, {"kind": kind, **other}) for one, other in zip(back["records"], records, strict=True))
    return bundle


def rules(pack: Made, name: str) -> list[Any]:
    tree = parsing.read((pack.folder / "maps" / f"{name}.yaml").read_bytes(), "f", [])
    assert tree is not None
    return list(tree["rules"])


def test_an_intake_form(tmp_path: Path) -> None:
    pack = made(tmp_path, INTAKE)
    bundle = check(pack)
    patient = next(entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Patient")
    assert (patient["gender"], patient["birthDate"]) == ("female", "1984-03-02")
    assert patient["name"] == [{"use": "official", "given": ["Ana"]}]
    assert {"record": "counselor", "fhir": "author", "display": "yes"} in rules(pack, "site")
    assert "# todo: core has a ConceptMap housing" in (pack.folder / "maps" / "site.yaml").read_text()
    assert pack.todos == 2
    assert any("4 empty" in remark or "1 empty" in remark for remark in pack.remarks)


def test_the_providers_own_form_keeps_its_link_ids(tmp_path: Path) -> None:
    pack = made(tmp_path, INTAKE, questionnaire=dumps(FORM))
    bundle = check(pack)
    housing = {
        "record": "housing",
        "fhir": "item[linkId=7].answer[!].valueCoding(system=https://clinic.example/housing).code",
        "values": {"shelter": "s", "own": "o"},
    }
    assert housing in rules(pack, "site")
    assert {"record": "naloxone", "fhir": "item[linkId=8].item[linkId=8.1].answer[!].valueBoolean"} in rules(
        pack, "site"
    )
    form = loads((pack.folder / "questionnaires" / "site.json").read_bytes())
    assert form["item"][:2] == FORM["item"]
    assert form["derivedFrom"] == ["https://clinic.example/Questionnaire/intake|3"]
    assert bundle["entry"]


def test_a_table(tmp_path: Path) -> None:
    text = "Case No,First Name,DOB,Weight (kg),Admitted,Phone\nA1,Ann,03/14/1980,70.50,05/01/2024,5550100\nA2,Bob,12/31/1975,80,06/13/2024,\n"
    pack = made(tmp_path, text.encode(), file="export.csv")
    check(pack)
    assert {"record": "DOB", "fhir": "birthDate", "via": "date MM/DD/YYYY"} in rules(pack, "client")
    assert {"record": "Weight (kg)", "fhir": "item[linkId=Weight-kg].answer[!].valueDecimal", "via": "number"} in rules(
        pack, "site"
    )


def test_dates_that_could_be_two_are_left_to_a_person(tmp_path: Path) -> None:
    pack = made(tmp_path, [{"seen": "01/02/2024"}])
    check(pack)
    assert "# todo: a date, as MM/DD/YYYY or DD/MM/YYYY?" in (pack.folder / "maps" / "site.yaml").read_text()


@pytest.mark.parametrize(
    "samples",
    [
        [1, [2, 3], None, {"kind": "x", "a.b": 1, "": 2}],
        {"id": "not a uuid", "origin": "referral"},
        [{"id": "0b5e7c1e-1111-4111-8111-000000000001", "n": 1.50}],
        {"1": {"2": {"x": [True, False]}}, "名前": "x", " a ": "y"},
        {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": {"j": {"k": 1}}}}}}}}}}},
        {"n": 12345678901234567890, "m": 1.0e-7, "z": -0.0},
        {"list": [{"id": 1, "items": [{"id": 1}, {"id": 1}]}, {"id": 2}]},
        {"a-b": 1, "a b": 2, "a_b": 3, "A": {"b": 4}, "A.b": 5},
    ],
)
def test_odd_samples(tmp_path: Path, samples: Any) -> None:
    check(made(tmp_path, samples))


NAMES = st.text(max_size=6) | st.sampled_from(["id", "kind", "name", "dob", "1", "a", "b", "größe", "x y"])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False, places=2)
    | st.text(max_size=8)
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)


@settings(max_examples=15, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=5), min_size=1, max_size=3))
def test_any_samples(samples: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            pack = made(Path(folder), samples)
        except BadInput:
            return  # a lone surrogate is no JSON
        except UsageError as error:
            assert "no record that says anything" in error.message  # noqa: PT017 - either it is made, or it says why
            return
        check(pack)


@pytest.mark.parametrize(
    ("file", "data", "said"),
    [
        ("a.json", b"{", "Not JSON"),
        ("a.json", b"[]", "no record that says anything"),
        ("a.ndjson", b'{"a": 1}\n{\n', "Not JSON"),
        ("a.csv", b"a,a\n1,2\n", "name each column, once"),
        ("a.csv", b'a,b\n"x\ny",1\n1,2,3\n', "a.csv: line 4: There are 3 values, and the first line names 2 columns."),
        ("a.ndjson", b'{"a": 1}\n{"a": \n', "a.ndjson: line 2, column 7: Not JSON"),
        ("a.ndjson", b'{"a": 1}\n\xff\n', "a.ndjson: line 2: The input is not UTF-8"),
        ("a.csv", b"\xff", "CSV in UTF-8"),
    ],
)
def test_samples_that_cannot_be_read(tmp_path: Path, file: str, data: bytes, said: str) -> None:
    with pytest.raises((UsageError, BadInput), match=said):
        made(tmp_path, data, file=file)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "kind"), [("Bad Name", ""), ("site", "plan"), ("site", "Kind"), ("core", "")])
def test_names_that_cannot_be_used(tmp_path: Path, name: str, kind: str) -> None:
    with pytest.raises(UsageError):
        made(tmp_path, {"a": 1}, name, kind=kind)


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    with pytest.raises(UsageError, match="something of that name"):
        made(tmp_path, {"a": 1})


def test_lines_are_samples() -> None:
    found = read_samples([("rows", b'{"a": 1}\n\n{"a": null}\n{"a": [""]}\n')])
    assert found.records == [{"a": 1}]
    assert json.dumps(found.dropped) == "5"
