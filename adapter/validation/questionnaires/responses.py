"""Tier 5: a QuestionnaireResponse against its Questionnaire.

https://hl7.org/fhir/R4/questionnaireresponse.html#link
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapter.definitions import Definitions
from adapter.issues import Severity
from adapter.validation.fhirpath.compiling import Env
from adapter.validation.fhirpath.values import compare_moments
from adapter.validation.questionnaires.answers import TYPES, check_answer
from adapter.validation.questionnaires.checks import check_questionnaire
from adapter.validation.questionnaires.enabling import Known, is_enabled, rows, same_value, value_of
from adapter.validation.questionnaires.expressions import Expressions, differs, is_enabled_by
from adapter.validation.questionnaires.form import Form, FormItem, by_canonical, read_form
from adapter.validation.references import resolve
from adapter.validation.run import Run

Tree = dict[str, Any]
FINISHED = ("completed", "amended")
KNOWN = ("group", "display")
# Steps that all expressions of a form may take over one response together.
BUDGET = 5_000_000


class Responses:
    """The Questionnaires at hand, each read once when first asked for. Safe to share between threads."""

    def __init__(self, defs: Definitions, questionnaires: Mapping[str, Tree]) -> None:
        self.defs = defs
        self.trees = by_canonical(questionnaires.values())
        self.trees.update(questionnaires)
        self._forms: dict[str, Form] = {}

    def check(self, tree: Tree, run: Run) -> None:
        """Every Questionnaire and every response in a resource: itself, what it contains, or the entries of a Bundle.

        The Questionnaires of a Bundle count for its responses too.
        """
        kind = tree.get("resourceType")
        if kind == "Bundle":
            entries = [(index, row.get("resource")) for index, row in enumerate(rows(tree.get("entry")))]
            resources = [(index, each) for index, each in entries if isinstance(each, dict)]
            near = by_canonical(each for _, each in resources if each.get("resourceType") == "Questionnaire")
            for index, each in resources:
                run.below(f".entry[{index}].resource", self._check_resource, each, near, run)
        else:
            self._check_resource(tree, {}, run)

    def _check_resource(self, tree: Tree, near: Mapping[str, Tree], run: Run) -> None:
        kind = tree.get("resourceType")
        if kind == "QuestionnaireResponse":
            self._check_one(tree, near, run)
        elif kind == "Questionnaire":
            check_questionnaire(tree, run)
        if "contained" in tree:
            for index, each in enumerate(rows(tree["contained"])):
                if each.get("resourceType") == "Questionnaire":
                    run.below(f".contained[{index}]", check_questionnaire, each, run)

    def _check_one(self, response: Tree, near: Mapping[str, Tree], run: Run) -> None:
        canonical = response.get("questionnaire")
        if not isinstance(canonical, str):
            if "questionnaire" not in response:
                run.add("response-no-questionnaire")
            return
        form = self._form(canonical, response, near)
        if form is None:
            run.add("response-questionnaire-missing", ".questionnaire")
            return
        _Check(self.defs, form, response, run).whole()

    def _form(self, canonical: str, response: Tree, near: Mapping[str, Tree]) -> Form | None:
        if canonical.startswith("#"):
            for row in rows(response.get("contained")):
                if row.get("id") == canonical[1:] and row.get("resourceType") == "Questionnaire":
                    return read_form(row, self.defs)
            return None
        if canonical in near:
            return read_form(near[canonical], self.defs)
        if canonical not in self._forms:
            tree = self.trees.get(canonical)
            if tree is None:
                return None
            self._forms[canonical] = read_form(tree, self.defs)
        return self._forms[canonical]


class _Check:
    """One response against one form. `above` is always the response from its root down to the present node."""

    def __init__(self, defs: Definitions, form: Form, response: Tree, run: Run) -> None:
        self.defs = defs
        self.form = form
        self.response = response
        self.run = run
        self.finished = response.get("status") in FINISHED
        self.missing: Severity = "error" if self.finished else "warning"
        self.known: Known = {}
        # What expressions see; None where the form has none.
        self.env: Env | None = None

    def whole(self) -> None:
        """The response as a whole."""
        self._check_period()
        if self.form.expressed:
            self.env = Env(self.response, self.response, lambda reference: resolve(reference, self.run))
            self.env.variables["questionnaire"] = [self.form.tree]
            self.env.budget = [BUDGET]
        if self.form.expressions is not None:
            self._express(self.form.expressions, self.response)
        self.items(self.form, self.response, [self.response])

    def _check_period(self) -> None:
        authored = self.response.get("authored")
        start, end = self.form.period.get("start"), self.form.period.get("end")
        if not isinstance(authored, str):
            return
        early = isinstance(start, str) and compare_moments(authored, start) == -1
        late = isinstance(end, str) and compare_moments(authored, end) == 1
        if early or late:
            self.run.add("response-outside-period", ".authored")

    def items(self, level: Form | FormItem, holder: Tree, above: list[Tree]) -> None:
        """The items under one node; places are relative to it."""
        given = holder.get("item")
        found = self._sort(level, given, above) if type(given) is list else {}
        for item in level.items:
            nodes = found.get(item.link_id)
            enabled = item.is_free or self._enabled(item, holder, above)
            if nodes is None:
                if enabled and item.required and item.type != "display":
                    self.run.add("response-required", severity=self.missing, link_id=_shown(item))
                continue
            if len(nodes) > 1:
                if not item.repeats:
                    self.run.add("response-repeats")
                elif item.type != "group":
                    self.run.add("response-question-twice", f".item[{nodes[1][0]}]")
            if item.bounded:
                self._check_occurs(item, nodes)
            for index, node in nodes:
                self._one_at(item, index, node, enabled, above)

    def _one_at(self, item: FormItem, index: int, node: Tree, enabled: bool, above: list[Tree]) -> None:
        since = len(self.run.out)
        self.one(item, node, enabled, above)
        if len(self.run.out) > since:
            self.run.prefix(since, f".item[{index}]")

    def _sort(self, level: Form | FormItem, given: list[Any], above: list[Tree]) -> dict[str, list[tuple[int, Tree]]]:
        """The nodes of a list by linkId, with where they stand."""
        known = level.known
        found: dict[str, list[tuple[int, Tree]]] = {}
        last = -1
        for index, node in enumerate(given):
            link_id = node.get("linkId") if type(node) is dict else None
            if type(link_id) is not str:
                continue
            item = known.get(link_id)
            if item is None:
                self._stray(link_id, node, index, above)
                continue
            if item.order < last:
                self.run.add("response-item-order")
            last = item.order
            if link_id in found:
                found[link_id].append((index, node))
            else:
                found[link_id] = [(index, node)]
        return found

    def _stray(self, link_id: str, node: Tree, index: int, above: list[Tree]) -> None:
        item = self.form.by_link_id.get(link_id)
        if item is None:
            self.run.add("response-link-id-unknown")
            return
        self.run.add("response-item-misplaced")
        self._one_at(item, index, node, True, above)

    def _check_occurs(self, item: FormItem, given: list[tuple[int, Tree]]) -> None:
        least, most = item.limits.get("min_occurs"), item.limits.get("max_occurs")
        if self.run.quirks.strict_occurs:
            self._check_occurs_strictly(least, most, item, given)
            return
        answers = sum(len(rows(node.get("answer"))) for _, node in given)
        count = len(given) if item.type == "group" else answers
        place = f".item[{given[0][0]}]"
        if type(least) is int and count < least:
            self.run.add("response-min-occurs", place, severity=self.missing, link_id=_shown(item))
        if type(most) is int and count > most:
            self.run.add("response-max-occurs", place, link_id=_shown(item))

    def _check_occurs_strictly(self, least: Any, most: Any, item: FormItem, given: list[tuple[int, Tree]]) -> None:
        """As the reference counts: in each node by itself, and the limit is itself outside."""
        for index, node in given:
            answers = len(rows(node.get("answer")))
            if type(most) is int and answers >= most >= 0:
                self.run.add("response-max-occurs", f".item[{index}]", link_id=_shown(item))
            if type(least) is int and answers <= least:
                self.run.add("response-min-occurs", f".item[{index}]", link_id=_shown(item))

    def _enabled(self, item: FormItem, holder: Tree, above: list[Tree]) -> bool:
        by_expression = is_enabled_by(item.expressions, holder, self.env)
        return is_enabled(item, above, self.known) if by_expression is None else by_expression

    def _express(self, expressions: Expressions, node: Tree) -> None:
        """The form's own invariants over one node, whose variables then hold below it."""
        if self.env is None:
            return
        self.env = expressions.scope(node, self.env)
        for constraint, told in expressions.broken(node, self.env):
            source, key = "Questionnaire", constraint.key or "a constraint"
            if told:
                self.run.add(
                    "response-constraint", severity=constraint.severity, source=source, key=key, human=constraint.human
                )
            else:
                self.run.add("invariant-not-checked", source=source, key=key)

    def one(self, item: FormItem, node: Tree, enabled: bool, above: list[Tree]) -> None:
        """One item of the response against its item of the form."""
        before = self.env
        if item.expressions is not None:
            self._express(item.expressions, node)
        self._one(item, node, enabled, above)
        self.env = before

    def _one(self, item: FormItem, node: Tree, enabled: bool, above: list[Tree]) -> None:
        text = node.get("text")
        if isinstance(text, str) and text and text != item.text:
            self.run.add("response-text-differs")
        answers = rows(node.get("answer"))
        if not enabled and (answers or node.get("item")):
            self.run.add("response-disabled")
        if item.type in TYPES:
            self._question(item, node, answers, enabled, above)
        else:
            if answers:
                self.run.add("response-no-answer-here", type=item.type if item.type in KNOWN else "question")
            if item.type == "group" and item.required and not node.get("item"):
                self.run.add("response-group-empty" if self.finished and enabled else "response-group-empty-yet")
            elif item.type == "display" and node.get("item"):
                self.run.add("response-item-in-display")
            self.items(item, node, [*above, node])

    def _question(self, item: FormItem, node: Tree, answers: list[Tree], enabled: bool, above: list[Tree]) -> None:
        if node.get("item"):
            self.run.add("response-item-in-answer")
        if not answers:
            if enabled and item.required:
                self.run.add("response-required", severity=self.missing, link_id=_shown(item))
            return
        if len(answers) > 1 and not item.repeats:
            self.run.add("response-repeats")
        run = self.run
        for index, answer in enumerate(node["answer"]):
            if type(answer) is dict:
                since = len(run.out)
                check_answer(self.defs, item, answer, run)
                if item.items or "item" in answer:
                    self.items(item, answer, [*above, node, answer])
                if len(run.out) > since:
                    run.prefix(since, f".answer[{index}]")
        if item.excludes and len(answers) > 1:
            self._check_exclusive(item, answers)
        if item.expressions is not None:
            self._check_calculated(item, node, answers)

    def _check_calculated(self, item: FormItem, node: Tree, answers: list[Tree]) -> None:
        if item.expressions is None or self.env is None or len(answers) != 1:
            return
        if differs(item.expressions, node, value_of(answers[0])[1], self.env):
            self.run.add("response-calculated", ".answer[0]", source="Questionnaire")

    def _check_exclusive(self, item: FormItem, answers: list[Tree]) -> None:
        alone = [(name, value) for name, value, exclusive in item.options if exclusive]
        given = [value_of(answer) for answer in answers]
        if len(given) > 1 and any(
            name == key and same_value(value, option) for name, value in given for key, option in alone
        ):
            self.run.add("response-option-exclusive", ".answer[0]")


def _shown(item: FormItem) -> str:
    """A linkId belongs to the form, not to the patient."""
    return item.link_id if len(item.link_id) <= 64 else "(long)"
