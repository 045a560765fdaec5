"""Say what is wrong with a document: a resource, a record, a list of records, or what from-fhir gave."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adapter.errors import UsageError
from adapter.fhir_json import Tree, loads
from adapter.issues import Issue
from adapter.services.convert import RESULT_KEYS, placed

Find = Callable[[Any], list[Issue]]


@dataclass(frozen=True, slots=True)
class Checker:
    """`resource` finds the issues of a resource, `record` those of one record's shape, `clinical` those of several
    records that are each well-formed; `named` gives a record of the pack's own the kind that it does not say.
    """

    resource: Find
    record: Find
    clinical: Callable[[list[Tree]], list[Issue]]
    named: Callable[[Any], Any] = lambda tree: tree
    explain: Callable[[Issue, Any], list[str]] = lambda *_: []

    def issues(self, tree: Any) -> list[Issue]:
        """Every issue of a document, errors and others."""
        if isinstance(tree, list):
            return self._records([self.named(record) for record in tree], "")
        if isinstance(tree, dict) and "resourceType" not in tree:
            if isinstance(tree.get("records"), list) and tree.keys() <= RESULT_KEYS:
                return self._records([self.named(record) for record in tree["records"]], "/records")
            tree = self.named(tree)
            if "kind" in tree:
                return self.record(tree) or alone(self.clinical([tree]))
        return self.resource(tree)

    def known(self, tree: Any) -> bool:
        """Whether it is anything that can be checked: it has a resourceType or a kind."""
        return isinstance(tree, dict) and ("resourceType" in tree or "kind" in tree or "records" in tree)

    def _records(self, records: list[Any], prefix: str) -> list[Issue]:
        found: list[Issue] = []
        for index, record in enumerate(records):
            found += placed(self.record(record), f"{prefix}/{index}")
        if found:
            return found
        return placed(self.clinical(records), prefix)


def alone(issues: list[Issue]) -> list[Issue]:
    """The issues of the only record of a list, with their pointers from the record itself."""
    return [replace(issue, pointer=(issue.pointer or "").removeprefix("/0")) for issue in issues]


MODES = ("create", "update", "delete", "profile")
"""What a resource may be validated for. https://hl7.org/fhir/R4/valueset-resource-validation-mode.html"""


def mode_issues(
    tree: Any, mode: str, type_: str, id_: str | None, *, given: bool, profiles: Sequence[str] = ()
) -> list[Issue]:
    """What speaks against a resource in a mode, apart from its content: its type and id against those of the URL.

    `type_` is empty and `id_` None where the URL names none; `given` where the resource came with the call.
    """
    found: list[Issue] = []

    def say(code: str, message_id: str, text: str, place: str = "") -> None:
        found.append(Issue("error", code, message_id, text, expression=place))

    name = tree.get("resourceType") if isinstance(tree, dict) else None
    own = tree.get("id") if isinstance(tree, dict) else None
    if type_ and name != type_:
        say("invalid", "type-differs", "The resource is not of the type in the URL.")
    if mode in ("delete", "profile") and given:
        say("invalid", "mode-resource", f"With the mode {mode} no resource is given: the one at the URL is meant.")
    if mode in ("delete", "profile") and id_ is None:
        say("required", "mode-instance", f"The mode {mode} is for a resource that is held: ask at its URL.")
    if mode == "profile" and not profiles:
        say("required", "mode-profile", "With the mode profile a profile is named.")
    if mode == "create" and id_ is not None:
        say("invalid", "mode-create", "What is created gets an id from the server: ask at the URL of the type.")
    if mode == "update" and given and id_ is None and not isinstance(own, str):
        say("required", "mode-update", "What is updated has an id.", f"{type_}.id")
    if given and id_ is not None and mode in ("", "update") and own != id_:
        say("invalid", "id-differs", "The id in the body is not the id in the URL.", f"{type_}.id")
    return found


def questionnaires(paths: Iterable[Path]) -> dict[str, Tree]:
    """The Questionnaires of files and folders, by `url|version` and by url. Raises UsageError, BadInput."""
    found: dict[str, Tree] = {}
    for path in paths:
        files = sorted(one for one in path.rglob("*.json") if one.is_file()) if path.is_dir() else [path]
        trees = [(file, loads(file.read_bytes())) for file in files]
        forms = [form for file, tree in trees for form in _forms(tree)]
        if not forms:
            raise UsageError("No Questionnaire stands here.", place=str(path))
        for form in forms:
            found[form["url"]] = form
            if isinstance(form.get("version"), str):
                found[f"{form['url']}|{form['version']}"] = form
    return found


def _forms(tree: Any) -> list[Tree]:
    if not isinstance(tree, dict):
        return []
    if tree.get("resourceType") == "Bundle" and isinstance(tree.get("entry"), list):
        return [form for entry in tree["entry"] if isinstance(entry, dict) for form in _forms(entry.get("resource"))]
    return [tree] if tree.get("resourceType") == "Questionnaire" and isinstance(tree.get("url"), str) else []
