"""A small pack of a site for tests of `careplan pack`: goals alone, with one code map and two examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PATIENT = "24287d95-0365-5224-8deb-dfb00e7ba095"
HEAD = "name: lakeside\nversion: 1.0.0\ntitle: Lakeside Centre\nprefixes:\n  cs: https://lakeside.test/CodeSystem\n  ext: https://lakeside.test/ext\n"
RULES = """# lint: allow record-uncarried: a small pack for tests
map: goal
record: goal
resource: Goal
rules:
  - {record: lifecycle, fhir: lifecycleStatus}
  - {record: statement, fhir: description, concept: none}
  - {record: patient, fhir: subject, link: Patient}
  - {record: priority, fhir: priority, concept: goal-priority}
  - record: target
    fhir: target
    items:
      - {record: measure, fhir: measure, concept: none}
      - {record: detail.text, fhir: detailString}
      - {record: due, fhir: dueDate}
"""
CODES = ("high", "medium", "low")


def goal(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A goal record."""
    return {
        "kind": "goal",
        "id": f"6e6f0bd2-3a6c-4a0e-8d0b-1c8a4f1f000{number}",
        "patient": PATIENT,
        "lifecycle": "active",
        "statement": {"text": "Walk each day"},
        "priority": {"code": "high"},
        "target": [
            {"id": "t1", "measure": {"text": "walking"}, "detail": {"text": "thirty minutes"}, "due": "2026-05-06"}
        ],
        **fields,
    }


def concept_map() -> dict[str, Any]:
    """Priorities as HL7 has them."""
    system = "http://terminology.hl7.org/CodeSystem/goal-priority"
    rows = [{"code": code, "target": [{"code": f"{code}-priority", "equivalence": "equivalent"}]} for code in CODES]
    return {
        "resourceType": "ConceptMap",
        "url": "https://lakeside.test/ConceptMap/goal-priority",
        "name": "goal-priority",
        "status": "active",
        "group": [{"source": "https://lakeside.test/CodeSystem/goal-priority", "target": system, "element": rows}],
    }


def make(folder: Path, rules: str = RULES, head: str = HEAD) -> Path:
    """The pack in a folder, without expectations yet."""
    for name in ("maps", "conceptmaps", "examples/first", "examples/second"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "pack.yaml").write_text(head)
    (folder / "maps" / "goal.yaml").write_text(rules)
    write(folder / "conceptmaps" / "goal-priority.json", concept_map())
    write(folder / "examples" / "first" / "records.json", [goal()])
    (folder / "examples" / "first" / "why.md").write_text("A goal with a target, because most have one.\n\nMore.\n")
    write(folder / "examples" / "second" / "records.json", [goal(2, priority={"code": "low"}), goal(3)])
    return folder


def write(path: Path, tree: Any) -> None:
    """A JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(tree, indent=2) + "\n")
