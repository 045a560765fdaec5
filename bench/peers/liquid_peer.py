"""python-fhir-converter: Liquid templates that write JSON, which it reads again and rids of what is empty.

The tree is given to the template as it is; its own renderers would read it from text first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fhir_converter.hl7 import parse_fhir
from fhir_converter.parsers import parse_json
from fhir_converter.renderers import make_environment
from liquid.loaders import DictLoader

MAPS = Path(__file__).parent / "maps"
SYSTEM = "https://careplan-adapter.org/fhir/identifier"


def _texts(**fields: str) -> str:
    """Fields of an object, each left empty where it is missing."""
    return ", ".join(f'"{name}": {{{{ {path} | to_json_string | default: \'""\' }}}}' for name, path in fields.items())


_CODING = _texts(system="row.system", code="row.code", display="row.display")
_BACK = _texts(
    system="row.coding[0].system", code="row.coding[0].code", display="row.coding[0].display", text="row.text"
)
_INCLUDED = {
    "condition": f'"type": "Condition", "identifier": {{ "system": "{SYSTEM}", "value": "{{{{ id }}}}" }}',
    "concept": f'"coding": [ {{ {_CODING} }} ], {_texts(text="row.text")}',
    "concept_back": _BACK,
    "own": _texts(id="made.identifier[0].value"),
    "part": (
        f'"id": "{{{{ row.fhirId }}}}", "identifier": [ {{ "system": "{SYSTEM}", "value": "{{{{ row.id }}}}" }} ], '
        f'"subject": {{ "type": "Patient", "identifier": {{ "system": "{SYSTEM}", "value": "{{{{ msg.patient }}}}" }} }}'
    ),
}
_MAPS = {name: (MAPS / f"{name}.liquid").read_text("utf-8") for name in ("out", "back")}
_ENVIRONMENT = make_environment(loader=DictLoader(_INCLUDED | _MAPS))
OUT, BACK = (_ENVIRONMENT.get_template(name) for name in ("out", "back"))


def to_fhir(plan: Any) -> Any:
    """A plan → its Bundle."""
    return parse_fhir(OUT.render({"msg": plan}))


def from_fhir(bundle: Any) -> Any:
    """A Bundle → its plan."""
    return parse_json(BACK.render({"msg": bundle}))
