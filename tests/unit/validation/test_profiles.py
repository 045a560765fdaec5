from __future__ import annotations

from typing import Any

import pytest

from adapter.errors import UsageError
from adapter.validation import AS_REFERENCE, Quirks, Validator

Tree = dict[str, Any]
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
PROFILE = "http://example.org/profile"


def profile(*elements: Tree, type_: str = "Patient", url: str = PROFILE, base: str = "") -> Tree:
    return {
        "resourceType": "StructureDefinition",
        "url": url,
        "type": type_,
        "derivation": "constraint",
        "baseDefinition": base or "http://hl7.org/fhir/StructureDefinition/" + type_,
        "differential": {"element": [{"path": row["id"], **row} for row in elements]},
    }


def said(resource: Tree, *definitions: Tree, tier: str = "profiles") -> list[tuple[str, str]]:
    """(place, message id) of what the tier says of a resource that claims the profile."""
    tree = {**resource, "meta": {"profile": [PROFILE]}}
    found = Validator(tiers=[tier]).with_resources(definitions).validate(tree)
    return [(issue.expression, issue.message_id) for issue in found]


PATIENT = {"resourceType": "Patient", "name": [{"family": "A"}], "gender": "male", "deceasedBoolean": False}


@pytest.mark.parametrize(
    ("element", "found"),
    [
        ({"id": "Patient.birthDate", "min": 1}, [("Patient", "profile-min")]),
        ({"id": "Patient.name", "max": "0"}, [("Patient", "profile-max")]),
        ({"id": "Patient.name.given", "min": 1}, [("Patient.name[0]", "profile-min")]),
        ({"id": "Patient.gender", "fixedCode": "female"}, [("Patient.gender", "profile-fixed")]),
        ({"id": "Patient.name", "patternHumanName": {"family": "A"}}, []),
        ({"id": "Patient.name", "patternHumanName": {"family": "B"}}, [("Patient.name[0]", "profile-pattern")]),
        (
            {"id": "Patient.deceased[x]", "type": [{"code": "dateTime"}]},
            [("Patient.deceased.ofType(boolean)", "profile-type")],
        ),
        ({"id": "Patient.birthDate", "mustSupport": True}, [("Patient", "profile-must-support")]),
        ({"id": "Patient.gender", "mustSupport": True}, []),
        (
            {
                "id": "Patient",
                "constraint": [
                    {"key": "p-1", "severity": "error", "expression": "birthDate.exists()", "human": "Born"}
                ],
            },
            [("Patient", "invariant-failed")],
        ),
        (
            {
                "id": "Patient",
                "constraint": [{"key": "p-1", "severity": "error", "expression": "memberOf('x')", "human": "?"}],
            },
            [("Patient", "invariant-not-checked")],
        ),
        (
            {
                "id": "Patient.gender",
                "binding": {"strength": "required", "valueSet": "http://hl7.org/fhir/ValueSet/item-type"},
            },
            [("Patient.gender", "binding-required")],
        ),
    ],
)
def test_what_a_profile_constrains(element: Tree, found: list[tuple[str, str]]) -> None:
    assert said(PATIENT, profile(element)) == found


def test_a_profile_that_is_not_at_hand_is_said() -> None:
    assert said(PATIENT) == [("Patient", "profile-unknown")]


def test_a_profile_of_a_profile() -> None:
    base = profile({"id": "Patient.birthDate", "min": 1}, url="http://example.org/base")
    own = profile({"id": "Patient.telecom", "min": 1}, base="http://example.org/base")
    assert said(PATIENT, own, base) == [("Patient", "profile-min"), ("Patient", "profile-min")]


def test_profiles_that_are_derived_from_each_other_are_refused() -> None:
    one = profile({"id": "Patient.birthDate", "min": 1}, base="http://example.org/two")
    two = profile({"id": "Patient.birthDate", "min": 1}, url="http://example.org/two", base=PROFILE)
    with pytest.raises(UsageError, match=r"derived from itself"):
        said(PATIENT, one, two)


def sliced(rules: str = "open", kind: str = "value", path: str = "system", **slice_: Any) -> Tree:
    return profile(
        {"id": "Patient.identifier", "slicing": {"discriminator": [{"type": kind, "path": path}], "rules": rules}},
        {"id": "Patient.identifier:a", "sliceName": "a", "min": 1, "max": "1", **slice_},
        {"id": "Patient.identifier:a.system", "fixedUri": "http://a", "min": 1},
        {"id": "Patient.identifier:a.value", "min": 1},
    )


