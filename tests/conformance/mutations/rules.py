"""Rules: invariants, references and contained, extensions, narrative."""

from __future__ import annotations

import json
import random
from typing import Any

from tests.conformance.mutations.core import (
    OPERATORS,
    Operator,
    Tree,
    add_extension,
    is_objects,
    is_reference,
    nodes,
    one_of,
    operator,
    pick,
    put,
    with_key,
)


@operator
def extension_empty(tree: Tree, chance: random.Random) -> bool:
    """Adds an extension without value."""
    chance.choice(list(nodes(tree))).setdefault("extension", []).append({"url": "http://a.org/x"})
    return True


@operator
def extension_no_url(tree: Tree, chance: random.Random) -> bool:
    """Adds an extension without url."""
    chance.choice(list(nodes(tree))).setdefault("extension", []).append({"valueString": "x"})
    return True


@operator
def extension_right(tree: Tree, chance: random.Random) -> bool:
    """Adds an extension that may stand anywhere."""
    row = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
    chance.choice(list(nodes(tree))).setdefault("extension", []).append(row)
    return True


@operator
def period_backwards(tree: Tree, chance: random.Random) -> bool:
    """Lets a period end before it starts."""
    spot = pick(tree, chance, lambda _key, value: isinstance(value, dict) and "start" in value)
    if spot is None:
        return False
    spot[0][spot[1]]["end"] = "1800-01-01"
    return True


@operator
def contained_orphan(tree: Tree, chance: random.Random) -> bool:
    """Contains a resource that nothing refers to."""
    if tree.get("resourceType") in ("Bundle", "Binary", "Parameters"):
        return False
    tree.setdefault("contained", []).append({"resourceType": "Patient", "id": "orphan-1"})
    return True


@operator
def contained_used(tree: Tree, chance: random.Random) -> bool:
    """Contains a resource that the subject refers to."""
    if "subject" not in tree:
        return False
    tree.setdefault("contained", []).append({"resourceType": "Patient", "id": "used-1"})
    tree["subject"] = {"reference": "#used-1"}
    return True


@operator
def wrong_target(tree: Tree, chance: random.Random) -> bool:
    """Contains a resource of a type that the subject does not take."""
    if "subject" not in tree:
        return False
    tree.setdefault("contained", []).append({"resourceType": "Medication", "id": "used-1"})
    tree["subject"] = {"reference": "#used-1"}
    return True


@operator
def both_detail_and_reference(tree: Tree, chance: random.Random) -> bool:
    """Breaks cpl-3."""
    rows = [row for row in tree.get("activity", []) if isinstance(row, dict) and "detail" in row]
    if not rows:
        return False
    rows[0]["reference"] = {"reference": "Task/1"}
    return True


@operator
def abated_and_active(tree: Tree, chance: random.Random) -> bool:
    """Breaks con-4."""
    if tree.get("resourceType") != "Condition":
        return False
    tree["abatementString"] = "x"
    return True


@operator
def link_id_twice(tree: Tree, chance: random.Random) -> bool:
    """Breaks que-2 or repeats an item of a response."""
    if not is_objects("item", tree.get("item")):
        return False
    tree["item"].append(dict(tree["item"][0]))
    return True


STRUCTURE = "http://hl7.org/fhir/StructureDefinition/"
NARRATIVES: dict[str, str] = {
    "script": "<script>x</script>",
    "event": '<p onclick="x()">x</p>',
    "style": '<p style="color: red" class="a">x</p>',
    "image": '<img src="http://a.org/x.png" alt="x"/>',
    "image_contained": '<img src="#none" alt="x"/>',
    "link": '<a href="http://a.org">x</a>',
    "link_javascript": '<a href="javascript:x()">x</a>',
    "link_nowhere": '<a href="#nowhere">x</a>',
    "link_inside": '<a name="here">x</a><a href="#here">y</a>',
    "form": '<form><input type="text"/></form>',
    "iframe": '<iframe src="http://a.org"/>',
    "object": "<object/>",
    "entity": "&nbsp;&eacute;",
    "entity_unknown": "&nothing;",
    "unclosed": "<p>x",
    "attribute": '<p data-x="1">x</p>',
    "table": '<table border="1"><tr><td colspan="2">x</td></tr></table>',
    "head": "<head><title>x</title></head>",
    "font": '<font color="red">x</font>',
    "comment": "<!-- x -->",
    "instruction": "<?php x ?>",
    "cdata": "<![CDATA[x]]>",
    "namespace": '<p xmlns="http://a.org">x</p>',
    "section": "<section>x</section>",
    "lang": '<p lang="de" xml:lang="de">x</p>',
}


