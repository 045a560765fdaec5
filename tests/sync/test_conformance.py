"""What the exchange asks of a server and of a store, of every one that is supported: in memory, another adapter's FHIR face, a
real HAPI, and one of Medplum's make, with transactions and without; on SQLite and on PostgreSQL. What a server does not do it
must not say that it does.

https://hl7.org/fhir/R4/http.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from adapter.bootstrap import Services
from adapter.cli.demonstration import other_adapter
from adapter.errors import Conflict, Gone, NotFound, ServerRefused
from adapter.exchange import HttpFhirServer
from adapter.exchange.memory import MemoryFhirServer
from adapter.fhir_json import copy
from adapter.identity import IDENTIFIER_SYSTEM
from adapter.ports import FhirServer
from adapter.services.exchange import How, Ran, exchange
from adapter.services.servers import add, options_of
from tests.sync.site import Site

Tree = dict[str, Any]
NAME = "ward"
# Where transactions are whole; what is made of those that are not: tests/medplum.
WHOLE = ["memory", "memory with our ids", "face", "hapi"]
SERVERS = [*WHOLE, "medplum", "medplum_transactions"]
STORES = ["sqlite", "postgresql"]


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The FHIR face of another adapter, a process of its own."""
    with other_adapter(tmp_path_factory.mktemp("face")) as base:
        yield base


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[FhirServer]:
    """One of the servers."""
    if request.param.startswith("memory"):
        yield MemoryFhirServer(own_ids=request.param != "memory")
        return
    with HttpFhirServer(request.getfixturevalue(request.param)) as client:
        yield client


