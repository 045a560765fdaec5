"""From a published profile to the constraints that it adds, as a JSON tree with short keys.

https://hl7.org/fhir/R4/profiling.html

What the base type says is checked by the base, so that only what a profile adds is kept: its differential, or of its
snapshot what differs from the type. A profile of a profile is joined with it when it is loaded (`join`); that, over the
type's own elements, is its snapshot. An element is `{i: id, m: min, x: max, t: [type], tp: [type profile], r: [target
type], f: fixed, p: pattern, s: {d: [[kind, path]], r: rules, o: ordered}, ms: 1, b: binding, k: [constraint]}`; absent is
unconstrained.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    whole = {row.get("id"): row for row in definition.get("snapshot", {}).get("element", [])}
    facts = _head(definition, [condense_constraint(_bound(row, whole)) for row in rows])
    if base_profile(definition):
        facts["b"] = definition["baseDefinition"]
    return facts


def _bound(row: Tree, snapshot: Mapping[str, Tree]) -> Tree:
    """A row whose binding changes the strength only, with the value set that its snapshot names."""
    if "binding" not in row or "valueSet" in row["binding"]:
        return row
    return {**row, "binding": {**snapshot.get(row.get("id", ""), {}).get("binding", {}), **row["binding"]}}


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
    path = row.get("base", row)["path"]
    if "." not in path:
        # How often the resource as a whole occurs says nothing.
        plain: Tree = {"m": kept.get("m"), "x": kept.get("x")}
        own = {each.key for each in defs.type(path).constraints} if path in defs else set()
    else:
        bases = defined(defs, path)
        if not bases:
            return kept
        plain = _plain(bases, sliced=":" in kept["i"].rpartition(".")[2])
        own = {each.key for each in bases[0].constraints}
        if "." in bases[0].type:
            own |= {each.key for each in defs.type(bases[0].type).constraints}
    found = {key: value for key, value in kept.items() if key == "i" or not _same(key, value, plain.get(key))}
    if "k" in found:
        found["k"] = [each for each in found["k"] if each[0] not in own and not _inherited(each[0], row)]
    return {key: value for key, value in found.items() if value not in ([], None)}


def _plain(bases: list[Element], *, sliced: bool) -> Tree:
    """What a type's definition says of an element, as a profile would say it."""
    base = bases[0]
    types = [each.type for each in bases]
    said: Tree = {
        "m": 0 if sliced else base.min,
        "x": "*" if base.max is None else str(base.max),
        "t": ["BackboneElement"] if "." in types[0] else types,
        "r": [each if "/" in each else CORE + each for each in base.targets] or [CORE + "Resource"],
        "tp": list(base.profiles),
    }
    if base.binding:
        said["b"] = [base.binding.strength, base.binding.value_set, *filter(None, [base.binding.max_value_set])]
    return said


def _same(key: str, value: Any, plain: Any) -> bool:
    """Whether a constraint is what every element of that kind has anyway."""
    if key == "s":
        # Extensions differ by their url, the types of a choice by their type, whether a profile says so or not.
        return value["r"] == "open" and value["d"] in ([["value", "url"]], [["type", "$this"]])
    if key == "t":
        return bool(value == plain) or (value == ["Element"] and plain == ["BackboneElement"])
    return bool(value == plain)


def _inherited(key: str, row: Tree) -> bool:
    """Whether a type, and no profile, is the source of an element's constraint."""
    for each in row.get("constraint", []):
        if each["key"] == key:
            source = short_type(each.get("source", ""))
            return "/" not in source and source[:1].isupper()
    return False


def whole_id(id_: str, defs: Definitions) -> str:
    """An element's id with its choices written out: `Observation.valueQuantity` is `Observation.value[x]:valueQuantity`."""
    first, *steps = id_.split(".")
    owner, found = first, [first]
    for step in steps:
        name, _, slice_name = step.partition(":")
        named = slice_name if name.endswith("[x]") else name
        bases = defined(defs, f"{owner}.{named or name}") or defined(defs, f"{owner}.{name}")
        element = next((each for each in bases if each.name == named), bases[0] if bases else None)
        if element is not None and element.choice and element.name == name:
            step = f"{element.choice}[x]:{name}"  # noqa: PLW2901
        found.append(step)
        owner = element.type if element else ""
    return ".".join(found)


def defined(defs: Definitions, path: str) -> list[Element]:
    """The elements that a path of a type's definition names: one, of a choice several."""
    owner, _, name = path.rpartition(".")
    try:
        elements = defs.type(owner).elements
    except KeyError:
        return []
    if name in elements:
        return [elements[name]]
    choice = name.removesuffix("[x]")
    return [each for each in elements.values() if each.choice == choice]


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
