"""How far our verdicts are those of the reference: counts, and where they differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from adapter import fhir_json
from adapter.errors import BadInput
from adapter.issues import Issue
from adapter.validation import Validator
from tests.conformance.reference import Places

UNCHECKED = "/us/core/ValueSet/"
"""Value sets that the reference cannot expand (reference.py) are no verdict on our side either."""


@dataclass(slots=True)
class Agreement:
    """Counted over resources: verdict means any error. `apart` names those where the verdicts differ."""

    total: int = 0
    refused: int = 0
    found: int = 0
    invented: int = 0
    placed: int = 0
    apart: list[str] = field(default_factory=list)

    def add(self, name: str, theirs: Places, ours: Iterable[Issue]) -> None:
        """One resource."""
        places = {issue.expression for issue in ours if issue.is_error and UNCHECKED not in issue.text}
        self.total += 1
        self.refused += bool(theirs)
        if bool(theirs) is not bool(places):
            self.apart.append(name)
            self.invented += not theirs
        elif theirs:
            self.found += 1
            self.placed += bool(places & {place for _, place in theirs})

    @property
    def verdicts(self) -> float:
        """The share of resources with the same verdict."""
        return 1 - len(self.apart) / self.total

    @property
    def recall(self) -> float:
        """Of those that the reference refuses, the share that we refuse."""
        return self.found / self.refused

    @property
    def inventions(self) -> float:
        """Of those that it accepts, the share that we refuse."""
        return self.invented / (self.total - self.refused)

    @property
    def places(self) -> float:
        """Of those that both refuse, the share with a place in common."""
        return self.placed / self.found

    def __str__(self) -> str:
        return (
            f"{self.total} resources: verdicts {self.verdicts:.2%}, recall {self.recall:.2%}, "
            f"invented {self.inventions:.2%}, places {self.places:.2%}"
        )


def issues_of(validator: Validator, text: bytes | str) -> list[Issue]:
    """Our issues over a text, JSON's own among them."""
    try:
        return validator.validate(fhir_json.loads(text))
    except BadInput as error:
        return list(error.issues)
