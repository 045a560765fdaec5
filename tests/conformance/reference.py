"""The reference's verdicts: asked for by `make oracle`, written down, and read again by the tests.

    python -m tests.conformance.reference

A line of `verdicts/*.tsv` is `name<TAB>mark<TAB>code place|code place…`: the errors of the reference, where it puts them.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from adapter import fhir_json
from tests.conformance.mutants import CORPUS, US_CORE, form, mutants

HERE = Path(__file__).resolve().parent
JAVA = HERE / "oracle"
LIBRARIES = HERE.parents[1] / ".cache" / "oracle"
VERDICTS = HERE / "verdicts"
EACH = {"base": 6, "responses": 4, "bundles": 8, "us-core": 6}
Tree = dict[str, Any]
Places = list[tuple[str, str]]

# What the reference says only because it does not know a code system is "not checked" for us, and no verdict. So are value
# sets of US Core: most rest on sets of VSAC that no package holds, and half of its own examples would fail.
NOT_CHECKED = re.compile(
    r"CodeSystem is unknown and can't be validated|^Unknown Code System '|CodeSystem could not be found"
    r"|Unable to expand|cts\.nlm\.nih\.gov|value set '[^']*' \(http://hl7\.org/fhir/us/core/"
)
_COMMENT = re.compile(r"/\*.*?\*/|\[url='[^']*'\]")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was recorded: `errors` are (issue type, place)."""

    name: str
    mark: str
    errors: Places


def place(text: str) -> str:
    """A place without the reference's comments (`/*Patient/1*/`, `[url='…']`)."""
    plain = _COMMENT.sub("", text)
    return "" if plain == "$" else plain


def kept(issues: Iterable[list[str]]) -> Places:
    """The errors of an answer that count, each once."""
    found = [
        (code, place(where))
        for severity, code, where, _, message in issues
        if severity in ("error", "fatal") and not NOT_CHECKED.search(message)
    ]
    return list(dict.fromkeys(found))


def build() -> None:
    """The harness and its libraries; Maven fetches them once."""
    target = LIBRARIES / "lib"
    offline = ["-o"] if target.is_dir() else []
    goals = [] if target.is_dir() else ["dependency:copy-dependencies", f"-DoutputDirectory={target}"]
    subprocess.run(["mvn", "-q", "-B", *offline, *goals, "compile"], cwd=JAVA, check=True)


def command(main: str, *arguments: str) -> list[str]:
    """The command line of a class of the harness."""
    path = os.pathsep.join([str(JAVA / "target" / "classes"), str(LIBRARIES / "lib" / "*")])
    return ["java", "-Xmx3g", "-cp", path, f"oracle.{main}", str(US_CORE), *arguments]


def ask(tasks: Iterable[Tree]) -> Iterator[tuple[str, Places]]:
    """The answers of one JVM, in order."""
    text = "\n".join(json.dumps(task) for task in tasks) + "\n"
    done = subprocess.run(
        command("Main"), input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    for line in done.stdout.splitlines():
        answer = json.loads(line)
        yield answer["id"], kept(answer["issues"])


def corpus_tasks() -> Iterator[Tree]:
    """Every R4 resource of the corpus, those that claim a profile of US Core with its definitions."""
    for line in (CORPUS / "index.ndjson").read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["file"].startswith(("valid/", "invalid/")) and (row["fhirVersion"] or "").startswith("4.0"):
            text = (CORPUS / row["file"]).read_text("utf-8")
            yield {"id": row["file"], "resource": text, "us_core": claims_us_core(text)}


def claims_us_core(text: str) -> bool:
    """Whether a resource, or one inside, says that it conforms to a profile of the US Core that is built in."""
    found = re.search(
        r'"profile"\s*:\s*\[[^\]]*/us/core/StructureDefinition/[a-z0-9-]+(\|6\.1\.0)?"', text.replace("\\/", "/")
    )
    return found is not None


def cases() -> list[Tree]:
    """The recorded public cases that need no network."""
    rows = json.loads((CORPUS / "validator-cases" / "cases.json").read_text("utf-8"))
    return [row for row in rows if row["offlineBaseR4"] and row["expectedJava"]]


def case_folder(case: Tree) -> Path:
    """Where a case lies."""
    found = CORPUS / str(case["dir"])
    return found if found.is_dir() else CORPUS / "validator-cases" / case["name"].replace("/", "_")


def case_tasks() -> Iterator[Tree]:
    """The public cases, under the settings of `settings.yaml`."""
    settings = yaml.safe_load((HERE / "settings.yaml").read_text("utf-8"))
    for case in cases():
        folder = case_folder(case)
        quirks = settings.get(case["name"], {}).get("quirks", {})
        yield {
            "id": case["name"],
            "resource": (folder / "resource.json").read_text("utf-8"),
            "known": [path.read_text("utf-8") for path in sorted(folder.rglob("supporting/**/*.json"))],
            "any_extensions": quirks.get("unknown_extensions") != "error",
        }


def mutant_tasks() -> Iterator[Tree]:
    """The mutants, each once."""
    known = [fhir_json.dumps(form()).decode()]
    seen: set[str] = set()
    for mutant in mutants(EACH):
        text = fhir_json.dumps(mutant.tree).decode()
        if text in seen:
            continue
        seen.add(text)
        task: Tree = {"id": f"{mutant.name}\t{mutant.mark}", "resource": text, "us_core": mutant.suite == "us-core"}
        yield {**task, "known": known} if mutant.suite == "responses" else task


def record(name: str, tasks: Iterable[Tree]) -> None:
    """Asks, and writes the answers to a file."""
    VERDICTS.mkdir(exist_ok=True)
    lines = []
    for id_, errors in ask(tasks):
        head = id_ if "\t" in id_ else f"{id_}\t"
        lines.append(f"{head}\t{'|'.join(f'{code} {where}' for code, where in errors)}\n")
    (VERDICTS / f"{name}.tsv").write_text("".join(lines), "utf-8")
    print(f"{name}: {len(lines)} verdicts", file=sys.stderr)


def recorded(name: str) -> Iterator[Verdict]:
    """The verdicts of a file."""
    for line in (VERDICTS / f"{name}.tsv").read_text("utf-8").splitlines():
        id_, mark, errors = line.split("\t")
        pairs = [each.partition(" ") for each in errors.split("|") if each]
        yield Verdict(id_, mark, [(code, where) for code, _, where in pairs])


def main() -> None:
    """Records everything again."""
    build()
    record("corpus", corpus_tasks())
    record("cases", case_tasks())
    record("mutants", mutant_tasks())


if __name__ == "__main__":
    main()
