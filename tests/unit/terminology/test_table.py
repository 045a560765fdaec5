from __future__ import annotations

from typing import Any

import pytest

from adapter.errors import PackError
from adapter.terminology import PREFERRED, Table, compile_table, compile_tables, displays

OURS = "https://example.test/CodeSystem/ours"
SCT = "http://snomed.info/sct"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
Tree = dict[str, Any]


def target(code: str, equivalence: str = "equivalent", *, preferred: bool = False) -> Tree:
    tree: Tree = {"code": code, "equivalence": equivalence}
    return tree | {"extension": [{"url": PREFERRED, "valueBoolean": True}]} if preferred else tree


def group(system: str, **elements: Tree | list[Tree]) -> Tree:
    rows = [
        {"code": code, "display": code.upper(), "target": found if isinstance(found, list) else [found]}
        for code, found in elements.items()
    ]
    return {"source": OURS, "target": system, "element": rows}


def table(*groups: Tree, **more: Any) -> Table:
    return compile_table({"name": "Test", "group": list(groups)}, OURS, **more)


def faults(*groups: Tree) -> str:
    with pytest.raises(PackError) as caught:
        table(*groups)
    return "\n".join(map(str, caught.value.faults))


def test_one_to_one_goes_both_ways() -> None:
    found = table(group(SCT, mild=target("1")), group(ICD, mild=target("A")))
    assert found.codings("mild") == ({"system": SCT, "code": "1"}, {"system": ICD, "code": "A"})
    assert found.internal(SCT, "1") == found.internal(ICD, "A") == ("mild",)
    assert not found.ambiguous("mild")
    assert found.codes == {"mild"}
    assert found.code_system == OURS
    assert found.display("mild") == "MILD"


def test_an_unknown_code_is_not_guessed() -> None:
    found = table(group(SCT, mild=target("1")))
    assert found.codings("severe") is None
    assert found.internal(SCT, "2") == ()
    assert found.internal(ICD, "1") == ()
    assert found.display("severe") is None


def test_a_target_may_have_words() -> None:
    found = table(group(SCT, mild={**target("1"), "display": "Mild"}))
    assert found.codings("mild") == ({"system": SCT, "code": "1", "display": "Mild"},)


@pytest.mark.parametrize("relation", ["unmatched", "disjoint"])
def test_a_code_that_nobody_published_has_no_coding_and_travels_as_ours(relation: str) -> None:
    found = table({"source": OURS, "element": [{"code": "mild", "target": [{"equivalence": relation}]}]})
    assert found.codings("mild") == ()
    assert found.ambiguous("mild")


def test_codes_of_the_code_system_that_the_map_leaves_out_are_ours_too() -> None:
    own = {"concept": [{"code": "mild", "display": "Slight"}, {"code": "top", "concept": [{"code": "below"}]}]}
    found = table(group(SCT, mild=target("1")), own=own)
    assert found.codes == {"mild", "top", "below"}
    assert found.codings("below") == ()
    assert found.display("mild") == "Slight"


def test_many_to_one_with_a_preference_reads_as_the_preference() -> None:
    found = table(group(SCT, early=target("r", "wider"), any=target("r", preferred=True), late=target("r", "wider")))
    assert found.internal(SCT, "r") == ("any",)
    assert [found.ambiguous(code) for code in ("early", "any", "late")] == [True, False, True]


def test_many_to_one_without_a_preference_names_every_candidate() -> None:
    found = table(group(SCT, one=target("r"), other=target("r")))
    assert found.internal(SCT, "r") == ("one", "other")
    assert found.ambiguous("one")
    assert found.ambiguous("other")


@pytest.mark.parametrize("relation", ["wider", "narrower", "relatedto", "subsumes", "specializes", "inexact"])
def test_a_near_code_is_read_back_only_where_it_is_alone(relation: str) -> None:
    alone = table(group(SCT, mild=target("1", relation)))
    assert alone.internal(SCT, "1") == ("mild",)
    beside_exact = table(group(SCT, mild=target("1", relation), slight=target("1")))
    assert beside_exact.internal(SCT, "1") == ("slight",)
    beside_near = table(group(SCT, mild=target("1", relation), slight=target("1", relation)))
    assert beside_near.internal(SCT, "1") == ()
    marked = table(group(SCT, mild=target("1", relation, preferred=True), slight=target("1", relation)))
    assert marked.internal(SCT, "1") == ("mild",)


def test_one_ambiguous_coding_of_several_sends_ours_along() -> None:
    found = table(
        group(SCT, heroin=target("h"), opioid=target("o")), group(ICD, heroin=target("F", "wider"), opioid=target("F"))
    )
    assert found.ambiguous("heroin")
    assert not found.ambiguous("opioid")


