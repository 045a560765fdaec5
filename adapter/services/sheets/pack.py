"""The sheet of a pack: one page for clinicians and integrators, and the same as CSV. The same pack gives the same bytes."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from itertools import groupby
from typing import Any

from adapter.mapping.steps import how
from adapter.services.knowledge import Knowledge
from adapter.services.sheets.gathering import Told, items_of, told
from adapter.services.sheets.html import Safe, code, details, joined, section, table, tag
from adapter.services.sheets.html import page as frame
from adapter.services.testing.cases import cases

Tree = dict[str, Any]
Part = tuple[str, str, Safe]
HEADS = (
    "map", "kind", "type", "question", "linkId", "record", "fhir", "direction", "reason", "how", "code_map", "codes",
    "example_record", "example_fhir", "rule",
)  # fmt: skip
BOTH, ONE_WAY = "both ways", "to FHIR only"


def sheet(known: Knowledge) -> tuple[str, str]:
    """(HTML, CSV) of a pack."""
    rows = told(known)
    return _page(known, rows), _csv(rows)


def _direction(row: Told) -> str:
    return ONE_WAY if row.row.reason else BOTH


def _page(known: Knowledge, rows: list[Told]) -> str:
    pack = known.pack
    parts: list[Part] = [_map(list(group)) for _, group in groupby(rows, key=lambda row: row.row.map)]
    parts += [*_codes(known), *_forms(known), *_extensions(known), *_examples(known)]
    lead = f"{pack.name} {pack.version}, FHIR {', '.join(pack.fhir_versions)}"
    lead += f"; extends {', '.join(pack.extends)}" if pack.extends else ""
    title = pack.title or pack.name
    return frame(
        title,
        f"{lead}. Which field of a record is which element of FHIR, in words and codes.",
        _cards(known, rows),
        parts,
    )


def _cards(known: Knowledge, rows: list[Told]) -> Safe:
    both = sum(not row.row.reason for row in rows)
    counts = [
        (both, "pairs that go both ways"),
        (len(rows) - both, "go one way, each with its reason"),
        (len(known.pack.concept_maps), "code maps"),
        (len(known.pack.questionnaires), "forms"),
        (len(cases(known.pack.examples)), "examples"),
    ]
    cards = [Safe(f'<div class="card"><b>{number}</b><span>{words}</span></div>') for number, words in counts]
    return tag("div", joined(cards), "cards")


def _map(rows: list[Told]) -> Part:
    first = rows[0].row
    heads = ["Meaning", "Record", "FHIR", "How", "Example"]
    cells = [(_meaning(row), code(", ".join(row.row.records)) if row.row.records else "", _path(row), _how(row), _example(row)) for row in rows]  # fmt: skip
    title = f"{first.kind} ↔ {first.type_}"
    note = f"{first.file}"
    return (
        f"map-{first.map}",
        first.map,
        section(f"map-{first.map}", title, note, table(heads, cells), f"{len(rows)} pairs"),
    )


def _meaning(row: Told) -> Safe:
    made = row.row.keyword in ("derive", "set") or not row.row.records
    words = row.question or _words(row.row.fhir.rpartition(".")[2] if made else row.row.record)
    under = [tag("div", f"linkId {row.link_id}", "soft small")] if row.link_id else []
    return joined([tag("span", words), *under])


def _words(path: str) -> str:
    """A path as words: `target[].due` is Target: due."""
    parts = [part.removesuffix("[]").replace("_", " ") for part in path.split(".")]
    return ": ".join(parts).capitalize()


def _path(row: Told) -> Safe:
    way = tag("span", _direction(row), "tag one-way" if row.row.reason else "tag both")
    reason = [tag("div", row.row.reason, "soft small")] if row.row.reason else []
    return joined([code(row.row.selector), Safe(" "), way, *reason])


def _how(row: Told) -> Safe:
    parts: list[object] = [how(row.row)]
    name = row.row.code_map
    if row.codes:
        listed = tag("div", "; ".join(row.codes), "small")
        parts.append(details(f"{len(row.codes)} codes", listed))
    if name and not name.startswith("$"):
        parts.append(Safe(f'<div class="small"><a href="#codes-{name}">{name}</a></div>'))
    parts.append(tag("div", row.row.source, "soft small"))
    return joined(parts)


def _example(row: Told) -> Safe:
    record, fhir = row.example
    if not record:
        return Safe("")
    return joined([code(record)]) if record == fhir else joined([code(record), Safe(" ↔ "), code(fhir)])


def _codes(known: Knowledge) -> Iterator[Part]:
    for name, tree in known.pack.concept_maps.items():
        own = known.pack.code_systems.get(name, {})
        words = {concept["code"]: str(concept.get("display", "")) for concept in own.get("concept", [])}
        rows = [
            row
            for group in tree.get("group", [])
            for element in group.get("element", [])
            for row in _targets(element, str(group.get("target", "")), words)
        ]
        note = str(tree.get("copyright", ""))
        heads = ["Ours", "In words", "System", "Code", "In words there", "Relation"]
        title = f"Codes: {tree.get('title') or name}"
        yield f"codes-{name}", name, section(f"codes-{name}", title, note, table(heads, rows), f"{len(rows)} pairs")


def _targets(element: Tree, system: str, words: Mapping[str, str]) -> Iterator[tuple[object, ...]]:
    ours = element["code"]
    said = element.get("display") or words.get(ours, "")
    targets = [target for target in element.get("target", []) if "code" in target]
    for target in targets:
        there = (code(target["code"]), target.get("display", ""), target.get("equivalence", ""))
        yield code(ours), said, code(system), *there
    if not targets:
        yield code(ours), said, code(system), "", "", "no published code: it goes out as ours"


def _forms(known: Knowledge) -> Iterator[Part]:
    for name, form in known.pack.questionnaires.items():
        rows = [
            (
                code(item["linkId"]),
                Safe(f'<span style="padding-left:{depth}em">{tag("span", item.get("text", ""))}</span>'),
                item.get("type", ""),
                " ".join(word for word in ("required", "repeats") if item.get(word)),
                "; ".join(_options(item)),
            )
            for item, depth in items_of(form)
        ]
        id_ = f"form-{form.get('id') or form.get('name') or name}"
        heads = ["linkId", "Question", "Type", "", "Answers"]
        title = f"Form: {form.get('title') or form.get('name') or name}"
        yield id_, str(form.get("name") or name), section(id_, title, name, table(heads, rows), f"{len(rows)} items")


def _options(item: Tree) -> Iterator[str]:
    for option in item.get("answerOption", []):
        for key, value in option.items():
            if key.startswith("value"):
                yield str(value.get("display") or value.get("code") if isinstance(value, dict) else value)
    if "answerValueSet" in item:
        yield f"value set {item['answerValueSet']}"


def _extensions(known: Knowledge) -> Iterator[Part]:
    rows = [
        (
            tree.get("title") or name,
            code(tree.get("url", "")),
            ", ".join(str(row.get("expression", "")) for row in tree.get("context", [])),
            tree.get("description", ""),
        )
        for name, tree in known.pack.structure_definitions.items()
    ]
    if rows:
        heads = ["Extension", "URL", "On", "What it says"]
        yield "extensions", "Extensions", section("extensions", "Extensions", "", table(heads, rows), f"{len(rows)}")


def _examples(known: Knowledge) -> Iterator[Part]:
    rows = [(case.name, _why(case.why), "FHIR of another system" if case.foreign else "records") for case in cases(known.pack.examples)]  # fmt: skip
    if rows:
        heads = ["Example", "Why it is there", "Begins with"]
        yield "examples", "Examples", section("examples", "Examples", "", table(heads, rows), f"{len(rows)}")


def _why(text: str) -> Safe:
    first, _, rest = text.strip().partition("\n")
    return joined([first.lstrip("# "), *([details("more", tag("pre", rest.strip()))] if rest.strip() else [])])


def _csv(rows: Sequence[Told]) -> str:
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADS)
    for row in rows:
        rule = row.row
        writer.writerow(
            _plain(value)
            for value in (
                rule.map, rule.kind, rule.type_, row.question, row.link_id, ", ".join(rule.records), rule.selector,
                _direction(row), rule.reason, how(rule), rule.code_map, "; ".join(row.codes), *row.example, rule.source,
            )
        )  # fmt: skip
    return out.getvalue()


def _plain(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "@", "\t") else text
