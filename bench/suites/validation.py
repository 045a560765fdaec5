"""Validation beside HL7's reference validator and beside typed models: bytes in, issues out, one thread, all tiers.

The reference is warm, and measured in the same run in two forms: as HAPI FHIR runs it (stock: a new engine for every
resource), and with its engine kept between resources, which is what it can do. fhir.resources checks structure alone.
Rows with US Core check the profiles that the resources claim; a Bundle's row is the cost of an entry, in one of ten entries
against one of ten thousand.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from adapter import fhir_json
from adapter.validation import Validator
from bench.frame import Bar, Meter, Row, Work, cost, rated, rates
from bench.inputs import ROOT, valid_cases
from bench.peers.reference import Reference, running
from bench.peers.typed import models
from tests.conformance.mutants import US_CORE

BARS = {"reference, stock": Bar(50, 100), "reference, kept": Bar(8, 15), "fhir.resources, parse": Bar(2, 4)}
EXAMPLES = ("CarePlan-colonoscopy", "Condition-encounter-diagnosis-example1", "Goal-goal-1", "Patient-example")
Tree = dict[str, Any]


def run() -> Iterator[Row]:
    """Everything."""
    with running() as reference:
        yield from beside(reference, "CarePlan", of_type("CarePlan"), Validator())
        yield from beside(reference, "Condition", of_type("Condition"), Validator())
        forms = questionnaires()
        responses = [each for each in of_type("QuestionnaireResponse") if each["questionnaire"] in forms]
        validator = Validator(questionnaires=forms)
        yield from beside(reference, "QuestionnaireResponse", responses, validator, list(forms.values()))
        if US_CORE.exists():
            for name in EXAMPLES:
                yield from beside(reference, f"US Core {name}", [example(name)], Validator(), us_core=True)
    yield per_entry()
    yield memory()
    if "--workers" in _help():
        yield workers()


def beside(
    reference: Reference, name: str, trees: list[Tree], validator: Validator, known: list[Tree] | None = None,
    *, us_core: bool = False,
) -> Iterator[Row]:  # fmt: skip
    """Three rows: against the reference in both forms, and against fhir.resources' parse of the same bytes."""
    texts = [fhir_json.dumps(tree) for tree in trees]
    works: dict[str, Work] = {
        "": lambda: [validator.validate(fhir_json.loads(text)) for text in texts],
        "fhir.resources, parse": _typed(trees, texts),
    }
    for _ in range(10):
        works[""]()
    plain = [text.decode() for text in texts]
    meters = reference.meters(name, plain, [fhir_json.dumps(each).decode() for each in known or ()], us_core=us_core)
    whole: dict[str, Meter] = {key: _whole(meter, len(texts)) for key, meter in meters.items()}
    found = {key: figure * len(texts) for key, figure in rates(works, whole).items()}
    own = found.pop("")
    if us_core:
        # Typed models know no profiles.
        found.pop("fhir.resources, parse")
    for key, bar in BARS.items():
        if key in found:
            yield rated("validation", f"{name} / {key.rpartition(', ')[2]}", own, {key: found[key]}, bar)


def _whole(meter: Meter, count: int) -> Meter:
    return lambda seconds: meter(seconds) / count


def _typed(trees: list[Tree], texts: list[bytes]) -> Work:
    pairs = list(zip([model for model, _ in models(trees)], texts, strict=True))
    return lambda: [model.model_validate_json(text) for model, text in pairs]


def of_type(name: str) -> list[Tree]:
    """The fixtures' resources of a type, without the profiles that they claim: those have rows of their own."""
    _, bundles = valid_cases()
    rows = [entry["resource"] for bundle in bundles for entry in bundle["entry"]]
    plain = [{key: value for key, value in row.items() if key != "meta"} for row in rows]
    return [row for row in plain if row["resourceType"] == name]


def questionnaires() -> dict[str, Tree]:
    """The instruments of the core pack by canonical, with and without version."""
    found: dict[str, Tree] = {}
    for path in sorted((ROOT / "mappings" / "core" / "questionnaires").glob("*.json")):
        tree = fhir_json.loads(path.read_bytes())
        found[tree["url"]] = found[f"{tree['url']}|{tree.get('version')}"] = tree
    return found


