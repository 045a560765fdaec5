from __future__ import annotations

import pytest

from adapter.validation.narrative import faults_of

NS = 'xmlns="http://www.w3.org/1999/xhtml"'


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        ("<p>x</p>", []),
        ("a&nbsp;b&#160;c", []),
        ('<img src="a.png" alt="a"/>', []),
        ('<p id="a">x</p><a href="#a">y</a>', []),
        ('<a href="#b">y</a>', ["narrative-link"]),
        ("<script>x</script>", ["narrative-element"]),
        ("<form><p>x</p></form>", ["narrative-element"]),
        ('<p onclick="x">y</p>', ["narrative-outside"]),
        ('<a href="javascript:x">y</a>', ["narrative-outside"]),
        ('<p data-x="1">y</p>', ["narrative-attribute"]),
        ("", ["narrative-empty"]),
        ("  <p> </p>", ["narrative-empty"]),
        ("<p>x", ["narrative-not-xml"]),
        ("&nonsense;x", ["narrative-not-xml"]),
    ],
)
def test_what_may_stand_in_a_narrative(inside: str, found: list[str]) -> None:
    assert faults_of(f"<div {NS}>{inside}</div>") == found


@pytest.mark.parametrize(
    ("div", "found"),
    [
        ("<div>x</div>", ["narrative-root"]),
        (f"<p {NS}>x</p>", ["narrative-root"]),
        ("x", ["narrative-not-xml"]),
        (f'<!DOCTYPE div [<!ENTITY a "b">]><div {NS}>&a;</div>', ["narrative-not-xml"]),
        (f"<div {NS}>\ud800</div>", ["narrative-not-xml"]),
        ('<h:div xmlns:h="http://www.w3.org/1999/xhtml"><h:p>x</h:p></h:div>', []),
    ],
)
def test_the_whole(div: str, found: list[str]) -> None:
    assert faults_of(div) == found


def test_contained_resources_may_be_linked() -> None:
    assert faults_of(f'<div {NS}><a href="#c">x</a></div>', frozenset({"c"})) == []
