"""The content of the core pack holds together: codes, maps, forms and extensions know each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from adapter import mapping
from adapter.fhir_json import loads
from adapter.identity import NS
from adapter.mapping.expanding import expanded
from adapter.mapping.source import Faults
from adapter.packs import load
from adapter.records.between import INTAKE
from adapter.services.lint import lint
from adapter.terminology import Table, compile_table, displays
from adapter.validation import Validator
from tools import make_extensions, make_packs, make_questionnaires, make_terminology

Tree = dict[str, Any]
ROOT = Path(__file__).resolve().parent.parent.parent
CORE = load("core")
MAPS = sorted(CORE.concept_maps)
FORMS = sorted(CORE.questionnaires)
LOINC = "http://loinc.org"
SCT = "http://snomed.info/sct"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
# The instruments as the scoring reads them.
INSTRUMENTS: dict[str, Tree] = {
    path.stem: loads(path.read_bytes()) for path in sorted((ROOT / "adapter/records/instruments").glob("*.json"))
}
# Extensions that no mapping file names: the codecs write them, or a ConceptMap holds them.
BEHIND = {
    *("concept-also", "concept-text", "code", "preferred"),
    # What R5 dropped, in the extensions that FHIR names for it.
    *("careplan-activity-detail", "careteam-encounter"),
    *("consent-scope", "consent-datetime", "consent-policy", "consent-provision-type"),
}


def table(name: str) -> Table:
    return compile_table(CORE.concept_maps[name], f"{NS}/CodeSystem/{name}", own=CORE.code_systems[name])


def items(tree: Tree) -> Iterator[Tree]:
    for item in tree.get("item", []):
        yield item
        yield from items(item)


@cache
def rules() -> tuple[tuple[str, str, Tree], ...]:
    """Every rule of every file: map, whole FHIR path, rule."""
    found = []
    texts = {name: (path.name, path.read_bytes()) for name, path in CORE.maps.items()}
    for name, (_, tree) in expanded(texts, "R4", Faults()).items():
        for rows in (tree["rules"], *tree.get("groups", {}).values()):
            found += [(name, place, rule) for place, rule in _walk("", rows)]
    return tuple(found)


def _walk(above: str, rows: list[Tree]) -> Iterator[tuple[str, Tree]]:
    for rule in rows:
        place = ".".join(part for part in (above, rule.get("fhir", ""), rule.get("leaf", rule.get("at", ""))) if part)
        yield place, rule
        for key in ("items", "inline", "beside"):
            if isinstance(rule.get(key), list):
                yield from _walk(place, rule[key])


@pytest.mark.parametrize("name", MAPS)
def test_every_concept_map_compiles_and_speaks_of_its_own_codes(name: str) -> None:
    found = table(name)
    mapped = {element["code"] for group in CORE.concept_maps[name]["group"] for element in group["element"]}
    assert mapped == found.codes == set(displays(CORE.code_systems[name]))
    assert {group["source"] for group in CORE.concept_maps[name]["group"]} == {found.code_system}


@pytest.mark.parametrize("name", MAPS)
def test_every_code_comes_back(name: str) -> None:
    found = table(name)
    for code in found.codes:
        codings = found.codings(code)
        assert codings is not None
        if not found.ambiguous(code):
            assert {found.internal(each["system"], each["code"]) for each in codings} == {(code,)}


@pytest.mark.parametrize("name", MAPS)
def test_every_published_code_is_read_as_one_of_ours(name: str) -> None:
    found = table(name)
    for code in found.codes:
        for coding in found.codings(code) or ():
            assert len(found.internal(coding["system"], coding["code"])) == 1, coding


def test_every_code_system_has_its_value_set_and_unique_codes() -> None:
    assert set(CORE.value_sets) == set(CORE.code_systems)
    for name, tree in CORE.code_systems.items():
        codes = [row["code"] for row in tree["concept"]]
        assert len(codes) == len(set(codes))
        assert all(row["display"] for row in tree["concept"])
        assert CORE.value_sets[name]["compose"]["include"][0] == {"system": tree["url"]}


def test_the_files_are_those_that_the_tables_make() -> None:
    made = make_terminology.files() | make_extensions.files() | make_questionnaires.files()
    folders = {name.split("/")[0] for name in made}
    there = {f"{folder}/{path.name}" for folder in folders for path in (CORE.folder / folder).glob("*.json")}
    assert there == set(made)
    assert [name for name, text in made.items() if (CORE.folder / name).read_text("utf-8") != text] == []


@pytest.mark.parametrize("pack", make_packs.packs())
def test_the_files_of_the_other_packs_are_those_that_their_tables_make(pack: str) -> None:
    made, folder = make_packs.files(pack), ROOT / "mappings" / pack
    there = {f"{name}/{path.name}" for name in make_packs.FOLDERS for path in (folder / name).glob("*.json")}
    assert there == set(made)
    assert [name for name, text in made.items() if (folder / name).read_text("utf-8") != text] == []


def test_every_table_that_a_mapping_file_names_is_there() -> None:
    for name, place, rule in rules():
        concept = rule.get("concept", "none")
        assert concept == "none" or concept in CORE.concept_maps, (name, place)
        choice = rule.get("choice", "$cs/severity")
        known = CORE.code_systems if choice.startswith("$cs/") else CORE.concept_maps
        assert choice.removeprefix("$cs/") in known, (name, place)


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("severity", "mild moderate severe"),
        ("course", "active recurrence relapse inactive remission early-remission sustained-remission resolved"),
        ("verification", "unconfirmed provisional differential confirmed refuted entered-in-error"),
        ("goal-priority", "high-priority medium-priority low-priority"),
        (
            "goal-achievement",
            "in-progress improving worsening no-change achieved sustaining not-achieved no-progress not-attainable",
        ),
        ("exposure-origin", "prescribed-pain-medication family-member peers self-initiated other unknown"),
        ("substance-role", "primary secondary"),
        ("peer-pressure", "none some strong"),
        ("availability", "none some easy"),
        ("impulsivity", "low moderate high"),
        ("suicide-risk", "none low moderate high"),
        ("asam-edition", "3 4"),
        ("totals", " ".join(INSTRUMENTS)),
    ],
)
def test_closed_lists_have_exactly_the_codes_of_the_records(name: str, codes: str) -> None:
    assert set(displays(CORE.code_systems[name])) == set(codes.split())


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        (
            "roles",
            """psychiatrist physician psychotherapist addiction-medicine counsellor addiction-counsellor
            addiction-psychiatrist peer-specialist nurse case-manager family patient""",
        ),
        (
            "activities",
            """counselling-substance cbt individual-therapy group-therapy family-therapy relapse-prevention-drug
            relapse-prevention-alcohol peer-support motivational-interviewing contingency-management""",
        ),
        ("substances", "alcohol opioid heroin cannabis cocaine methamphetamine stimulant sedative nicotine"),
        (
            "answers",
            " ".join(code for tree in INSTRUMENTS.values() for scale in tree["scales"].values() for code in scale),
        ),
        ("bands", " ".join(band["code"] for tree in INSTRUMENTS.values() for band in tree["bands"])),
    ],
)
def test_open_lists_have_at_least_the_codes_of_the_records(name: str, codes: str) -> None:
    assert set(codes.split()) - set(displays(CORE.code_systems[name])) == set()


@pytest.mark.parametrize(
    ("name", "code", "codings"),
    [
        ("disorders", "alcohol-dependence", {SCT: "66590003", ICD: "F10.20"}),
        ("disorders", "opioid-dependence", {SCT: "75544000", ICD: "F11.20"}),
        ("disorders", "heroin-dependence", {SCT: "231477003", ICD: "F11.20"}),
        ("disorders", "alcohol-use-disorder", {SCT: "1336085007"}),
        ("disorders", "major-depressive-disorder-recurrent-moderate", {SCT: "370143000", ICD: "F33.1"}),
        ("disorders", "ptsd-chronic", {SCT: "47505003", ICD: "F43.12"}),
        ("activities", "cbt", {SCT: "228557008"}),
        ("activities", "motivational-interviewing", {}),
        ("activities", "contingency-management", {}),
        ("totals", "audit-c", {LOINC: "75626-2"}),
        ("answers", "not-at-all", {LOINC: "LA6568-5"}),
        ("answers", "daily", {LOINC: "LA18934-2"}),
        ("course", "early-remission", {"http://terminology.hl7.org/CodeSystem/condition-clinical": "remission"}),
    ],
)
def test_codes_that_matter(name: str, code: str, codings: dict[str, str]) -> None:
    assert {each["system"]: each["code"] for each in table(name).codings(code) or ()} == codings


def test_a_shared_code_reads_as_what_it_says_by_itself() -> None:
    assert table("disorders").internal(ICD, "F11.20") == ("opioid-dependence",)
    assert table("disorders").internal(SCT, "370143000") == ("major-depressive-disorder",)
    assert table("course").from_code("remission") == ("remission",)


def test_withdrawn_and_mistaken_codes_are_nowhere() -> None:
    """72514-3 is pain severity, not COWS; 352364 is a mix-up of public samples."""
    text = "".join(path.read_text("utf-8") for path in CORE.folder.rglob("*.json"))
    assert re.search(r"\b(72514-3|352364)\b", text) is None


@pytest.mark.parametrize("url", FORMS)
def test_link_ids_are_unique_and_follow_their_parents(url: str) -> None:
    link_ids = [item["linkId"] for item in items(CORE.questionnaires[url])]
    assert len(link_ids) == len(set(link_ids))
    for item in items(CORE.questionnaires[url]):
        assert all(below["linkId"].startswith(f"{item['linkId']}.") for below in item.get("item", []))


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_an_instrument_asks_and_offers_what_the_scoring_reads(name: str) -> None:
    form, known, answers = CORE.questionnaires[f"{NS}/Questionnaire/{name}|1.0.0"], INSTRUMENTS[name], table("answers")
    assert form["code"] == [{"system": LOINC, "code": known["loinc"]["panel"]}]
    assert [each["code"] for each in table("totals").codings(name) or ()] == [known["loinc"]["total"]]
    assert [item["linkId"] for item in form["item"]] == [item["linkId"] for item in known["items"]]
    for item, scored in zip(form["item"], known["items"], strict=True):
        assert [each["code"] for each in item.get("code", [])] == [scored[key] for key in ("loinc",) if key in scored]
        offered = {(option["valueCoding"]["system"], option["valueCoding"]["code"]) for option in item["answerOption"]}
        assert offered == {_written(answers, code) for code in known["scales"][scored["scale"]]}


def _written(answers: Table, code: str) -> tuple[str, str]:
    found = answers.codings(code)
    return (found[0]["system"], found[0]["code"]) if found else (answers.code_system, code)


def test_every_disorder_is_known_to_the_clinical_rules() -> None:
    known = loads((ROOT / "adapter/records/disorders.json").read_bytes())
    assert set(known["disorders"]) == set(displays(CORE.code_systems["disorders"]))


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_what_uses_loinc_carries_its_notice(name: str) -> None:
    assert make_terminology.COPYRIGHTS[LOINC] in CORE.questionnaires[f"{NS}/Questionnaire/{name}|1.0.0"]["copyright"]


def test_notice_holds_the_wording_that_loinc_asks_for() -> None:
    text = " ".join((ROOT / "NOTICE").read_text("utf-8").split())
    assert make_terminology.COPYRIGHTS[LOINC] in text
    assert all(name in text for name in ("SNOMED CT", "RxNorm", "ICD-10-CM", "World Health Organization"))


def test_the_intake_form_has_every_question_that_the_mapping_writes() -> None:
    form = {item["linkId"]: item for item in items(CORE.questionnaires[INTAKE])}
    written = set()
    for name, place, _ in rules():
        if name == "intake" and (found := re.findall(r"item\[linkId=([\w.-]+)\]", place)):
            written.add(found[-1])
            value = re.search(r"\.value(\w+)", place)
            type_ = form[found[-1]]["type"]
            assert value is None or type_ in {
                "Coding": ("choice", "open-choice"),
                "String": ("string", "text"),
            }.get(value[1], (value[1].lower(),))
    assert set(form) - written == {item for item in form if form[item]["type"] == "group"} - written


def test_extensions_that_are_written_are_defined_and_nothing_else() -> None:
    used = {found for _, place, _ in rules() for found in re.findall(r"\$ext/([\w-]+)", place)}
    assert used | BEHIND == set(CORE.structure_definitions)


def test_extensions_hold_the_types_that_are_written() -> None:
    for name, place, _ in rules():
        urls = re.findall(r"extension\[url=([^\]]+)\]", place)
        value = re.search(r"\.value([A-Z]\w+)$|\.value([A-Z]\w+)\.", place)
        if not urls or not urls[0].startswith("$ext/") or value is None:
            continue
        first, *parts = urls
        tree = CORE.structure_definitions[first.removeprefix("$ext/")]
        id_ = "Extension" + "".join(f".extension:{part}" for part in parts) + ".value[x]"
        (element,) = [each for each in tree["snapshot"]["element"] if each["id"] == id_]
        written = (value[1] or value[2]).lower()
        assert [each["code"].lower() for each in element["type"]] == [written], (name, place)
        assert CORE.maps[name].read_text("utf-8").split("resource: ")[1].split()[0] in {
            context["expression"] for context in tree["context"]
        }


@cache
def validator() -> Validator:
    trees = (CORE.code_systems, CORE.value_sets, CORE.structure_definitions, CORE.questionnaires)
    known = [tree for each in trees for tree in each.values()]
    return Validator(questionnaires=CORE.questionnaires).with_resources(known)


def test_everything_in_the_pack_is_valid_fhir() -> None:
    kinds = ("concept_maps", "code_systems", "value_sets", "structure_definitions", "questionnaires")
    trees = [tree for kind in kinds for tree in getattr(CORE, kind).values()]
    faults = [(tree["id"], issue) for tree in trees for issue in validator().validate(tree) if issue.is_error]
    assert faults == []


def test_responses_of_the_fixtures_answer_the_forms() -> None:
    faults = []
    for path in sorted((ROOT / "fixtures").glob("*/records.json")):
        records = [record for record in loads(path.read_bytes()) if record["kind"] == "assessment"]
        for entry in mapping.load("core").to_fhir(records).tree.get("entry", []):
            found = validator().validate(entry["resource"])
            faults += [
                (path.parent.name, issue)
                for issue in found
                if issue.message_id.startswith(("response-", "extension-"))
                and issue.message_id != "response-questionnaire-missing"
            ]
    assert faults == []


def test_the_pack_is_clean() -> None:
    assert [str(finding) for finding in lint("core")] == []
