"""What a profile says of the type of a value: where a reference may lead, what a resource inside is, which profiles a value has.

https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.type
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from adapter.definitions import Definitions, Element
from adapter.validation.fitting import Checked, Get, is_error, target_profile_rule
from adapter.validation.references import TYPES, target_rule
from adapter.validation.run import Run, Tree

Rule = Callable[[Any, Run], None]


def rules_of_row(defs: Definitions, get: Get, row: Tree, element: Element, name: str) -> Iterator[Rule]:
    """The rules that a row of the profile `name` makes over values of an element; `get` finds other profiles."""
    targets = types_of(defs, row.get("r", ())) if element.type == "Reference" else None
    if targets and not targets >= (frozenset(element.targets) or defs.resource_types):
        yield target_rule(defs, sorted(targets), beyond=element.targets)
    profiled = target_profile_rule(defs, get, row.get("r", ()), name) if element.type == "Reference" else None
    if profiled is not None:
        yield profiled
    if element.type == "Resource" and row.get("t", ["Resource"]) != ["Resource"]:
        yield _resource_of(tuple(row["t"]), name)
    if element.type != "Extension" and row.get("tp"):
        # An extension is held to its definition wherever it stands.
        yield _profiled(get, tuple(row["tp"]), name)


def types_of(defs: Definitions, profiles: Iterable[str]) -> frozenset[str] | None:
    """The resource types that profiles constrain; None where any may be meant."""
    found: set[str] = set()
    for url in profiles:
        name = url.partition("|")[0].removeprefix(TYPES)
        facts = None if name in defs.resource_types else defs.profile(url)
        if name not in defs.resource_types and facts is None:
            return None
        found.add(facts["t"] if facts else name)
    return None if "Resource" in found else frozenset(found)


def _resource_of(types: tuple[str, ...], name: str) -> Rule:
    def rule(value: Any, run: Run) -> None:
        if value.get("resourceType") not in types:
            run.add("profile-type", profile=name, name="resource", source=name)

    return rule


def _profiled(get: Get, urls: tuple[str, ...], name: str) -> Rule:
    """The value fits one of these profiles; the faults of the only one are said."""

    def rule(value: Any, run: Run) -> None:
        known = [get(url) for url in urls]
        if None in known:
            for url in (url for url, each in zip(urls, known, strict=True) if each is None):
                if not url.startswith(TYPES):
                    run.add("profile-unknown", profile=url)
            return
        since = len(run.out)
        for profile in known:
            del run.out[since:]
            _check(profile, value, run)
            if not any(map(is_error, run.out[since:])):
                return
        if len(known) > 1:
            del run.out[since:]
            run.add("profile-none-fits", profile=name, source=name)

    return rule


def _check(profile: Checked | None, value: Tree, run: Run) -> None:
    if profile is None:
        return
    if value.get("resourceType", profile.type) == profile.type:
        profile.check(value, run)
    else:
        run.add("profile-type", profile=profile.name, name="resourceType", source=profile.name)
