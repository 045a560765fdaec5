"""What FHIR says of its types, as small frozen facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Binding:
    """Which codes an element takes. `strength` is required, extensible, preferred or example; `max_value_set` binds all."""

    strength: str
    value_set: str
    max_value_set: str = ""


@dataclass(frozen=True, slots=True)
class Constraint:
    """An invariant: FHIRPath over the element that carries it."""

    key: str
    severity: str
    expression: str
    human: str


@dataclass(frozen=True, slots=True)
class Element:
    """One element as it is called in JSON; a choice `value[x]` is one Element for each of its types.

    `types` names what a value is: a FHIR type, or a part such as `CarePlan.activity`. `choice` is the base of a choice
    (`value`), else empty. `max` is None for `*`. `targets` are the resource types that a Reference may lead to or a
    canonical may name (empty: any). `content_ref` says whose definition is used again (`Questionnaire.item`).
    """

    name: str
    types: tuple[str, ...]
    is_list: bool = False
    min: int = 0
    max: int | None = 1
    choice: str = ""
    binding: Binding | None = None
    targets: tuple[str, ...] = ()
    content_ref: str = ""
    profiles: tuple[str, ...] = ()
    constraints: tuple[Constraint, ...] = ()

    @property
    def type(self) -> str:
        """Its one type in JSON."""
        return self.types[0]


@dataclass(frozen=True, slots=True)
class TypeFacts:
    """One type or part of a type. `kind` is resource, complex, primitive or part; `constraints` hold for every value."""

    name: str
    kind: str
    base: str
    abstract: bool
    elements: Mapping[str, Element]
    constraints: tuple[Constraint, ...] = ()

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        """The names of each choice by its base: `{"value": ("valueString", …)}`."""
        found: dict[str, list[str]] = {}
        for element in self.elements.values():
            if element.choice:
                found.setdefault(element.choice, []).append(element.name)
        return {base: tuple(names) for base, names in found.items()}


@dataclass(frozen=True, slots=True)
class ExtensionFacts:
    """An extension by its URL: where it may stand, what its value may be, which parts it has by their url.

    `invariants` are FHIRPath over the element that it stands on.
    """

    url: str
    contexts: tuple[tuple[str, str], ...] = ()
    invariants: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    modifier: bool = False
    required: bool = False
    binding: Binding | None = None
    parts: Mapping[str, ExtensionFacts] = field(default_factory=dict)
    min: int = 0
    max: int | None = None
    built_in: bool = False


@dataclass(frozen=True, slots=True)
class CodeSystemFacts:
    """A code system whose concepts are all at hand: their displays by code."""

    url: str
    codes: Mapping[str, str]
