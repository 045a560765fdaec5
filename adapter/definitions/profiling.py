"""From a published profile to the constraints that it adds, as a JSON tree with short keys.

https://hl7.org/fhir/R4/profiling.html

What the base type says is checked by the base, so that only what a profile adds is kept: its differential, or of its
snapshot what differs from the type. A profile of a profile is joined with it when it is loaded (`join`); that, over the
type's own elements, is its snapshot. An element is `{i: id, m: min, x: max, t: [type], tp: [type profile], r: [target
type], f: fixed, p: pattern, s: {d: [[kind, path]], r: rules, o: ordered}, ms: 1, b: binding, k: [constraint]}`; absent is
unconstrained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapter.definitions.condense import CORE, binding, constraints, short_type, type_code
from adapter.definitions.facts import Element

if TYPE_CHECKING:
    from adapter.definitions import Definitions

Tree = dict[str, Any]


def base_profile(definition: Tree) -> str:
    """The profile that a profile is derived from; empty where that is the type itself."""
    base: str = definition.get("baseDefinition", "").partition("|")[0]
    return "" if base == CORE + definition.get("type", "") else base


def condense_profile(definition: Tree) -> Tree:
    """The constraints of a profile: `{t: type, v: version, b: base profile, e: [element]}`. Raises ValueError where it has none."""
    rows = definition.get("differential", {}).get("element")
    if not isinstance(rows, list):
        rows = definition.get("snapshot", {}).get("element")
    if not isinstance(rows, list) or not definition.get("type"):
        raise ValueError("the profile has neither differential nor snapshot")
    facts = _head(definition, [condense_constraint(row) for row in rows])
    if base_profile(definition):
        facts["b"] = definition["baseDefinition"]
    return facts


def condense_snapshot(definition: Tree, defs: Definitions) -> Tree:
    """The same from the snapshot alone, for a profile whose base is not at hand: what differs from the type."""
    rows = [_beyond(condense_constraint(row), row, defs) for row in definition["snapshot"]["element"]]
    return _head(definition, [row for row in rows if len(row) > 1])


def _head(definition: Tree, rows: list[Tree]) -> Tree:
    facts: Tree = {"t": definition["type"], "e": rows}
    if definition.get("version"):
        facts["v"] = definition["version"]
    return facts


def _beyond(kept: Tree, row: Tree, defs: Definitions) -> Tree:
    """What an element of a snapshot says beyond its type's definition."""
    bases = defined(defs, row.get("base", row)["path"])
    if not bases:
        return kept
    base = bases[0]
    sliced = ":" in kept["i"].rpartition(".")[2]
    bound = base.binding and [
        base.binding.strength,
        base.binding.value_set,
        *filter(None, [base.binding.max_value_set]),
    ]
    own = {each.key for each in base.constraints}
    plain: Tree = {
        "m": 0 if sliced else base.min,
        "x": "*" if base.max is None else str(base.max),
        "t": [each.type for each in bases],
        "b": bound,
        "r": list(base.targets),
        "tp": list(base.profiles),
    }
    if "r" in kept:
        plain["r"] = plain["r"] and [CORE + each if "/" not in each else each for each in plain["r"]]
    kept = {key: value for key, value in kept.items() if key == "i" or plain.get(key, ()) != value}
    if "k" in kept:
        kept["k"] = [each for each in kept["k"] if each[0] not in own and not _inherited(each[0], row)]
    return {key: value for key, value in kept.items() if value not in ([], None)}


def _inherited(key: str, row: Tree) -> bool:
    """Whether a type, and no profile, is the source of an element's constraint."""
    for each in row.get("constraint", []):
        if each["key"] == key:
            source = each.get("source", "")
            return source.startswith(CORE) and "/" not in short_type(source) and short_type(source)[:1].isupper()
    return False


def defined(defs: Definitions, path: str) -> list[Element]:
    """The elements that a path of a type's definition names: one, of a choice several."""
    owner, _, name = path.rpartition(".")
    try:
        elements = defs.type(owner).elements
    except KeyError:
        return []
    choice = name.removesuffix("[x]")
    return [each for each in elements.values() if choice == (each.choice or each.name)]


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
