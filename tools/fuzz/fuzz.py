"""A coverage-guided fuzzer over the validator: never a traceback, never unbounded.

    make fuzz                        every target, for as many runs as the Makefile says
    tools/fuzz/run TARGET [-runs=N]  one target; options are libFuzzer's

Targets: bytes (any bytes as a document), tree (a resource of the examples, changed at places), form (a response and
its Questionnaire, both changed), package (profiles, value sets and code systems, changed), fhirpath (any text as an
invariant). A find is written to .cache/fuzz/finds; its small form goes to tests/bad_input/finds.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["adapter"]):
    from adapter.definitions import definitions
    from adapter.errors import BadInput, UsageError
    from adapter.fhir_json import Bounds, dumps, loads
    from adapter.issues import to_operation_outcome
    from adapter.services.positions import located
    from adapter.validation import Validator
    from adapter.validation.fhirpath.compiling import Env, Failed, Unsupported, compile_path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / ".cache" / "fuzz"
VALIDATOR = Validator()
STRICT = Validator(profiles=["http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"])
BOUNDS = Bounds(size=1 << 20)
FRAGMENTS: tuple[Any, ...] = (
    None, True, 0, -1, Decimal("1.50"), Decimal("1E+400"), 2**70, "", " ", "#", "#x", "2024-02-30", "9999-12-31T24:00:00Z",
    "urn:uuid:x", "http://x|", "Patient/1", "<div>", {}, [], [None], {"extension": []}, {"extension": [{"url": "x"}]},
    {"coding": [{"code": 1}]}, {"value": "x"}, [[]], {"resourceType": "Patient"}, {"resourceType": 1},
)  # fmt: skip

# What a form may carry in any of its items.
EXPRESSIONS: list[Any] = [{"url": "http://hl7.org/fhir/StructureDefinition/questionnaire-constraint",
      "extension": [{"url": "expression", "valueString": "answer.value > item.linkId + %a"}, {"url": "key", "valueId": 1}]},
     {"url": "http://hl7.org/fhir/StructureDefinition/variable",
      "valueExpression": {"language": "text/fhirpath", "name": "a", "expression": "%resource.descendants().value"}},
     {"url": "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression",
      "valueExpression": {"language": "text/fhirpath", "expression": "%a.first() * 2"}},
     {"url": "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-enableWhenExpression",
      "valueExpression": {"language": "text/fhirpath", "expression": "%a.exists() and linkId"}}]  # fmt: skip


def examples() -> dict[str, list[Any]]:
    """The resources under fixtures and packs by type."""
    found: dict[str, list[Any]] = {}
    for path in sorted([*ROOT.glob("fixtures/**/*.json"), *ROOT.glob("mappings/core/**/*.json")]):
        todo = [json.loads(path.read_text("utf-8"), parse_float=Decimal)]
        while todo:
            node = todo.pop()
            if isinstance(node, dict) and isinstance(node.get("resourceType"), str):
                found.setdefault(node["resourceType"], []).append(node)
                todo += [row.get("resource") for row in node.get("entry", ())]
    return found


EXAMPLES = examples()
RESOURCES = [row for rows in EXAMPLES.values() for row in rows]


def changed(tree: Any, take: atheris.FuzzedDataProvider) -> Any:
    """A copy with up to eight places changed: replaced, removed, doubled, moved, wrapped."""
    tree = json.loads(json.dumps(tree, default=str), parse_float=Decimal)
    for _ in range(take.ConsumeIntInRange(1, 8)):
        change_once(tree, take)
    return tree


def change_once(tree: Any, take: atheris.FuzzedDataProvider) -> None:
    """Changes one place of a tree."""
    holder, key = place(tree, take)
    if holder is None:
        return
    way = take.ConsumeIntInRange(0, 6)
    if way == 0:
        del holder[key]
    elif way == 1:
        holder[key] = [holder[key], holder[key]]
    elif way == 2:
        other, name = place(tree, take)
        holder[key] = json.loads(json.dumps(other[name] if other is not None else None, default=str))
    elif way == 3 and isinstance(holder, dict) and take.ConsumeBool():
        holder["extension"] = deepcopy(EXPRESSIONS)
    elif way == 3 and isinstance(holder, dict):
        holder[take.ConsumeUnicodeNoSurrogates(12)] = holder.pop(key)
    elif way == 4:
        for _ in range(take.ConsumeIntInRange(1, 90)):
            holder[key] = {"extension": [holder[key]], "url": "x"} if take.ConsumeBool() else {"item": [holder[key]]}
    elif way == 5:
        holder[key] = take.ConsumeUnicodeNoSurrogates(30)
    else:
        fragment = FRAGMENTS[take.ConsumeIntInRange(0, len(FRAGMENTS) - 1)]
        holder[key] = deepcopy(fragment)


def place(tree: Any, take: atheris.FuzzedDataProvider) -> tuple[Any, Any]:
    """An object or array of the tree and one of its keys."""
    node = tree
    for _ in range(take.ConsumeIntInRange(0, 7)):
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        inner = [key for key in keys if isinstance(node[key], (dict, list))]
        if not inner:
            break
        node = node[inner[take.ConsumeIntInRange(0, len(inner) - 1)]]
    keys = list(node) if isinstance(node, dict) else list(range(len(node)))
    return (node, keys[take.ConsumeIntInRange(0, len(keys) - 1)]) if keys else (None, None)


def judged(validator: Validator, tree: Any) -> None:
    """Validates what came as JSON, and makes the answer that a caller would get."""
    text = json.dumps(tree, default=str)
    issues = validator.validate(tree)
    dumps(to_operation_outcome([located(issue, text, "") for issue in issues[:20]]))


def as_bytes(data: bytes) -> None:
    """Any bytes as a document."""
    try:
        tree = loads(data, BOUNDS)
    except BadInput:
        return
    judged(VALIDATOR, tree)


def as_tree(data: bytes) -> None:
    """A resource of the examples, changed."""
    take = atheris.FuzzedDataProvider(data)
    example = RESOURCES[take.ConsumeIntInRange(0, len(RESOURCES) - 1)]
    judged(STRICT if take.ConsumeBool() else VALIDATOR, changed(example, take))


def as_form(data: bytes) -> None:
    """A response and a Questionnaire, both changed, in one Bundle."""
    take = atheris.FuzzedDataProvider(data)
    forms, responses = EXAMPLES["Questionnaire"], EXAMPLES["QuestionnaireResponse"]
    form = changed(forms[take.ConsumeIntInRange(0, len(forms) - 1)], take)
    response = changed(responses[take.ConsumeIntInRange(0, len(responses) - 1)], take)
    response["questionnaire"] = form["url"] = "http://example.org/form"
    entries = [{"fullUrl": f"http://x/{i}", "resource": each} for i, each in enumerate((form, response))]
    judged(VALIDATOR, {"resourceType": "Bundle", "type": "collection", "entry": entries})


def as_package(data: bytes) -> None:
    """Profiles, value sets and code systems, changed, and a resource against them."""
    take = atheris.FuzzedDataProvider(data)
    rows = [changed(PACKAGE[take.ConsumeIntInRange(0, len(PACKAGE) - 1)], take) for _ in range(3)]
    rows = [row for row in rows if row.get("resourceType") in KINDS and isinstance(row.get("url"), str)]
    try:
        validator = VALIDATOR.with_resources(rows)
    except UsageError:
        return
    example = dict(RESOURCES[take.ConsumeIntInRange(0, len(RESOURCES) - 1)])
    example["meta"] = {"profile": [row["url"] for row in rows]}
    judged(validator, example)


KINDS = ("StructureDefinition", "ValueSet", "CodeSystem", "Questionnaire")
PACKAGE = [row for kind in KINDS for row in EXAMPLES.get(kind, [])]


def as_fhirpath(data: bytes) -> None:
    """Any text as an expression over a resource."""
    text = data.decode("utf-8", "replace")
    try:
        run = compile_path(definitions("4.0.1"), text, "CarePlan")
    except Unsupported:
        return
    plan = EXAMPLES["CarePlan"][0]
    try:
        run(plan, Env(plan, plan))
    except (Failed, TypeError, ValueError, AttributeError, KeyError, ArithmeticError):
        # What the invariants' own caller takes as "no verdict".
        return


TARGETS: dict[str, Callable[[bytes], None]] = {
    "bytes": as_bytes,
    "tree": as_tree,
    "form": as_form,
    "package": as_package,
    "fhirpath": as_fhirpath,
}


def seeds(name: str, folder: Path) -> None:
    """What the fuzzer starts from."""
    rows: list[bytes] = []
    if name == "bytes":
        rows = [dumps(row) for row in RESOURCES if len(dumps(row)) < 4000]
    elif name == "fhirpath":
        table = ROOT / "adapter" / "definitions" / "data" / "r4" / "constraints.tsv"
        rows = [json.loads(line.partition("\t")[2])[2].encode() for line in table.read_text("utf-8").splitlines()]
        rows += [each.expression.encode() for each in definitions("4.0.1").type("CarePlan").constraints]
    else:
        # The data of the other targets are choices: some to begin with, the same ones each time.
        rows = [random.Random(index).randbytes(40 + 8 * index) for index in range(40)]  # noqa: S311
    for index, row in enumerate(rows):
        (folder / f"seed-{index}").write_bytes(row)


def main() -> None:
    """Runs one target."""
    name, *options = sys.argv[1:] or [""]
    if name not in TARGETS:
        raise SystemExit(__doc__)
    corpus, finds = WORK / "corpus" / name, WORK / "finds"
    for folder in (corpus, finds):
        folder.mkdir(parents=True, exist_ok=True)
    seeds(name, corpus)
    bounds = ["-timeout=60", "-rss_limit_mb=2048", "-max_len=8192", f"-artifact_prefix={finds}/{name}-"]
    atheris.Setup([sys.argv[0], *bounds, *options, str(corpus)], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
