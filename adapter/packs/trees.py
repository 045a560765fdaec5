"""The FHIR resources of a pack, one in each file: every file is read, and every fault is told at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from adapter.errors import BadInput, Finding
from adapter.fhir_json import DEFAULT_BOUNDS, dumps, loads, reloads
from adapter.packs import cache
from adapter.packs.reading import check_folder, read_bytes

Tree = dict[str, Any]
# The folder of each type; docs/packs.md names them.
FOLDERS = {
    "conceptmaps": "ConceptMap",
    "codesystems": "CodeSystem",
    "valuesets": "ValueSet",
    "structuredefinitions": "StructureDefinition",
    "questionnaires": "Questionnaire",
}


def read_trees(folder: Path, faults: list[Finding]) -> dict[str, dict[str, Tree]]:
    """The resources of a pack by folder and file name; what is wrong is appended to `faults`."""
    key = _key(folder)
    kept = cache.read(key, _whole)
    if kept is not None:
        return kept
    before = len(faults)
    found = {name: _read_folder(folder / name, type_, faults) for name, type_ in FOLDERS.items()}
    body = dumps(found) if key is not None and len(faults) == before else b""
    if key is not None and body and dumps(reloads(body)) == body:
        cache.put(key, body)
    return found


def _whole(entry: dict[str, dict[str, Tree]]) -> dict[str, dict[str, Tree]]:
    return {name: dict(entry[name]) for name in FOLDERS}


def _key(folder: Path) -> str | None:
    """The key of the resources by the content of their files; None where these are not plain files."""
    parts: list[bytes] = []
    for name in FOLDERS:
        rows = cache.content(folder / name, DEFAULT_BOUNDS.size)
        if rows is None:
            return None
        parts += [name.encode(), str(len(rows)).encode(), *rows]
    return cache.key_of("trees", parts)


def _read_folder(folder: Path, type_: str, faults: list[Finding]) -> dict[str, Tree]:
    found: dict[str, Tree] = {}
    urls: dict[str, str] = {}
    check_folder(folder, faults)
    for path in sorted(folder.glob("*.json")):
        file = "/".join(path.parts[-3:])
        tree = _read(path, file, type_, faults)
        if tree is None:
            continue
        url = canonical(tree) if type_ == "Questionnaire" else str(tree["url"])
        if url in urls:
            faults.append(Finding(file, 1, 1, "resource-twice", f"{url} stands in {urls[url]} already"))
        urls[url] = file
        found[path.stem] = tree
    return found


def _read(path: Path, file: str, type_: str, faults: list[Finding]) -> Tree | None:
    data = read_bytes(path, path.parent.parent, faults, DEFAULT_BOUNDS.size)
    if data is None:
        return None
    try:
        tree = loads(data)
    except BadInput as error:
        issue = error.issues[0]
        faults.append(Finding(file, issue.line or 1, issue.column or 1, "resource-not-json", error.message))
        return None
    if not isinstance(tree, dict) or tree.get("resourceType") != type_:
        faults.append(Finding(file, 1, 1, "resource-type", f"expected one {type_}"))
    elif not isinstance(tree.get("url"), str):
        faults.append(Finding(file, 1, 1, "resource-url", "expected a url"))
    elif type_ == "Questionnaire" and not isinstance(tree.get("version"), str):
        faults.append(Finding(file, 1, 1, "resource-version", "expected a version: responses name it"))
    else:
        return tree
    return None


def canonical(tree: Tree) -> str:
    """`url|version` of a resource."""
    return f"{tree['url']}|{tree['version']}" if "version" in tree else str(tree["url"])
