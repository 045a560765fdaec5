"""What crosses the border of the store: how it is validated, and how it is known again that it was."""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from adapter.bootstrap.validating import packages_at_hand, validator
from adapter.fhir_json import dumps
from adapter.issues import Issue
from adapter.ports import StoredResource

# What a verdict depends on, below the package.
_FILES = (
    *("errors.py", "fhir_json.py", "issues.py", "definitions/*.py", "validation/**/*.py"),
    *(f"definitions/data/{folder}/*" for folder in ("r4", "us-core", "ucum")),
)


class Border:
    """The validation of what comes in and goes out, under a pack. A profile that a resource claims is a promise to its
    readers and no condition for crossing.
    """

    def __init__(self, pack: str) -> None:
        self._pack = pack
        self._validate = validator(pack=pack, without=["profiles"]).validate

    def validate(self, resource: Any) -> list[Issue]:
        """The issues of a resource."""
        return self._validate(resource)

    def knows(self, stored: StoredResource) -> bool:
        """Whether a resource was found valid, as it is, when it was written."""
        return bool(stored.valid) and stored.valid == self.mark

    @cached_property
    def mark(self) -> str:
        """What stands beside a resource that was found valid: of the code, the definitions, the packs and the packages that
        spoke. Where one of them is another, it is another mark, and the resource is validated once more. Empty where it
        cannot be told.
        """
        from adapter.packs import load
        from adapter.packs.cache import code

        spoke = code(_FILES)
        if spoke is None:
            return ""
        found = sha256(spoke)
        for pack in (load(), load(self._pack)):
            found.update(dumps([pack.structure_definitions, pack.value_sets, pack.code_systems, pack.questionnaires]))
        for path in map(Path, packages_at_hand()):
            is_ = path.stat()
            found.update(f"{path.resolve()} {is_.st_size} {is_.st_mtime_ns}".encode())
        return found.hexdigest()[:16]
