"""Random records in normal form, drawn from the JSON Schemas of the records.

The schema says what fields there are and of what type; the shapes with rules that a schema cannot say (exactly one of
several fields, a period's order, codes of a table) are replaced by their own strategies, and `settle` repairs what
spans fields (unique ids, answers of an instrument). What comes out is what `adapter.records.check` accepts.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import yaml
from hypothesis import strategies as st

from tests.laws import values
from tests.laws.settling import INTAKE, INTAKE_ONLY, settle
from tests.laws.values import Tree, Trees

WITHIN_ONLY = ("within_plan", "amount", "daily_amount", "location", "guidelines", "guideline_addresses")
KINDS = ("patient", "form", "assessment", "diagnosis", "goal", "care_team", "request", "plan", "consent")
ENVELOPE = frozenset({"kind", "revision", "recorded_at", "recorded_by", "origin", "pack", "extra"})
_DEPTH = {"items": 3, "answers": 3, "provisions": 2}
_FORMATS: dict[str, st.SearchStrategy[str]] = {
    "uuid": values.uuids,
    "fhir-date": values.dates(),
    "fhir-datetime": values.datetimes(),
    "fhir-dateTime": values.datetimes(),
    "fhir-instant": values.instants(),
    "instant": values.instants(),
    "date-time": values.instants(),
    "fhir-time": values.times,
    "time": values.times,
}
Path = tuple[str, ...]


def records(kind: str) -> Trees:
    """Records of a kind, in normal form, without an envelope."""
    return _content(kind).map(lambda content: settle({"kind": kind, **content}))


@cache
def _content(kind: str) -> Trees:
    from adapter.records import json_schema

    schema = json_schema(kind)
    if kind == "assessment":
        return st.one_of(_of(schema, schema, (kind,), INTAKE_ONLY), _intake(schema))
    if kind == "request":
        return st.one_of(*_requests(schema, schema, (kind,)))
    return _of(schema, schema, (kind,), frozenset(), frozenset({"statement"}) if kind == "goal" else frozenset())


def _intake(schema: Tree) -> Trees:
    made = _of(schema, schema, ("assessment",), frozenset({"answers"}))
    return made.map(lambda content: {**content, "questionnaire": INTAKE})


def _requests(node: Tree, root: Tree, path: Path) -> tuple[Trees, Trees]:
    """Services, and medications: told apart by `type`, where the schema has it."""
    service = _of(node, root, path, frozenset({"medication", "type", *WITHIN_ONLY}))
    medication = _of(node, root, path, frozenset({"activity", "type", *WITHIN_ONLY}), always=frozenset({"medication"}))
    return service, medication.map(lambda content: {**content, "type": "medication"})


def _within(node: Tree, root: Tree, path: Path) -> Trees:
    """Interventions that are described in the plan alone."""
    allowed = node["anyOf"][0]["properties"].keys()
    types = st.sampled_from(
        [name for name in node["properties"]["type"]["enum"] if name not in ("service", "medication")]
    )
    made = _of(
        node,
        root,
        path,
        frozenset(node["properties"].keys() - allowed | {"medication", "type", "within_plan"}),
        frozenset({"status"}),
    )
    typed = st.tuples(made, st.none() | types).map(lambda pair: {**pair[0], **({"type": pair[1]} if pair[1] else {})})
    return typed.map(lambda content: {**content, "within_plan": True})


def resolve(node: Tree, root: Tree) -> Tree:
    """The schema behind any `$ref`."""
    while "$ref" in node:
        found: Any = root
        for name in node["$ref"].removeprefix("#/").split("/"):
            if name:
                found = found[name]
        node = found
    return node


def _of(node: Tree, root: Tree, path: Path, without: frozenset[str], always: frozenset[str] = frozenset()) -> Trees:
    """An object of this schema: its required fields and any of the others."""
    required = (set(node.get("required", ())) | always) - without
    fixed, free = {}, {}
    for name, inner in node.get("properties", {}).items():
        if name in without or (len(path) == 1 and name in ENVELOPE) or _too_deep(path, name):
            continue
        strategy = _any(inner, root, (*path, name))
        if strategy is not None:
            (fixed if name in required else free)[name] = strategy
    any_of = [name for row in node.get("anyOf", ()) for name in row.get("required", ())]
    some = [name for name in any_of if name in {**fixed, **free} and name != "within_plan"]
    made = _some(fixed, free, some)
    apart = node.get("not", {}).get("required", ())
    return made.map(lambda tree: _parted(tree, apart)) if apart else made


def _parted(tree: Tree, apart: list[str]) -> Tree:
    """Without the second of two fields that do not go together."""
    return {key: value for key, value in tree.items() if key != apart[1]} if tree.keys() >= {*apart} else tree


@st.composite
def _some(draw: st.DrawFn, fixed: dict[str, Any], free: dict[str, Any], some: list[str]) -> Tree:
    # A few fields at a time: records stay small, and every pair of fields still meets.
    names = draw(st.lists(st.sampled_from(sorted(free)), max_size=5, unique=True)) if free else []
    if some and not {*fixed, *names} & {*some}:
        names.append(draw(st.sampled_from(some)))
    chosen = {**fixed, **{name: free[name] for name in names}}
    tree = {name: draw(strategy) for name, strategy in chosen.items()}
    return {name: value for name, value in tree.items() if value not in ({}, [])}


def _too_deep(path: Path, name: str) -> bool:
    return name in _DEPTH and path.count(name) >= _DEPTH[name]


def _any(node: Tree, root: Tree, path: Path) -> st.SearchStrategy[Any] | None:
    node = resolve(node, root)
    special = _special(node, root, path)
    if special is not None:
        return special
    if "anyOf" in node and "properties" not in node:
        forms = [_any(form, root, path) for form in node["anyOf"]]
        return st.one_of(*(form for form in forms if form is not None))
    if "const" in node:
        return st.just(node["const"])
    if "enum" in node:
        return st.sampled_from([value for value in node["enum"] if value != node.get("default")])
    type_ = node.get("type")
    if type_ == "array":
        return _list(node, root, path)
    if type_ == "object":
        return _of(node, root, path, frozenset()) if node.get("properties") else None
    if type_ == "boolean":
        return st.sampled_from([value for value in (True, False) if value is not node.get("default")])
    if type_ in ("integer", "number"):
        return _number(node, type_)
    return _string(node)


def _number(node: Tree, type_: str) -> st.SearchStrategy[Any]:
    low, high = node.get("minimum"), node.get("maximum")
    if "exclusiveMinimum" in node:
        low = node["exclusiveMinimum"] + 1
    if type_ == "number":
        return values.decimals(low, high)
    return st.integers(-(2**31) if low is None else low, 2**31 - 1 if high is None else high)


def _string(node: Tree) -> st.SearchStrategy[str]:
    if node.get("format") in _FORMATS:
        return _FORMATS[node["format"]]
    pattern = node.get("pattern", "")
    if pattern.startswith(r"^\S"):
        return values.item_ids
    return values.times if ":[0-5]" in pattern else values.texts


def _list(node: Tree, root: Tree, path: Path) -> st.SearchStrategy[Any] | None:
    item = resolve(node.get("items", {}), root)
    if path[-1] in ("goals", "care_team", "interventions") and path[0] == "plan" and len(path) == 2:
        return st.lists(_plan_item(item, root, path), min_size=1, max_size=2)
    strategy = _any(item, root, path)
    if strategy is None:
        return None
    if "id" in item.get("properties", {}) and path[-1] not in ("problems", "assessments"):
        strategy = strategy.filter(lambda tree: len(tree) > 1)
    return st.lists(strategy, min_size=1, max_size=3 if item.get("type") == "string" else 2)


def _plan_item(item: Tree, root: Tree, path: Path) -> Trees:
    texts = st.fixed_dictionaries({}, optional={"text": values.texts})
    held_elsewhere = st.tuples(values.uuids, texts).map(lambda pair: {"id": pair[0], **pair[1]})
    if path[-1] == "interventions":
        kinds = _requests(item, root, path)
        return st.one_of(*kinds, *kinds, _within(item, root, path), held_elsewhere)
    needed = frozenset({"statement" if path[-1] == "goals" else "name"})
    full = _of(item, root, path, frozenset(), always=needed)
    return st.one_of(full, full, full, held_elsewhere)


def _special(node: Tree, root: Tree, path: Path) -> st.SearchStrategy[Any] | None:
    """Shapes known by their fields, whatever the schema calls them."""
    fields = set(node.get("properties", {}))
    if fields == {"start", "end"}:
        return values.periods
    if fields >= {"value", "unit", "system", "code"}:
        bare = path[-1] in ("low", "high", "amount", "daily_amount")
        return values.quantities.map(lambda tree: {k: v for k, v in tree.items() if k != "comparator" or not bare})
    if fields >= {"system", "code", "display", "text"}:
        return _concept(path)
    if fields >= {"system", "code", "display"}:
        return values.codings
    if fields >= {"text", "reference", "type", "identifier"}:
        return _others(node)
    if fields >= {"text", "time", "period", "timing"}:
        return _schedule(node, root, path)
    if fields >= {"name", "answers", "complete", "total"}:
        return values.instruments()
    if "oneOf" in node:
        return _choice(node, root, path)
    return None


def _others(node: Tree) -> Trees:
    """What others keep: as a party, as who wrote, or as what is related, which may be a record of ours."""
    if "id" in node["properties"]:
        named = st.tuples(values.uuids, values.texts).map(lambda pair: {"id": pair[0], "text": pair[1]})
        return st.one_of(named, values.parties)
    alone = st.fixed_dictionaries({"text": values.texts})
    return values.parties if "anyOf" in node else st.one_of(alone, values.parties)


def _schedule(node: Tree, root: Tree, path: Path) -> Trees:
    """One way to say when, or words beside the times of a timing."""
    inner = {name: _any(schema, root, (*path, name)) for name, schema in node["properties"].items()}
    timed = st.fixed_dictionaries({"timing": inner["timing"]}, optional={"text": inner["text"]})
    ways = [st.fixed_dictionaries({name: inner[name]}) for name in ("text", "time", "period")]
    return st.one_of(*ways, timed.filter(lambda tree: bool(tree["timing"])))


def _choice(node: Tree, root: Tree, path: Path) -> Trees:
    """An object with exactly one of several fields, and any of the others."""
    names = [row["required"][0] for row in node["oneOf"]]
    values_ = [(name, _value(name, node["properties"][name], root, (*path, name))) for name in sorted(names)]
    one = st.one_of(*(st.fixed_dictionaries({name: value}) for name, value in values_ if value is not None))
    rest = _of(node, root, path, frozenset(names))
    return st.tuples(rest, one).map(lambda pair: {**pair[0], **pair[1]})


def _value(name: str, inner: Tree, root: Tree, path: Path) -> st.SearchStrategy[Any] | None:
    if name == "reference":
        return values.references
    if name == "attachment":
        return _attachments
    if name == "range":
        return st.tuples(values.quantities, values.quantities).map(_range)
    if name in {"low", "high"}:
        return values.quantities
    return _any(inner, root, path)


def _range(pair: tuple[Tree, Tree]) -> Tree:
    ends = sorted(({k: v for k, v in end.items() if k != "comparator"} for end in pair), key=lambda end: end["value"])
    return {"low": ends[0], "high": ends[1]}


_attachments: Trees = st.fixed_dictionaries(
    {"content_type": st.sampled_from(["text/plain", "application/pdf"])},
    optional={
        "url": st.just("https://example.test/a.pdf"),
        "title": values.texts,
        "data": st.just("SGVsbG8="),
        "size": st.integers(0, 10_000),
        "language": st.sampled_from(["en", "de-AT"]),
        "creation": values.datetimes(),
    },
)


def _concept(path: Path) -> Trees:
    return values.concepts(table_codes().get(concept_tables().get(path, "none"), ()))


@lru_cache(maxsize=1)
def table_codes() -> dict[str, tuple[str, ...]]:
    """Our codes of each ConceptMap of the core pack."""
    from adapter.packs import load
    from adapter.terminology import compile_table

    pack = load("core")
    return {name: tuple(sorted(compile_table(tree, name).codes)) for name, tree in pack.concept_maps.items()}


@lru_cache(maxsize=1)
def concept_tables() -> dict[Path, str]:
    """The ConceptMap that the mapping files use for each field of each kind."""
    from adapter.packs import load

    found: dict[Path, str] = {}
    for file in load("core").maps.values():
        tree = yaml.safe_load(file.read_text("utf-8"))
        if "record" not in tree:
            continue
        kind = tree["record"]
        for names, table in _tables_in(tree["rules"]):
            found[(kind, *names)] = table
            if kind in _HOLDERS:
                found[("plan", _HOLDERS[kind], *names)] = table
    return found


_HOLDERS = {"goal": "goals", "care_team": "care_team", "request": "interventions"}


def _tables_in(rules: Any) -> list[tuple[Path, str]]:
    found = []
    for rule in rules:
        names = tuple(str(rule.get("record", "")).split("."))
        if "concept" in rule:
            found.append((names, rule["concept"]))
        if isinstance(rule.get("items"), list):
            found += [((*names, *inner), table) for inner, table in _tables_in(rule["items"])]
    return found
