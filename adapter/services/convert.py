"""Convert whole inputs: what the command line, NDJSON and the API do with one document."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from adapter.errors import BadInput, DataError, UsageError
from adapter.fhir_json import Tree
from adapter.issues import Issue, has_errors, to_outcome_issue

if TYPE_CHECKING:
    from adapter.mapping import Converted, Mapper

RESULT_KEYS = frozenset({"records", "remainder", "issues"})


Find = Callable[[Any], list[Issue]]


def _none(_: Any) -> list[Issue]:
    return []


@dataclass(frozen=True, slots=True)
class Converter:
    """Converts one document. `known_type` says whether a name is a FHIR resource type, `kinds` are those of records.

    `strict` refuses what is not valid, as `validate` (resource → issues) and `check` (record → issues) find it; `shapes`
    finds in a resource what no map can read.
    """

    mapper: Mapper
    known_type: Callable[[str], bool]
    kinds: Collection[str]
    check: Find
    validate: Find
    strict: bool = False
    fhir: str | None = None
    bundle_type: str | None = None
    create: Literal["put", "conditional"] = "put"
    shapes: Find = _none

    def from_fhir(self, tree: Any) -> tuple[Tree, list[Issue]]:
        """A resource or Bundle → `{"records", "remainder", "issues"}` and the issues. Raises BadInput, DataError."""
        type_ = tree.get("resourceType") if isinstance(tree, dict) else None
        if not isinstance(type_, str) or not self.known_type(type_):
            text = "This is not a FHIR resource: it has no resourceType that FHIR R4 knows."
            raise BadInput(text, issues=[Issue("fatal", "structure", "fhir-no-type", text, pointer="/resourceType")])
        if self.strict:
            _refuse_errors(self.validate(tree), "The resource is not valid FHIR.")
        read = self.mapper.from_fhir(tree, fhir=self.fhir)
        issues = [*self.shapes(tree), *read.issues]
        for index, record in enumerate(read.records):
            # What came from elsewhere may be less than a record of ours must have: said, and no fault of the input.
            issues += placed((replace(i, severity="warning") for i in self.check(record)), f"/records/{index}")
        said = [to_outcome_issue(issue) for issue in issues]
        return {"records": read.records, "remainder": read.remainder, "issues": said}, issues

    def to_fhir(self, tree: Any) -> tuple[Tree, list[Issue]]:
        """A record, a list of records, or what `from_fhir` gave → a Bundle or what once came in, and the issues.

        Raises BadInput, DataError, and UsageError where an option does not go with a remainder.
        """
        records, remainder, places = taken(tree)
        records = [self.mapper.own.named(record) for record in records]
        found: list[tuple[Tree, list[Issue]]] = []
        for record, place in zip(records, places, strict=True):
            _refuse_unknown(record, self.kinds, place)
            found.append((record, placed(self.check(record), place)))
        issues = [issue for _, said in found for issue in said]
        if self.strict:
            _refuse_errors(issues, "A record is not valid.")
        made = self._made(records, remainder, issues)
        issues = [
            issue for record, said in found if (record["kind"], record["id"]) not in made.untouched for issue in said
        ]
        if self.strict:
            _refuse_errors(self.validate(made.tree), "What the records give is not valid FHIR.")
        return made.tree, [*issues, *made.issues]

    def _made(self, records: list[Tree], remainder: Any, issues: Sequence[Issue]) -> Converted:
        try:
            return self.mapper.to_fhir(
                records, remainder, bundle_type=self.bundle_type, create=self.create, fhir=self.fhir
            )
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            # A record whose shape is wrong may be more than a map can make sense of; then its faults say why.
            if not has_errors(issues):
                raise
            raise DataError("A record is not valid, and cannot be converted.", issues=issues) from None


def is_result(tree: Any) -> bool:
    """Whether it is what `from_fhir` gave."""
    return isinstance(tree, dict) and isinstance(tree.get("records"), list) and tree.keys() <= RESULT_KEYS


def taken(tree: Any) -> tuple[list[Tree], Any, list[str]]:
    """An input of `to_fhir` → records, remainder, and the JSON pointer of each record.

    Raises BadInput where it is none of the three forms. Whether a record is of a known kind is for the pack to say.
    """
    if isinstance(tree, list):
        return tree, None, [f"/{index}" for index in range(len(tree))]
    if is_result(tree):
        records = tree["records"]
        return records, tree.get("remainder"), [f"/records/{index}" for index in range(len(records))]
    if isinstance(tree, dict) and "resourceType" not in tree:
        return [tree], None, [""]
    raise _no_kind()


def joined(trees: Sequence[Any]) -> Any:
    """Several inputs of `to_fhir` as one; a remainder only goes with a single input. Raises BadInput, UsageError."""
    if len(trees) == 1 and not (isinstance(trees[0], list) and any(map(is_result, trees[0]))):
        return trees[0]
    parts = [taken(tree) for given in trees for tree in (given if isinstance(given, list) else [given])]
    if any(remainder is not None for _, remainder, _ in parts):
        raise UsageError(
            "A remainder belongs to one input, and several were given.", remedy="Convert them one by one, or as NDJSON."
        )
    return [record for records, _, _ in parts for record in records]


def placed(issues: Iterable[Issue], prefix: str) -> list[Issue]:
    """The issues of a part, with their JSON pointers from the whole."""
    return [replace(issue, pointer=prefix + (issue.pointer or "")) for issue in issues]


def _no_kind() -> BadInput:
    text = "This is not a record: it has no kind. A list of records, or what from-fhir gave, is accepted too."
    return BadInput(text, issues=[Issue("fatal", "structure", "record-no-kind", text, pointer="/kind")])


def _refuse_unknown(record: Any, kinds: Collection[str], place: str) -> None:
    kind = record.get("kind") if isinstance(record, dict) else None
    if kind is None and not place:
        raise _no_kind()
    if not isinstance(kind, str) or kind not in kinds:
        text = f"This is not a record of a known kind; known are {', '.join(kinds)}."
        raise BadInput(text, issues=[Issue("fatal", "structure", "record-unknown-kind", text, pointer=f"{place}/kind")])


def _refuse_errors(issues: Sequence[Issue], text: str) -> None:
    if has_errors(issues):
        raise DataError(text, issues=[issue for issue in issues if issue.is_error])
