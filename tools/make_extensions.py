"""Write the core pack's StructureDefinitions from tools/extensions.yaml. Same input, same bytes.

    python -m tools.make_extensions

https://hl7.org/fhir/R4/defining-extensions.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from adapter.fhir_json import pretty
from adapter.identity import NS
from tools.make_terminology import head, read_table, write

Tree = dict[str, Any]
FOLDER = "structuredefinitions"
FHIR = "http://hl7.org/fhir/StructureDefinition/"
STRING = "http://hl7.org/fhirpath/System.String"
REFERENCE = re.compile(r"Reference\((\w+)\)")


def main() -> None:
    """Write every file; remove those that the table no longer has."""
    write(files(), (FOLDER,))


def files() -> dict[str, str]:
    """The text of each file by `folder/name.json`."""
    return definitions(read_table("extensions.yaml"))


def definitions(table: Tree, base: str = NS) -> dict[str, str]:
    """The text of the StructureDefinition of each extension of a table, by `folder/name.json`."""
    return {f"{FOLDER}/{name}.json": pretty(_definition(name, spec, base)) + "\n" for name, spec in table.items()}


def _definition(name: str, spec: Tree, base: str) -> Tree:
    url = spec.get("url", f"{base}/StructureDefinition/{name}")
    return {
        **head("StructureDefinition", name, base),
        "url": url,
        "description": spec["text"],
        "fhirVersion": "4.0.1",
        "kind": "complex-type",
        "abstract": False,
        "context": [{"type": "element", "expression": place} for place in spec["on"]],
        "type": "Extension",
        "baseDefinition": f"{FHIR}Extension",
        "derivation": "constraint",
        "snapshot": {"element": list(_snapshot("Extension", "Extension", url, spec))},
        "differential": {"element": list(_differential("Extension", "Extension", url, spec))},
    }


def _bounds(spec: Tree) -> tuple[int, str]:
    low, high = spec.get("cardinality", "0..1").split("..")
    return int(low), high


def _types(spec: Tree) -> list[Tree]:
    found = REFERENCE.fullmatch(spec["value"])
    if found:
        return [{"code": "Reference", "targetProfile": [FHIR + found[1]]}]
    return [{"code": code.strip()} for code in spec["value"].split(",")]


def _differential(id_: str, path: str, url: str, spec: Tree) -> Iterator[Tree]:
    """What differs from a bare Extension; parts are slices by their url."""
    low, high = _bounds(spec)
    slice_ = {"sliceName": id_.rsplit(":", 1)[1]} if ":" in id_ else {}
    yield {
        "id": id_,
        "path": path,
        **slice_,
        "short": spec["text"],
        "definition": spec["text"],
        "min": low,
        "max": high,
    }
    parts = spec.get("parts", {})
    if not parts:
        yield {"id": f"{id_}.extension", "path": f"{path}.extension", "max": "0"}
    for name, part in parts.items():
        yield from _differential(f"{id_}.extension:{name}", f"{path}.extension", name, part)
    yield {"id": f"{id_}.url", "path": f"{path}.url", "fixedUri": url}
    value = {"id": f"{id_}.value[x]", "path": f"{path}.value[x]"}
    yield {**value, "max": "0"} if parts else {**value, "min": 1, "type": _types(spec)}


def _snapshot(id_: str, path: str, url: str, spec: Tree) -> Iterator[Tree]:
    """Every element of the extension."""
    low, high = _bounds(spec)
    slice_ = {"sliceName": id_.rsplit(":", 1)[1], "type": [{"code": "Extension"}]} if ":" in id_ else {}
    yield _element(
        id_, path, spec["text"], low, high, ("Extension.extension" if slice_ else "Extension", 0, "*"), slice_
    )
    string = {"type": [{"code": STRING}]}
    yield _element(f"{id_}.id", f"{path}.id", "Id of this element.", 0, "1", ("Element.id", 0, "1"), string)
    parts = spec.get("parts", {})
    yield _element(
        *(f"{id_}.extension", f"{path}.extension", "The parts of this extension."),
        *(sum(_bounds(part)[0] for part in parts.values()), "*" if parts else "0"),
        ("Element.extension", 0, "*"),
        {
            "slicing": {"discriminator": [{"type": "value", "path": "url"}], "rules": "open"},
            "type": [{"code": "Extension"}],
        },
    )
    for name, part in parts.items():
        yield from _snapshot(f"{id_}.extension:{name}", f"{path}.extension", name, part)
    uri = {"type": [{"code": STRING}], "fixedUri": url}
    yield _element(f"{id_}.url", f"{path}.url", "Which extension this is.", 1, "1", ("Extension.url", 1, "1"), uri)
    low, high, types = (0, "0", [{"code": "string"}]) if parts else (1, "1", _types(spec))
    base = ("Extension.value[x]", 0, "1")
    yield _element(f"{id_}.value[x]", f"{path}.value[x]", "What it holds.", low, high, base, {"type": types})


def _element(id_: str, path: str, text: str, low: int, high: str, base: tuple[str, int, str], more: Tree) -> Tree:
    where = dict(zip(("path", "min", "max"), base, strict=True))
    first = {"id": id_, "path": path}
    if "sliceName" in more:
        first["sliceName"] = more["sliceName"]
    rest = {key: value for key, value in more.items() if key != "sliceName"}
    slicing = {"slicing": rest.pop("slicing")} if "slicing" in rest else {}
    return {**first, **slicing, "short": text, "definition": text, "min": low, "max": high, "base": where, **rest}


if __name__ == "__main__":
    main()
