"""One run over one resource: the faults found so far, and what a check may need to know of its surroundings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from adapter.issues import Issue, Severity
from adapter.validation.bundles import Surroundings
from adapter.validation.messages import MESSAGES

Tree = dict[str, Any]
ABOVE = "^"
READ = frozenset(
    {"element-unknown", "element-not-list", "element-is-list", "element-not-object", "element-null", "object-empty"}
)
_CHOICE = re.compile(r"\.ofType\(\w+\)")
TIERS = ("structure", "narrative", "invariants", "bindings", "references", "questionnaire", "profiles")
# Issues of one resource: nobody reads more, and input that is wrong in every place shall not fill the memory.
MOST = 10_000


@dataclass(frozen=True, slots=True)
class Quirks:
    """Where the reference validator differs from the letter of the specification, or can be told to.

    `check_unresolved_targets`: a reference that leads out of sight must still be of an allowed type.
    `unknown_extensions`: what an extension is worth that no definition at hand knows: error, warning or information.
    `markup_in_strings`: text that looks like HTML in a plain string is an error.
    `max_size_in_bytes`: the extension maxSize, in megabytes by its definition, is read as bytes.
    `displays`: severity of a display that is not the code system's.
    `strict_occurs`: minOccurs and maxOccurs of a Questionnaire's item are themselves too few and too many.
    `reversed_min_quantity`: minQuantity in the unit of the answer is read as its maximum.
    `common_languages`: a language is one of the common ones, though other codes are allowed.
    `followed`: what is a fault for the reference alone is said too (`quirk` in the table of messages).
    `severities`: by message id, the severity of what the reference says in another way, or passes over.
    """

    check_unresolved_targets: bool = True
    unknown_extensions: Severity = "information"
    markup_in_strings: bool = False
    max_size_in_bytes: bool = False
    displays: Severity = "warning"
    strict_occurs: bool = False
    reversed_min_quantity: bool = False
    common_languages: bool = False
    followed: bool = False
    severities: Mapping[str, Severity] = field(default_factory=dict)


AS_REFERENCE = Quirks(
    check_unresolved_targets=False,
    max_size_in_bytes=True,
    strict_occurs=True,
    reversed_min_quantity=True,
    common_languages=True,
    followed=True,
    severities={
        "narrative-doctype": "information",
        "narrative-two-roots": "information",
        "primitive-only-blanks": "information",
        "array-empty-primitive": "information",
        "response-text-length": "information",
        "response-other-system": "warning",
        "binding-extensible-code": "error",
        "unit-unknown-special": "information",
        "response-question-twice": "information",
        "response-group-empty-yet": "error",
    },
)
"""The quirks of the reference in its version 6.7.9, as HAPI FHIR 8.8.1 runs it; docs/validation.md says where each stands."""


@dataclass(slots=True)
class Fault:
    """A fault while its place is still being put together, from the inside outwards."""

    message_id: str
    path: str
    params: Mapping[str, str]
    severity: Severity | None
    source: str

    @property
    def _of_json(self) -> bool:
        """Whether the reference meets it while it reads the JSON, when the type of a choice is not told yet."""
        return self.message_id in READ or self.message_id.startswith(("array-", "primitive-not-"))

    def issue(self, root: str, quirks: Quirks) -> Issue:
        """The issue as it is given out."""
        message = MESSAGES[self.message_id]
        return Issue(
            severity=quirks.severities.get(self.message_id) or self.severity or message.severity,
            code=message.code,
            message_id=self.message_id,
            text=message.text.format_map(self.params),
            expression=root + (_CHOICE.sub("[x]", self.path) if quirks.followed and self._of_json else self.path),
            source=self.source,
        )


@dataclass(slots=True)
class Run:
    """`resource` is FHIRPath's %resource, `root` its %rootResource, `bundle` what references may lead to, from the entry of `full_url`.

    `outermost` is the whole that was given. `packaged`: the built-in packages hold for this resource, because it claims
    one of their profiles or is asked to. `named` are the fragments (`#id`) that references have led to so far, `fitting` what
    was found of other resources and profiles.
    """

    root: Tree
    quirks: Quirks
    resource: Tree
    out: list[Fault] = field(default_factory=list)
    contained: Mapping[str, Tree] = field(default_factory=dict)
    bundle: Surroundings | None = None
    full_url: str | None = None
    uncheckable: set[str] = field(default_factory=set)
    env: Any = None
    profiles: tuple[str, ...] = ()
    packaged: bool = False
    outermost: Tree = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    fitting: dict[tuple[int, str], bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.outermost = self.root

    def add(
        self, message_id: str, path: str = "", *, severity: Severity | None = None, source: str = "", **params: str
    ) -> None:
        """Notes a fault; `path` is relative to the node that is being checked (`.status`, `.name[0]`)."""
        if len(self.out) < MOST:
            self.out.append(Fault(message_id, path, params, severity, source))

    def prefix(self, since: int, step: str) -> None:
        """Puts a step before the places of all faults noted since; ABOVE stands for the holder of a value."""
        for fault in self.out[since:]:
            fault.path = "" if fault.path == ABOVE else step + fault.path

    def below(self, step: str, check: Callable[..., None], *args: Any) -> None:
        """Runs a check of a child node, whose faults then stand under `step`."""
        since = len(self.out)
        check(*args)
        if len(self.out) > since:
            self.prefix(since, step)

    def fatal(self, message_id: str) -> Issue:
        """An issue about the whole."""
        return Fault(message_id, "", {}, None, "").issue("", self.quirks)

    def note(self, message_id: str, place: str, **params: str) -> Issue:
        """An issue that stands beside the faults."""
        return _note(message_id, place, tuple(params.items()), self.quirks.severities.get(message_id))


@lru_cache(maxsize=4096)
def _note(message_id: str, place: str, params: tuple[tuple[str, str], ...], severity: Severity | None) -> Issue:
    return Fault(message_id, place, dict(params), severity, "").issue("", Quirks())
