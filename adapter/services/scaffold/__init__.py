"""A first pack from sample records: `new_pack` writes a folder that is lint-clean and gives back what it was given.

What the names and values suggest becomes a rule for Patient or QuestionnaireResponse; all the rest is an answer to a form
that is made with it, so that nothing is lost. What a person has to decide is marked `todo` in the mapping file.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapter.errors import UsageError
from adapter.fhir_json import loads, pretty
from adapter.packs import available
from adapter.services.scaffold import hints
from adapter.services.scaffold.fields import Field, look, schema_of
from adapter.services.scaffold.forms import form_of, own_items
from adapter.services.scaffold.rules import Draft, Rule
from adapter.services.scaffold.samples import DATA, Samples, read_samples

Tree = dict[str, Any]
_PACK = re.compile(r"[a-z][a-z0-9-]{0,63}")
_KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class Made:
    """What was written: the folder, its files, how many fields went where, what is left to decide, and remarks."""

    folder: Path
    files: tuple[str, ...]
    placed: int
    answers: int
    todos: int
    remarks: tuple[str, ...]


def new_pack(
    folder: Path, files: list[tuple[str, bytes]], *, questionnaire: bytes | None = None, kind: str = "", base: str = ""
) -> Made:
    """Write a pack into a folder that is not there yet. Raises UsageError, BadInput; then nothing is left behind."""
    name = folder.name
    kind = kind or name.replace("-", "_")
    _check(folder, name, kind)
    samples = read_samples(files)
    writer = _Writer(name, kind, (base or f"https://example.org/fhir/{name}").rstrip("/"), samples)
    contents = writer.contents(loads(questionnaire) if questionnaire is not None else None)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}-") as temporary:
        place = Path(temporary) / name
        for file, text in contents.items():
            (place / file).parent.mkdir(parents=True, exist_ok=True)
            (place / file).write_text(text, "utf-8")
        _examples(place, samples)
        shutil.move(place, folder)
    written = tuple(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()))
    return Made(folder, written, writer.placed, writer.answers, writer.todos, tuple(writer.remarks))


def _check(folder: Path, name: str, kind: str) -> None:
    from adapter.records import KINDS

    if not _PACK.fullmatch(name):
        raise UsageError("A pack is named by lower-case letters, digits and dashes.", place=name)
    if name in available():
        raise UsageError("A pack of this name comes with the adapter.", place=name, remedy="Give it another name.")
    if not _KIND.fullmatch(kind) or kind in KINDS:
        text = f"A kind is named by lower-case letters, digits and _, and by none of {', '.join(KINDS)}."
        raise UsageError(text, place=kind, remedy="Give another --kind.")
    if folder.exists():
        raise UsageError("There is something of that name already.", place=str(folder))
    if not folder.parent.is_dir():
        raise UsageError("There is no such folder.", place=str(folder.parent))


class _Writer:
    """The texts of a pack."""

    def __init__(self, name: str, kind: str, base: str, samples: Samples) -> None:
        from adapter.packs import load

        self.name, self.kind, self.base, self.samples = name, kind, base, samples
        self.top: Field = look(samples.records, texts_only=samples.texts_only)
        self.draft = Draft(sorted(load("core").concept_maps))
        self.placed = self.answers = self.todos = 0
        self.remarks: list[str] = []

    def contents(self, given: Any) -> dict[str, str]:
        """Text by file, but for the examples."""
        if given is not None:
            self.draft.own = own_items(given if isinstance(given, dict) else {})
        id_field = self._id_field()
        self._take_id(id_field)
        self.draft.fill(self.top)
        title = hints.words(self.kind)
        form = form_of(f"{self.base}/Questionnaire/{self.kind}", title, self.draft.items, given)
        files = {
            "pack.yaml": self._head(id_field),
            f"schemas/{self.kind}.json": pretty(self._schema(id_field)) + "\n",
            f"questionnaires/{self.kind}.json": pretty(form) + "\n",
            f"maps/{self.kind}.yaml": self._response(f"{form['url']}|{form['version']}"),
        }
        if self.draft.patient:
            files["maps/client.yaml"] = self._file("client", "Patient", self.draft.patient)
        self._count()
        return files

    def _id_field(self) -> str:
        """The field that names a record: by its name, and because no two samples share a value."""
        for name in sorted(self.top.parts, key=lambda name: _rank(name)):
            values = [record.get(name) for record in self.samples.records]
            whole = self.top.parts[name].type_ in ("text", "integer") and not self.top.parts[name].many
            if _rank(name) < len(hints.IDS) and whole and None not in values and len(set(values)) == len(values):
                return name
        return ""

    def _take_id(self, id_field: str) -> None:
        found = self.top.parts.get(id_field)
        if id_field == "id":
            # It is the record's own id, which the engine carries as identifier.
            del self.top.parts["id"]
        elif found is not None and found.type_ == "text" and not found.via:
            del self.top.parts[id_field]
            self.draft.patient.append(Rule({"record": id_field, "fhir": "identifier[system=$client].value"}))

    def _schema(self, id_field: str) -> Tree:
        tree = schema_of(self.top)
        if id_field == "id":
            tree["properties"] = {"id": {"type": "string", "format": "uuid"}, **tree["properties"]}
        elif id_field and id_field not in tree["properties"]:
            tree["properties"] = {id_field: {"type": "string"}, **tree["properties"]}
        required = {"required": [id_field]} if id_field else {}
        head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": self.kind}
        return {**head, **tree, **required}

    def _head(self, id_field: str) -> str:
        system = f', id: {json.dumps(id_field, ensure_ascii=False)}, system: "{self.base}/client"' if id_field else ""
        return (
            f"name: {self.name}\ntitle: {hints.words(self.name)}\nversion: 1.0.0\nfhir: 4.0.1 4.3.0 5.0.0\nprefixes:\n"
            f"  ns: {self.base}\n  ext: {self.base}/StructureDefinition\n  cs: {self.base}/CodeSystem\n"
            f"  client: {self.base}/client\nkinds:\n  {self.kind}: {{schema: schemas/{self.kind}.json{system}}}\n"
        )

    def _response(self, canonical: str) -> str:
        rules = [Rule({"set": canonical, "fhir": "questionnaire"}), Rule({"set": "completed", "fhir": "status"})]
        if self.draft.patient:
            rules.append(Rule({"fhir": "subject", "companion": "client", "apart": "yes"}))
        head = {"match": {"questionnaire": canonical}}
        return self._file(self.kind, "QuestionnaireResponse", [*rules, *self.draft.response], **head)

    def _file(self, name: str, resource: str, rules: list[Rule], **head: Any) -> str:
        from adapter.mapping.fmt import formatted

        lines = [f"map: {name}", f"record: {self.kind}", f"resource: {resource}"]
        lines += [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
        lines += ["rules:", *(line for rule in rules for line in rule.lines("  "))]
        return formatted("\n".join(lines) + "\n", f"{name}.yaml")

    def _count(self) -> None:
        samples, response = self.samples, _all(self.draft.response)
        self.answers = sum("item[" in str(rule.keys["fhir"]) for rule in response)
        self.placed = len(self.draft.patient) + len(response) - self.answers
        self.todos = sum(bool(rule.todo) for rule in _all(self.draft.patient) + response)
        if samples.wrapped:
            text = f"Each record stands in a field {DATA}, because {samples.wrapped}: examples/ shows how to hand them over."
            self.remarks.append(text)
        if samples.dropped:
            self.remarks.append(
                f"{samples.dropped} empty values (null, empty texts, lists, objects) say nothing and were left out."
            )


def _rank(name: str) -> int:
    plain = hints.plain(name)
    return hints.IDS.index(plain) if plain in hints.IDS else len(hints.IDS)


def _all(rules: list[Rule]) -> list[Rule]:
    return [each for rule in rules for each in (rule, *_all(rule.items))]


def _examples(place: Path, samples: Samples) -> None:
    """The samples as the pack's first example, with the FHIR that they give, once they have come back as they were."""
    from adapter.mapping import load

    folder = place / "examples" / "samples"
    folder.mkdir(parents=True)
    mapper = load(str(place))
    records = [mapper.own.named(record) for record in samples.records]
    (folder / "records.json").write_text(pretty(samples.records) + "\n", "utf-8")
    (folder / "fhir.json").write_text(pretty(mapper.to_fhir(records).tree) + "\n", "utf-8")
    (folder / "why.md").write_text(
        "The samples that the pack was made from: what goes out comes back as it was.\n", "utf-8"
    )
