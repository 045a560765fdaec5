"""Bundle rules: fullUrl, request, response, search, references inside, duplicates.

https://hl7.org/fhir/R4/bundle.html
"""

from __future__ import annotations

import json
import random
from typing import Any

from tests.conformance.mutations.core import Operator, Tree

BUNDLES: dict[str, Operator] = {}
UUIDS = [f"urn:uuid:c757873d-ec9a-4326-a141-55{index:010d}" for index in range(4)]


def bundle(kind: str) -> Tree:
    """A Bundle of a kind, with a patient, a condition and a plan that refer to each other."""
    patient: Tree = {"resourceType": "Patient", "name": [{"family": "x"}]}
    condition: Tree = {"resourceType": "Condition", "subject": {"reference": UUIDS[0]}, "code": {"text": "x"}}
    plan: Tree = {
        "resourceType": "CarePlan", "status": "active", "intent": "plan", "subject": {"reference": UUIDS[0]},
        "addresses": [{"reference": UUIDS[1]}],
    }  # fmt: skip
    entries: list[Tree] = []
    for url, tree in zip(UUIDS, (patient, condition, plan), strict=False):
        entry: Tree = {"fullUrl": url, "resource": tree}
        if kind in ("transaction", "batch"):
            entry["request"] = {"method": "POST", "url": tree["resourceType"]}
        elif kind == "searchset":
            entry["search"] = {"mode": "match"}
        elif kind == "history":
            entry["request"] = {"method": "POST", "url": tree["resourceType"]}
            entry["response"] = {"status": "201"}
        entries.append(entry)
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


KINDS = ("collection", "transaction", "batch", "searchset", "history")


def bundle_operator(work: Operator) -> Operator:
    """Registers an operator over Bundles."""
    BUNDLES[work.__name__] = work
    return work


def _entry(tree: Tree, chance: random.Random) -> Tree:
    row: Tree = chance.choice(tree["entry"])
    return row


def _with(change: dict[str, Any]) -> Operator:
    def work(tree: Tree, chance: random.Random) -> bool:
        entry = _entry(tree, chance)
        for key, value in json.loads(json.dumps(change)).items():
            if value is None:
                entry.pop(key, None)
            else:
                entry[key] = value
        return True

    return work


CHANGES: dict[str, dict[str, Any]] = {
    "full_url_gone": {"fullUrl": None},
    "full_url_relative": {"fullUrl": "Patient/1"},
    "full_url_http": {"fullUrl": "http://a.org/fhir/Patient/1"},
    "full_url_other_type": {"fullUrl": "http://a.org/fhir/Goal/1"},
    "full_url_bad_uuid": {"fullUrl": "urn:uuid:1"},
    "full_url_same": {"fullUrl": UUIDS[1]},
    "resource_gone": {"resource": None},
    "request_gone": {"request": None},
    "request_no_url": {"request": {"method": "POST"}},
    "request_no_method": {"request": {"url": "Patient"}},
    "request_method": {"request": {"method": "FETCH", "url": "Patient"}},
    "request_get": {"request": {"method": "GET", "url": "Patient?name=x"}},
    "request_delete": {"request": {"method": "DELETE", "url": "Patient/1"}},
    "response_there": {"response": {"status": "200 OK"}},
    "search_there": {"search": {"mode": "match"}},
    "search_mode": {"search": {"mode": "maybe"}},
    "search_score": {"search": {"mode": "match", "score": 2}},
    "link_there": {"link": [{"relation": "self", "url": "http://a.org"}]},
    "unknown": {"more": 1},
    "empty": {"resource": None, "request": None, "response": None, "search": None, "fullUrl": None},
}
BUNDLES.update({f"entry_{name}": _with(change) for name, change in CHANGES.items()})


def _root(change: dict[str, Any]) -> Operator:
    def work(tree: Tree, chance: random.Random) -> bool:
        for key, value in json.loads(json.dumps(change)).items():
            if value is None:
                tree.pop(key, None)
            else:
                tree[key] = value
        return True

    return work


