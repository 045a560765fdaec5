"""MaLaC-HD: the FHIR mapping language, compiled to Python between classes of its own.

Its way from and to FHIR's JSON is counted, since a Bundle is what the job gives and takes; that of the record's objects
from and to a tree is ours, and is not. `bare` is the mapping between objects alone.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

from malac.models.fhir import r4, utils
from malac_record import plan as record

HERE = Path(__file__).parent


def _compiled(direction: str) -> Any:
    """The module that its compiler makes of a map."""
    command = [str(Path(sys.executable).with_name("malac-hd")), "-s", "-mod", "malac_record"]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / f"{direction}.py"
        source = HERE / "maps" / f"malac-{direction}.4.map"
        subprocess.run(
            [*command, "-m", str(source), "-co", str(place)],
            check=True,
            capture_output=True,
            env={"PYTHONPATH": str(HERE)},
        )
        spec = importlib.util.spec_from_file_location(f"malac_{direction}", place)
        if spec is None or spec.loader is None:
            raise ImportError(direction)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


OUT, BACK = _compiled("out"), _compiled("back")
_sources: dict[int, Any] = {}


def to_fhir(plan: Any) -> Any:
    """A plan → its Bundle."""
    return _made(_given(plan)).exportJson()


def from_fhir(bundle: Any) -> Any:
    """A Bundle → its plan, as an object."""
    # Its reader leaves marks in the tree that it reads.
    return _read(utils.parse_json(r4, deepcopy(bundle)))


def bare(plan: Any, bundle: Any) -> dict[str, Callable[[], Any]]:
    """Both ways without JSON."""
    source, fhir = _given(plan), utils.parse_json(r4, deepcopy(bundle))
    return {"out-bare": lambda: _made(source), "back-bare": lambda: _read(fhir)}


def _made(source: Any) -> Any:
    bundle = r4.Bundle()
    OUT.plan(source, bundle)
    return bundle


def _read(bundle: Any) -> Any:
    plan = record.Plan()
    BACK.plan(bundle, plan)
    return plan


def _given(plan: Any) -> Any:
    if id(plan) not in _sources:
        _sources[id(plan)] = _object(plan, "Plan")
    return _sources[id(plan)]


def _object(tree: Any, type_: str) -> Any:
    if type_ not in record.FIELDS:
        return utils.parse_json(r4, tree, type_) if isinstance(tree, dict) else getattr(r4, type_)(value=tree)
    made = {}
    for name, value in tree.items():
        inner = record.FIELDS[type_][name]
        made[name] = [_object(row, inner[0]) for row in value] if isinstance(inner, list) else _object(value, inner)
    return getattr(record, type_)(**made)


def shown(node: Any) -> Any:
    """What was made, as a tree."""
    if isinstance(node, (dict, str)):
        return node
    if isinstance(node, list):
        return [shown(row) for row in node]
    fields = record.FIELDS.get(type(node).__name__)
    if fields is not None:
        there = {name: getattr(node, name) for name in fields}
        return {name: shown(value) for name, value in there.items() if value not in (None, [])}
    if isinstance(node, (r4.Period, r4.Quantity)):
        return node.exportJson()
    inner = getattr(node, "value", node)
    # Codes of a closed list hold a value that holds the text.
    return shown(inner) if hasattr(inner, "value") else inner
