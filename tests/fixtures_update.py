"""Writes what the fixtures are expected to give: `python -m tests.fixtures_update [CASE …] [--accept]`.

Of a case of fixtures/, and of an example of a pack, with `records.json` the expected `fhir.json` is made, of one with `fhir-in.json` the expected `records.json`,
and of both the expected `issues.json`. Without --accept the differences are only shown: read them before you accept.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adapter import mapping
from adapter import records as record_rules
from adapter.fhir_json import loads, pretty
from adapter.issues import Issue

ROOT = Path(__file__).resolve().parent.parent / "fixtures"
PACKS = ROOT.parent / "mappings"
FHIR, FHIR_IN, RECORDS, ISSUES = "fhir.json", "fhir-in.json", "records.json", "issues.json"


def cases(root: Path = ROOT) -> list[Path]:
    """The folders of the cases, in order of their names."""
    return sorted(path for path in root.iterdir() if (path / "why.md").is_file())


def is_foreign(case: Path) -> bool:
    """Whether a case starts from another system's FHIR."""
    return (case / FHIR_IN).is_file()


def expected(case: Path) -> dict[str, Any]:
    """The trees that a case's files should hold, by file name."""
    own = case.parent == ROOT
    mapper = mapping.load("core" if own else case.parent.parent.name)
    if is_foreign(case):
        records: list[Any] = mapper.from_fhir(loads((case / FHIR_IN).read_bytes())).records
        made: dict[str, Any] = {RECORDS: records}
    else:
        records = loads((case / RECORDS).read_bytes())
        made = {FHIR: mapper.to_fhir(records).tree}
    return made | ({ISSUES: clinical_issues(records)} if own else {})


def clinical_issues(records: Sequence[Any]) -> list[dict[str, Any]]:
    """What the rules over the records say: severity, message id and place of each issue."""
    return [_brief(issue) for issue in record_rules.clinical_issues(records)]


def _brief(issue: Issue) -> dict[str, Any]:
    return {"severity": issue.severity, "message_id": issue.message_id, "pointer": issue.pointer or ""}


def _diff(path: Path, text: str) -> str:
    old = path.read_text("utf-8") if path.is_file() else ""
    name = f"{path.parent.name}/{path.name}"
    lines = difflib.unified_diff(old.splitlines(), text.splitlines(), name, f"{name} (now)", lineterm="", n=2)
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Shows the differences, and with --accept writes them. 1 where there are differences that were not accepted."""
    parser = argparse.ArgumentParser(prog="python -m tests.fixtures_update", description=__doc__)
    parser.add_argument("case", nargs="*", help="only these cases")
    parser.add_argument("--accept", action="store_true", help="write what was shown")
    options = parser.parse_args(arguments)
    open_ = 0
    for case in [*cases(), *(case for folder in sorted(PACKS.glob("*/examples")) for case in cases(folder))]:
        if options.case and case.name not in options.case:
            continue
        for name, tree in expected(case).items():
            diff = _diff(case / name, pretty(tree) + "\n")
            if not diff:
                continue
            print(diff)
            if options.accept:
                (case / name).write_text(pretty(tree) + "\n", encoding="utf-8")
            else:
                open_ += 1
    if open_:
        print(f"{open_} files differ; read the differences, then run again with --accept.", file=sys.stderr)
    return 1 if open_ else 0


if __name__ == "__main__":
    sys.exit(main())
