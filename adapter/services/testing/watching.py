"""`careplan pack watch`: on saving a file, what is wrong, what the examples give now, what fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapter.errors import AdapterError, PackError
from adapter.issues import Issue
from adapter.mapping.places import written
from adapter.packs import Pack, folder_of
from adapter.packs import load as load_pack
from adapter.services.findings import as_text
from adapter.services.knowledge import Knowledge
from adapter.services.lint import lint
from adapter.services.testing.cases import FHIR_IN, RECORDS, Case, cases
from adapter.services.testing.comparing import differences
from adapter.services.testing.run import Tester, shown, told_side

Stamp = dict[Path, tuple[int, int]]
MOST = 20


@dataclass(slots=True)
class Watch:
    """A pack that is looked at again and again. `good` is whether the last look found nothing wrong."""

    name: str
    validator: Callable[[], Callable[[Any], list[Issue]]]
    good: bool = True
    given: dict[str, Any] | None = None
    folders: tuple[Path, ...] = field(default=())

    def stamp(self) -> Stamp:
        """Every file of the pack, of those that it extends, and of its examples, with when it was written and its size."""
        found: Stamp = {}
        if not self.folders:
            self._find()
        for folder in self.folders:
            for path in folder.rglob("*"):
                try:
                    stat = path.stat()
                except OSError:
                    continue
                found[path] = (stat.st_mtime_ns, stat.st_size)
        return found

    def _find(self) -> None:
        try:
            self.folders = _folders(load_pack(self.name, fresh=True))
        except PackError:
            self.folders = (folder_of(self.name),)

    def look(self) -> Iterator[str]:
        """One round, line by line: lint, the output that changed, the tests that fail, and a summary."""
        self.good = False
        try:
            yield from self._round()
        except PackError as error:
            yield from str(error).splitlines()
        except AdapterError as error:
            yield f"error: {error}"

    def _round(self) -> Iterator[str]:
        findings = lint(self.name)
        yield from as_text(findings)
        wrong = sum(row.severity == "error" for row in findings)
        try:
            known = Knowledge.of(self.name, fresh=True)
        except PackError:
            if not wrong:
                raise
            yield f"{wrong} faults: the examples wait until they are mended"
            return
        self.folders = _folders(known.pack)
        found = cases(known.pack.examples)
        yield from self._changed({case.name: _given(known, case) for case in found})
        outcomes = list(Tester(known, self.validator(), laws=False).run(found))
        failed = [outcome for outcome in outcomes if not outcome.passed]
        for outcome in failed:
            yield from shown(outcome)
        self.good = not failed and not wrong
        yield f"{known.pack.name}: {len(found)} example{'s'[: len(found) != 1]}, {len(outcomes)} checks, {len(failed)} failed"

    def _changed(self, now: dict[str, Any]) -> Iterator[str]:
        before, self.given = self.given, now
        for name, tree in now.items() if before is not None else ():
            if before is not None and name in before:
                yield from _differing(name, before[name], tree)
            else:
                yield f"new  {name}"


def _differing(name: str, before: Any, now: Any) -> Iterator[str]:
    rows = list(differences(before, now))
    yield from [f"now  {name}: {len(rows)} place{'s' if len(rows) > 1 else ''}"] if rows else []
    for row in rows[:MOST]:
        yield f"  {written(row.place)}"
        yield from (f"    {sign} {told_side(side)}" for sign, side in (("-", row.want), ("+", row.got)))


def _folders(pack: Pack) -> tuple[Path, ...]:
    parents = (
        load_pack(pack.folder.parent / name if (pack.folder.parent / name).is_dir() else name) for name in pack.extends
    )
    return tuple(dict.fromkeys([pack.folder, pack.examples, *(parent.folder for parent in parents)]))


def _given(known: Knowledge, case: Case) -> Any:
    """What an example gives now: FHIR of its records, records of another system's FHIR; the fault where it gives nothing."""
    try:
        if case.foreign:
            return known.mapper.from_fhir(case.read(FHIR_IN)).records
        records = case.read(RECORDS)
        return known.mapper.to_fhir(records if isinstance(records, list) else [records]).tree
    except AdapterError as error:
        return str(error)
