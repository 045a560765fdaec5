from __future__ import annotations

import pytest

from adapter.errors import Unavailable, UsageError
from adapter.exchange import BasicAuth, BearerToken, HttpFhirServer
from adapter.exchange.links import checked_base, held

BASE = "https://fhir.example.org/r4"


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("https://fhir.example.org/r4?_getpages=1", f"{BASE}?_getpages=1"),
        ("https://fhir.example.org:443/r4/?_getpages=1", f"{BASE}/?_getpages=1"),
        ("HTTPS://FHIR.example.org/r4/Patient?x=1#frag", f"{BASE}/Patient?x=1"),
        ("http://fhir.example.org/r4?x=1", f"{BASE}?x=1"),
        ("http://fhir.example.org:443/r4?x=1", f"{BASE}?x=1"),
        ("Patient?page=2", f"{BASE}/Patient?page=2"),
        ("/r4/Patient?page=2", f"{BASE}/Patient?page=2"),
    ],
)
def test_links_at_home_are_held_to_the_base(link: str, url: str) -> None:
    assert held(BASE, link) == url


@pytest.mark.parametrize(
    "link",
    [
        "http://fhir.example.org:8080/r4",
        "https://fhir.example.org:8443/r4",
        "https://fhir.example.org.evil.example/r4",
        "https://user:pass@fhir.example.org/r4",
        "https://fhir.example.org/r4b/Patient",
        "https://fhir.example.org/r4/%2e%2e/admin",
        "https://fhir.example.org/r4/..%2fadmin",
        "https://fhir.example.org\\@evil.example/r4",
        "https://fhir.example.org:port/r4",
        "https://[::1/r4",
        "ftp://fhir.example.org/r4",
        "/admin",
        "../admin",
        "\thttps://fhir.example.org/r4",
    ],
)
def test_links_elsewhere_are_not(link: str) -> None:
    with pytest.raises(Unavailable):
        held(BASE, link)


def test_http_is_never_raised_to_another_scheme_than_the_base_has() -> None:
    with pytest.raises(Unavailable):
        held("http://fhir.example.org/r4", "https://fhir.example.org/r4")


@pytest.mark.parametrize("base", ["https://FHIR.example.org/r4/", " https://fhir.example.org/r4 "])
def test_a_base_is_written_one_way(base: str) -> None:
    assert checked_base(base) == BASE


@pytest.mark.parametrize(
    "base",
    ["", "fhir.example.org", "ftp://x.example/", "https://", "https://u:p@x.example", "https://x.example/?a=b",
     "https://x.example/a/../b", "https://x.example:99999/", "https://x.example/#f"],
)  # fmt: skip
def test_what_is_no_base_is_refused(base: str) -> None:
    with pytest.raises(UsageError):
        HttpFhirServer(base)


def test_credentials_need_tls_away_from_loopback() -> None:
    with pytest.raises(UsageError, match="plain http"):
        HttpFhirServer("http://fhir.example.org/r4", auth=BearerToken("abc"))
    HttpFhirServer("http://localhost:8080/fhir", auth=BearerToken("abc"))


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", '"quoted"'])
def test_a_token_that_is_none_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(UsageError) as caught:
        BearerToken(token)
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize(("user", "password"), [("a:b", "c"), ("a", "c\n"), ("a\r", "c")])
def test_basic_credentials_that_cannot_be_sent_are_refused(user: str, password: str) -> None:
    with pytest.raises(UsageError):
        BasicAuth(user, password)