def example(name: str) -> Tree:
    """An example in the package of US Core."""
    with tarfile.open(US_CORE) as archive:
        file = archive.extractfile(f"package/example/{name}.json")
        tree: Tree = fhir_json.loads(file.read()) if file else {}
        return tree


def per_entry() -> Row:
    """What an entry costs in a Bundle of ten thousand, against one of ten."""
    validator, rows = Validator(), of_type("Condition")
    small, large = (_bundle(rows, count) for count in (10, 10_000))
    for _ in range(50):
        validator.validate(small)
    few = min(_seconds(lambda: [validator.validate(small) for _ in range(200)]) for _ in range(5)) / 2_000
    many = min(_seconds(lambda: validator.validate(large)) for _ in range(3)) / 10_000
    bar = Bar(1 / 1.2, 1, "ms/entry")
    return cost("validation", "an entry of a Bundle of 10,000", many * 1e3, {"in a Bundle of 10": few * 1e3}, bar)


def _bundle(rows: list[Tree], count: int) -> Tree:
    entries = []
    for index in range(count):
        row = {**rows[index % len(rows)], "id": f"c{index}"}
        entries.append({"fullUrl": f"http://a.org/fhir/Condition/c{index}", "resource": row})
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _seconds(work: Work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _lines(path: Path, count: int) -> None:
    texts = [fhir_json.dumps(tree) for name in ("CarePlan", "Condition") for tree in of_type(name)]
    with path.open("wb") as file:
        for index in range(count):
            file.write(texts[index % len(texts)] + b"\n")


PROBE = """
import resource, sys
from adapter.cli.app import main
try:
    sys.argv[1:] = ["validate", "--ndjson", *sys.argv[1:]]
    main()
except SystemExit:
    pass
own, kin = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
here, there = (each.ru_utime + each.ru_stime for each in (own, kin))
print(max(own.ru_maxrss, kin.ru_maxrss) / 1024, max(here, (here + there) / 2), file=sys.stderr)
"""


def _validated(path: Path, *options: str) -> tuple[float, float]:
    """(largest memory of a process in MiB, seconds) of the command over a file of lines.

    Seconds of processor time: with workers the share of one of two cores, so that a busy machine does not count.
    """
    command = [sys.executable, "-c", PROBE, str(path), *options]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True, text=True)
    memory_, seconds = done.stderr.split()[-2:]
    return float(memory_), float(seconds)


def _help() -> str:
    command = [sys.executable, "-c", "from adapter.cli.app import main; main()", "validate", "--help"]
    return subprocess.run(command, capture_output=True, check=False, text=True).stdout


def memory() -> Row:
    """The memory of the command over fifty thousand lines, against a thousand."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lines.ndjson"
        sizes = []
        for count in (1_000, 50_000):
            _lines(path, count)
            sizes.append(_validated(path)[0])
    return cost("validation", "memory over 50,000 lines", sizes[1], {"over 1,000 lines": sizes[0]}, Bar(0.8, 1, "MiB"))


def workers() -> Row:
    """Lines a second with two workers, against one."""
    with tempfile.TemporaryDirectory() as folder:
        path, count = Path(folder) / "lines.ndjson", 30_000
        _lines(path, count)
        one, two = (
            count / min(_validated(path, *options)[1] for _ in range(2)) for options in ((), ("--workers", "2"))
        )
    return rated("validation", "two workers", two, {"one": one}, Bar(1.7, 1.9, "lines/s"))


def notes() -> list[str]:
    """What the rows cannot say."""
    return [
        "Where the time goes, and why, stands in [validation.md](validation.md#speed).",
        (
            "By the clock, with little else on the machine, 45,000 lines (106 MB) took 4.79 s with one worker and 2.71 s with"
            " two (medians of three, a ratio of 1.77; the best of each 4.60 and 2.69 s, 1.71); the row"
            " counts processor time."
        ),
        (
            "Memory, measured once to the end with two workers: over 106 MB (45,000 lines) 44 MiB in the parent and 36 MiB in"
            " each worker, over 1,060 MB (449,999 lines) the same."
        ),
    ]
