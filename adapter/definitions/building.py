"""From the short trees of the data files (condense.py) to facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from adapter.definitions.facts import Binding, Constraint, Element, ExtensionFacts, TypeFacts

Tree = dict[str, Any]


Shared = Callable[[str], Any]
"""The constraint that many types have, by its name in the table of those."""


def build_part(name: str, tree: Tree, part: str, shared: Shared) -> TypeFacts:
    """The facts of a type (`part` empty) or of one of its parts (`activity.detail`)."""
    own = tree["p"][part]
    elements: dict[str, Element] = {}
    for row in own["e"]:
        for element in build_elements(row, shared):
            elements[element.name] = element
    return TypeFacts(
        name=f"{name}.{part}" if part else name,
        kind="part" if part else tree["k"],
        base="" if part else tree["b"],
        abstract=bool(tree.get("a")),
        elements=elements,
        constraints=build_constraints(own.get("k", ()), shared),
    )


def build_constraints(rows: Iterable[Any], shared: Shared) -> tuple[Constraint, ...]:
    """Constraints, each written out or by its name."""
    return tuple(Constraint(*(shared(each) if isinstance(each, str) else each)) for each in rows)


def build_elements(row: Tree, shared: Shared) -> list[Element]:
    """The elements that one row stands for: one, or for a choice one of each type."""
    name: str = row["n"]
    is_list = bool(row.get("l"))
    limit = row.get("x", "*" if is_list else "1")
    common: Tree = {
        "is_list": is_list,
        "min": row.get("m", 0),
        "max": None if limit == "*" else int(limit),
        "binding": build_binding(row),
        "targets": tuple(row.get("r", ())),
        "profiles": tuple(row.get("p", ())),
        "constraints": build_constraints(row.get("k", ()), shared),
    }
    if "c" in row:
        return [Element(name, (row["c"],), content_ref=row["c"], **common)]
    if not name.endswith("[x]"):
        return [Element(name, tuple(row["t"]), **common)]
    base = name[:-3]
    return [Element(base + code[0].upper() + code[1:], (code,), choice=base, **common) for code in row["t"]]


def build_binding(row: Tree) -> Binding | None:
    """The binding of a row, if it has one."""
    return Binding(*row["b"]) if "b" in row else None


def build_extension(url: str, tree: Tree) -> ExtensionFacts:
    """An extension or a part of one."""
    limit = tree.get("x", "*")
    return ExtensionFacts(
        url=url,
        contexts=tuple((kind, expression) for kind, expression in tree.get("c", ())),
        invariants=tuple(tree.get("i", ())),
        types=tuple(tree.get("t", ())),
        modifier=bool(tree.get("m")),
        required=bool(tree.get("q")),
        binding=build_binding(tree),
        parts={name: build_extension(name, part) for name, part in tree.get("s", {}).items()},
        min=tree.get("n", 0),
        max=None if limit == "*" else int(limit),
    )