def _narrative(inner: str) -> Operator:
    def work(tree: Tree, chance: random.Random) -> bool:
        if tree.get("resourceType") in ("Bundle", "Binary", "Parameters"):
            return False
        div = f'<div xmlns="http://www.w3.org/1999/xhtml">text {inner}</div>'
        tree["text"] = {"status": "generated", "div": div}
        return True

    return work


OPERATORS.update({f"narrative_{name}": _narrative(inner) for name, inner in NARRATIVES.items()})
DIVS = {
    "empty": '<div xmlns="http://www.w3.org/1999/xhtml"></div>',
    "blank": '<div xmlns="http://www.w3.org/1999/xhtml"> <br/> </div>',
    "no_namespace": "<div>text</div>",
    "root_p": '<p xmlns="http://www.w3.org/1999/xhtml">text</p>',
    "plain": "text",
    "doctype": '<!DOCTYPE div><div xmlns="http://www.w3.org/1999/xhtml">text</div>',
    "two": '<div xmlns="http://www.w3.org/1999/xhtml">a</div><div xmlns="http://www.w3.org/1999/xhtml">b</div>',
}


def _div(div: str) -> Operator:
    def work(tree: Tree, chance: random.Random) -> bool:
        if tree.get("resourceType") in ("Bundle", "Binary", "Parameters"):
            return False
        tree["text"] = {"status": "generated", "div": div}
        return True

    return work


OPERATORS.update({f"div_{name}": _div(div) for name, div in DIVS.items()})
# Extensions by definition: where, with what.
EXTENSIONS: dict[str, Tree] = {
    "absent_coding": {"url": STRUCTURE + "data-absent-reason", "valueCoding": {"code": "unknown"}},
    "absent_wrong_code": {"url": STRUCTURE + "data-absent-reason", "valueCode": "no-such-reason"},
    "absent_no_value": {"url": STRUCTURE + "data-absent-reason"},
    "birth_time": {"url": STRUCTURE + "patient-birthTime", "valueDateTime": "2020-01-01T10:00:00Z"},
    "birth_place": {"url": STRUCTURE + "patient-birthPlace", "valueAddress": {"city": "x"}},
    "animal": {
        "url": STRUCTURE + "patient-animal",
        "extension": [{"url": "species", "valueCodeableConcept": {"text": "dog"}}],
    },
    "animal_no_species": {
        "url": STRUCTURE + "patient-animal",
        "extension": [{"url": "breed", "valueCodeableConcept": {"text": "x"}}],
    },
    "animal_unknown_part": {
        "url": STRUCTURE + "patient-animal",
        "extension": [
            {"url": "species", "valueCodeableConcept": {"text": "dog"}},
            {"url": "colour", "valueString": "x"},
        ],
    },
    "animal_value": {"url": STRUCTURE + "patient-animal", "valueString": "dog"},
    "nationality_twice": {
        "url": STRUCTURE + "patient-nationality",
        "extension": [{"url": "code", "valueCodeableConcept": {"text": "x"}}] * 2,
    },
    "own_name": {"url": STRUCTURE + "humanname-own-name", "valueString": "x"},
    "hidden": {"url": STRUCTURE + "questionnaire-hidden", "valueBoolean": True},
    "hidden_text": {"url": STRUCTURE + "questionnaire-hidden", "valueString": "true"},
    "rendering": {"url": STRUCTURE + "rendering-markdown", "valueMarkdown": "x"},
    "condition_related": {"url": STRUCTURE + "condition-related", "valueReference": {"display": "x"}},
    "score": {"url": STRUCTURE + "itemWeight", "valueDecimal": 1},
    "ordinal": {"url": STRUCTURE + "ordinalValue", "valueDecimal": 1},
    "translation": {
        "url": STRUCTURE + "translation",
        "extension": [{"url": "lang", "valueCode": "de"}, {"url": "content", "valueString": "x"}],
    },
    "unknown_hl7": {"url": STRUCTURE + "no-such-extension", "valueString": "x"},
    "unknown_example": {"url": "http://example.org/x", "valueString": "x"},
    "relative": {"url": "local", "valueString": "x"},
    "url_spaces": {"url": "http://a b/c", "valueString": "x"},
    "two_values": {"url": "http://a.org/x", "valueString": "x", "valueCode": "y"},
    "value_and_parts": {
        "url": "http://a.org/x",
        "valueString": "x",
        "extension": [{"url": "a", "valueString": "y"}],
    },
    "unknown_value_type": {"url": "http://a.org/x", "valueNothing": "x"},
    "us_core_race_bare": {"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race", "valueString": "x"},
    "fhir_type": {"url": STRUCTURE + "structuredefinition-fhir-type", "valueUrl": "string"},
    "preferred": {"url": STRUCTURE + "iso21090-preferred", "valueBoolean": True},
    "care_plan_activity": {"url": STRUCTURE + "careplan-activity-title", "valueString": "x"},
    "goal_acceptance": {
        "url": STRUCTURE + "goal-acceptance",
        "extension": [{"url": "individual", "valueReference": {"display": "x"}}],
    },
}


