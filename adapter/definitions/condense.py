"""From a published StructureDefinition to the few facts that are kept of it, as a JSON tree with short keys.

https://hl7.org/fhir/R4/structuredefinition.html

An element is `{n: name, t: [type], p: [profile], l: 1 if a list, m: min, x: max where it is not
* for a list or 1, b: [strength, value set, max value
set], r: [target type], c: content reference, k: [constraint]}`; a constraint is `[key, severity, expression, human]`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Tree = dict[str, Any]

CORE = "http://hl7.org/fhir/StructureDefinition/"
FHIR_TYPE = CORE + "structuredefinition-fhir-type"
MAX_VALUE_SET = "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet"
# Said of every element and checked by the structure itself.
EVERYWHERE = frozenset({"ele-1"})


def condense_type(definition: Tree) -> Tree:
    """The facts of a resource or data type: `{k: kind, b: base, a: abstract, p: {part: {e: [element], k: […]}}}`."""
    elements = definition["snapshot"]["element"]
    parents = {row["path"].rpartition(".")[0] for row in elements}
    root = elements[0]["path"]
    parts: Tree = {"": {"e": [], "k": constraints(elements[0], source=definition)}}
    for row in elements[1:]:
        owner, _, name = row["path"].rpartition(".")
        inner = row["path"] in parents and not row.get("contentReference")
        part = owner[len(root) :].lstrip(".")
        parts.setdefault(part, {"e": [], "k": []})["e"].append(condense_element(row, name, inner))
        if inner:
            parts.setdefault(row["path"][len(root) :].lstrip("."), {"e": [], "k": []})["k"] = constraints(row)
    kind = {"resource": "resource", "primitive-type": "primitive"}.get(definition["kind"], "complex")
    facts: Tree = {"k": kind, "b": short_type(definition.get("baseDefinition", "")), "p": parts}
    if definition.get("abstract"):
        facts["a"] = 1
    return facts


def condense_element(row: Tree, name: str, inner: bool = False) -> Tree:
    """One element of a snapshot; `inner` where it has children of its own."""
    kept: Tree = {"n": name}
    if row.get("contentReference"):
        kept["c"] = row["contentReference"].rpartition("#")[2]
    elif inner:
        kept["t"] = [row["path"]]
    else:
        kept["t"] = [type_code(each, row) for each in row.get("type", [])]
    profiles = sorted({url for each in row.get("type", []) for url in each.get("profile", [])})
    targets = sorted({short_type(url) for each in row.get("type", []) for url in each.get("targetProfile", [])})
    if profiles:
        kept["p"] = profiles
    if targets and "Resource" not in targets:
        kept["r"] = targets
    if row.get("base", row).get("max") not in ("0", "1"):
        kept["l"] = 1
    if row.get("min"):
        kept["m"] = row["min"]
    if row.get("max") != ("*" if "l" in kept else "1"):
        kept["x"] = row["max"]
    bound = binding(row)
    if bound:
        kept["b"] = bound
    own = [] if inner else constraints(row)
    if own:
        kept["k"] = own
    return kept


def type_code(each: Tree, row: Tree) -> str:
    """The FHIR type of one `ElementDefinition.type`; FHIRPath's System types are said by an extension."""
    code: str = each.get("code", "")
    if not code.startswith("http://hl7.org/fhirpath/"):
        return code
    if row["path"].count(".") == 1 and row.get("base", {}).get("path") == "Resource.id":
        return "id"
    for extension in each.get("extension", []):
        if extension["url"] == FHIR_TYPE:
            return str(extension.get("valueUrl") or extension.get("valueUri") or "string")
    return "string"


def binding(row: Tree) -> list[str]:
    """`[strength, value set]`, and the maximal value set where there is one; empty for example bindings."""
    bound = row.get("binding", {})
    if not bound.get("valueSet") or bound.get("strength") == "example":
        return []
    extensions = (each for each in bound.get("extension", []) if each["url"] == MAX_VALUE_SET)
    widest = [each.get("valueCanonical", "").partition("|")[0] for each in extensions]
    return [bound["strength"], bound["valueSet"].partition("|")[0], *widest]


def constraints(row: Tree, source: Tree | None = None) -> list[list[str]]:
    """The constraints of an element that have an expression; with `source` only those that are that type's own."""
    kept = []
    for each in row.get("constraint", []):
        if each["key"] in EVERYWHERE or not each.get("expression"):
            continue
        if source is None and each["key"] == "ext-1":
            continue
        kept.append([each["key"], each["severity"], each["expression"], each.get("human", "")])
    return kept


def short_type(url: str) -> str:
    """`CarePlan` for the URL of its StructureDefinition; another URL as it is."""
    return url.removeprefix(CORE) if url.startswith(CORE) else url


def condense_extension(definition: Tree) -> Tree:
    """The facts of an extension: `{c: [[context type, expression]], t: [type], i: [context invariant], m: modifier, q: required, b,
    s: parts}`.
    """
    rows = definition["snapshot"]["element"]
    facts = _extension_part(rows, "Extension")
    facts["c"] = [[each["type"], each["expression"]] for each in definition.get("context", [])]
    if definition.get("contextInvariant"):
        facts["i"] = definition["contextInvariant"]
    if rows[0].get("isModifier"):
        facts["m"] = 1
    return facts


def _extension_part(rows: Iterable[Tree], prefix: str) -> Tree:
    rows = list(rows)
    facts: Tree = {}
    for row in rows:
        if not row.get("id", "").startswith(prefix + "."):
            continue
        tail = row["id"][len(prefix) + 1 :]
        if tail in ("value[x]", "valueX") or (tail.startswith("value") and "." not in tail and ":" not in tail):
            _extension_value(row, facts)
        elif tail.startswith("extension:") and "." not in tail:
            part = _extension_part(rows, row["id"])
            part["n"], part["x"] = row.get("min", 0), row.get("max", "*")
            facts.setdefault("s", {})[_url_of(rows, row["id"]) or tail.partition(":")[2]] = part
    return facts


def _extension_value(row: Tree, facts: Tree) -> None:
    if row.get("max") == "0":
        return
    facts["t"] = [type_code(each, row) for each in row.get("type", [])]
    if row.get("min"):
        facts["q"] = 1
    bound = binding(row)
    if bound:
        facts["b"] = bound


def _url_of(rows: Iterable[Tree], prefix: str) -> str:
    for row in rows:
        if row.get("id") == prefix + ".url":
            return str(row.get("fixedUri", ""))
    return ""