@pytest.mark.parametrize(
    ("identifiers", "rules", "found"),
    [
        ([{"system": "http://a", "value": "1"}], "open", []),
        ([{"system": "http://b", "value": "1"}], "open", [("Patient", "profile-min")]),
        ([{"system": "http://a"}], "open", [("Patient.identifier[0]", "profile-min")]),
        ([{"system": "http://a", "value": "1"}] * 2, "open", [("Patient", "profile-max")]),
        (
            [{"system": "http://a", "value": "1"}, {"system": "http://b"}],
            "closed",
            [("Patient.identifier[1]", "profile-slice")],
        ),
    ],
)
def test_slices_by_value(identifiers: list[Tree], rules: str, found: list[tuple[str, str]]) -> None:
    assert said({**PATIENT, "identifier": identifiers}, sliced(rules)) == found


def test_other_discriminators() -> None:
    pattern = sliced(kind="pattern", path="$this", patternIdentifier={"system": "http://a"})
    exists = profile(
        {
            "id": "Patient.identifier",
            "slicing": {"discriminator": [{"type": "exists", "path": "period"}], "rules": "open"},
        },
        {"id": "Patient.identifier:a", "sliceName": "a", "max": "0"},
        {"id": "Patient.identifier:a.period", "min": 1},
    )
    by_type = profile({"id": "Patient.deceased[x]:deceasedBoolean", "sliceName": "deceasedBoolean", "max": "0"})
    beyond = sliced(kind="value", path="resolve().name")
    one = {**PATIENT, "identifier": [{"system": "http://a", "value": "1"}]}
    assert said(one, pattern) == []
    assert said({**one, "identifier": [{"system": "b"}]}, pattern) == [("Patient", "profile-min")]
    assert said(one, exists) == []
    assert said({**one, "identifier": [{"period": {"start": "2020"}}]}, exists) == [("Patient", "profile-max")]
    assert said(one, by_type) == [("Patient", "profile-max")]
    assert said(one, beyond) == [("Patient", "profile-not-checked")]


def condition(**more: Any) -> Tree:
    category = {"system": "http://terminology.hl7.org/CodeSystem/condition-category", "code": "problem-list-item"}
    return {
        "resourceType": "Condition",
        "meta": {"profile": [US_CORE + "us-core-condition-problems-health-concerns"]},
        "category": [{"coding": [category]}],
        "code": {"text": "x"},
        "subject": {"reference": "Patient/1"},
        **more,
    }


def test_us_core_is_built_in() -> None:
    def errors(tree: Tree) -> list[tuple[str, str]]:
        return [(each.expression, each.message_id) for each in Validator().validate(tree) if each.is_error]

    assert errors(condition()) == []
    assert errors(condition(category=[{"text": "x"}])) == [("Condition", "profile-min")]
    other = {"coding": [{"system": "http://e", "code": "x"}]}
    assert errors(condition(category=[other])) == [("Condition", "profile-min")]
    without = condition()
    del without["code"]
    assert errors(without) == [("Condition", "profile-min")]


def test_another_version_of_a_profile_is_another_profile() -> None:
    tree = condition(category=[{"text": "x"}])
    tree["meta"]["profile"][0] += "|9.0.0"
    assert "profile-unknown" in [issue.message_id for issue in Validator().validate(tree)]
    tree["meta"]["profile"][0] = tree["meta"]["profile"][0].replace("9.0.0", "6.1.0")
    assert "profile-min" in [issue.message_id for issue in Validator().validate(tree)]


def test_extensions_of_us_core_hold_where_it_is_claimed() -> None:
    tree: Tree = {"resourceType": "Patient", "extension": [{"url": US_CORE + "us-core-race", "valueString": "x"}]}
    assert [issue.message_id for issue in Validator().validate(tree) if issue.is_error] == []
    profiles = [US_CORE + "us-core-patient"]
    assert "extension-value" in [issue.message_id for issue in Validator(profiles=profiles).validate(tree)]


def _target(*types: str) -> Tree:
    urls = ["http://hl7.org/fhir/StructureDefinition/" + name for name in types]
    return profile(
        {"id": "Observation.subject", "type": [{"code": "Reference", "targetProfile": urls}]}, type_="Observation"
    )


@pytest.mark.parametrize(
    ("text", "types", "wrong"),
    [
        ("Patient/1", ["Group"], True),
        ("http://a.org/fhir/Patient/1", ["Group"], True),
        ("Group/1", ["Group"], False),
        ("Patient/1", ["Group", "Patient"], False),
        ("Patient/1", ["Group", "Resource"], False),
        # What the element itself does not allow the tier of references says.
        ("CarePlan/1", ["Group"], False),
        ("urn:uuid:c757873d-ec9a-4326-a141-556f43239520", ["Group"], False),
    ],
)
def test_where_a_reference_may_lead(text: str, types: list[str], wrong: bool) -> None:
    found = said({"resourceType": "Observation", "subject": {"reference": text}}, _target(*types))
    assert (("Observation.subject", "reference-target-type") in found) is wrong