@pytest.fixture(params=STORES)
def services(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Services]:
    """One of the stores, with nothing in it."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("cluster")
    with Services(url=url) as made:
        yield made


def patient(tag: str, **more: Any) -> Tree:
    """A patient whom no other test knows."""
    return {"resourceType": "Patient", "identifier": [{"system": "urn:test", "value": tag}], **more}


def found(server: FhirServer, type_: str, **params: Any) -> list[Tree]:
    """All that a search finds."""
    return [row.resource for page in server.search(type_, params) for row in page]


@pytest.fixture
def tag() -> str:
    """A word that no other test uses."""
    return uuid4().hex


# The server


def test_a_conditional_create_makes_one(server: FhirServer, tag: str) -> None:
    one = server.create(patient(tag), if_none_exist=f"identifier=urn:test|{tag}")
    two = server.create(patient(tag), if_none_exist=f"identifier=urn:test|{tag}")
    assert one.resource["id"] == two.resource["id"]
    assert len(found(server, "Patient", identifier=f"urn:test|{tag}")) == 1


def test_an_update_is_made_onto_the_version_it_names_only(server: FhirServer, tag: str) -> None:
    one = server.create(patient(tag))
    two = server.update({**one.resource, "active": True}, if_match=one.version)
    assert two.version != one.version
    with pytest.raises(Conflict):
        server.update({**one.resource, "active": False}, if_match=one.version)
    now = server.read("Patient", one.resource["id"])
    assert (now.resource["active"], now.version) == (True, two.version)
    assert "active" not in server.vread("Patient", one.resource["id"], one.version).resource


def test_what_is_deleted_is_gone_and_is_found_no_more(server: FhirServer, tag: str) -> None:
    id_ = server.create(patient(tag)).resource["id"]
    server.delete("Patient", id_)
    server.delete("Patient", id_)
    # A server need not remember what was there: https://hl7.org/fhir/R4/http.html#delete
    with pytest.raises((Gone, NotFound)):
        server.read("Patient", id_)
    with pytest.raises(NotFound):
        server.read("Patient", uuid4().hex)
    assert found(server, "Patient", identifier=f"urn:test|{tag}") == []


def test_pages_give_everything_once(server: FhirServer, tag: str) -> None:
    ids = {
        server.create({**patient(tag), "identifier": [{"system": "urn:test", "value": tag}]}).resource["id"]
        for _ in range(7)
    }
    pages = [list(page) for page in server.search("Patient", {"identifier": f"urn:test|{tag}", "_count": "3"})]
    assert len(pages[0]) == 3, "not more than were asked for; a server that does not page gives the others in one"
    assert len([page for page in pages if page]) in (2, 3)
    assert sorted(row.resource["id"] for page in pages for row in page) == sorted(ids)


def test_what_changed_since_is_found_by_the_servers_own_stamp(server: FhirServer, tag: str) -> None:
    one = server.create(patient(tag))
    two = server.update({**one.resource, "active": True}, if_match=one.version)
    query = {"_lastUpdated": f"ge{two.last_updated}", "identifier": f"urn:test|{tag}", "_sort": "_lastUpdated"}
    rows = [row for page in server.search("Patient", query) for row in page]
    assert [(row.resource["id"], row.version) for row in rows] == [(one.resource["id"], two.version)]


def test_the_history_of_a_type_tells_of_deletions_where_it_is_said_to_be_there(server: FhirServer, tag: str) -> None:
    one = server.create(patient(tag))
    server.delete("Patient", one.resource["id"])
    if "Patient" not in server.capability().history_type:
        with pytest.raises((ServerRefused, NotFound)):
            list(server.history("Patient", since=one.last_updated))
        return
    rows = [row for page in server.history("Patient", since=one.last_updated) for row in page]
    asked = [
        row["request"]
        for row in rows
        if row["request"]["url"].split("?")[0].split("/_history")[0].endswith(one.resource["id"])
    ]
    assert "DELETE" in [request["method"] for request in asked]


def patient_and_goal(tag: str) -> list[Tree]:
    """Entries of a Bundle, of which the second names the first."""
    name = f"urn:uuid:{uuid4()}"
    goal = {
        "resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": "Work"},
        "subject": {"reference": name}, "identifier": [{"system": "urn:test", "value": tag}],
    }  # fmt: skip
    return [
        {"fullUrl": name, "resource": patient(tag),
         "request": {"method": "POST", "url": "Patient", "ifNoneExist": f"identifier=urn:test|{tag}"}},
        {"fullUrl": f"urn:uuid:{uuid4()}", "resource": goal,
         "request": {"method": "POST", "url": "Goal", "ifNoneExist": f"identifier=urn:test|{tag}"}},
    ]  # fmt: skip


def test_a_transaction_names_what_it_makes(server: FhirServer, tag: str) -> None:
    server.transaction({"resourceType": "Bundle", "type": "transaction", "entry": patient_and_goal(tag)})
    (made,), (whose,) = (found(server, type_, identifier=f"urn:test|{tag}") for type_ in ("Goal", "Patient"))
    assert made["subject"]["reference"].endswith(f"Patient/{whose['id']}")


@pytest.mark.parametrize("server", WHOLE, indirect=True)
def test_a_transaction_is_whole_or_not_at_all(server: FhirServer, tag: str) -> None:
    stale = server.create(patient(f"{tag}-stale"))
    server.update({**stale.resource, "active": True}, if_match=stale.version)
    update = {
        "resource": {**stale.resource, "active": False},
        "request": {"method": "PUT", "url": f"Patient/{stale.resource['id']}", "ifMatch": f'W/"{stale.version}"'},
    }
    with pytest.raises(Conflict):
        server.transaction({"resourceType": "Bundle", "type": "transaction", "entry": [*patient_and_goal(tag), update]})
    assert found(server, "Patient", identifier=f"urn:test|{tag}") == []


# The whole way, on every server and every store


def run(services: Services, server: FhirServer, how: How) -> Ran:
    with services.partner(NAME) as partner:
        ran = exchange(replace(partner, client=server), how)
    assert ran.error is None, ran.error
    return ran


class Side:
    """A store with the case in it, and a server to exchange it with."""

    def __init__(self, services: Services, server: FhirServer) -> None:
        self.services, self.server = services, server
        add(services.store(), NAME, server.base)
        done = services.take_in(Site.case(), origin="synthetic")
        assert not done.refused

    def run(self, how: How) -> Ran:
        return run(self.services, self.server, how)

    def plan(self) -> Tree:
        return copy(next(self.services.store().records("plan")))  # type: ignore[no-any-return]

    def edit(self, **values: Any) -> None:
        plan = self.plan()
        plan["goals"][0].update(values)
        assert not self.services.take_in(plan, origin="synthetic").refused

    def goal(self) -> Tree:
        (there,) = found(self.server, "Goal", identifier=f"{IDENTIFIER_SYSTEM}|{self.plan()['goals'][0]['id']}")
        return there

    def edit_there(self, **values: Any) -> None:
        there = self.goal()
        self.server.update({**there, **values}, if_match=there["meta"]["versionId"])

    def quiet(self) -> None:
        for _ in range(2):
            ran = self.run("both")
        assert ran.report.steps == []


@pytest.fixture
def side(services: Services, server: FhirServer) -> Side:
    """The case, pushed."""
    made = Side(services, server)
    report = made.run("push").report
    assert set(report.counts()) == {"created"}
    made.quiet()
    return made


def test_edits_go_both_ways_and_conflicts_are_decided(side: Side) -> None:
    side.edit(statement={"text": "Ours"})
    side.edit_there(note=[{"text": "Theirs"}])
    side.run("both")
    assert (side.goal()["description"]["text"], side.plan()["goals"][0]["notes"][-1]["text"]) == ("Ours", "Theirs")
    for take, word in (("ours", "Here 1"), ("theirs", "There 2")):
        side.edit(statement={"text": f"Here {word[-1]}"})
        side.edit_there(description={"text": f"There {word[-1]}"})
        side.run("both")
        (conflict,) = side.services.store().conflicts()
        side.services.desk().resolve(conflict.number, take, by="R. Weber")
        side.run("both")
        assert (side.goal()["description"]["text"], side.plan()["goals"][0]["statement"]["text"]) == (word, word)
    side.quiet()
    entries = side.services.store().entries("plan", side.plan()["id"])
    assert [entry.by for entry in entries if entry.by] == ["R. Weber", "R. Weber"]


def test_deletions_go_both_ways_and_nothing_comes_back(side: Side) -> None:
    plan = side.plan()["id"]
    diagnosis = next(iter(side.services.store().records("diagnosis")))["id"]
    side.services.delete("plan", plan)
    side.run("both")
    (there,) = found(side.server, "CarePlan", identifier=f"{IDENTIFIER_SYSTEM}|{plan}")
    assert there["status"] == "revoked"
    (condition,) = found(side.server, "Condition", identifier=f"{IDENTIFIER_SYSTEM}|{diagnosis}")
    assert condition["id"]
    side.quiet()
    with pytest.raises(Gone):
        side.services.store().record("plan", plan)


def test_an_empty_store_takes_over_all_that_is_there_and_is_in_step_with_it(services: Services, tmp_path: Path) -> None:
    server = MemoryFhirServer()
    with Services(url=f"sqlite:///{tmp_path / 'theirs.db'}") as theirs:
        Side(theirs, server).run("push")
        sent = {link.remote for link in theirs.store().links(NAME)}
        kinds = sorted(record["kind"] for record in theirs.store().records())
    add(services.store(), NAME, server.base, options=options_of(patients="all"))
    for _ in range(2):
        run(services, server, "both")
    store = services.store()
    assert sorted(record["kind"] for record in store.records()) == kinds
    assert {link.remote for link in store.links(NAME)} == sent
    assert run(services, server, "both").report.steps == []
    (plan,) = store.records("plan")
    goals = {row.id for part, row in store.parts("plan", plan["id"]).items() if part.startswith("Goal/")}
    assert goals == {store.resource("Goal", id_).id for id_ in goals}
    for id_ in goals:
        found = store.search("Goal", [("_id", id_), ("patient", store.parts("patient", plan["patient"])[""].id)])
        assert [row.version for row in found.rows] == [1], "what moved to its plan was written once"
