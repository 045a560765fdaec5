"""What is asked of a server before it is added: its address, its policies, and whether it is there under another name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapter.errors import UsageError
from adapter.exchange.links import checked_base
from adapter.services.servers import add, change, options_of, others
from adapter.store import Store, open_store

BASE = "http://127.0.0.1:8080/fhir"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"sqlite:///{tmp_path / 'careplan.db'}")


@pytest.mark.parametrize("url", [
    "http://127.0.0.1:8080/a/../fhir", "http://127.0.0.1:8080/%2e%2e/fhir", "http://127.0.0.1:8080/fh ir",
    "http://127.0.0.1:8080/fhir\\x", "http://127.0.0.1:8080/fhir\n", "http:///fhir", "ftp://127.0.0.1/fhir",
    "http://user@127.0.0.1/fhir", "http://127.0.0.1:0/fhir", "http://127.0.0.1/fhir?a=b", "http://127.0.0.1/fhir#a",
])  # fmt: skip
def test_an_address_that_could_not_be_asked_is_not_added(store: Store, url: str) -> None:
    with pytest.raises(UsageError, match="base address"):
        add(store, "north", url)
    assert store.servers() == []


@pytest.mark.parametrize("url", [BASE, BASE + "/", "HTTP://127.0.0.1:8080/fhir", "http://LocalHost:8080/Fhir/R4//"])
def test_an_address_is_kept_as_it_is_asked(store: Store, url: str) -> None:
    assert add(store, "north", url).url == checked_base(url)


def test_a_secret_is_not_to_go_over_plain_http(store: Store) -> None:
    with pytest.raises(UsageError, match="plain http"):
        add(store, "north", "http://north.example/fhir", host_class="own", auth="bearer", auth_env="TOKEN")
    assert add(store, "here", BASE, auth="bearer", auth_env="TOKEN").auth == "bearer"
    add(store, "north", "http://north.example/fhir", host_class="own")
    with pytest.raises(UsageError, match="plain http"):
        change(store, "north", auth="bearer", auth_env="TOKEN")


@pytest.mark.parametrize("given", [
    "eyJhbGciOiJSUzI1NiJ9.e30.sig", "0123456789abcdef0123456789abcdef", "user:password", "NORTH-TOKEN", "T" * 65, "1TOKEN",
])  # fmt: skip
def test_a_secret_in_the_place_of_its_variable_is_neither_kept_nor_repeated(store: Store, given: str) -> None:
    with pytest.raises(UsageError, match="environment variable") as caught:
        add(store, "north", BASE, auth="bearer", auth_env=given)
    assert given not in str(caught.value)
    assert store.servers() == []
    for name in ("NORTH_TOKEN", "NORTH_TOKEN_2", "north_token"):
        assert add(store, f"n{len(store.servers())}", BASE, auth="bearer", auth_env=name).auth_env == name


@pytest.mark.parametrize(("url", "same"), [
    (BASE + "/", True), ("http://localhost:8080/fhir", True), ("http://[::1]:8080/fhir", True),
    ("HTTP://127.0.0.1:8080/fhir", True), ("http://127.0.0.1:8081/fhir", False), ("http://127.0.0.1:8080/FHIR", False),
])  # fmt: skip
def test_a_server_that_is_there_under_another_name_is_told(store: Store, url: str, same: bool) -> None:
    add(store, "north", BASE)
    made = add(store, "again", url)
    assert others(store, made) == (["north"] if same else [])
    assert others(store, store.server("north")) == (["again"] if same else [])


@pytest.mark.parametrize(("field", "near"), [
    ("Gaol", "Goal"), ("Goal.statusReson", "Goal.statusReason"), ("Goal.start", "Goal.startDate"),
    ("CarePlan.activity.detail.state", "CarePlan.activity.detail.status"), ("Goal.lifecycleStatus.code", ""),
    ("Quantity.value", ""), ("DomainResource.text", ""),
])  # fmt: skip
def test_a_policy_about_nothing_that_there_is_is_refused(store: Store, field: str, near: str) -> None:
    with pytest.raises(UsageError) as caught:
        options_of(policies=[f"{field}=ours"])
    assert field in str(caught.value)
    assert near in str(caught.value)
    add(store, "north", BASE)
    with pytest.raises(UsageError, match="no element"):
        change(store, "north", policies={field: "ours"})


@pytest.mark.parametrize("field", [
    "*", "Goal", "Goal.statusReason", "Goal.target.detailQuantity.value", "Goal.startDate", "Goal.extension.valueString",
    "CarePlan.activity.detail.scheduledTiming.repeat.boundsPeriod.end", "Questionnaire.item.item.item.text",
    "CarePlan.contained.name", "Patient.name.given",
])  # fmt: skip
def test_a_policy_about_an_element_is_taken(field: str) -> None:
    assert options_of(policies=[f"{field}=theirs"]).policies == {field: "theirs"}


def test_a_policy_of_an_earlier_version_is_no_reason_to_change_nothing(store: Store) -> None:
    from dataclasses import replace

    made = add(store, "north", BASE)
    old: dict[str, Any] = {"Gaol": "ours"}
    store.set_server(replace(made, options=replace(made.options, policies=old)))
    assert change(store, "north", every=60).options.every == 60


@pytest.mark.parametrize(
    ("host_class", "given", "made"), [("public", None, 1), ("public", 3, 3), ("partner", None, 4), ("partner", 8, 8)]
)
def test_how_many_requests_go_at_once_is_a_matter_of_class_unless_it_is_said(
    store: Store, host_class: str, given: int | None, made: int
) -> None:
    added = add(store, "one", "https://fhir.example/r4", host_class=host_class, connections=given)
    assert added.options.connections == made
    with pytest.raises(UsageError, match="at least 1"):
        add(store, "two", "https://two.example/r4", connections=0)