def _extended(row: Tree, name: str) -> Operator:
    def work(tree: Tree, chance: random.Random) -> bool:
        return add_extension(one_of(tree, chance), json.loads(json.dumps(row)), name)

    return work


OPERATORS.update({f"extension_{name}": _extended(row, "extension") for name, row in EXTENSIONS.items()})
OPERATORS.update(
    {
        f"modifier_{name}": _extended(EXTENSIONS[name], "modifierExtension")
        for name in ("unknown_example", "hidden", "absent_coding")
    }
)
OPERATORS["modifier_reason"] = _extended(
    {"url": STRUCTURE + "request-doNotPerform", "valueBoolean": True}, "modifierExtension"
)
OPERATORS["modifier_as_plain"] = _extended(
    {"url": STRUCTURE + "request-doNotPerform", "valueBoolean": True}, "extension"
)
REFERENCES: dict[str, Any] = {
    "absolute": "http://a.org/fhir/Patient/1",
    "other_type": "Medication/1",
    "unknown_type": "Nothing/1",
    "no_id": "Patient/",
    "version": "Patient/1/_history/2",
    "urn_uuid": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
    "urn_bad": "urn:uuid:abc",
    "root": "#",
    "query": "Patient?identifier=a|b",
    "id_long": "Patient/" + "a" * 70,
    "id_bad": "Patient/a_b",
    "lower": "patient/1",
    "number": 5,
    "empty": "",
}
OPERATORS.update(
    {f"reference_{name}": put(is_reference, lambda _, value=value: value) for name, value in REFERENCES.items()}
)


@operator
def reference_type_stated(tree: Tree, chance: random.Random) -> bool:
    """Says the type of a reference's target, rightly, wrongly or unknown."""
    spots = with_key(tree, "reference")
    spots = [node for node in spots if isinstance(node["reference"], str)]
    if not spots:
        return False
    chance.choice(spots)["type"] = chance.choice(["Patient", "Medication", "Nothing", "http://a.org/Thing"])
    return True


@operator
def contained_nested(tree: Tree, chance: random.Random) -> bool:
    """Breaks dom-2, dom-4 or dom-5: contained in contained, with meta."""
    if "subject" not in tree:
        return False
    inner = chance.choice(
        [
            {"contained": [{"resourceType": "Patient", "id": "b"}], "managingOrganization": {"reference": "#b"}},
            {"meta": {"versionId": "1"}},
            {"meta": {"lastUpdated": "2020-01-01T10:00:00Z"}},
            {"meta": {"security": [{"system": "http://a.org", "code": "x"}]}},
            {"meta": {"tag": [{"system": "http://a.org", "code": "x"}]}},
            {"text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}},
            {"implicitRules": "http://a.org/x"},
        ]
    )
    tree.setdefault("contained", []).append({"resourceType": "Patient", "id": "a", **inner})
    tree["subject"] = {"reference": "#a"}
    return True


@operator
def contained_broken(tree: Tree, chance: random.Random) -> bool:
    """Contains something with a fault of its own."""
    if "subject" not in tree:
        return False
    row = chance.choice(
        [{"gender": "x"}, {"unknown": 1}, {"birthDate": "2020-02-30"}, {"name": {}}, {"contact": [{"gender": "male"}]}]
    )
    tree.setdefault("contained", []).append({"resourceType": "Patient", "id": "a", **row})
    tree["subject"] = {"reference": "#a"}
    return True


@operator
def contained_same_id(tree: Tree, chance: random.Random) -> bool:
    """Contains two resources of one id."""
    if "subject" not in tree:
        return False
    tree.setdefault("contained", []).extend([{"resourceType": "Patient", "id": "a"}] * 2)
    tree["subject"] = {"reference": "#a"}
    return True


@operator
def contained_hash_id(tree: Tree, chance: random.Random) -> bool:
    """Contains a resource whose id begins with #, or has none."""
    if "subject" not in tree:
        return False
    row: Tree = {"resourceType": "Patient", "id": "#a"} if chance.random() < 0.5 else {"resourceType": "Patient"}
    tree.setdefault("contained", []).append(row)
    tree["subject"] = {"reference": "#a"}
    return True


@operator
def contained_refers_back(tree: Tree, chance: random.Random) -> bool:
    """Contains a resource that nothing refers to but which refers to its container."""
    if tree.get("resourceType") in ("Bundle", "Binary", "Parameters"):
        return False
    row = {
        "resourceType": "Observation",
        "id": "a",
        "status": "final",
        "code": {"text": "x"},
        "focus": [{"reference": "#"}],
    }
    tree.setdefault("contained", []).append(row)
    return True
