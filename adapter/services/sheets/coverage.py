"""The page of `pack coverage`."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from adapter.mapping.coverage import STATUSES
from adapter.services.sheets.html import Safe, code, joined, section, table, tag
from adapter.services.sheets.html import page as frame

Tree = dict[str, Any]
TITLES = {
    "demanded": "of what FHIR or US Core demands",
    "fhir": "of the elements of the FHIR types",
    "records": "of the fields of the records",
}
WORDS = {"both": "both ways", "one-way": "one way", "remainder": "carried along", "never": "does not go out"}


def page(found: Tree) -> str:
    """One page of what `by_definition` and `by_data` gave."""
    title = f"Coverage of {found['pack']} {found['version']}"
    cards = [_card(found["totals"][name], words) for name, words in TITLES.items()]
    sections = [*_data(found["data"])] if "data" in found else []
    if "data" in found:
        share = found["data"]["share"]
        words = f"of the leaves of {found['data']['documents']} documents come back from the records alone"
        cards.append(_counted(share, words, {"both": share, "remainder": 1 - share}))
    for side, name in (("fhir", "FHIR"), ("records", "Record")):
        for owner, rows in groupby(found[side], key=lambda row: str(row["owner"])):
            sections.append(_owner(side, name, owner, list(rows)))
    lead = (
        "What goes both ways, one way, is carried along untouched, or does not go out. What is demanded stands first."
    )
    return frame(title, lead, tag("div", joined(cards), "cards"), sections)


def _card(total: Tree, words: str) -> Safe:
    parts = {name: total[name] / max(total["elements"], 1) for name in STATUSES}
    return _counted(total["share"], f"{words} ({total['elements']})", parts)


def _counted(share: float, words: str, parts: dict[str, float]) -> Safe:
    bar = "".join(f'<i class="{name}" style="width:{part:.2%}"></i>' for name, part in parts.items() if part)
    return Safe(f'<div class="card"><b>{share:.1%}</b><span>{words}</span><div class="bar">{bar}</div></div>')


def _owner(side: str, name: str, owner: str, rows: list[Tree]) -> tuple[str, str, Safe]:
    covered = sum(row["status"] in ("both", "one-way") for row in rows)
    cells = [
        (
            code(row["path"]),
            tag("span", WORDS[row["status"]], f"tag {row['status']}"),
            joined(
                [word for key, word in (("required", "required"), ("must_support", "must-support")) if key in row], " "
            ),
            row.get("reason", ""),
            tag("span", ", ".join(row["rules"]), "soft small"),
        )
        for row in rows
    ]
    heads = ["Element" if side == "fhir" else "Field", "Way", "Demanded", "Reason", "Rule"]
    id_ = f"{side}-{owner}"
    return id_, owner, section(id_, f"{name}: {owner}", "", table(heads, cells), f"{covered} of {len(rows)}")


def _data(data: Tree) -> list[tuple[str, str, Safe]]:
    types = [(owner, row["leaves"], row["back"], f"{row['share']:.1%}") for owner, row in data["types"].items()]
    left = [(code(row["path"]), row["left"], row["of"]) for row in data["left"]]
    codes = [(row["code_map"], code(row["code"]), row["count"]) for row in data["codes"]]
    found = [
        ("data", "Data", section("data", "By data", "Leaves that the records alone give back.", table(["Type", "Leaves", "Back", "Share"], types, (1, 2, 3)))),
        ("left", "Left", section("left", "Left most often", "Carried along as remainder.", table(["Element", "Left", "Of"], left, (1, 2)))),
    ]  # fmt: skip
    if codes:
        note = "Kept as the foreign codes that they are: a ConceptMap that had them would make them ours."
        found.append(("codes", "Codes", section("codes", "Codes without a map", note, table(["ConceptMap", "Code", "Times"], codes, (2,)))))  # fmt: skip
    return found
