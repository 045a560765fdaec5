"""The store's records: checked and brought in, listed, shown, sent out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, Protocol

from adapter.errors import BadInput, Conflict, DataError
from adapter.fhir_json import Tree, same
from adapter.issues import Issue
from adapter.mapping import Mapper
from adapter.ports import RecordStore, Saved
from adapter.services.foreign import foreign_parts
from adapter.services.provider import Provider
from adapter.sync.partner import first_error

Origin = Literal["synthetic", "test", "real"]


class Border(Protocol):
    """What finds the issues of a resource that is to leave, and the mark by which it is known again that there were none."""

    def validate(self, resource: Any) -> list[Issue]:
        """The issues of a resource."""

    @property
    def mark(self) -> str:
        """Of all that spoke; empty where it cannot be told."""


@dataclass(slots=True)
class Imported:
    """What an import did: (kind/id, "new" | "changed" | "unchanged" | "refused") for each record, and all issues.

    `held` says for a record of a provider's own kind under which "kind/id" the store holds what it says.
    """

    rows: list[tuple[str, str]] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    held: dict[str, list[str]] = field(default_factory=dict)

    @property
    def refused(self) -> int:
        """How many were not taken in."""
        return sum(1 for _, verb in self.rows if verb == "refused")


def import_records(  # noqa: PLR0913 - the options of one call
    store: RecordStore,
    mapper: Mapper,
    check: Callable[[Any], list[Issue]],
    border: Border,
    records: Sequence[Any],
    *,
    remainder: Any = None,
    origin: Origin | None = None,
    recorded_by: str = "",
    expect_revision: int | None = None,
    provider: Provider | None = None,
) -> Imported:
    """Each record by itself: one that is faulty is refused whole, and its neighbours are taken. What no server will get, as it
    is not valid FHIR, is said.

    With the remainder that `convert from-fhir` gave, everything foreign is kept too. `origin` is for those that say none.
    Records of the kinds of a `provider` are taken in by way of FHIR.
    Raises Conflict where `expect_revision` is given and a record has another one.
    """
    done = Imported()
    source = foreign_parts(provider.own if provider is not None else mapper, remainder)
    foreign = source.parts
    done.issues += source.issues
    save = partial(store.save, recorded_by=recorded_by, expect_revision=expect_revision)
    for index, record in enumerate(records):
        if provider is not None and provider.knows(record):
            _take_by_fhir(provider, record, index, foreign, origin, done)
            continue
        faults = [replace(issue, pointer=f"/{index}{issue.pointer or ''}") for issue in check(record)]
        done.issues += faults
        name = f"{record.get('kind')}/{record.get('id')}" if isinstance(record, dict) and not faults else f"/{index}"
        if faults:
            done.rows.append((name, "refused"))
            continue
        try:
            verb, issues = _take(store, mapper, border, record, foreign, origin, save)
        except Conflict:
            raise
        except DataError as error:
            done.rows.append((f"/{index}", "refused"))
            done.issues.append(Issue("error", "conflict", "record-not-held", error.message, pointer=f"/{index}"))
        else:
            done.rows.append((name, verb))
            done.issues += [issue if issue.place else replace(issue, pointer=f"/{index}") for issue in issues]
    return done


def _take(
    store: RecordStore,
    mapper: Mapper,
    border: Border,
    record: Tree,
    foreign: dict[tuple[str, str], dict[str, Tree]],
    origin: Origin | None,
    save: Callable[..., Saved],
) -> tuple[str, list[Issue]]:
    key = (str(record["kind"]), str(record["id"]))
    present = store.parts(*key)
    held = {part: stored.tree for part, stored in present.items()}
    # A pull that writes in between would otherwise be undone: the versions seen must still be there.
    expect = {(stored.type, stored.id): str(stored.version) for stored in present.values()}
    parts, issues = mapper.parts(record, held or foreign.get(key))
    fault = unsendable(border, [tree for part, tree in parts.items() if part not in held or not same(held[part], tree)])
    new = {**record, "pack": f"{mapper.name}@{mapper.version}"}
    if origin is not None and "origin" not in record:
        new["origin"] = origin
    saved = save(new, parts, expect=expect, valid="" if fault else border.mark)
    verb = "unchanged" if not saved.changed else "new" if saved.record.get("revision") == 1 else "changed"
    return verb, [*issues, *fault]


def unsendable(border: Border, trees: Iterable[Tree]) -> list[Issue]:
    """Why a record that gives these is sent to no server, as it is; empty where it can be."""
    for tree in trees:
        if error := first_error(border.validate(tree)):
            text = f"It is not valid as FHIR, and no server gets it so: {tree['resourceType']}, {error}."
            return [Issue("warning", "invalid", "record-not-valid-fhir", text)]
    return []


def _take_by_fhir(
    provider: Provider,
    record: Tree,
    index: int,
    foreign: dict[tuple[str, str], dict[str, Tree]],
    origin: Origin | None,
    done: Imported,
) -> None:
    named = provider.own.own.named(record)
    key = (str(named["kind"]), str(named["id"]))
    taken = provider.take(named, foreign.get(key), origin)
    done.issues += [replace(one, pointer=f"/{index}{one.pointer or ''}") for one in taken.issues]
    name = "/".join(key) if taken.verb != "refused" else f"/{index}"
    done.rows.append((name, taken.verb))
    done.held[name] = taken.held


def taken_apart(tree: Any, provider: Provider | None = None) -> tuple[list[Any], Any]:
    """A record, a list of them, or what from-fhir or an export gave → records and remainder. Raises BadInput.

    A record of a `provider` may leave out its kind.
    """
    if isinstance(tree, list):
        return tree, None
    if isinstance(tree, dict) and isinstance(tree.get("records"), list):
        return tree["records"], tree.get("remainder")
    if isinstance(tree, dict) and ("kind" in tree or (provider is not None and provider.knows(tree))):
        return [tree], None
    text = "Expected a record, a list of records, or what from-fhir gave."
    raise BadInput(text, issues=[Issue("fatal", "structure", "record-no-kind", text, pointer="/kind")])
