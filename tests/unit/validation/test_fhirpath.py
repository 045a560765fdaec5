from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import Any

import pytest

from adapter.definitions import definitions
from adapter.validation.fhirpath.compiling import Env, Failed, Unsupported, compile_boolean, compile_path

R4 = definitions("4.0.1")
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "active": True,
    "_birthDate": {"extension": [{"url": "http://e/x", "valueInteger": 3}]},
    "deceasedBoolean": False,
    "multipleBirthInteger": 2,
    "name": [{"family": "A", "given": ["B", "C"]}, {"family": "D", "use": "old"}],
    "contact": [{"name": {"family": "E"}}],
}


def run(expression: str, type_name: str = "Patient") -> list[Any]:
    return compile_path(R4, expression, type_name)(PATIENT, Env(PATIENT, PATIENT))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("name.family", ["A", "D"]),
        ("Patient.name.given", ["B", "C"]),
        ("name[1].family", ["D"]),
        ("name.where(use = 'old').family", ["D"]),
        ("name.select(given.count())", [2, 0]),
        ("name.given.first() & name.given.last()", ["BC"]),
        ("name.exists(use='old') and active", [True]),
        ("deceased", [False]),
        ("deceased is boolean", [True]),
        ("deceased is dateTime", [False]),
        ("(multipleBirth as integer) + 1", [3]),
        ("multipleBirth.ofType(boolean)", []),
        ("birthDate.exists()", [True]),
        ("birthDate.hasValue()", [False]),
        ("telecom.empty()", [True]),
        ("telecom.empty().not()", [False]),
        ("{} or true", [True]),
        ("{} and false", [False]),
        ("{} implies true", [True]),
        ("true xor false", [True]),
        ("active = true and 1 = 1.0", [True]),
        ("(1 | 2 | 2).count()", [2]),
        ("'B' in name.given", [True]),
        ("name.given contains 'Z'", [False]),
        ("name.given.isDistinct()", [True]),
        ("name.all(family.exists())", [True]),
        ("iif(active, 'y', 'n')", ["y"]),
        ("'abc'.substring(1, 1)", ["b"]),
        ("'abc'.startsWith('ab') and 'abc'.endsWith('c') and 'abc'.contains('b')", [True]),
        ("'abc'.matches('^[a-c]+$')", [True]),
        ("'a.b'.replaceMatches('\\\\..*', '')", ["a"]),
        ("'12'.toInteger() * 2 - 4 / 2", [Decimal(22)]),
        ("7 div 2 + 7 mod 2", [4]),
        ("-1 < 1", [True]),
        ("'a\\'b\\u0041'", ["a'bA"]),
        ("@2020-01-01 < @2020-01-02", [True]),
        ("@2020 <= @2020-05", []),
        ("name.given.join(',')", ["B,C"]),
        ("'a,b'.split(',').count()", [2]),
        ("%resource.id.empty() and %ucum = 'http://unitsofmeasure.org'", [True]),
        ("name.tail().family | name.skip(1).family", ["D"]),
        ("name.descendants().count() > 3", [True]),
        ("'A' ~ 'a'", [True]),
        ("contact.name.family // a remark", ["E"]),
    ],
)
def test_expressions(expression: str, expected: list[Any]) -> None:
    assert run(expression) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "name.",
        "name.family.family2",
        "foo",
        "name.frobnicate()",
        "memberOf('x')",
        "(((",
        "1 year",
        "$total",
        "name.where()",
    ],
)
def test_what_cannot_be_compiled_is_said_then(expression: str) -> None:
    with pytest.raises(Unsupported):
        compile_path(R4, expression, "Patient")


def test_depth_and_length_are_bounded() -> None:
    for expression in ("(" * 500 + "1" + ")" * 500, "1" * 30_000):
        with pytest.raises(Unsupported):
            compile_path(R4, expression, "Patient")


def test_several_where_one_is_expected_fails() -> None:
    holds = compile_boolean(R4, "name.given and true", "Patient")
    with pytest.raises(Failed):
        holds(PATIENT, Env(PATIENT, PATIENT))


def test_a_pattern_cannot_be_made_to_backtrack() -> None:
    assert run(f"'{'a' * 5000}!'.matches('^(a+)+$')") == [False]


DOUBLING = ".select($this & $this)" * 40
WIDER = ".select($this.combine($this))" * 40


@pytest.mark.parametrize(
    "expression",
    [
        "repeat('a' & $this.toString())",
        "(1).repeat($this + 1).exists()",
        f"'aaaa'{DOUBLING}.exists()",
        f"(1){WIDER}.exists()",
        f"name{WIDER}.exists()",
        "'xx'" + ".replace('x', 'xxxxxxxxxxxxxxxx')" * 20,
        "'xx'" + ".replaceMatches('x', 'xxxxxxxxxxxxxxxx')" * 20,
        "descendants()" + ".select(%resource.descendants())" * 20,
        "descendants()" + ".where(%resource.descendants().where(%resource.descendants().exists()).exists())" * 8,
    ],
)
def test_an_expression_that_loops_or_explodes_is_ended(expression: str) -> None:
    from time import process_time

    start = process_time()
    with contextlib.suppress(Failed):
        run(expression)
    # Seconds, where each of them would otherwise take for ever.
    assert process_time() - start < 10


@pytest.mark.parametrize(
    "expression",
    ["(" * 5000, "-" * 5000 + "1", "a" + ".a" * 5000, "a or " * 5000 + "a", "a[" * 5000, "a.where(" * 5000],
)
def test_an_expression_that_nests_without_end_is_refused(expression: str) -> None:
    with pytest.raises(Unsupported):
        compile_path(R4, expression)
