"""What is wrong with a pack, all of it at once: what cannot be read, then each rule against both schemas.

`lint(pack, shape_of)` looks at a pack as read; docs/pack-messages.md lists what it can say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from adapter.definitions import Definitions, definitions
from adapter.errors import Finding, UsageError
from adapter.mapping import parsing, source
from adapter.mapping.choosing import Context
from adapter.mapping.compiler import compile_all
from adapter.mapping.expanding import expanded
from adapter.mapping.lint import codes, complete, owners, sides
from adapter.mapping.lint.allow import allowances, allowed
from adapter.mapping.lint.messages import ORDER
from adapter.mapping.lint.subject import Subject
from adapter.mapping.shapes import Shape
from adapter.mapping.table import rows_of
from adapter.mapping.versions import release_of
from adapter.terminology import read_tables

if TYPE_CHECKING:
    from adapter.packs import Pack

__all__ = ["lint"]
_CHECKS = (sides.check, owners.check, codes.check, complete.check)


def lint(pack: Pack, texts: source.Texts, shape_of: Callable[[str], Shape | None]) -> list[Finding]:
    """Every finding of a pack's own files, first things first; of what it extends only what its own files need.

    `texts` are its mapping files, those that it inherits among them.
    """
    faults = source.Faults()
    tables = read_tables(
        pack.concept_maps, pack.code_systems, pack.prefixes.get("cs", ""), faults, pack=pack.folder.name
    )
    read = {name: (file, parsing.read(text, file, source.Faults())) for name, (file, text) in texts.items()}
    sources = {name: (file, tree) for name, (file, tree) in read.items() if tree is not None}
    found: list[Finding] = []
    for version in pack.fhir_versions:
        context = Context(pack.prefixes, tables, shape_of, faults, release=release_of(version))
        maps = compile_all(texts, context)
        ignored = source.Faults()
        trees = {name: row for name, row in expanded(texts, context.release, ignored).items() if name in maps}
        rows = [row for row in rows_of(texts, pack.prefixes, ignored, context.release) if row.map in trees]
        defs = _defined(pack, version, found)
        subject = Subject(pack, defs, rows, sources, trees, maps, tables, shape_of)
        for check in _CHECKS:
            check(subject)
        found += subject.found
    return [*faults, *found]


def _defined(pack: Pack, version: str, found: list[Finding]) -> Definitions:
    """The definitions of a FHIR version, and those of the pack as far as they can be used."""
    folders = {
        "structuredefinitions": pack.structure_definitions,
        "valuesets": pack.value_sets,
        "codesystems": pack.code_systems,
    }
    files = {tree["url"]: (folder, name, tree) for folder, trees in folders.items() for name, tree in trees.items()}
    while True:
        try:
            return definitions(version).with_resources(tree for _, _, tree in files.values())
        except UsageError as error:
            row = files.pop(error.place, None)
            if row is None:
                raise
            file = f"{pack.folder.name}/{row[0]}/{row[1]}.json"
            found.append(Finding(file, 1, 1, "definition", error.message.removesuffix(".").lower()))


def told(findings: Iterable[Finding], files: dict[str, str]) -> list[Finding]:
    """Each finding once, without what the files allow, first things first. `files` are texts by name of file."""
    once = {(row.file, row.line, row.column, row.id, row.text): row for row in findings}
    left = allowed(once.values(), allowances(files))
    return sorted(left, key=lambda row: (ORDER.get(row.id, -1), row.file, row.line, row.column))