BORN = profile({"id": "Patient.birthDate", "min": 1}, url=PROFILE + "-born")
OBSERVED = profile(
    {"id": "Observation.subject", "type": [{"code": "Reference", "targetProfile": [BORN["url"]]}]}, type_="Observation"
)


@pytest.mark.parametrize(("born", "fits"), [({"birthDate": "1984"}, True), ({}, False)])
def test_what_a_reference_leads_to_fits_the_profile_that_is_asked(born: Tree, fits: bool) -> None:
    inside = {"resourceType": "Patient", "id": "p", **born}
    contained = {"resourceType": "Observation", "contained": [inside], "subject": {"reference": "#p"}}
    found = said(contained, OBSERVED, BORN)
    assert (("Observation.subject", "reference-target-profile") not in found) is fits
    observed = {"resourceType": "Observation", "meta": {"profile": [PROFILE]}, "subject": {"reference": "Patient/0"}}
    bundle = _bundle(inside, observed)
    told = [(i.expression, i.message_id) for i in Validator().with_resources([OBSERVED, BORN]).validate(bundle)]
    assert (("Bundle.entry[1].resource.subject", "reference-target-profile") not in told) is fits


@pytest.mark.parametrize("strict", ["subject", "performer"])
def test_two_profiles_that_end_alike_are_two(strict: str) -> None:
    urls = {name: f"http://{name}.example/StructureDefinition/person" for name in ("subject", "performer")}
    people = [profile({"id": "Patient.birthDate", "min": int(name == strict)}, url=url) for name, url in urls.items()]
    rows = [
        {"id": f"Observation.{name}", "type": [{"code": "Reference", "targetProfile": [url]}]}
        for name, url in urls.items()
    ]
    contained = [{"resourceType": "Patient", "id": "p"}]
    tree = {"contained": contained, "subject": {"reference": "#p"}, "performer": [{"reference": "#p"}]}
    found = said({"resourceType": "Observation", **tree}, profile(*rows, type_="Observation"), *people)
    wrong = [place for place, message in found if message == "reference-target-profile"]
    assert wrong == ["Observation.subject" if strict == "subject" else "Observation.performer[0]"]


def test_what_is_not_at_hand_is_not_held_against_a_reference() -> None:
    away = said({"resourceType": "Observation", "subject": {"reference": "Patient/1"}}, OBSERVED, BORN)
    assert "reference-target-profile" not in {message for _, message in away}
    inside = {"resourceType": "Patient", "id": "p"}
    contained = {"resourceType": "Observation", "contained": [inside], "subject": {"reference": "#p"}}
    assert "reference-target-profile" not in {message for _, message in said(contained, OBSERVED)}


def test_resources_that_refer_to_each_other_in_a_circle_are_judged() -> None:
    linked = profile(
        {"id": "Patient.generalPractitioner", "type": [{"code": "Reference", "targetProfile": [PROFILE + "-org"]}]},
        url=PROFILE + "-linked",
    )
    org = profile(
        {"id": "Organization.partOf", "type": [{"code": "Reference", "targetProfile": [PROFILE + "-org"]}]},
        {"id": "Organization.name", "min": 1},
        type_="Organization",
        url=PROFILE + "-org",
    )
    rows = [
        {
            "resourceType": "Patient",
            "meta": {"profile": [linked["url"]]},
            "generalPractitioner": [{"reference": "Patient/1"}],
        },
        {"resourceType": "Organization", "name": "A", "partOf": {"reference": "Patient/1"}},
    ]
    found = Validator(tiers=["profiles"]).with_resources([linked, org]).validate(_bundle(*rows))
    assert "reference-target-profile" not in {issue.message_id for issue in found}
    del rows[1]["name"]
    found = Validator(tiers=["profiles"]).with_resources([linked, org]).validate(_bundle(*rows))
    assert [i.expression for i in found if i.message_id == "reference-target-profile"] == [
        "Bundle.entry[0].resource.generalPractitioner[0]"
    ]


@pytest.mark.parametrize(
    ("uses", "place"),
    [
        (["official", "usual", "old"], None),
        (["usual", "official"], 1),
        (["official", "old", "usual"], 2),
        (["official", "official", "usual"], None),
    ],
)
def test_the_order_of_slices_and_what_may_stand_after_them(uses: list[str], place: int | None) -> None:
    slicing = {"discriminator": [{"type": "value", "path": "use"}], "rules": "openAtEnd", "ordered": True}
    rows = [{"id": "Patient.name", "slicing": slicing}]
    for name, use in (("a", "official"), ("b", "usual")):
        rows += [{"id": f"Patient.name:{name}"}, {"id": f"Patient.name:{name}.use", "fixedCode": use}]
    found = said({"resourceType": "Patient", "name": [{"use": use} for use in uses]}, profile(*rows))
    assert found == ([] if place is None else [(f"Patient.name[{place}]", "profile-slice-order")])


