"""The validator: the tiers put together for one FHIR version, compiled once, shared between threads."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any

from adapter.definitions import BUILT_IN_URLS, Definitions, Element, TypeFacts, definitions
from adapter.definitions.archives import read_package
from adapter.errors import DataError, Refused, ServerRefused, Unavailable, UsageError
from adapter.issues import Issue, from_operation_outcome
from adapter.ports import RemoteValidator, TerminologyServer
from adapter.validation import bindings, codings, invariants, references, terminology
from adapter.validation.attachments import check_attachment
from adapter.validation.bundles import check_bundle, surroundings
from adapter.validation.extensions import Extensions
from adapter.validation.guards import needs
from adapter.validation.messages import MESSAGES
from adapter.validation.narrative import faults_of, targets_in
from adapter.validation.profiles import Profiles
from adapter.validation.questionnaires import Responses
from adapter.validation.run import MOST, TIERS, Quirks, Run, Tree
from adapter.validation.structure import Library
from adapter.validation.texts import claimed

Rule = Callable[[Any, Run], None]


class _Rules:
    """Which rules hold over which types and elements, for the tiers that are on."""

    def __init__(self, defs: Definitions, tiers: frozenset[str], markup: bool) -> None:
        self.defs = defs
        self.tiers = tiers
        self.markup = markup
        self.extensions = Extensions(defs)
        self._built_in: dict[str, bool] = {}

    def of_type(self, facts: TypeFacts) -> Iterator[Rule]:
        """The rules over each value of a type."""
        if "invariants" in self.tiers:
            yield from invariants.rules_of_type(self.defs, facts)
        if "narrative" in self.tiers and facts.name == "Narrative":
            yield needs(_check_narrative, "div")
        if "structure" in self.tiers and facts.name == "Attachment":
            yield needs(check_attachment, "size", "data")
        if "bindings" in self.tiers:
            yield from codings.rules_of_type(self.defs, facts.name)
        if "references" in self.tiers:
            if facts.name == "Reference":
                yield references.check_reference(self.defs)
            elif facts.name == "Bundle":
                yield check_bundle(self.defs)
            elif facts.kind == "resource" and "contained" in facts.elements:
                yield needs(references.check_contained_used, "contained")

    def of_element(self, owner: str, element: Element) -> Iterator[Rule]:
        """The rules over each value of an element."""
        if "invariants" in self.tiers:
            yield from invariants.rules_of_element(self.defs, owner, element)
        if "bindings" in self.tiers:
            yield from bindings.rules_of_element(self.defs, element)
            yield from codings.rules_of_element(self.defs, owner, element)
        if "references" in self.tiers:
            yield from references.rules_of_element(self.defs, element)
            if element.type == "Extension":
                yield self.extensions.rule(owner, element)
        if self.markup and element.type in ("string", "markdown"):
            yield _check_markup

    def _is_built_in(self, url: str) -> bool:
        found = self._built_in.get(url)
        if found is None:
            found = self.defs.profile(url) is not None
            if found:
                # Few: what data names and nobody defines is not kept.
                self._built_in[url] = found
        return found

    def enter(self, tree: Tree, run: Run) -> None:
        """Before a resource that stands by itself is checked."""
        if "profiles" in self.tiers:
            wanted = [*claimed(tree), *run.profiles]
            run.packaged = any(url.startswith(BUILT_IN_URLS) and self._is_built_in(url) for url in wanted)
        if "contained" in tree:
            since = len(run.out)
            run.contained = references.contained_of(tree, run)
            if "references" not in self.tiers:
                del run.out[since:]


def _check_narrative(value: Any, run: Run) -> None:
    div = value.get("div")
    if isinstance(div, str) and div:
        faults, links = faults_of(div)
        for message_id in faults:
            run.add(message_id, ".div")
        # A link may lead to any id of the resource, and in a Bundle of the whole.
        if links and not links <= targets_in(run.outermost):
            run.add("narrative-link", ".div")


def _check_markup(value: Any, run: Run) -> None:
    if "<" in value and _MARKUP.search(value):
        run.add("string-markup")


_MARKUP = re.compile(r"<[A-Za-z/!]")


def _compiled(defs: Definitions, tiers: frozenset[str], markup: bool) -> tuple[Library, _Rules, Profiles]:
    key = (tiers, markup)
    if key not in defs.compiled:
        rules = _Rules(defs, tiers, markup)
        made = Library(defs, rules.of_type, rules.of_element, rules.enter), rules, Profiles(defs)
        defs.compiled.setdefault(key, made)
    found: tuple[Library, _Rules, Profiles] = defs.compiled[key]
    return found


class Validator:
    """Checks resources of one FHIR version. Immutable once made; `validate` may be called from many threads.

    `packages` are paths of FHIR packages (`.tgz`) whose profiles, extensions, ValueSets and Questionnaires count too;
    US Core 6.1.0 is built in. `profiles` are checked besides those that a resource claims. `questionnaires` are found by
    url or `url|version`. `tiers` names those that are on (all of `TIERS` where None). `terminology` is asked for
    codes of systems that are not at hand, `remote` for its own verdict, last; that they fail is no verdict on the data. Raises UsageError for an unknown version or tier, and for what is no package.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each thing that may be told of a validation
        self,
        version: str = "4.0.1",
        packages: Sequence[str | Path] = (),
        profiles: Sequence[str] = (),
        *,
        questionnaires: Mapping[str, Tree] | None = None,
        terminology: TerminologyServer | None = None,
        remote: RemoteValidator | None = None,
        tiers: Collection[str] | None = None,
        quirks: Quirks | None = None,
    ) -> None:
        self.tiers = frozenset(TIERS if tiers is None else tiers)
        unknown = self.tiers - {*TIERS, "typed"}
        if unknown:
            raise UsageError(f"There is no tier {min(unknown)}.", remedy=f"Tiers: {', '.join(TIERS)}.")
        self.version = version
        self.profiles = tuple(profiles)
        self.quirks = quirks or Quirks()
        self.terminology = terminology
        self.remote = remote
        defs, forms = definitions(version), {}
        if packages:
            rows = [row for path in packages for row in read_package(path)]
            defs = defs.with_resources(rows)
            forms = {row["url"]: row for row in rows if row["resourceType"] == "Questionnaire"}
        self._compile(defs, {**forms, **(questionnaires or {})})

    def _compile(self, defs: Definitions, questionnaires: Mapping[str, Tree]) -> None:
        tiers = self.tiers - {"typed", "questionnaire"}
        self._library, self._rules, self._profiles = _compiled(defs, tiers, self.quirks.markup_in_strings)
        self._responses = Responses(defs, questionnaires)

    def with_resources(self, resources: Iterable[Tree]) -> Validator:
        """The same validator, which also knows single StructureDefinitions, ValueSets, CodeSystems, Questionnaires."""
        made = copy(self)
        rows = list(resources)
        forms = {row["url"]: row for row in rows if row.get("resourceType") == "Questionnaire"}
        known = dict(self._responses.trees)
        # The same class.
        made._compile(  # noqa: SLF001
            self._library.defs.with_resources(rows), {**known, **forms}
        )
        return made

    def validate(self, tree: Any) -> list[Issue]:
        """Every issue of a resource, errors and others, in the order of the resource. Raises nothing for any tree."""
        if not isinstance(tree, dict):
            return [Run({}, self.quirks, {}).fatal("resource-not-object")]
        run = Run(tree, self.quirks, tree, profiles=self.profiles)
        try:
            self._check(tree, run)
        except RecursionError:
            run.out.clear()
            run.add("resource-too-deep")
        return self._issues(tree, run)

    def explain(self, issue: Issue, tree: Any = None) -> list[str]:
        """Which rule of which definition an issue of a resource comes from, a line for each thing to know of it."""
        from adapter.validation.explaining import explain

        return explain(self._library.defs, issue, tree)

    def _check(self, tree: Tree, run: Run) -> None:
        if tree.get("resourceType") == "Bundle":
            run.bundle = surroundings(tree)
        self._rules.enter(tree, run)
        self._library.check_resource(tree, run)
        if "questionnaire" in self.tiers:
            self._responses.check(tree, run)
        if "profiles" in self.tiers:
            self._profiles.check(tree, self.profiles, run)
        if self.terminology is not None and "bindings" in self.tiers:
            terminology.ask(self.terminology, self._library.defs, tree, run)

    def _issues(self, tree: Tree, run: Run) -> list[Issue]:
        name = tree.get("resourceType")
        root = name if isinstance(name, str) and name in self._library.resource_types else ""
        found = []
        for fault in run.out:
            if MESSAGES[fault.message_id].quirk and not self.quirks.followed:
                continue
            late = fault.message_id in ("extension-context", "extension-not-here")
            if late and not self._rules.extensions.confirmed(fault, tree, root + fault.path):
                continue
            found.append(fault.issue(root, self.quirks))
        if len(run.out) >= MOST:
            found.append(run.note("issues-too-many", root))
        unchecked = sorted({system if system.startswith("http") else "another system" for system in run.uncheckable})
        found += [run.note("code-not-checked", root, system=system) for system in unchecked]
        if "typed" in self.tiers:
            from adapter.validation.typed import second_opinion

            found.extend(second_opinion(tree))
        if self.remote is not None:
            found.extend(_ask(self.remote, tree, self.profiles))
        return found


def _ask(server: RemoteValidator, tree: Tree, profiles: tuple[str, ...]) -> list[Issue]:
    """The server's own verdict; one that could not be had is no verdict on the data."""
    try:
        outcome = server.validate(tree, profile=profiles[0] if profiles else None)
    except Refused:
        return [Run({}, Quirks(), {}).fatal("remote-refused")]
    except (Unavailable, ServerRefused, DataError):
        return [Run({}, Quirks(), {}).fatal("remote-unavailable")]
    return from_operation_outcome(outcome)


def validate(
    resource: Any,
    *,
    version: str = "4.0.1",
    profiles: Sequence[str] = (),
    questionnaires: Mapping[str, Tree] | None = None,
    tiers: Collection[str] | None = None,
) -> list[Issue]:
    """The issues of one resource or Bundle; see Validator."""
    return Validator(version, (), profiles, questionnaires=questionnaires, tiers=tiers).validate(resource)
