"""Compiles the units of UCUM into adapter/definitions/data/ucum/units.tsv.

    python tools/compile_units.py ucum-essence.xml

The file is part of the UCUM specification, and of its Java library (`org.fhir:ucum`, in which `make oracle` fetches it).
A line is `code<TAB>[kind, value, unit]`: kind is `prefix`, `base`, `metric` (takes prefixes), `plain` or `special` (not a
multiple of its unit). https://ucum.org/ucum
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "adapter" / "definitions" / "data" / "ucum" / "units.tsv"


def rows(root: ET.Element) -> Iterator[tuple[str, list[str]]]:
    """One row for each prefix and unit."""
    for each in root.iter("prefix"):
        yield each.attrib["Code"] + "-", ["prefix", each.find("value").attrib["value"], ""]  # type: ignore[union-attr]
    for each in root.iter("base-unit"):
        yield each.attrib["Code"], ["base", "1", ""]
    for each in root.iter("unit"):
        value = each.find("value")
        metric = each.attrib.get("isMetric") == "yes"
        kind = "special" if each.attrib.get("isSpecial") == "yes" else "metric" if metric else "plain"
        if kind == "special" and metric:
            kind = "special-metric"
        if value is not None:
            yield each.attrib["Code"], [kind, value.attrib.get("value", "1"), value.attrib["Unit"]]


def main() -> int:
    """Writes the file."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("essence", type=Path)
    root = ET.parse(options.parse_args().essence).getroot()  # noqa: S314
    found = sorted(rows(root))
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text("".join(f"{key}\t{json.dumps(row, separators=(',', ':'))}\n" for key, row in found), "utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {len(found)} rows", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