def _bundle(*resources: Tree) -> Tree:
    rows = [{"fullUrl": f"http://a.org/fhir/Patient/{index}", "resource": each} for index, each in enumerate(resources)]
    return {"resourceType": "Bundle", "type": "collection", "entry": rows}


@pytest.mark.parametrize("kind", ["type", "profile"])
def test_entries_sliced_by_the_type_or_the_profile_of_what_they_hold(kind: str) -> None:
    slicing = {"discriminator": [{"type": kind, "path": "resource"}], "rules": "closed"}
    document = profile(
        {"id": "Bundle.entry", "slicing": slicing},
        {"id": "Bundle.entry:p", "max": "1"},
        {"id": "Bundle.entry:p.resource", "type": [{"code": "Patient", "profile": [BORN["url"]]}]},
        type_="Bundle",
    )
    patient = {**PATIENT, "meta": {"profile": [BORN["url"]]}}
    places = [place for place, message in said(_bundle(patient), document, BORN) if message == "profile-min"]
    assert places
    assert set(places) == {"Bundle.entry[0].resource"}
    many = said(_bundle(patient, patient), document, BORN)
    assert ("Bundle", "profile-max") in many
    group = {"resourceType": "Group", "type": "person", "actual": True}
    assert ("Bundle.entry[1]", "profile-slice") in said(_bundle(patient, group), document, BORN)


@pytest.mark.parametrize(("born", "message"), [({"birthDate": "1984"}, "profile-max"), ({}, "profile-slice")])
def test_an_entry_is_in_the_slice_whose_profile_it_fits(born: Tree, message: str) -> None:
    slicing = {"discriminator": [{"type": "profile", "path": "resource"}], "rules": "closed"}
    document = profile(
        {"id": "Bundle.entry", "slicing": slicing},
        {"id": "Bundle.entry:p", "max": "0"},
        {"id": "Bundle.entry:p.resource", "type": [{"code": "Patient", "profile": [BORN["url"]]}]},
        type_="Bundle",
    )
    assert message in {each for _, each in said(_bundle({"resourceType": "Patient", **born}), document, BORN)}


def test_a_value_fits_one_of_several_profiles_of_its_type() -> None:
    other = profile({"id": "HumanName.family", "min": 1}, type_="HumanName", url=PROFILE + "-family")
    one = profile({"id": "HumanName.given", "min": 1}, type_="HumanName", url=PROFILE + "-given")
    named = profile({"id": "Patient.name", "type": [{"code": "HumanName", "profile": [other["url"], one["url"]]}]})
    assert said(PATIENT, named, one, other) == []
    assert said({"resourceType": "Patient", "name": [{"text": "A"}]}, named, one, other) == [
        ("Patient.name[0]", "profile-none-fits")
    ]


def test_a_profile_asked_for_of_a_bundle_holds_for_what_is_inside() -> None:
    group = {"resourceType": "Group", "type": "person", "actual": True}
    for quirks, expected in (
        (Quirks(), [("Bundle.entry[0].resource", "profile-min")]),
        (AS_REFERENCE, [("Bundle", "profile-type")]),
    ):
        made = Validator(profiles=[BORN["url"]], tiers=["profiles"], quirks=quirks).with_resources([BORN])
        found = [(each.expression, each.message_id) for each in made.validate(_bundle(PATIENT, group))]
        assert found == expected
    assert [
        i.message_id
        for i in Validator(profiles=[BORN["url"]], tiers=["profiles"]).with_resources([BORN]).validate(_bundle(group))
    ] == ["profile-type"]


@pytest.mark.parametrize("type_", [{}, [], None, 1])
@pytest.mark.parametrize("kind", ["type", "profile"])
def test_a_resource_inside_whose_type_is_no_text(type_: Any, kind: str) -> None:
    slicing = {"discriminator": [{"type": kind, "path": "resource"}], "rules": "closed"}
    document = profile(
        {"id": "Bundle.entry", "slicing": slicing},
        {"id": "Bundle.entry.resource", "type": [{"code": "Patient"}]},
        {"id": "Bundle.entry:p.resource", "type": [{"code": "Patient", "profile": [BORN["url"]]}]},
        type_="Bundle",
    )
    validator = Validator(profiles=[BORN["url"], PROFILE]).with_resources([document, BORN])
    assert any(issue.is_error for issue in validator.validate(_bundle({"resourceType": type_})))
