"""Which rule took which element of FHIR to which field of the record, in one read of one input.

Every rule of every map in use gives one visit for each object that it looked at, also where it found nothing. Places are
tuples of names and indices: of FHIR from the top of the input, of records with the number of the record in front.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any

from adapter.issues import Issue
from adapter.mapping.bundle import Analysis, Owned
from adapter.mapping.companions import Companion
from adapter.mapping.lists import Items, Scalars, elements_of
from adapter.mapping.maps import ResourceMap
from adapter.mapping.parts import Parts
from adapter.mapping.paths import Path, Step, get
from adapter.mapping.reshape import Either, Wrapper
from adapter.mapping.resources import INHERITED
from adapter.mapping.rules import Rule
from adapter.mapping.scope import Scope
from adapter.mapping.unwrapping import Real, unwrapped

Tree = dict[str, Any]
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class At:
    """An object of FHIR, the object of the record that is read from it (`item`), and their places."""

    map: ResourceMap
    node: Tree
    fhir: Place
    ours: Place
    item: Tree
    scope: Scope


@dataclass(frozen=True, slots=True)
class Visit:
    """A rule at an object. `fhir` is the place of its element, None where that is not there; `ours` the fields that it gave.

    `said` are the issues that reading it raised; `second` is one that another place of the same rule went before.
    """

    rule: Any
    at: At
    fhir: Place | None
    ours: tuple[Place, ...]
    said: tuple[Issue, ...] = ()
    second: bool = False

    @property
    def source(self) -> str:
        """file:line:column of the rule."""
        return str(self.rule.source)


@dataclass(frozen=True, slots=True)
class Traced:
    """One input, read and followed: `records` in the order that `from_fhir` gives them."""

    analysis: Analysis
    records: list[Owned]
    visits: list[Visit] = field(default_factory=list)

    def resource_at(self, index: int) -> Place:
        """The place of a resource of the input."""
        parts = self.analysis.input
        return () if parts.bundle is None else ("entry", parts.entries.index(index), "resource")


def trace(analysis: Analysis) -> Traced:
    """Follow every rule through an input."""
    traced = Traced(analysis, analysis.records())
    for number, owned in enumerate(traced.records):
        traced.visits.extend(_Follower(traced, owned).record(number))
    return traced


def path_of(rule: Any) -> Path | None:
    """The FHIR path of a rule, whatever it is wrapped in."""
    inner = getattr(rule, "leaf", None)
    path = getattr(rule, "path", None) or getattr(inner, "path", None)
    return path if isinstance(path, Path) else None


def names_of(rule: Any) -> list[tuple[str, ...]]:
    """The fields of a rule, as names from the object that it works on."""
    found = [
        getattr(rule, "names", None),
        getattr(getattr(rule, "leaf", None), "names", None),
        getattr(rule, "also", None),
        getattr(rule, "called", None),
        getattr(rule, "words", None),
    ]
    fields = [(name,) for name in getattr(rule, "fields", ())]
    return [tuple(names) for names in found if isinstance(names, tuple) and names] + fields


def locate(path: Path, node: Any) -> Place | None:
    """The place of a path's element in an object, or None where it is not there."""
    place: Place = ()
    for step in (*path.steps, path.last):
        found = _enter(step, node)
        if found is None:
            return None
        inner, node = found
        place += inner
    return place


def _enter(step: Step, node: Any) -> tuple[Place, Any] | None:
    value = node.get(step.name) if type(node) is dict else None
    if value is None:
        return None
    if step.shape == "object":
        return ((step.name,), value) if (not step.keys and step.plain) or step.matches(value) else None
    elements = value if type(value) is list else []
    found = step.only(elements) if step.shape == "only" else next(filter(step.matches, elements), None)
    rows = (((step.name, index), row) for index, row in enumerate(elements) if row is found)
    return next(rows, None) if found is not None else None


def _inherited(place: Place) -> Place:
    """A field that a part has from the record that it belongs to."""
    return (place[0], place[-1]) if place[-1] in INHERITED else place


def _real(place: Place, base: Place, start: int, real: Real) -> Iterator[Place]:
    """A place behind a wrapper, as the record has it; what the part has of its record stays."""
    if place[:start] != base or len(place) == start:
        yield place
    else:
        yield from ((*base, *inner) for inner in real(place[start:]))


def _of_companion(places: Sequence[Place], depth: int, fields: frozenset[str]) -> Iterator[Place]:
    for place in places:
        if _inherited(place) != place or str(place[depth]) in fields:
            yield _inherited(place)