def test_of_several_targets_in_one_system_the_first_is_written_and_all_are_read() -> None:
    found = table(group(ICD, depression=[target("F32.9"), target("F33.9", "relatedto")]))
    assert found.codings("depression") == ({"system": ICD, "code": "F32.9"},)
    assert found.internal(ICD, "F32.9") == found.internal(ICD, "F33.9") == ("depression",)


def test_codings_that_stand_together_are_read_as_the_code_that_says_most() -> None:
    found = table(
        group(SCT, heroin=target("h"), opioid=target("o"), ptsd=target("p"), chronic=target("p", "wider")),
        group(ICD, heroin=target("F", "wider"), opioid=target("F"), ptsd=target("1"), chronic=target("2")),
    )
    for code, codings in {
        "heroin": [(SCT, "h"), (ICD, "F")],
        "opioid": [(SCT, "o"), (ICD, "F")],
        "chronic": [(SCT, "p"), (ICD, "2")],
        "ptsd": [(SCT, "p"), (ICD, "1")],
    }.items():
        assert found.together(codings) == found.together(reversed(codings)) == (code,)
    assert found.together([(ICD, "F")]) == ("opioid",)
    assert found.together([("urn:x", "F"), (SCT, "h")]) == ("heroin",)
    assert found.together([(SCT, "o"), (SCT, "h")]) == ("opioid",)
    assert found.together([(SCT, "o"), (ICD, "F"), (SCT, "h")]) == ("opioid",)
    assert found.together([("urn:x", "F")]) == found.together([]) == ()


def test_plain_codes() -> None:
    found = table(group(SCT, early=target("remission", "wider"), any=target("remission", preferred=True)))
    assert found.to_code("early") == found.to_code("any") == "remission"
    assert found.from_code("remission") == ("any",)
    assert found.to_code("none") is None
    assert found.from_code("none") == ()


def test_plain_codes_of_several_systems_are_not_guessed() -> None:
    found = table(group(SCT, mild=target("1")), group(ICD, mild=target("2"), severe=target("1")))
    assert found.to_code("mild") is None
    assert found.from_code("1") == ()
    assert found.from_code("2") == ("mild",)


def test_an_empty_map_is_an_empty_table() -> None:
    assert table().codes == frozenset()


def test_contradictions_are_told_with_the_file() -> None:
    found = faults(group(SCT, mild=[target("1"), target("1")]))
    assert found == "conceptmaps/Test.json:1:1: mild has the target 1 twice"
    assert "several preferences" in faults(group(SCT, a=target("1", preferred=True), b=target("1", preferred=True)))
    assert "said to have none" in faults(group(SCT, mild=[target("1"), {"equivalence": "unmatched"}]))
    assert "said to have none" in faults(group(SCT, mild=[{"equivalence": "unmatched"}, target("1")]))
    assert "several sources" in faults(group(SCT, a=target("1")), {**group(ICD, a=target("1")), "source": SCT})


def test_a_map_onto_itself_never_ends() -> None:
    assert "to itself" in faults(group(OURS, mild=target("mild")))


def test_what_would_be_a_guess_is_refused() -> None:
    assert "never guessed" in faults({**group(SCT, mild=target("1")), "unmapped": {"mode": "provided"}})
    assert "only sometimes" in faults(group(SCT, mild={**target("1"), "dependsOn": [{"property": "x", "value": "y"}]}))


def test_wrong_shapes_are_told_all_at_once() -> None:
    found = faults(
        {
            "source": OURS,
            "target": SCT,
            "element": [{"target": [target("1")]}, {"code": "a", "target": [{"code": "2"}]}],
        },
        {"source": OURS, "element": [{"code": "b", "target": [target("3")]}]},
    ).splitlines()
    assert [row.split(": ", 1)[1].split(",")[0] for row in found] == [
        "an element has no code",
        "the target of a has no equivalence that FHIR knows",
        "the target of b has no code",
    ]


def test_displays_fall_back_to_the_code() -> None:
    assert displays({"concept": [{"code": "a"}, {"code": "b", "display": "B"}]}) == {"a": "a", "b": "B"}
    assert displays({}) == {}


def test_all_maps_of_a_pack_know_their_own_code_systems() -> None:
    maps = {"one": {"group": [group(SCT, a=target("1"))]}, "two": {"group": []}}
    found = compile_tables(maps, {"one": {"url": OURS, "concept": [{"code": "b"}]}}, "https://x.test/cs")
    assert {name: each.code_system for name, each in found.items()} == {"one": OURS, "two": "https://x.test/cs/two"}
    assert found["one"].codes == {"a", "b"}


def test_faults_of_all_maps_come_at_once() -> None:
    wrong = {"group": [group(OURS, a=target("1"))]}
    with pytest.raises(PackError) as caught:
        compile_tables({"one": wrong, "two": wrong}, {name: {"url": OURS} for name in ("one", "two")}, "", pack="site")
    assert [fault.file for fault in caught.value.faults] == [
        "site/conceptmaps/one.json",
        "site/conceptmaps/two.json",
    ]
