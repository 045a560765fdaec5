"""Codes that are not at hand, asked of a terminology server over HTTP; and a server's own verdict."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapter.errors import Refused, Unavailable
from adapter.exchange import HttpFhirServer
from adapter.exchange.limits import Limits
from adapter.exchange.terminology import HttpTerminologyServer
from adapter.issues import Issue
from adapter.ports import Code, Owner
from adapter.privacy import Asking, Recipient, let_out
from adapter.validation import Quirks, Validator
from tests.unit.exchange.stub import Connection, StubServer

Tree = dict[str, Any]
SNOMED = "http://snomed.info/sct"
KNOWN = {"34840004": "Tendonitis", "73211009": "Diabetes mellitus"}


def condition(code: str, display: str | None = None) -> Tree:
    coding = {"system": SNOMED, "code": code} | ({"display": display} if display else {})
    return {
        "resourceType": "Condition",
        "code": {"coding": [coding]},
        "subject": {"reference": "Patient/p", "display": "Zacharias Zimmer"},
    }


def snomed(connection: Connection) -> None:
    """A terminology server that knows two codes of SNOMED CT, and of value sets what is a disorder."""
    rows = {row["name"]: row for row in json.loads(connection.body)["parameter"]}
    code = rows["code"]["valueCode"]
    answer = [{"name": "result", "valueBoolean": code in KNOWN}]
    if code in KNOWN:
        answer.append({"name": "display", "valueString": KNOWN[code]})
    connection.tree(200, {"resourceType": "Parameters", "parameter": answer})


def said(server: StubServer, *trees: Tree, origin: str = "real", **options: Any) -> list[list[Issue]]:
    recipient = Recipient("terminology", options.pop("host_class", "own"), "run-1")
    with HttpFhirServer(server.base, limits=Limits(seconds=3)) as client:
        asked = HttpTerminologyServer(
            client, lambda tree: let_out(tree, recipient, Asking(lambda some: [Owner(origin, "")] * len(some)))
        )
        validator = Validator(terminology=asked, **options)
        return [validator.validate(tree) for tree in trees]


def ids(issues: list[Issue]) -> list[str]:
    told = ("code-", "binding", "terminology")
    return [issue.message_id for issue in issues if issue.message_id.startswith(told)]


def test_codes_are_asked_for_and_told() -> None:
    with StubServer(snomed) as server:
        known, unknown, wrong = said(
            server, condition("34840004", "Tendonitis"), condition("999"), condition("73211009", "Something else")
        )
    assert ids(known) == []
    assert [
        (issue.message_id, issue.expression, issue.severity) for issue in unknown if "code" in issue.message_id
    ] == [("code-unknown", "Condition.code.coding[0].code", "error")]
    assert [(issue.message_id, issue.severity) for issue in wrong if "code" in issue.message_id] == [
        ("code-display", "warning")
    ]
    # Nothing but the code leaves.
    assert all(b"Zimmer" not in each.body and b"Tendonitis" not in each.body for each in server.asked)


def test_a_wrong_display_is_an_error_where_that_is_wanted() -> None:
    with StubServer(snomed) as server:
        [found] = said(server, condition("73211009", "Something else"), quirks=Quirks(displays="error"))
    assert [issue.severity for issue in found if issue.message_id == "code-display"] == ["error"]


def test_each_code_is_asked_for_once() -> None:
    with StubServer(snomed) as server:
        said(server, *[condition("34840004")] * 5)
        assert len([each for each in server.asked if "CodeSystem" in each.target]) == 1


RADLEX = "http://www.radlex.org"


def imaging(*codes: str) -> Tree:
    codings = [{"system": RADLEX, "code": code} for code in codes]
    return {
        "resourceType": "ImagingStudy",
        "status": "available",
        "subject": {"display": "p"},
        "procedureCode": [{"coding": codings}],
    }


def radlex(connection: Connection) -> None:
    rows = {row["name"]: row for row in json.loads(connection.body)["parameter"]}
    code = rows["code"]["valueCode"]
    found = code == "RPID1" if "ValueSet" in connection.target else code.startswith("RPID")
    answer = [{"name": "result", "valueBoolean": found}]
    connection.tree(200, {"resourceType": "Parameters", "parameter": answer})


def test_a_value_set_whose_codes_are_not_at_hand() -> None:
    with StubServer(radlex) as server:
        inside, either, outside = said(server, imaging("RPID1"), imaging("RPID2", "RPID1"), imaging("RPID2"))
        asked = {(each.target, b"RadLex_Playbook" in each.body) for each in server.asked}
    assert ids(inside) == []
    assert ids(either) == []
    assert [
        (issue.message_id, issue.expression, issue.severity) for issue in outside if "binding" in issue.message_id
    ] == [("binding-extensible", "ImagingStudy.procedureCode[0]", "warning")]
    assert asked == {("/fhir/ValueSet/$validate-code", True), ("/fhir/CodeSystem/$validate-code", False)}


@pytest.mark.parametrize("asked", [True, False], ids=["asked for", "claimed"])
def test_a_value_set_that_a_profile_binds(asked: bool) -> None:
    url = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-condition-problems-health-concerns"
    tree = condition("34840004") if asked else {**condition("34840004"), "meta": {"profile": [url]}}

    def in_no_set(connection: Connection) -> None:
        found = "ValueSet" not in connection.target
        answer = [{"name": "result", "valueBoolean": found}]
        connection.tree(200, {"resourceType": "Parameters", "parameter": answer})

    with StubServer(in_no_set) as server:
        [found] = said(server, tree, profiles=[url] if asked else [])
    told = [(issue.message_id, issue.expression) for issue in found if "us-core-condition-code" in issue.text]
    assert told == [("binding-extensible", "Condition.code")]


def refused(connection: Connection) -> None:
    connection.tree(404, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]})


def broken(connection: Connection) -> None:
    connection.send(503, "no")


def nonsense(connection: Connection) -> None:
    connection.send(200, "<html>")


def unknown_system(connection: Connection) -> None:
    rows = [
        {"name": "result", "valueBoolean": False},
        {"name": "message", "valueString": "Terminology service was unable to provide validation for it"},
    ]
    connection.tree(200, {"resourceType": "Parameters", "parameter": rows})


@pytest.mark.parametrize(
    ("script", "found"),
    [
        (refused, ["code-not-checked"]),
        (unknown_system, ["code-not-checked"]),
        (broken, ["terminology-unavailable", "code-not-checked"]),
        (nonsense, ["terminology-unavailable", "code-not-checked"]),
    ],
)
def test_its_failure_is_no_verdict(script: Any, found: list[str]) -> None:
    with StubServer(script) as server:
        [issues] = said(server, condition("34840004"))
    assert ids(issues) == found
    assert all(not issue.is_error for issue in issues if issue.message_id in found)


def test_a_server_that_is_down_is_left_alone_for_a_while() -> None:
    with StubServer(broken) as server, HttpFhirServer(server.base, limits=Limits(seconds=3)) as client:
        asked = HttpTerminologyServer(client, lambda tree: tree)
        for code in ("1", "2", "3"):
            with pytest.raises(Unavailable):
                asked.verdicts({}, [Code(SNOMED, code)])
        assert len(server.asked) == 1


def test_questions_are_bounded() -> None:
    with StubServer(snomed) as server, HttpFhirServer(server.base) as client:
        asked = HttpTerminologyServer(client, lambda tree: tree, most=3)
        verdicts = asked.verdicts({}, [Code(SNOMED, str(number)) for number in range(10)])
        assert len(server.asked) == 3
        assert verdicts[3:] == [None] * 7


def test_what_may_not_leave_is_not_asked_for() -> None:
    with StubServer(snomed) as server:
        [issues] = said(server, condition("34840004"), host_class="public", origin="real")
        assert server.asked == []
        assert ids(issues) == ["terminology-refused", "code-not-checked"]
        [issues] = said(server, condition("34840004"), host_class="public", origin="synthetic")
        assert ids(issues) == []


def outcome(connection: Connection) -> None:
    issue = {"severity": "error", "code": "invalid", "expression": ["Condition.code"], "diagnostics": "Zimmer"}
    connection.tree(200, {"resourceType": "OperationOutcome", "issue": [issue]})


def refuse(_: Tree) -> Tree:
    raise Refused("no")


def test_a_servers_own_verdict() -> None:
    with StubServer(outcome) as server, HttpFhirServer(server.base) as client:
        found = Validator(remote=client).validate(condition("34840004"))
    assert ("server-said", "Condition.code") in [(issue.message_id, issue.expression) for issue in found]
    assert all("Zimmer" not in issue.text for issue in found)


@pytest.mark.parametrize(
    ("gate", "script", "told"), [(refuse, outcome, "remote-refused"), (None, broken, "remote-unavailable")]
)
def test_no_verdict_from_a_server_is_none_on_the_data(gate: Any, script: Any, told: str) -> None:
    with StubServer(script) as server, HttpFhirServer(server.base, gate=gate, limits=Limits(seconds=3)) as client:
        found = Validator(remote=client).validate(condition("34840004"))
    [issue] = [issue for issue in found if issue.message_id == told]
    assert issue.severity == "information"
