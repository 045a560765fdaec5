"""Where a FHIR path leads by FHIR's own definitions: the type there, whether it repeats, which codes it takes.

https://hl7.org/fhir/R4/elementdefinition.html — the first step that leads nowhere ends the way and is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from adapter.definitions import Binding, Definitions, Element, ExtensionFacts, TypeFacts
from adapter.mapping.choosing import nearest
from adapter.mapping.paths import Path, Step

EVERYWHERE = frozenset({"Element", "Resource", "DomainResource", "BackboneElement", "*"})
EXTENSIONS = ("extension", "modifierExtension")


class Wrong(NamedTuple):
    """What is wrong with a path: the id of the message, the sentence, the name that was probably meant."""

    id: str
    text: str
    near: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a resource. `type` is empty where the definitions say no more (a contained resource).

    `path` is the definition's path, `lists` whether the value is an array, `single` whether the array may hold only one.
    `extension` is what an extension may hold, at an extension.
    """

    type: str
    path: str
    lists: bool = False
    single: bool = False
    binding: Binding | None = None
    targets: tuple[str, ...] = ()
    extension: ExtensionFacts | None = None


@dataclass(slots=True)
class Walker:
    """Walks paths through the definitions of one FHIR version."""

    definitions: Definitions
    wrong: list[Wrong] = field(default_factory=list)

    def start(self, resource: str) -> Spot | None:
        """The resource itself, or None where there is no such type."""
        return Spot(resource, resource) if resource in self.definitions.resource_types else None

    def walk(self, spot: Spot | None, path: Path, *, each: bool = False) -> Spot | None:
        """Where the whole path leads from there; faults are added to `wrong`, the first ends the way.

        With `each`, a list on the way stands for each of its elements.
        """
        for step in path.steps:
            spot = self.step(spot, step)
            if spot is not None and spot.lists and step.shape == "object" and not each:
                self._say("fhir-path-list", f"{spot.path} is a list: expected a selector, such as {step.name}[!]")
                spot = None
        return self.step(spot, path.last)

    def step(self, spot: Spot | None, step: Step) -> Spot | None:
        """One step further."""
        if spot is None or not spot.type:
            return None if spot is None else replace(spot, path=f"{spot.path}.{step.name}")
        inner = self._extension(spot, step) if step.name in EXTENSIONS and _url(step) else self._element(spot, step)
        if inner is None:
            return None
        if step.shape in ("only", "element") and not inner.lists:
            self._say("fhir-path-single", f"{inner.path} is no list: expected {step.name} without brackets")
            return None
        self._selectors(inner, step)
        return inner

    def facts(self, spot: Spot) -> TypeFacts | None:
        """The elements of the type there."""
        try:
            return self.definitions.type(spot.type) if spot.type else None
        except KeyError:
            return None

    def _element(self, spot: Spot, step: Step) -> Spot | None:
        facts = self.facts(spot)
        if facts is None:
            return Spot("", f"{spot.path}.{step.name}")
        beside = step.name.startswith("_")
        element = facts.elements.get(step.name.removeprefix("_"))
        if element is None:
            self._unknown(spot, step.name, facts)
            return None
        if beside:
            return self._beside(spot, element)
        if spot.extension is not None and element.choice == "value":
            return self._value(spot, element)
        return self._spot(f"{spot.path}.{step.name}", element)

    def _unknown(self, spot: Spot, name: str, facts: TypeFacts) -> None:
        if name in facts.choices:
            names = ", ".join(facts.choices[name][:4])
            text = f"{spot.path} has no {name} without its type: expected one of {names}"
            self._say("fhir-path-unknown", text, facts.choices[name][0])
        else:
            self._say("fhir-path-unknown", f"{spot.path} has no element {name}", nearest(name, facts.elements))

    def _spot(self, path: str, element: Element) -> Spot:
        type_ = "" if element.type in ("Resource", "xhtml") else element.type
        return Spot(type_, path, element.is_list, binding=element.binding, targets=element.targets)

    def _beside(self, spot: Spot, element: Element) -> Spot | None:
        facts = self.facts(replace(spot, type=element.type))
        if facts is not None and facts.kind == "primitive":
            return Spot("Element", f"{spot.path}.{element.name}", element.is_list)
        self._say("fhir-path-unknown", f"{spot.path} has no _{element.name}: only primitive elements have one")
        return None

    def _extension(self, spot: Spot, step: Step) -> Spot | None:
        url = _url(step)
        path = f"{spot.path}.{step.name}"
        if spot.extension is not None and spot.extension.parts:
            found = spot.extension.parts.get(url)
            if found is None:
                text = f"the extension {_last(spot.extension.url)} has no part {url}"
                self._say("extension-part-unknown", text, nearest(url, spot.extension.parts))
                return None
        else:
            found = self.definitions.extension(url)
            if found is None:
                self._say("extension-unknown", f"no StructureDefinition at hand defines the extension {url}")
                return Spot("", path, lists=True)
            if not self._may_stand(found, spot):
                allowed = ", ".join(sorted(str(expression) for _, expression in found.contexts))
                text = f"the extension {_last(url)} may not stand in {spot.path}: expected {allowed}"
                self._say("extension-context", text)
        return Spot("Extension", path, lists=True, single=found.max == 1, extension=found)

    def _value(self, spot: Spot, element: Element) -> Spot | None:
        facts = spot.extension
        if facts is None or (facts.types and element.type not in facts.types):
            known = [f"value{name[:1].upper()}{name[1:]}" for name in (facts.types if facts else ())]
            text = f"the extension {_last(facts.url) if facts else ''} holds no {element.name}"
            self._say("extension-value", f"{text}: expected {' or '.join(known)}", nearest(element.name, known))
            return None
        made = self._spot(f"{spot.path}.{element.name}", element)
        return replace(made, binding=facts.binding or made.binding)

    def _may_stand(self, facts: ExtensionFacts, spot: Spot) -> bool:
        allowed = {expression for kind, expression in facts.contexts if kind == "element"}
        others = [kind for kind, _ in facts.contexts if kind != "element"]
        return bool(others) or not allowed or bool(allowed & {*self._names(spot), *EVERYWHERE})

    def _names(self, spot: Spot) -> Iterable[str]:
        yield spot.path
        facts = self.facts(spot)
        while facts is not None:
            yield facts.name
            facts = self.facts(Spot(facts.base, spot.path)) if facts.base else None

    def _selectors(self, spot: Spot, step: Step) -> None:
        facts = self.facts(spot)
        if facts is None:
            return
        for key, value in (*step.keys, *step.made):
            element = facts.elements.get(key)
            if element is None:
                self._say("fhir-path-unknown", f"{spot.path} has no element {key}", nearest(key, facts.elements))
            elif element.is_list:
                self._say("fhir-path-list", f"{spot.path}.{key} is a list: a selector asks for a single value")
            elif element.binding is not None and element.binding.strength == "required":
                codes = self.definitions.codes(element.binding.value_set)
                if codes is not None and value not in codes:
                    text = f"{spot.path}.{key} is never {value}"
                    self._say("selector-never", text, nearest(value, codes))

    def _say(self, id_: str, text: str, near: str = "") -> None:
        self.wrong.append(Wrong(id_, text, near))


def _url(step: Step) -> str:
    return next((value for key, value in (*step.keys, *step.made) if key == "url"), "")


def _last(url: str) -> str:
    return url.rpartition("/")[2]
