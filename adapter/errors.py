"""One tree of errors. Each says what was wrong, where, and what to do next.

AdapterError
├── UsageError             the call is wrong (exit 2)
│   ├── SettingsError      a setting from the environment
│   └── PackError          a pack of mapping files, with file and line of each fault
├── DataError              something in the data is wrong (exit 1); carries issues
│   ├── BadInput           refused whole: not JSON, out of bounds, no known type
│   ├── NotFound           no such record, resource or version
│   ├── Gone               it was there and has been deleted
│   └── Conflict           somebody else wrote in between
├── Refused                privacy: this may not leave for that recipient (exit 1)
├── ServerRefused          a server looked at a request and said no (exit 1)
└── Unavailable            another system could not be reached or did not make sense (exit 3)
    └── UnknownOutcome     the request was sent; whether it took effect is not known
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from adapter.issues import Issue


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a pack: where, from 1, and what; `near` is the name that was probably meant.

    `id` is stable and listed in docs/pack-messages.md, which says what to do. Where a JSON file is meant, `pointer` is the
    place in it (RFC 6901); `rule` is the line where the rule begins that it is about.
    """

    file: str
    line: int
    column: int
    id: str
    text: str
    severity: Literal["error", "warning"] = "error"
    near: str = ""
    pointer: str = ""
    rule: int = 0

    @property
    def sentence(self) -> str:
        """What is wrong, with the name that was probably meant."""
        return f"{self.text}; did you mean {self.near}?" if self.near else self.text

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.sentence}"


class AdapterError(Exception):
    """What was wrong (`message`), where (`place`), what to do (`remedy`). Never holds a patient's values."""

    exit_code = 2

    def __init__(self, message: str, *, place: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.remedy = remedy

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        then = f" {self.remedy}" if self.remedy else ""
        return f"{where}{self.message}{then}"


class UsageError(AdapterError):
    """The call is wrong: an option, an argument, a combination."""


class SettingsError(UsageError):
    """A setting from the environment cannot be used."""


class PackError(UsageError):
    """A pack cannot be used; each of its faults is told as file:line:column: what."""

    def __init__(self, message: str, *, faults: Sequence[Finding] = (), place: str = "", remedy: str = "") -> None:
        super().__init__(message, place=place, remedy=remedy)
        self.faults = tuple(faults)

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *map(str, self.faults)])


class DataError(AdapterError):
    """Something in the data is wrong; `issues` says each thing once."""

    exit_code = 1

    def __init__(self, message: str, *, issues: Sequence[Issue] = (), place: str = "", remedy: str = "") -> None:
        super().__init__(message, place=place, remedy=remedy)
        self.issues = tuple(issues)


class BadInput(DataError):
    """Input that is refused whole, before anything is read from it."""


class NotFound(DataError):
    """There is no such record, resource or version."""


class Gone(DataError):
    """It was there and has been deleted."""


class Conflict(DataError):
    """Somebody else wrote in between: the version given is not the present one.

    `reason`: "version" (the version given is stale), "race" (two writes met, nothing of this one was applied),
    "create-race" (two conditional creates met: send the identical request again), "client-id" (two creates chose one id).
    """

    def __init__(
        self,
        message: str,
        *,
        reason: str = "version",
        issues: Sequence[Issue] = (),
        place: str = "",
        remedy: str = "",
    ) -> None:
        super().__init__(message, issues=issues, place=place, remedy=remedy)
        self.reason = reason


class Refused(AdapterError):
    """Privacy: this may not leave for that recipient. `consent`: for want of a patient's consent, which may yet be given;
    `places`: which resources of the tree, counted from 0 (empty: it as a whole).
    """

    exit_code = 1

    def __init__(
        self, message: str, *, consent: bool = False, places: Sequence[int] = (), place: str = "", remedy: str = ""
    ) -> None:
        super().__init__(message, place=place, remedy=remedy)
        self.consent = consent
        self.places = tuple(places)


class ServerRefused(AdapterError):
    """A server looked at the request and said no; `status` is its HTTP status, `issues` its OperationOutcome."""

    exit_code = 1

    def __init__(
        self, message: str, *, status: int, issues: Sequence[Issue] = (), place: str = "", remedy: str = ""
    ) -> None:
        super().__init__(message, place=place, remedy=remedy)
        self.status = status
        self.issues = tuple(issues)


class Unavailable(AdapterError):
    """Another system could not be reached, or did not answer as a FHIR server does. No verdict on the data.

    `retry_after` is how many seconds the system asked to be left alone, None where it did not say.
    """

    exit_code = 3

    def __init__(self, message: str, *, retry_after: float | None = None, place: str = "", remedy: str = "") -> None:
        super().__init__(message, place=place, remedy=remedy)
        self.retry_after = retry_after


class UnknownOutcome(Unavailable):
    """The request was sent; whether it took effect is not known. Look before sending again."""
