from __future__ import annotations

import pytest

from adapter.validation.narrative import faults_of, targets_in

NS = 'xmlns="http://www.w3.org/1999/xhtml"'


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        ("<p>x</p>", []),
        ("a&#160;b&amp;c", []),
        ("a&nbsp;b", ["narrative-not-xml"]),
        ("<table><tr><td>x</td></tr></table>", []),
        ("<table>x</table>", ["narrative-nesting"]),
        ("<p>x<ul><li>y</li></ul></p>", ["narrative-nesting"]),
        ("<li>x</li>", ["narrative-nesting"]),
        ("<b>x<b>y</b></b>", ["narrative-nesting"]),
        ('<a href="urn:x">y</a>', ["narrative-url"]),
        ('<a href="http://a b">y</a>', ["narrative-url"]),
        ('<img src="a.png" alt="a"/>', []),
        ('<p id="a">x</p><a href="#a">y</a>', []),
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
    assert faults_of(f"<div {NS}>{inside}</div>")[0] == found


@pytest.mark.parametrize(
    ("div", "found"),
    [
        ("<div>x</div>", ["narrative-root"]),
        (f"<p {NS}>x</p>", ["narrative-root"]),
        ("x", ["narrative-not-xml"]),
        (f'<!DOCTYPE div [<!ENTITY a "b">]><div {NS}>&a;</div>', ["narrative-doctype"]),
        (f"<div {NS}>x</div><div {NS}>y</div>", ["narrative-two-roots"]),
        (f"<div {NS}>\ud800</div>", ["narrative-not-xml"]),
        ('<h:div xmlns:h="http://www.w3.org/1999/xhtml"><h:p>x</h:p></h:div>', []),
    ],
)
def test_the_whole(div: str, found: list[str]) -> None:
    assert faults_of(div)[0] == found


def test_a_link_leads_to_an_id_of_the_resource() -> None:
    assert faults_of(f'<div {NS}><a href="#c">x</a><a href="#d">y</a><p id="d">z</p></div>') == ([], {"c"})
    tree = {"contained": [{"id": "c"}], "text": {"div": f'<div {NS}><a name="e">x</a></div>'}}
    assert targets_in(tree) == {"c", "e"}
