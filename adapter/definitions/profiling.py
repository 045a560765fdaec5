"""From a published profile to the constraints that it adds, as a JSON tree with short keys.

https://hl7.org/fhir/R4/profiling.html

Only the differential is read: what the base says is checked by the base. A profile of a profile is joined with it when
it is loaded (`join`). An element is `{i: id, m: min, x: max, t: [type], tp: [type profile], r: [target type], f: fixed,
p: pattern, s: {d: [[kind, path]], r: rules, o: ordered}, ms: 1, b: binding, k: [constraint]}`; absent is unconstrained.
"""

from __future__ import annotations

from typing import Any

from adapter.definitions.condense import CORE, binding, constraints, type_code

Tree = dict[str, Any]


def condense_profile(definition: Tree) -> Tree:
    """The constraints of a profile: `{t: type, v: version, b: base profile, e: [element]}`. Raises ValueError where it has none."""
    rows = definition.get("differential", {}).get("element")
    if not isinstance(rows, list):
        rows = definition.get("snapshot", {}).get("element")
    if not isinstance(rows, list) or not definition.get("type"):
        raise ValueError("the profile has neither differential nor snapshot")
    base = definition.get("baseDefinition", "")
    facts: Tree = {"t": definition["type"], "e": [condense_constraint(row) for row in rows]}
    if base and not base.startswith(CORE):
        facts["b"] = base
    if definition.get("version"):
        facts["v"] = definition["version"]
    return facts


def condense_constraint(row: Tree) -> Tree:
    """What one element of a profile constrains."""
    kept: Tree = {"i": row.get("id") or row["path"]}
    if "min" in row:
        kept["m"] = row["min"]
    if "max" in row:
        kept["x"] = row["max"]
    _types(row, kept)
    for key, value in row.items():
        if key.startswith("fixed"):
            kept["f"] = value
        elif key.startswith("pattern"):
            kept["p"] = value
    if "slicing" in row:
        slicing = row["slicing"]
        kinds = [[each["type"], each["path"]] for each in slicing.get("discriminator", [])]
        kept["s"] = {"d": kinds, "r": slicing.get("rules", "open"), "o": 1 if slicing.get("ordered") else 0}
    if row.get("mustSupport"):
        kept["ms"] = 1
    bound = binding(row)
    if bound:
        kept["b"] = bound
    own = constraints(row)
    if own:
        kept["k"] = own
    return kept


def _types(row: Tree, kept: Tree) -> None:
    types = [type_code(each, row) for each in row.get("type", [])]
    profiles = sorted({url for each in row.get("type", []) for url in each.get("profile", [])})
    targets = sorted({url for each in row.get("type", []) for url in each.get("targetProfile", [])})
    if types:
        kept["t"] = types
    if profiles:
        kept["tp"] = profiles
    if targets:
        kept["r"] = targets


def join(base: list[Tree], own: list[Tree]) -> list[Tree]:
    """The constraints of a profile over those of the profile it is derived from, element by element."""
    rows = {row["i"]: row for row in base}
    for row in own:
        before = rows.get(row["i"], {})
        merged = {**before, **row}
        if "k" in before and "k" in row:
            merged["k"] = [*before["k"], *row["k"]]
        rows[row["i"]] = merged
    return list(rows.values())
