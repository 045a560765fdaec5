"""One run over one resource: the faults found so far, and what a check may need to know of its surroundings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapter.issues import Issue, Severity
from adapter.validation.messages import MESSAGES

Tree = dict[str, Any]
TIERS = ("structure", "invariants", "bindings", "references", "questionnaire", "profiles")


@dataclass(frozen=True, slots=True)
class Quirks:
    """Where the reference validator differs from the letter of the specification, or can be told to.

    `check_unresolved_targets`: a reference that leads out of sight must still be of an allowed type.
    `unknown_extensions`: what an extension is worth that no definition at hand knows: error, warning or information.
    `markup_in_strings`: text that looks like HTML in a plain string is an error.
    `max_size_in_bytes`: the extension maxSize, in megabytes by its definition, is read as bytes.
    `displays`: severity of a display that is not the code system's.
    """

    check_unresolved_targets: bool = True
    unknown_extensions: Severity = "information"
    markup_in_strings: bool = False
    max_size_in_bytes: bool = False
    displays: Severity = "warning"


@dataclass(slots=True)
class Fault:
    """A fault while its place is still being put together, from the inside outwards."""

    message_id: str
    path: str
    params: Mapping[str, str]
    severity: Severity | None
    source: str

    def issue(self, root: str) -> Issue:
        """The issue as it is given out."""
        message = MESSAGES[self.message_id]
        return Issue(
            severity=self.severity or message.severity,
            code=message.code,
            message_id=self.message_id,
            text=message.text.format_map(self.params),
            expression=root + self.path,
            source=self.source,
        )


@dataclass(slots=True)
class Run:
    """`resource` is FHIRPath's %resource, `root` its %rootResource, `bundle` maps what in-bundle references resolve to.

    `packaged`: the built-in packages hold for this resource, because it claims one of their profiles or is asked to.
    """

    root: Tree
    quirks: Quirks
    resource: Tree
    out: list[Fault] = field(default_factory=list)
    contained: Mapping[str, Tree] = field(default_factory=dict)
    bundle: Mapping[str, Tree] | None = None
    base: str = ""
    uncheckable: set[str] = field(default_factory=set)
    env: Any = None
    profiles: tuple[str, ...] = ()
    packaged: bool = False
    bases: dict[int, str] = field(default_factory=dict)

    def add(
        self, message_id: str, path: str = "", *, severity: Severity | None = None, source: str = "", **params: str
    ) -> None:
        """Notes a fault; `path` is relative to the node that is being checked (`.status`, `.name[0]`)."""
        self.out.append(Fault(message_id, path, params, severity, source))

    def prefix(self, since: int, step: str) -> None:
        """Puts a step before the places of all faults noted since."""
        for fault in self.out[since:]:
            fault.path = step + fault.path

    def below(self, step: str, check: Callable[..., None], *args: Any) -> None:
        """Runs a check of a child node, whose faults then stand under `step`."""
        since = len(self.out)
        check(*args)
        if len(self.out) > since:
            self.prefix(since, step)

    def fatal(self, message_id: str) -> Issue:
        """An issue about the whole."""
        return Fault(message_id, "", {}, None, "").issue("")

    def note(self, message_id: str, place: str, **params: str) -> Issue:
        """An issue that stands beside the faults."""
        return Fault(message_id, place, params, None, "").issue("")
