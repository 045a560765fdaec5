"""A provider's own kinds of record: how a record as the provider has it becomes one that the engine can name, and back.

The engine knows a record by `kind` and by an `id` that is a UUID. Where the provider's key is none, the id is made from
kind, system and key, and leaves again where the key says it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adapter.fhir_json import canonical
from adapter.identity import content_id, is_uuid, resource_id
from adapter.issues import Issue
from adapter.packs.extras import schema_with

if TYPE_CHECKING:
    from adapter.packs import Extra, Kind

Tree = dict[str, Any]
_SHOWN = 12
_SIMPLE = frozenset({"pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "format"})
NAMED = frozenset({"kind", "id"})


@dataclass(frozen=True, slots=True)
class OwnKinds:
    """The kinds of one pack, by name, and the fields that it adds to others; none of both for the core pack."""

    kinds: Mapping[str, Kind] = field(default_factory=dict)
    extra: Sequence[Extra] = ()

    def named(self, record: Any) -> Any:
        """The record with `kind` and `id`; as it is where no kind of the pack's is meant."""
        if not self.kinds or type(record) is not dict:
            return record
        name = record.get("kind")
        kind = self.kinds.get(name) if type(name) is str else None if "kind" in record else self._fitting(record)
        if kind is None or ("kind" in record and "id" in record):
            return record
        return {"kind": kind.name, "id": record.get("id") or _id(kind, _less(record, NAMED)), **_less(record, NAMED)}

    def plain(self, record: Tree) -> Tree:
        """The record as its provider has it, in the order of its schema, and with its kind."""
        kind = self.kinds.get(record["kind"])
        if kind is None:
            return record
        content = _less(record, NAMED)
        named = {"id": record["id"]} if record["id"] != _id(kind, content) or kind.id_field == "id" else {}
        order = [name for name in kind.schema["properties"] if name in content]
        return {"kind": kind.name, **named, **{name: content[name] for name in order}, **_less(content, set(order))}

    def faults(self, record: Tree, envelope: frozenset[str]) -> list[Issue]:
        """What its schema says against a record of one of these kinds; no value of it is repeated."""
        kind = self.kinds[record["kind"]]
        left_out = envelope | {"kind"} | (frozenset() if kind.id_field == "id" else {"id"})
        return _faults(kind.schema, _less(record, left_out))

    def extra_faults(self, record: Any) -> list[Issue]:
        """What is wrong with the fields that the pack adds to a kind of the adapter's."""
        added = [extra for extra in self.extra if type(record) is dict and extra.kind == record.get("kind")]
        if not added or "extra" not in record:
            return []
        fields = schema_with({"properties": {}}, added)["properties"]
        return _faults({"properties": fields}, {"extra": record["extra"]})

    def _fitting(self, record: Tree) -> Kind | None:
        rows = list(self.kinds.values())
        if len(rows) > 1:
            rows = [kind for kind in rows if _fits(kind.schema, record)]
        return rows[0] if len(rows) == 1 else None


def _fits(schema: Tree, record: Tree) -> bool:
    return record.keys() <= schema["properties"].keys() | {"id"} and record.keys() >= set(schema.get("required", ()))


def _id(kind: Kind, content: Tree) -> str:
    key = content.get(kind.id_field)
    if key is None:
        return content_id(canonical(content), 0)
    if is_uuid(key):
        return str(key)
    return resource_id(kind.name, f"{kind.system}|{key}" if kind.system else str(key), "key")


def _less(tree: Tree, names: frozenset[str] | set[str]) -> Tree:
    return {key: value for key, value in tree.items() if key not in names}


def _faults(schema: Tree, record: Tree) -> list[Issue]:
    from jsonschema import Draft202012Validator

    errors = sorted(Draft202012Validator(schema).iter_errors(record), key=lambda error: list(map(str, error.path)))
    found = [Issue("error", *_words(error), pointer=place) for error in errors for place in _places(error)]
    return list(dict.fromkeys(found))


def _places(error: Any) -> list[str]:
    """The places of an error: each field that is missing, or that should not be there, else the value at fault."""
    from adapter.records.faults import is_name, pointer

    names: list[Any] = []
    if error.validator == "required":
        names = [name for name in error.validator_value if name not in error.instance]
    elif error.validator == "additionalProperties":
        names = [name for name in error.instance if name not in error.schema.get("properties", {}) and is_name(name)]
    return [pointer((*error.absolute_path, name)) for name in names] or [pointer(tuple(error.absolute_path))]


def _words(error: Any) -> tuple[str, str, str]:
    """(issue type, message id, sentence) for a fault that JSON Schema found."""
    if error.validator == "required":
        return "required", "record-required", "This field must be given."
    if error.validator == "additionalProperties":
        return "structure", "record-unknown-field", "There is no such field here."
    if error.validator == "type":
        return "structure", "record-type", f"Expected {error.validator_value} here."
    return "value", "record-schema", f"The value is not one that the schema of its kind allows: {_expected(error)}."


def _expected(error: Any) -> str:
    """What the schema asks for, in its own words; they are the pack's, not the record's."""
    said = error.schema.get("description") if isinstance(error.schema, dict) else None
    if error.validator in ("enum", "const"):
        codes = error.validator_value if error.validator == "enum" else [error.validator_value]
        return f"expected {', '.join(map(str, codes[:_SHOWN]))}{' and others' if len(codes) > _SHOWN else ''}"
    if isinstance(said, str) and said:
        return f"expected {said.rstrip('.')}"
    return f"expected {error.validator} {error.validator_value}" if error.validator in _SIMPLE else str(error.validator)
