"""Outcomes as JUnit XML, which every CI system reads: a test suite for the pack, a class for each example."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from adapter.services.testing.run import Outcome, shown


def junit(name: str, outcomes: Sequence[Outcome]) -> bytes:
    """The XML; the same outcomes give the same bytes."""
    failed = sum(not outcome.passed for outcome in outcomes)
    counts = {"name": name, "tests": str(len(outcomes)), "failures": str(failed), "errors": "0"}
    root = ET.Element("testsuites", counts)
    suite = ET.SubElement(root, "testsuite", counts)
    for outcome in outcomes:
        case = ET.SubElement(suite, "testcase", {"classname": f"{name}.{outcome.case}", "name": outcome.check})
        if not outcome.passed:
            message = outcome.fault.partition("\n")[0] or f"{len(outcome.found)} places differ"
            failure = ET.SubElement(case, "failure", {"message": _xml(message)})
            failure.text = _xml("\n".join(shown(outcome)))
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _xml(text: str) -> str:
    """Without the characters that XML does not allow."""
    return "".join(sign for sign in text if sign >= " " or sign in "\t\n")
