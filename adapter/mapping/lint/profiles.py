"""The profiles that a map says its resources have, by the constants that it writes to meta.profile.

https://hl7.org/fhir/R4/profiling.html — constraints of whole elements are looked at, those of slices where a constant
or a selector of the map can meet them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapter.definitions import Binding
from adapter.mapping.lint.subject import Subject
from adapter.mapping.lint.walking import Spot
from adapter.mapping.paths import PathError, expand
from adapter.mapping.table import Row

Tree = dict[str, Any]


def claimed(subject: Subject, map_: str) -> Iterator[tuple[Row, str]]:
    """(rule, URL) of each profile that a map claims."""
    for row in subject.rows:
        if row.map == map_ and row.keyword == "set" and row.fhir == f"{row.type_}.meta.profile":
            value = (row.keys or {})["set"]
            for url in value if isinstance(value, list) else [value]:
                if isinstance(url, str):
                    try:
                        yield row, expand(url, subject.pack.prefixes)
                    except PathError:
                        continue


def constraints(subject: Subject, map_: str) -> dict[str, list[Tree]]:
    """What the profiles of a map say, by the definition's path with its slices; what is not at hand is told once."""
    if map_ not in subject.profiled:
        found: dict[str, list[Tree]] = {}
        for row, url in claimed(subject, map_):
            profile = subject.definitions.profile(url)
            if profile is None:
                subject.say(row, "profile-unknown", f"the profile {url} is not at hand", "set")
                continue
            if profile["t"] != row.type_:
                subject.say(
                    row, "profile-type", f"{url} is a profile of {profile['t']}: expected one of {row.type_}", "set"
                )
                continue
            for each in profile["e"]:
                found.setdefault(each["i"], []).append(each)
        subject.profiled[map_] = found
    return subject.profiled[map_]


def bindings(subject: Subject, row: Row, spot: Spot) -> Iterator[Binding]:
    """Every binding of a place: FHIR's own, and those of the map's profiles."""
    if spot.binding is not None:
        yield spot.binding
    for each in constraints(subject, row.map).get(spot.path, []):
        if "b" in each and (spot.binding is None or each["b"][1] != spot.binding.value_set):
            yield Binding(*each["b"])
