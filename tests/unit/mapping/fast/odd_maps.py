"""Small maps of every kind of rule, alone and beside each other, with records for them and resources."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from adapter.identity import IDENTIFIER_SYSTEM
from adapter.mapping.choosing import Context
from adapter.mapping.compiler import compile_maps
from adapter.mapping.fast import generate
from adapter.mapping.maps import ResourceMap
from adapter.mapping.scope import RelativeRefs, Scope
from adapter.mapping.shapes import Shape
from adapter.terminology import compile_table

Tree = dict[str, Any]
OWN_ID = "0ab81b1e-9a0c-4bc1-9e2c-3a4f6d1c7e01"
OTHER_ID = "1bc92c2f-ab1d-4cd2-8f3d-4b507e2d8f02"
OURS, THEIRS = "https://example.test/ours", "https://example.test/theirs"
TEXT: Tree = {"type": "string"}
CONCEPT: Tree = {"type": "object", "properties": {"code": TEXT, "text": TEXT}}
ITEM: Tree = {
    "type": "object",
    "properties": {
        "id": TEXT, "name": TEXT, "text": TEXT, "flag": {"type": "boolean"}, "concept": CONCEPT, "o": {"$ref": "#/$defs/o"},
        "tags": {"type": "array", "items": TEXT}, "rows": {"type": "array", "items": {"$ref": "#/$defs/item"}}, "patient": TEXT,
    },
}  # fmt: skip
ROWS_SHAPE: Tree = {"type": "array", "items": {"$ref": "#/$defs/item"}}
SCHEMA: Tree = {
    "type": "object",
    "$defs": {
        "item": ITEM,
        "o": {"type": "object", "properties": {"a": TEXT, "b": TEXT, "o": {"$ref": "#/$defs/o"}, "rows": ROWS_SHAPE, "any": {}, "defaulted": {"type": "array", "items": TEXT, "default": ["x"]}}},
    },
    "properties": {
        "a": TEXT, "b": TEXT, "c": TEXT, "state": {"enum": ["x", "y", "z"]}, "n": {"type": "number"}, "i": {"type": "integer"},
        "flag": {"type": "boolean"}, "any": {}, "o": {"$ref": "#/$defs/o"}, "party": {"anyOf": [TEXT, {"type": "object"}]},
        "day": {"type": "string", "format": "fhir-date"}, "concept": CONCEPT, "also": {"type": "array", "items": CONCEPT},
        "tags": {"type": "array", "items": TEXT}, "numbers": {"type": "array", "items": {"type": "number"}},
        "concepts": {"type": "array", "items": CONCEPT}, "links": {"type": "array", "items": TEXT},
        "rows": ROWS_SHAPE, "more": ROWS_SHAPE, "defaulted": {"type": "array", "items": TEXT, "default": ["x"]},
    },
}  # fmt: skip
TABLE = compile_table(
    {
        "resourceType": "ConceptMap",
        "group": [
            {
                "source": OURS,
                "target": THEIRS,
                "element": [
                    {"code": "x", "target": [{"code": "1", "equivalence": "equal"}]},
                    {"code": "y", "target": [{"code": "2", "equivalence": "wider"}]},
                    {"code": "z", "target": [{"equivalence": "unmatched"}]},
                ],
            }
        ],
    },
    OURS,
    own={"concept": [{"code": code, "display": f"our {code}"} for code in "xyz"]},
)


PART: Tree = {"resourceType": "Goal", "id": "part", "description": "p"}
OWNER: Tree = {"patient": "p", "patient_name": "q", "title": "t"}
HEAD = "record: goal\nresource: Goal\n"
ITS_PARTS = {
    "g": ("g.yaml", f"map: g\n{HEAD}rules:\n  - {{record: name, fhir: description}}\n  - {{record: text, fhir: title}}\n  - {{record: patient, fhir: of}}"),
    "h": ("h.yaml", f"map: h\n{HEAD}when: {{name: m}}\nmatch: {{kind: h}}\nrules:\n  - {{set: h, fhir: kind}}\n  - {{record: name, fhir: title}}"),
    "i": ("i.yaml", f"map: i\n{HEAD}when: {{name: n}}\nmatch: {{kind: i}}\nrules:\n  - {{set: i, fhir: kind}}\n  - {{record: text, fhir: title}}"),
}  # fmt: skip


@dataclass(frozen=True)
class Odd:
    """A map: its rules, records for it, and resources beyond those that it makes of them."""

    rules: str
    records: list[Tree] = field(default_factory=list)
    nodes: list[Tree] = field(default_factory=list)
    groups: str = ""


A_ROW = {"id": OWN_ID, "name": "n", "text": "t"}
ROWS = [A_ROW, {"id": "i2", "name": "m", "flag": True}]
CODED = [
    {"code": "x"}, {"code": "x", "text": "t"}, {"code": "y"}, {"code": "z", "text": ""}, {"text": "t"}, {"code": "?"}, {},
    {"system": THEIRS, "code": "9"}, {"system": THEIRS, "code": "9", "display": "d", "text": "t"}, {"text": "t", "display": "d"},
    {"code": "x", "also": [{"system": "s", "code": "c"}]}, {"system": OURS, "code": "x"}, {"system": THEIRS, "version": "1"},
    {"code": None, "text": "t"}, {"code": "x", "text": None}, {"system": THEIRS, "code": "1", "version": "2"},
    {"system": THEIRS, "code": "9", "text": 7}, {"system": THEIRS, "code": "9", "text": ""},
]  # fmt: skip
CODINGS: list[Tree] = [
    {"coding": [{"system": THEIRS, "code": "1"}]}, {"coding": [{"system": THEIRS, "code": "2"}], "text": "t"},
    {"coding": [{"system": OURS, "code": "x"}]}, {"coding": [{"system": OURS, "code": "x", "display": "our x"}], "text": ""},
    {"coding": [{"system": THEIRS, "code": "1"}, {"system": OURS, "code": "z"}]}, {"coding": [], "text": "t"}, {"coding": []},
    {"coding": [{"system": THEIRS, "code": "1"}, {"system": "s", "code": "c"}], "text": "t"}, {"text": "t"}, {"text": 7}, {},
    {"coding": [{"system": "s", "code": "c", "display": "d"}]}, {"coding": [{"system": "s", "code": "c", "version": "1"}]},
    {"coding": [{"display": "d"}]}, {"coding": [{"code": "1"}]}, {"coding": [{"system": THEIRS}]}, {"coding": ["x"]},
    {"coding": [{"system": "", "code": "1"}]}, {"coding": [{"system": THEIRS, "code": ""}]}, {"coding": {"system": THEIRS}},
    {"coding": [{"system": THEIRS, "code": ["1"]}]}, {"coding": [{"system": THEIRS, "code": 1}]}, {"coding": None, "text": "t"},
    {"coding": {"system": THEIRS}, "text": "t"}, {"coding": [{"system": THEIRS, "code": "1"}], "text": 7},
    {"coding": [{"system": THEIRS, "code": "1"}, {"system": OURS, "code": "x"}], "text": 7},
    {"coding": [{"system": THEIRS, "code": "1"}, {"system": OURS, "code": "x"}], "text": "t"},
    {"coding": [{"system": THEIRS, "code": "1"}, {"system": "", "code": 7}, {"system": None, "code": True}]},
    {"coding": [{"system": OURS, "code": "c", "display": "d"}], "text": "t"}, {"coding": [{"system": "s", "code": "c", "display": ""}]},
]  # fmt: skip
REFERENCES: list[Tree] = [
    {"reference": "Goal/1"}, {"reference": f"Goal/{OWN_ID}", "display": "d"}, {"reference": "Patient/1"}, {"display": "d"},
    {"identifier": {"system": IDENTIFIER_SYSTEM, "value": "v"}, "type": "Goal"},
    {"identifier": {"system": "s", "value": "v"}, "type": "Goal"}, {"reference": "#c1"}, {"reference": "#c2"}, {"reference": 7},
    {"reference": "Goal/part"}, {"reference": "Goal/part", "display": ""}, {"type": "Goal"}, {"display": ""},
    {"display": "d", "type": "Goal"}, {"reference": "", "display": "d"}, {},
    {"reference": "#c9", "identifier": {"system": IDENTIFIER_SYSTEM, "value": "w"}},
]  # fmt: skip
PARTY = [{"text": "t"}, "t", "", {"text": "t", "reference": "x"}, {"id": OWN_ID, "text": "t"}, OWN_ID, "part"]
CHAIN = "addresses[k=1].code"

ODD: dict[str, Odd] = {
    "a text": Odd("- {record: a, fhir: title}", [{"a": "x"}]),
    "a text below objects on both sides": Odd("- {record: o.o.a, fhir: period.extra.start}", [{"o": {"o": {"a": "x"}}}]),
    "two texts of one object": Odd(
        "- {record: o.a, fhir: period.start}\n- {record: o.b, fhir: period.end}\n- {record: a, fhir: title}\n"
        "- {record: o.o.a, fhir: period.more.a}",
        [{"o": {"a": "x", "b": "y", "o": {"a": "z"}}, "a": "t"}, {"o": {"b": "y"}}, {"o": "x", "a": "t"}],
    ),
    "numbers and flags": Odd(
        "- {record: n, fhir: count}\n- {record: i, fhir: order}\n- {record: flag, fhir: done}",
        [{"n": 1, "i": 2, "flag": True}, {"n": 0, "flag": False}],
    ),
    "anything, a code and a date": Odd(
        "- {record: any, fhir: it}\n- {record: state, fhir: status}\n- {record: day, fhir: created}",
        [{"any": "x", "state": "x", "day": "2026-01"}, {"any": {"x": [1]}}, {"any": [1]}, {"any": 0}],
    ),
    "defaults": Odd(
        "- {record: a, fhir: status, default: x}\n- {record: o.a, fhir: period.start, default: x}\n"
        "- {record: state, fhir: intent.code, values: {y: p, z: q}, default: r}",
        [{"a": "y"}, {"a": "x", "o": {"a": "y"}, "state": "y"}, {"o": {"a": "x"}}, {}],
        [{"status": "x"}, {"status": "y", "intent": {"code": "r"}}],
    ),
    "a short table": Odd("- {record: state, fhir: status, values: {x: p, y: q}}", [{"state": "x"}, {"state": "z"}]),
    "the only element": Odd(
        '- {record: a, fhir: "note[!].text"}\n- {record: b, fhir: "replaces[!]"}\n- {record: c, fhir: "note[!].time"}',
        [{"a": "x", "b": "y"}, {"a": "x", "c": "z"}],
        [{"note": [{"text": "x"}, {"text": "y"}]}, {"note": ["x"]}, {"replaces": ["a", "b"]}],
    ),
    "an only element that has something": Odd(
        '- {record: a, fhir: "note[text!].text"}\n- {record: b, fhir: "note[text!].time"}',
        [{"a": "x", "b": "y"}],
        [{"note": [{"time": "t"}, {"text": "x", "time": "u"}]}],
    ),
    "objects where something stands": Odd(
        '- {record: any, fhir: age}\n- {record: a, fhir: "age(code=a).value"}\n- {record: b, fhir: "age(code=a).unit"}',
        [{"a": "x", "any": {"code": "b", "value": "y"}, "b": "z"}, {"any": {"code": "a"}, "a": "x"}, {"any": [1], "a": "x"}],
    ),
    "arrays where something stands": Odd(
        '- {record: any, fhir: note}\n- {record: a, fhir: "note[!].text"}\n- {record: links, fhir: ext}\n- {record: b, fhir: "ext[k=1].v"}\n'
        '- {record: c, fhir: "ext[k=0].v"}',
        [{"any": row, "a": "x", "links": ["y"], "b": "z", "c": "w"} for row in ([{"k": "1"}], [{"k": "1"}, {"k": "2"}], [], ["x"], "x", {})],
    ),
    "a way through two kinds of step": Odd(
        '- {record: a, fhir: "x[!].text"}\n- {record: b, fhir: x.text}\n- {record: c, fhir: "x[k=1].text"}',
        [{"a": "x", "b": "y", "c": "z"}, {"a": "x", "c": "z"}, {"b": "y", "c": "z"}],
    ),
    "our identifier behind another": Odd(
        f'- {{record: a, fhir: "identifier[system=s].value"}}\n- {{record: tags, fhir: "identifier[system=t]", leaf: value}}\n'
        f'- {{record: b, fhir: "identifier[system={IDENTIFIER_SYSTEM}].use"}}\n- {{record: c, fhir: "contained[resourceType=P].name"}}\n'
        f'- {{record: o.a, fhir: "contained[resourceType=Goal].name"}}\n- {{record: o.b, fhir: "part.identifier[system=s].value"}}',
        [{"a": "x", "tags": ["1"]}, {"tags": ["1"], "b": "y", "c": "z", "o": {"a": "w", "b": "v"}}],
    ),
    "beside slices": Odd(
        '- {record: a, fhir: "x[k=1].v", one_way: t}\n- {record: tags, fhir: "x[k=1]", leaf: w}\n- {record: b, fhir: "x[coding.code=2].v"}\n'
        '- {record: o.a, fhir: "x[k=0].v", one_way: t}\n- {record: rows, fhir: y, except: ["coding.code=2", "text!"], items: [{record: name, fhir: v}]}',
        [{"a": "1", "tags": ["2"], "b": "3", "o": {"a": "4"}, "rows": ROWS}, {"b": "3", "o": {"a": "4"}}],
        [{"y": [{"v": "n", "coding": [{"code": "2"}]}, {"v": "m", "coding": [{"code": "3"}]}, {"v": "t", "text": "u"}]}],
    ),
    "only written, into the only element that has something": Odd(
        '- {record: any, fhir: note}\n- {record: a, fhir: "note[text!].text", one_way: t}\n- {record: tags, fhir: more, leaf: "to[text!].v"}',
        [{"any": [{"time": "t"}], "a": "x", "tags": ["y"]}],
        [{"more": [{"to": [{"v": "x"}, {"text": "t", "v": "y"}]}]}],
    ),
    "elements without keys": Odd(
        '- {record: a, fhir: "x[z:=1].v"}\n- {record: tags, fhir: "x[k:=1]", leaf: w}\n- {record: b, fhir: "x[m:=1].u"}',
        [{"a": "x", "tags": ["1"], "b": "y"}, {"tags": ["1"], "b": "y"}],
    ),
    "a list in the element of another rule": Odd(
        '- {record: party, fhir: "x[k=1]", display: "yes"}\n- {record: tags, fhir: "x[k=1].y[j=1]", leaf: v}\n- {record: a, fhir: "x[k=1].y[j=0].v"}',
        [{"party": "p", "tags": ["1"], "a": "x"}, {"tags": ["1"], "a": "x"}],
    ),
    "a field in one of two places, beside lists": Odd(
        '- {record: concept, either: [{fhir: "x[k=2].c", concept: m}, {fhir: "x[k=2].d", concept: none}]}\n- {record: tags, fhir: "x[k=2]", leaf: v}\n'
        '- {record: a, fhir: "x[k=1].v"}\n- {record: links, fhir: "x[k=3]", leaf: v}',
        [{"concept": {"code": "x"}, "tags": ["1"], "a": "y", "links": ["z"]}, {"concept": {"text": "t"}, "links": ["z"]}],
    ),
    "items by number": Odd(
        '- {record: rows, fhir: note, key: "#", items: [{record: name, fhir: v}]}', [{"rows": [{"id": "1", "name": "x"}, {"id": "3", "name": "y"}]}],
        [{"note": [{"v": "x"}, {"id": "5", "v": "y"}]}],
    ),
    "elements by key": Odd(
        '- {record: a, fhir: "extension[url=1].valueString"}\n- {record: b, fhir: "extension[url=2].valueString"}\n'
        '- {record: c, fhir: "extension[url=1].more"}',
        [{"a": "x", "b": "y"}, {"b": "y", "c": "z"}, {"a": "x", "c": "z"}],
        [{"extension": ["x", {"url": "2", "valueString": "y"}, {"url": "1", "valueString": "x"}, {"url": "1"}]}],
    ),
    "elements by two keys, and what is made with them": Odd(
        '- {record: a, fhir: "code[k=1,l=2].v"}\n- {record: b, fhir: "code[k=1,l=3,m:=4].v"}\n- {record: c, fhir: "code[k=1].w"}',
        [{"a": "x", "b": "y", "c": "z"}, {"b": "y"}],
        [{"code": [{"k": "1", "l": "3", "v": "b"}, {"k": "1", "l": "2", "v": "a"}]}],
    ),
    "guarded objects": Odd(
        '- {record: a, fhir: "age(code=a).value"}\n- {record: b, fhir: "age(code=a,u:=b).unit"}\n- {record: c, fhir: "range(k:=1).low"}',
        [{"a": "x", "b": "y", "c": "z"}, {"b": "y"}],
        [{"age": {"code": "b", "value": "x"}}, {"age": {"code": "a", "value": "x"}}],
    ),
    "an element as the value": Odd(
        f'- {{record: concept, fhir: "category[k=1]", concept: none}}\n- {{record: party, fhir: "{CHAIN}", display: "yes"}}',
        [{"concept": {"code": "x"}, "party": "p"}],
        [{"category": [{"k": "2"}, {"k": "1", "text": "t"}]}],
    ),
    "slices": Odd(
        '- {record: a, fhir: "category[coding.code=1].text"}\n- {record: b, fhir: "category[coding.code=2].text"}\n'
        '- {record: o.a, fhir: "range(low.code=1).text"}',
        [{"a": "x", "b": "y", "o": {"a": "z"}}],
    ),
    "elements in the order of the rules": Odd(
        '- {record: b, fhir: "extension[url=2].valueString", default: d}\n- {set: x, fhir: "extension[url=3].valueCode"}\n'
        '- {record: a, fhir: "extension[url=1].valueString"}\n- {record: c, fhir: "extension[url=3].more.deep"}\n'
        '- {record: tags, fhir: "extension[url=4]", leaf: valueString}\n- {record: o.a, fhir: "extension[url=2].other"}',
        [{"a": "x", "b": "y", "c": "z", "tags": ["1", "2"], "o": {"a": "v"}}, {"a": "x", "tags": ["t"]}, {"c": "z"}],
    ),
    "lists by key beside other keys": Odd(
        '- {record: tags, fhir: "extension[url=1]", leaf: v}\n- {record: rows, fhir: "extension[url=2]", items: [{record: name, fhir: v}]}\n'
        '- {record: more, fhir: "extension[use=2]", items: [{record: name, fhir: v}]}\n- {record: a, fhir: "extension[url=1].w"}',
        [{"tags": ["x"], "rows": ROWS, "more": ROWS, "a": "z"}, {"rows": ROWS, "a": "z"}, {"more": ROWS, "tags": ["x"]}],
    ),
    "a list twice in one array": Odd(
        '- {record: tags, fhir: "extension[url=1]", leaf: v}\n- {record: links, fhir: "extension[url=1]", leaf: w}',
        [{"tags": ["x"], "links": ["y"]}, {"links": ["y"]}],
    ),
    "a list below an element of another": Odd(
        '- {record: a, fhir: "extension[url=1].extension[url=a].v"}\n- {record: tags, fhir: "extension[url=1].extension[url=b]", leaf: v}\n'
        '- {record: b, fhir: "extension[url=0].extension[url=b].v"}\n- {record: c, fhir: "extension[url=1].extension[url=c].v"}',
        [{"a": "x", "tags": ["1", "2"], "b": "y", "c": "z"}, {"tags": ["1"]}, {"c": "z", "tags": ["1"]}],
    ),
    "an unknown way into an array before a list": Odd(
        '- {record: any, fhir: extension}\n- {record: tags, fhir: "extension[url=1]", leaf: v}\n- {record: a, fhir: "extension[url=1].w"}',
        [{"any": [{"url": "9"}], "tags": ["x"], "a": "y"}, {"any": "x", "tags": ["x"]}, {"tags": ["x"], "a": "y"}],
    ),
    "identifiers": Odd(
        '- {record: a, fhir: "identifier[system=s].value"}\n- {record: tags, fhir: "identifier[system=t]", leaf: value}\n'
        '- {record: b, fhir: "contained[resourceType=P].name"}\n- {record: c, fhir: "part.identifier[system=s].value"}',
        [{"a": "x", "tags": ["1"], "b": "y", "c": "z"}],
    ),
    "texts": Odd("- {record: tags, fhir: basis}", [{"tags": ["x", "y"]}, {"tags": ["", None, 1]}, {"tags": []}]),
    "numbers": Odd("- {record: numbers, fhir: count}", [{"numbers": [1, 0]}, {"numbers": [True, "1"]}]),
    "texts below an object": Odd(
        "- {record: o.a, fhir: group.name}\n- {record: tags, fhir: group.tag}", [{"tags": ["x"]}, {"o": {"a": "x"}, "tags": ["y"]}]
    ),
    "texts in elements": Odd(
        '- {record: tags, fhir: "note[k=1]", leaf: text}\n- {record: links, fhir: goal, leaf: to.text}\n'
        '- {record: numbers, fhir: "x[!].y", leaf: value}',
        [{"tags": ["x", "y"], "links": ["1"], "numbers": [1]}, {"links": ["", None, "1"]}],
        [{"note": [{"k": "2", "text": "x"}, {"k": "1", "text": "y"}, "x", {"k": "1"}]}, {"goal": [{"to": {"text": "x"}}, {"to": []}]}],
    ),
    "concepts in a list": Odd(
        "- {record: concepts, fhir: category, concept: none, except: [c, d]}\n- {record: also, fhir: reason, concept: m}",
        [{"concepts": [{"code": "x"}, {"text": "t"}, {"system": "s", "code": "e"}], "also": CODED}],
        [{"category": CODINGS, "reason": CODINGS}, {"category": [{"coding": [{"code": "d"}]}, {"coding": [{"code": "e"}]}]}],
    ),
    "links in a list": Odd(
        '- {record: links, fhir: goal, link: Goal}\n- {record: tags, fhir: author, display: "yes"}',
        [{"links": [OWN_ID, "", "part"], "tags": ["x"]}, {"tags": PARTY, "links": PARTY}],
        [{"goal": REFERENCES, "author": REFERENCES}],
    ),
    "a list with a default": Odd("- {record: defaulted, fhir: basis}", [{"defaulted": ["x"]}, {"defaulted": ["y"]}, {}]),
    "lone values": Odd(
        '- {record: tags, fhir: done, leaf: concept.text, alone: "yes"}',
        [{"tags": ["x"]}],
        [{"done": [{"concept": {"text": "x"}}, {"concept": {"text": "y"}, "reference": {}}]}],
    ),
    "a concept": Odd("- {record: concept, fhir: code, concept: m}", [{"concept": row} for row in CODED], [{"code": row} for row in CODINGS]),
    "a concept of no table": Odd(
        "- {record: concept, fhir: code, concept: none}", [{"concept": row} for row in CODED], [{"code": row} for row in CODINGS]
    ),
    "a concept and its further codes": Odd(
        "- {record: concept, fhir: code, concept: m, also: also}\n- {record: b, fhir: title}",
        [{"concept": row, "b": "x"} for row in CODED] + [{"concept": {"code": "x"}, "also": [{"system": "s", "code": "c"}]}],
        [{"code": row} for row in CODINGS],
    ),
    "a concept below an object, and its further codes": Odd(
        "- {record: o.a, fhir: code, concept: m, also: also}", [{"o": {"a": {"code": "x"}}, "also": [{"code": "c"}]}, {"o": {"a": CODED[1]}}],
        [{"code": row} for row in CODINGS],
    ),
    "further codes below an object": Odd(
        "- {record: concept, fhir: code, concept: m, also: o.a}", [{"concept": CODED[1], "o": {"a": [{"code": "c"}]}}, {"concept": CODED[1]}],
        [{"code": row} for row in CODINGS],
    ),
    "a concept that stands there": Odd(
        "- {set: {text: was, extension: [{url: u}]}, fhir: code}\n- {record: concept, fhir: code, concept: m}\n- {set: {coding: [{code: z}]}, fhir: x.code}\n"
        "- {record: any, fhir: x.code, concept: none}",
        [{"concept": row, "any": row} for row in CODED],
    ),
    "choices": Odd(
        "- {record: state, fhir: class, choice: m}\n- {record: a, fhir: kind, choice: m, wrap: concept}\n- {record: b, fhir: sort, choice: m, wrap: coding}\n"
        "- {record: c, fhir: way, choice: $t/way}",
        [{"state": code, "a": code, "b": code, "c": code} for code in ("x", "y", "z", "?", "")],
        [{"kind": row, "sort": (row.get("coding") or [{}])[0], "class": row} for row in CODINGS if type(row.get("coding")) is list],
    ),
    "a link": Odd(
        "- {record: a, fhir: subject, link: Goal}\n- {record: o.a, fhir: of.it, link: Goal}",
        [{"a": OWN_ID, "o": {"a": "part"}}, {"a": "part"}, {"a": ""}],
        [{"subject": row, "of": {"it": row}} for row in REFERENCES],
    ),
    "a party": Odd(
        '- {record: a, fhir: author, display: "yes"}\n- {record: b, fhir: source, display: whole}\n- {record: party, fhir: of, link: Goal}',
        [{"a": row, "b": row, "party": row} for row in PARTY],
        [{"author": row, "source": row, "of": row} for row in REFERENCES],
    ),
    "a link and what it is called": Odd(
        "- {record: a, fhir: subject, link: Goal, called: b}\n- {record: o.a, fhir: of, link: Goal, called: c}\n- {record: i, fhir: by, link: Goal, called: o.b}",
        [{"a": OWN_ID, "b": "x"}, {"a": "part"}, {"b": "x"}, {"b": ""}, {"o": {"a": OWN_ID, "b": "z"}, "c": "y", "i": "part"}],
        [{"subject": row, "of": row, "by": row} for row in REFERENCES],
    ),
    "a link where something stands": Odd(
        "- {set: {reference: Goal/9, type: T}, fhir: subject}\n- {record: a, fhir: subject, link: Goal, called: b}",
        [{"a": OWN_ID, "b": "x"}, {"b": "x"}],
    ),
    "a code that is FHIR's as well": Odd(
        "- {record: state, fhir: status, own: {x: p, y: q}}\n- {record: o.a, fhir: of.status, own: {x: p}}\n- {record: a, fhir: intent, own: {x: p}, values: {y: z}}",
        [{"state": code, "a": code, "o": {"a": code}} for code in ("x", "y", "z")] + [{"state": ["x"], "o": 1}],
        [{"status": "p", "_status": {"extension": [{"url": "https://x"}]}}, {"status": "z", "intent": "z"}],
    ),
    "a code of FHIR's where others are ours": Odd("- {record: state, fhir: status, own: {x: p}}", [{"state": "z"}]),
    "a code in a list that is FHIR's as well": Odd(
        '- {record: state, fhir: "status[!]", own: {x: p}}\n- {record: a, fhir: "kind[k=1]", own: {x: p}}', [{"state": "z"}, {"state": "x"}],
        [{"status": ["p"], "_status": {"extension": [{"url": "u"}]}}, {"status": ["p"], "_status": [{"extension": []}]}],
    ),
    "a code of ours with a default": Odd("- {record: a, fhir: status, own: {x: p}, default: q}", [{"a": "x"}, {"a": "z"}, {}], [{"status": "q"}]),
    "a code of ours in an element": Odd('- {record: a, fhir: "x[k=1].status", own: {x: p}}', [{"a": "x"}, {"a": "z"}]),
    "texts of one": Odd(
        '- {template: "u/{a}[|{b}]", fhir: instantiates}\n- {template: "v/{c}", fhir: "more.url"}',
        [{"a": "x", "b": "1", "c": "y"}, {"a": "x"}, {"b": "1"}, {"c": 1}],
        [{"instantiates": "u/x|1"}, {"instantiates": "u/x"}, {"instantiates": "w/x"}],
    ),
    "texts of one in an element": Odd(
        '- {template: "u/{a}", fhir: "x[k=1].url"}\n- {template: "v/{b}", fhir: "y[!]"}\n- {template: "w/{c}", fhir: "z[k=1]"}', [{"a": "x", "b": "y"}, {"c": "z"}],
        [{"x": [{"k": "1", "url": "u/x"}], "y": ["v/y"]}, {"y": ["v/y", "v/z"], "z": [{"k": "1"}, "w/z"]}],
    ),
    "for some records": Odd(
        "- {record: state, fhir: status}\n- {record: a, fhir: title, when: {state: x}}\n- {record: o.a, fhir: of.title, when: {state: y}}\n"
        "- {record: tags, fhir: basis, when: {state: y}}\n- {record: rows, fhir: note, items: [{record: text, fhir: text}], when: {state: x}}\n"
        "- {record: b, fhir: kind, default: d, when: {state: x}}\n- {record: c, fhir: class, concept: m, when: {o.a: q}}",
        [{"state": code, "a": "x", "b": "y", "c": {"code": "x"}, "o": {"a": "q"}, "tags": ["t"], "rows": ROWS} for code in ("x", "y", "z")] + [{"state": "x", "o": {}}],
        [{"status": code, "title": "x", "of": {"title": "q"}, "basis": ["t"], "kind": "k"} for code in ("x", "y", "z")],
    ),
    "only written": Odd(
        "- {record: a, fhir: title, one_way: a test}\n- {record: o.a, fhir: of.title, one_way: a test}\n- {record: concept, fhir: code, concept: m, one_way: a test}",
        [{"a": "x", "o": {"a": "y"}, "concept": {"code": "x"}}, {"a": 1}],
    ),
    "constants": Odd(
        '- {set: x, fhir: status}\n- {set: [x], fhir: basis}\n- {set: {a: x}, fhir: of.it}\n- {set: y, fhir: status}\n- {set: [y], fhir: basis}\n'
        '- {set: {v: y}, fhir: "x[k=1]"}\n- {set: z, fhir: "y[!]"}\n- {set: z, fhir: "x[k=2].v"}\n- {set: z, fhir: title, unless: a}\n- {record: a, fhir: title}',
        [{}, {"a": "x"}],
    ),
    "a constant object is not shared": Odd("- {set: {a: x}, fhir: of}\n- {record: a, fhir: of.b}", [{"a": "1"}, {"a": "2"}]),
    "derived": Odd(
        "- {derive: narrative, fhir: text, names: [a, b]}\n- {record: a, fhir: title}\n- {derive: reference, fhir: of.main, names: [main]}\n"
        '- {derive: narrative, fhir: "x[k=1]", names: [a]}', [{"a": "x"}, {}],
    ),
    "items": Odd(
        "- {record: rows, fhir: note, items: [{record: name, fhir: name}, {record: text, fhir: deep.text}]}", [{"rows": ROWS}, {"rows": [{}, None, "x", {"id": 1}]}],
        [{"note": [{"name": "n"}, {"id": "i"}, {"id": "i", "name": "n"}, {"id": "i", "name": "m"}, "x", {"name": "n"}]}],
    ),
    "items of nothing": Odd("- {record: rows, fhir: note, items: []}", [{"rows": ROWS}, {"rows": ["x", {}]}]),
    "items by value and by field": Odd(
        "- {record: rows, fhir: note, key: value, items: [{record: name, fhir: name}]}\n- {record: more, fhir: item, key: name, items: [{record: name, fhir: linkId}, {record: text, fhir: text}]}",
        [{"rows": ROWS, "more": ROWS}, {"rows": [{"name": "n"}, {"name": "n"}], "more": [{"name": "n"}, {"name": "n"}]}],
        [{"note": [{"name": "n"}, {}, {"id": "i"}], "item": [{"linkId": "n"}, {"text": "t"}, {}]}],
    ),
    "items that link": Odd(
        "- {record: rows, fhir: addresses, link: Goal, items: [{record: text, fhir: display}]}\n- {record: more, fhir: due, link: Goal, at: ref, items: [{record: text, fhir: note}, {record: name, fhir: ref.display}]}",
        [{"rows": ROWS, "more": ROWS}, {"rows": [{"id": "part"}, {"id": "part"}], "more": [{"id": "part", "text": "t"}]}],
        [{"addresses": REFERENCES, "due": [{"ref": row, "note": "n"} for row in REFERENCES]}, {"addresses": REFERENCES[:2], "due": [{"ref": REFERENCES[0]}]}],
    ),
    "items but some": Odd(
        '- {record: rows, fhir: identifier, except: ["system=s", "use=o"], items: [{record: name, fhir: value}, {record: text, fhir: system}]}\n'
        '- {record: more, fhir: "identifier[use=o]", items: [{record: name, fhir: value}]}',
        [{"rows": ROWS, "more": ROWS}],
        [{"identifier": [{"system": "s", "value": "v"}, {"system": "t", "value": "v"}, {"use": "o", "value": "w"}, {"value": "x"}]}],
    ),
    "items by key": Odd(
        '- {record: rows, fhir: "extension[url=1,kind:=k]", items: [{record: name, fhir: v}, {record: tags, fhir: w}]}\n- {record: o.a, fhir: "extension[url=2].v"}',
        [{"rows": [*ROWS, {"id": "3", "tags": ["x"]}], "o": {"a": "y"}}],
    ),
    "items within items": Odd(
        "- {record: rows, fhir: item, items: kids}",
        [{"rows": [{**A_ROW, "rows": [A_ROW, {"id": "x", "rows": ROWS}]}]}],
        groups="{kids: [{record: name, fhir: linkId}, {record: flag, fhir: required}, {record: rows, fhir: item, items: kids}, {record: concept, fhir: code, concept: m}]}",
    ),
    "items below an object": Odd(
        "- {record: o.rows, fhir: of.note, items: [{record: name, fhir: name}]}\n- {record: o.a, fhir: of.a}\n- {record: o.b, fhir: title}", [{"o": {"rows": ROWS, "a": "x", "b": "y"}}]
    ),
    "items that are resources": Odd(
        "- {record: rows, fhir: goal, parts: [g]}",
        [{"rows": ROWS}, {"rows": [{"id": OWN_ID}, {"id": "x", "patient": "y"}]}, {"rows": [A_ROW, A_ROW]}, {}],
        [{"goal": [{"reference": "Goal/part"}, *REFERENCES]}, {"goal": [{"reference": "#c1"}]}, {"goal": [{"reference": "Goal/part"}] * 2}],
    ),
    "items that are resources, and what is said of them": Odd(
        "- {record: rows, fhir: activity, at: ref, parts: [h, i], beside: [{record: text, fhir: ref.display}, {record: flag, fhir: done}]}",
        [{"rows": ROWS}, {"rows": [{"id": OWN_ID, "text": "x"}, {"id": "i", "flag": True}, {"id": "j", "name": "m", "flag": False}]}],
        [{"activity": [{"ref": row, "done": True} for row in REFERENCES]}, {"activity": [{"ref": {"reference": "#c1"}}, {"ref": 7}, 7]}],
    ),
    "items that are resources or stand here": Odd(
        "- {record: rows, fhir: activity, at: ref, parts: [g], held: flag, inline: [{record: name, fhir: detail.name}, {record: text, fhir: note}]}",
        [{"rows": [A_ROW, {"id": "x", "name": "n"}]}, {"rows": ROWS}, {"rows": [{"id": "x", "flag": True, "name": "n"}]}],
        [{"activity": [{"ref": {"reference": "Goal/part"}}, {"detail": {"name": "n"}}]}, {"activity": [{"note": "t"}]},
         {"activity": [{"ref": {"reference": "Goal/part"}}, {"ref": {"reference": "Goal/9"}}, "x", []]}],
    ),
    "items that are resources or stand in one of two places": Odd(
        "- {record: rows, fhir: activity, at: ref, parts: [g], inline: [{record: name, either: [{fhir: a}, {fhir: b}]}]}",
        [{"rows": ROWS}], [{"activity": [{"ref": {"reference": "Goal/part"}}, {"a": "n"}]}],
    ),
    "items that are resources, below an object": Odd(
        "- {record: rows, fhir: of.goal, parts: [g]}", [{"rows": ROWS}], [{"of": {"goal": REFERENCES}}, {"goal": REFERENCES}],
    ),
    "items that are resources, by a field": Odd(
        "- {record: rows, fhir: goal, parts: [g], key: name}", [{"rows": [{"name": "n", "text": "t"}, {"name": "m"}]}], [{"goal": REFERENCES}],
    ),
    "items that are resources, by key": Odd(
        '- {record: rows, fhir: "goal[k=1,l:=2]", parts: [g]}\n- {record: o.rows, fhir: "x[k=1]", at: ref, parts: [g]}',
        [{"rows": ROWS, "o": {"rows": [{"id": "z", "name": "m"}]}}],
        [{"goal": [{**row, "k": "1"} for row in REFERENCES], "x": [{"ref": row, "k": "2"} for row in REFERENCES]}],
    ),
    "items that are resources, where something stands": Odd(
        "- {record: any, fhir: goal}\n- {record: rows, fhir: goal, parts: [g]}", [{"rows": ROWS, "any": "x"}, {"any": [{"reference": "Goal/part"}], "rows": ROWS},
        {"any": [{"reference": "Goal/part"}]}, {"any": []}],
    ),
    "what is taken away is not written into": Odd(
        "- {record: a, fhir: of.text}\n- {record: state, fhir: of.text, values: {x: p}}\n- {record: b, fhir: of.more}\n"
        "- {record: i, fhir: of.other, own: {x: p}, default: q}\n- {record: c, fhir: of.most}",
        [{"a": "x", "state": "?", "b": "y"}, {"b": "y", "i": "?", "c": "z"}, {"a": "x", "c": "z"}],
    ),
    "what a rule takes away is not written into": Odd(
        "- {record: a, fhir: of.text}\n- {record: i, fhir: of.text, own: {x: p}, default: q}\n- {record: c, fhir: of.most}\n"
        '- {record: b, fhir: "x[k=1].text"}\n- {record: n, fhir: "x[k=1].text", own: {x: p}, default: q}\n- {record: o.a, fhir: "x[k=1].most"}',
        [{"a": "x", "i": "?", "c": "z", "b": "y", "n": "?", "o": {"a": "w"}}, {"a": "x", "i": 1, "c": "z", "b": "y", "n": 2}],
    ),
    "a list below an object, with a default": Odd("- {record: o.defaulted, fhir: basis}", [{"o": {"defaulted": ["x"]}}, {"o": {"defaulted": ["y"]}}, {}, {"o": {}}]),
    "values where something stands": Odd(
        "- {record: any, fhir: of.note}\n- {record: tags, fhir: of.note}\n- {record: o.any, fhir: note}\n- {record: links, fhir: note}",
        [{"tags": ["x"], "links": ["y"]}, {"any": ["z"], "tags": ["x"], "o": {"any": ["z"]}, "links": ["y"]}],
    ),
    "what a rule leaves alone is not looked for again": Odd(
        '- {record: o.a, fhir: period.start}\n- {record: a, fhir: "category[coding.code=1].text"}\n- {record: o.b, fhir: period.end}\n'
        "- {record: b, fhir: category.x, via: date MM/DD/YYYY}",
        [{"o": {"a": "x", "b": "y"}, "a": "z"}, {"o": {"a": "x", "b": "y"}, "a": 1}],
    ),
    "identifiers of a part": Odd(
        '- {record: a, fhir: "part.identifier[system=s].value"}\n- {record: b, fhir: "part.identifier[system=t].value"}', [{"a": "x", "b": "y"}]
    ),
    "an object guarded by two keys": Odd(
        '- {record: a, fhir: "range(k=1,l=2).low.value"}', [{"a": "x"}], [{"range": {"k": "1", "low": {"value": "x"}}}]
    ),
    "values by two keys": Odd(
        '- {record: tags, fhir: "x[k=1,l=2]", leaf: v}', [{"tags": ["1"]}], [{"x": [{"k": "1", "v": "n"}, {"k": "1", "l": "2", "v": "y"}]}],
    ),
    "what is not written takes its holders away": Odd(
        "- {record: o.a, fhir: of.it.state, values: {x: p}}\n- {record: a, fhir: of.it.text}\n- {record: b, fhir: other.text}\n- {record: state, fhir: other.state, values: {x: p}}",
        [{"o": {"a": "?"}, "a": "x"}, {"o": {"a": "x"}, "state": "?", "b": "y"}, {"state": "?", "o": {"a": "?"}}],
    ),
}  # fmt: skip


@cache
def compiled(name: str) -> dict[str, ResourceMap]:
    """The maps of a row, with their rules alone."""
    odd = ODD[name]
    rules = "\n".join(f"  {line}" for line in odd.rules.splitlines())
    text = f"map: m\nrecord: plan\nresource: CarePlan\ngroups: {odd.groups or '{}'}\nrules:\n{rules}"
    shapes = {"plan": Shape(SCHEMA, SCHEMA), "goal": Shape(SCHEMA, ITEM)}
    context = Context({"cs": "https://cs", "t": "https://t"}, {"m": TABLE}, shapes.get)
    return compile_maps({"m": ("m.yaml", text), **(ITS_PARTS if "parts:" in text else {})}, context)


@contextmanager
def generated(name: str) -> Iterator[None]:
    """For a while the maps of a row are functions, made now."""
    maps = compiled(name).values()
    try:
        for map_ in maps:
            map_.fast = generate(map_)
        yield
    finally:
        for map_ in maps:
            map_.fast = None


def written(name: str, record: Any) -> Any:
    """A record → its resources by part key, and what is said. One part is known before."""
    root: Tree = {"resourceType": "CarePlan", "contained": [{"resourceType": "Goal", "id": "c1"}]}
    scope = Scope(RelativeRefs(), "plan", OWN_ID, {"": root, "Goal/part": dict(PART)}, root, owner=OWNER)
    compiled(name)["m"].make({"id": OWN_ID, **record} if type(record) is dict else record, scope)
    return scope.parts, scope.issues


def read(name: str, parts: Tree) -> Any:
    """The resources of a record, by part key → the content of the record, and what is said."""
    index = {
        f"{tree.get('resourceType')}/{tree.get('id')}": key for key, tree in parts.items() if key and type(tree) is dict
    }
    root = parts.get("")
    scope = Scope(RelativeRefs(parts=index), "plan", OWN_ID, dict(parts), root)  # type: ignore[arg-type]
    return compiled(name)["m"].read(root, scope), scope.issues  # type: ignore[arg-type]


def with_part(node: Tree) -> Tree:
    """A resource with a part that it may refer to, and another in it."""
    contained = [{"resourceType": "Goal", "id": "c1", "description": "c"}]
    return {"": {"resourceType": "CarePlan", "contained": contained, **node}, "Goal/part": dict(PART)}
