"""What is kept of a profile, from its differential and those of its bases, against the snapshots that US Core publishes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapter.definitions import definitions
from adapter.definitions.archives import read_package
from adapter.definitions.profiling import _beyond, condense_snapshot

Tree = dict[str, Any]
PACKAGE = Path(__file__).parents[3].parent / "shared" / "packages" / "hl7.fhir.us.core-6.1.0.tgz"
R4 = definitions("4.0.1")
PUBLISHED = {
    row["id"]: row
    for row in (read_package(PACKAGE) if PACKAGE.exists() else [])
    if row["resourceType"] == "StructureDefinition" and row["type"] != "Extension"
}
# Generated from other profiles than those at hand.
ELSEWHERE = {"us-core-questionnaireresponse"}


def unsliced(id_: str) -> str:
    return ".".join(step.partition(":")[0] for step in id_.split("."))


def in_one_form(rows: list[Tree]) -> dict[str, Tree]:
    """Rows by id. A choice of one type is the slice of that type; a slice has what all values of its element have."""
    found = {row["i"]: {key: value for key, value in row.items() if key != "i"} for row in rows}
    for id_ in list(found):
        name = id_.rpartition(".")[2]
        if name.endswith("[x]") and len(found[id_].get("t", ())) == 1:
            slice_ = f"{id_}:{name[:-3]}{found[id_]['t'][0][0].upper()}{found[id_]['t'][0][1:]}"
            for each in [each for each in found if each == id_ or each.startswith(id_ + ".")]:
                moved = slice_ + each[len(id_) :]
                found[moved] = {**found.pop(each), **found.get(moved, {})}
    for id_, own in found.items():
        general = found.get(unsliced(id_), {}) if ":" in id_ else {}
        for key in ("b", "k", "ms", "t"):
            if key in general and own.get(key) == general[key]:
                del own[key]
    for id_, row in found.items():
        if "[x]:" in id_.rpartition(".")[2]:
            # The slice says the type; the choice as a whole is there where its only type must be.
            row.pop("t", None)
            row.pop("s", None)
    return {id_: row for id_, row in found.items() if row}


def ours(profile: Tree) -> list[Tree]:
    facts = R4.profile(profile["url"])
    assert facts is not None
    published = {row["id"]: row for row in profile["snapshot"]["element"]}
    rows = []
    for row in facts["e"]:
        # Some snapshots name a choice of one type by the choice alone.
        source = (
            published.get(row["i"])
            or published[row["i"].replace(":valueQuantity", "").replace(":valueCodeableConcept", "")]
        )
        kept = _beyond(row, source, R4)
        if len(kept) > 1:
            rows.append(kept)
    return rows


@pytest.mark.corpus
@pytest.mark.parametrize("name", sorted(PUBLISHED.keys() - ELSEWHERE))
def test_what_is_kept_of_a_profile_is_what_its_snapshot_says(name: str) -> None:
    profile = PUBLISHED[name]
    assert in_one_form(ours(profile)) == in_one_form(condense_snapshot(profile, R4)["e"])
