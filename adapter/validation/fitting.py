"""Whether a resource fits a profile: what a reference may lead to, and what is in a slice by its profile.

The faults of the other resource are its own, said where it stands; here only the verdict counts.
https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.type.targetProfile
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from adapter.definitions import Definitions
from adapter.validation.messages import MESSAGES
from adapter.validation.references import TYPES, contained_by_id, resolve
from adapter.validation.run import Fault, Quirks, Run, Tree
from adapter.validation.texts import claimed

Rule = Callable[[Any, Run], None]


class Checked(Protocol):
    """A compiled profile. `url` is its canonical, with the version where one was asked for; `name` is for people."""

    type: str
    name: str
    url: str

    def check(self, tree: Tree, run: Run) -> None:
        """Notes every fault against the profile."""


Get = Callable[[str], "Checked | None"]


def is_error(fault: Fault) -> bool:
    """Whether a fault breaks a profile."""
    return (fault.severity or MESSAGES[fault.message_id].severity) in ("fatal", "error")


def fits(profile: Checked, tree: Tree, run: Run | None = None) -> bool:
    """Whether a resource has no fault against a profile, judged in the surroundings of `run`.

    Resources may refer to each other in a circle: one that is being looked at already is taken to fit.
    """
    if tree.get("resourceType") != profile.type:
        return False
    inner = Run(tree, run.quirks if run is not None else Quirks(), tree)
    if run is not None:
        inner.bundle, inner.full_url, inner.fitting = run.bundle, run.full_url, run.fitting
        inner.contained = contained_by_id(tree) or run.contained
    key = (id(tree), profile.url)
    if key not in inner.fitting:
        inner.fitting[key] = True
        profile.check(tree, inner)
        inner.fitting[key] = not any(map(is_error, inner.out))
    return inner.fitting[key]


def target_profile_rule(defs: Definitions, get: Get, urls: Sequence[str], name: str) -> Rule | None:
    """The resource that a Reference leads to, where it is at hand, fits one of these profiles; None where any does."""
    plain = {url.partition("|")[0].removeprefix(TYPES) for url in urls}
    whole = plain & defs.resource_types
    if "Resource" in plain or plain <= defs.resource_types:
        return None
    named = [url for url in urls if url.partition("|")[0].removeprefix(TYPES) not in defs.resource_types]

    def rule(value: Any, run: Run) -> None:
        # The reference looks at the type of the target only.
        target = None if run.quirks.followed else resolve(value, run)
        type_ = target.get("resourceType") if target is not None else None
        if target is None or not isinstance(type_, str) or type_ in whole:
            return
        if any(url.partition("|")[0] in plain for url in claimed(target)):
            # What it claims it is held to where it stands.
            return
        known = [profile for url in named if (profile := get(url)) is not None]
        of_type = [profile for profile in known if profile.type == type_]
        # Another type is said by the rule over types, and what is not at hand nobody can hold against it.
        if not of_type or len(known) < len(named) or any(fits(profile, target, run) for profile in of_type):
            return
        run.add("reference-target-profile", targets=", ".join(each.name for each in of_type), source=name)

    return rule
