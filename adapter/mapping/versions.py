"""Which FHIR version an input or a call is of: never guessed (decision 11).

It is what the caller says, else what the input itself states, else R4.
"""

from __future__ import annotations

import re
from typing import Any

from adapter.errors import UsageError

R4 = "4.0.1"
FHIR_VERSIONS = {
    **dict.fromkeys(("4.0", "4.0.1", "R4"), R4),
    **dict.fromkeys(("4.3", "4.3.0", "R4B"), "4.3.0"),
    **dict.fromkeys(("5.0", "5.0.0", "R5"), "5.0.0"),
}
# https://hl7.org/fhir/R5/versions.html: a profile of FHIR itself, with its version or below that of a release.
_PROFILE = re.compile(r"http://hl7\.org/fhir/(?:(\d\.\d)/)?StructureDefinition/\w+(?:\|(\d\.\d)(?:\.\d)?)?")


def fhir_version(name: str | None) -> str:
    """The version that a name stands for; R4 without one. Raises UsageError for those that are not spoken."""
    if name is None:
        return R4
    known = FHIR_VERSIONS.get(name.upper() if name[:1] in "rR" else name)
    if known is None:
        old = {"1.0": "DSTU2 ", "3.0": "STU3 "}.get(name[:3], "")
        raise UsageError(f"FHIR {old}{name} is not supported.", remedy="Use 4.0.1 (R4), 4.3.0 (R4B) or 5.0.0 (R5).")
    return known


def release_of(version: str) -> str:
    """The release whose rules a version has: R4B is the same tree as R4."""
    return "R5" if version.startswith("5") else "R4"


def stated(tree: Any) -> str | None:
    """The version that the profiles of a resource or Bundle state, None where they state none that is spoken."""
    meta = tree.get("meta") if type(tree) is dict else None
    profiles = meta.get("profile") if type(meta) is dict else None
    for profile in profiles if type(profiles) is list else []:
        match = _PROFILE.fullmatch(profile) if type(profile) is str else None
        name = (match[1] or match[2]) if match is not None else None
        if name in FHIR_VERSIONS:
            return FHIR_VERSIONS[name]
    return None


def of_input(tree: Any, name: str | None) -> str:
    """The version of an input. Raises UsageError for a name that is not spoken."""
    return fhir_version(name) if name is not None else stated(tree) or R4


def of_remainder(remainder: Any, name: str | None) -> str:
    """The version to write: that of what came in. Raises UsageError where another one is asked for."""
    told = remainder.get("fhirVersion") if type(remainder) is dict else None
    came = FHIR_VERSIONS.get(told) if type(told) is str else None
    if name is None or came is None:
        return came or fhir_version(name)
    if release_of(fhir_version(name)) != release_of(came):
        raise UsageError(
            f"The remainder is of FHIR {came}, and {name} is asked for.", remedy="Leave the remainder or --fhir out."
        )
    return fhir_version(name)