class _Follower:
    """Follows the rules of one record's maps."""

    def __init__(self, traced: Traced, owned: Owned) -> None:
        self.traced, self.owned = traced, owned
        inputs = traced.analysis.input.resources
        self.parts = {key: inputs[index] for key, index in owned.parts.items()}

    def record(self, number: int) -> Iterator[Visit]:
        """Every visit of the record."""
        record, map_ = self.owned.record, self.owned.map
        refs = self.traced.analysis.refs(self.owned.parts)
        root = self.parts[""]
        scope = Scope(refs, str(record["kind"]), str(record["id"]), dict(self.parts), root)
        at = At(map_, root, self.traced.resource_at(self.owned.parts[""]), (number,), record, scope)
        yield from self._rules(map_.rules, at)

    def _rules(self, rules: Sequence[Rule], at: At) -> Iterator[Visit]:
        for rule in rules:
            yield from self._rule(rule, at)

    def _rule(self, rule: Any, at: At) -> Iterator[Visit]:
        if isinstance(rule, Items):
            yield from self._items(rule, at)
        elif isinstance(rule, Parts):
            yield from self._parts(rule, at)
        elif isinstance(rule, Scalars):
            yield from self._scalars(rule, at)
        elif isinstance(rule, Companion):
            yield from self._companion(rule, at)
        elif isinstance(rule, Either):
            yield from self._either(rule, at)
        elif isinstance(rule, Wrapper):
            yield from self._wrapped(rule, at)
        else:
            yield self._leaf(rule, at)

    def _wrapped(self, rule: Wrapper, at: At) -> Iterator[Visit]:
        inside = unwrapped(rule, at.node, at.item, at.scope)
        start = len(at.ours)
        for visit in self._rule(inside.rule, replace(at, item=inside.item)):
            places = [real for place in visit.ours for real in _real(place, at.ours, start, inside.real)]
            yield replace(visit, ours=tuple(dict.fromkeys(places)))

    def _either(self, rule: Either, at: At) -> Iterator[Visit]:
        """The first place that gives the field has it; the others are told where something stands there."""
        given = False
        for leaf in rule.rules:
            visit = self._leaf(replace(leaf, source=rule.source), at)
            if visit.ours and given:
                visit = replace(visit, ours=(), second=True)
            given = given or bool(visit.ours)
            yield visit

    def _leaf(self, rule: Rule, at: At) -> Visit:
        path = path_of(rule)
        found = locate(path, at.node) if path is not None else None
        scope = replace(at.scope, issues=[])
        out: Tree = {}
        rule.read(at.node, out, scope)
        # Where words stand for what a code says, a field is named twice.
        names = dict.fromkeys(names_of(rule) or [(name,) for name in out])
        ours = tuple((*at.ours, *name) for name in names if get(out, name) is not None)
        return Visit(rule, at, (*at.fhir, *found) if found is not None else None, ours, tuple(scope.issues))

    def _array(self, rule: Items | Parts | Scalars, at: At) -> tuple[list[Any], Place, Place]:
        holder = Path(rule.path.steps, Step(rule.path.name), rule.path.text)
        place = locate(holder, at.node) or ()
        return elements_of(rule.path, at.node), (*at.fhir, *place), (*at.ours, *rule.names)

    def _scalars(self, rule: Scalars, at: At) -> Iterator[Visit]:
        elements, there, ours = self._array(rule, at)
        scope = replace(at.scope, issues=[])
        rows = rule.values(elements, scope)
        if not rule.said(rows):
            for index, _ in rows:
                yield Visit(rule, at, (*there, index), (), tuple(scope.issues))
            return
        if not rows:
            yield Visit(rule, at, None, (), tuple(scope.issues))
        for number, (index, _) in enumerate(rows):
            yield Visit(rule, at, (*there, index), ((*ours, number),), tuple(scope.issues))

    def _items(self, rule: Items, at: At) -> Iterator[Visit]:
        elements, there, ours = self._array(rule, at)
        rows = rule.items(elements, replace(at.scope, issues=[]))
        if not rows:
            yield Visit(rule, at, None, ())
        for number, (index, item) in enumerate(rows):
            inner = replace(at, node=elements[index], fhir=(*there, index), ours=(*ours, number), item=item)
            yield Visit(rule, at, inner.fhir, (inner.ours,))
            yield from self._rules(rule.rules, inner)

    def _parts(self, rule: Parts, at: At) -> Iterator[Visit]:
        outer = at
        if rule.from_main:
            at = replace(at, node=at.scope.parts[""], fhir=self.traced.resource_at(self.owned.parts[""]))
        elements, there, ours = self._array(rule, at)
        quiet = replace(at.scope, issues=[])
        rows: list[tuple[int, Any, Any]] = [(row.index, row.item, row.found) for row in rule.rows(elements, quiet)]
        rows += [(index, item, rule.inline) for index, item in rule.inline_rows(elements, quiet)]
        if not rows:
            yield Visit(rule, outer, None, ())
        for number, (index, item, found) in enumerate(sorted(rows, key=itemgetter(0))):
            place = (*ours, number)
            yield Visit(rule, outer, (*there, index), (place,))
            if isinstance(found, Items):
                inner = replace(at, node=elements[index], fhir=(*there, index), ours=place, item=item)
                yield from self._rules(found.rules, inner)
            else:
                beside = replace(at, node=elements[index], fhir=(*there, index), ours=place, item=item)
                yield from self._rules(rule.beside, beside)
            if found is not None and not isinstance(found, Items):
                for visit in self._rules(found.map.rules, self._inside(found, at, place, item)):
                    yield replace(visit, ours=tuple(map(_inherited, visit.ours)))

    def _companion(self, rule: Companion, at: At) -> Iterator[Visit]:
        place = locate(rule.path, at.node)
        found = rule.found(at.node, at.scope)
        yield Visit(rule, at, (*at.fhir, *place) if place is not None else None, ())
        if found is not None:
            for visit in self._rules(found.map.rules, self._inside(found, at, at.ours, at.item)):
                yield replace(visit, ours=tuple(_of_companion(visit.ours, len(at.ours), rule.fields)))

    def _inside(self, found: Any, at: At, ours: Place, item: Tree) -> At:
        """The resource that an element refers to."""
        contained = found.key.startswith("#")
        scope = at.scope.inside(found.resource) if contained else at.scope.of(found.key, found.resource)
        if not contained:
            return At(
                found.map, found.resource, self.traced.resource_at(self.owned.parts[found.key]), ours, item, scope
            )
        rows = at.scope.holder["contained"]
        index = next(i for i, resource in enumerate(rows) if resource is found.resource)
        return At(found.map, found.resource, (*self._root(at), "contained", index), ours, item, scope)

    def _root(self, at: At) -> Place:
        key = next(key for key, tree in self.parts.items() if tree is at.scope.root)
        return self.traced.resource_at(self.owned.parts[key])