ROOTS: dict[str, dict[str, Any]] = {
    "type_gone": {"type": None},
    "type_unknown": {"type": "list"},
    "type_document": {"type": "document"},
    "type_message": {"type": "message"},
    "type_response": {"type": "transaction-response"},
    "total": {"total": 3},
    "total_negative": {"total": -1},
    "timestamp": {"timestamp": "2020-01-01"},
    "identifier": {"identifier": {"system": "http://a.org", "value": "1"}},
    "link": {"link": [{"relation": "self", "url": "http://a.org"}]},
    "link_no_url": {"link": [{"relation": "self"}]},
    "entry_object": {"entry": {"resource": {"resourceType": "Patient"}}},
    "entry_none": {"entry": None},
    "entry_empty": {"entry": []},
    "text": {"text": {"status": "generated"}},
}
BUNDLES.update({f"bundle_{name}": _root(change) for name, change in ROOTS.items()})


@bundle_operator
def entry_twice(tree: Tree, chance: random.Random) -> bool:
    """Gives an entry twice."""
    tree["entry"].append(json.loads(json.dumps(_entry(tree, chance))))
    return True


@bundle_operator
def entry_order(tree: Tree, chance: random.Random) -> bool:
    """Turns the entries round."""
    tree["entry"].reverse()
    return True


@bundle_operator
def inner_fault(tree: Tree, chance: random.Random) -> bool:
    """Gives one resource a fault."""
    resource = _entry(tree, chance).get("resource", {})
    resource.update(chance.choice([{"status": "x"}, {"unknown": 1}, {"id": "a_b"}, {"language": "  "}, {"meta": {}}]))
    return True


@bundle_operator
def inner_reference(tree: Tree, chance: random.Random) -> bool:
    """Lets a reference lead to nothing, to another type, or elsewhere."""
    rows = [row["resource"] for row in tree["entry"] if "subject" in row.get("resource", {})]
    if not rows:
        return False
    text = chance.choice([UUIDS[3], UUIDS[1], UUIDS[2], "Patient/1", "#x", "urn:uuid:x", "http://a.org/fhir/Patient/9"])
    chance.choice(rows)["subject"] = {"reference": text}
    return True


@bundle_operator
def inner_id(tree: Tree, chance: random.Random) -> bool:
    """Gives a resource an id and its entry a fullUrl that fits or does not."""
    entry = _entry(tree, chance)
    if "resource" not in entry:
        return False
    entry["resource"]["id"] = "1"
    kind = entry["resource"]["resourceType"]
    entry["fullUrl"] = chance.choice(
        [f"http://a.org/fhir/{kind}/1", f"http://a.org/fhir/{kind}/2", f"http://a.org/{kind}"]
    )
    return True


@bundle_operator
def inner_relative(tree: Tree, chance: random.Random) -> bool:
    """Makes all entries restful, with relative references."""
    for index, entry in enumerate(tree["entry"]):
        if "resource" in entry:
            entry["resource"]["id"] = str(index)
            entry["fullUrl"] = f"http://a.org/fhir/{entry['resource']['resourceType']}/{index}"
    text = chance.choice(["Patient/0", "Patient/7", "http://a.org/fhir/Patient/0", "Condition/1"])
    for entry in tree["entry"]:
        if "subject" in entry.get("resource", {}):
            entry["resource"]["subject"] = {"reference": text}
    return True


@bundle_operator
def contained_in_entry(tree: Tree, chance: random.Random) -> bool:
    """Contains a patient in an entry's resource, used or not."""
    rows = [row["resource"] for row in tree["entry"] if "subject" in row.get("resource", {})]
    if not rows:
        return False
    row = chance.choice(rows)
    row["contained"] = [{"resourceType": "Patient", "id": "in"}]
    if chance.random() < 0.6:
        row["subject"] = {"reference": "#in"}
    return True
