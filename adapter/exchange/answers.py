"""What an answer means: a FHIR tree, or one of our errors.

https://hl7.org/fhir/R4/http.html#summary — HAPI says in codes (HAPI-0989 …) what the status alone leaves open.
A server's free text may repeat a patient's data: only codes and places of it are taken over.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from adapter import fhir_json
from adapter.errors import (
    AdapterError,
    BadInput,
    Conflict,
    Gone,
    NotFound,
    ServerRefused,
    Unavailable,
    UnknownOutcome,
)
from adapter.exchange.limits import Limits
from adapter.exchange.pacing import retry_after
from adapter.exchange.transport import Answer
from adapter.issues import Issue, from_operation_outcome
from adapter.ports import Clock, Tree

FHIR_JSON = frozenset({"application/fhir+json", "application/json", "application/json+fhir", "text/json"})
# Which write met which, as HAPI tells them apart; a 409 of HAPI without a code is a delete of what is still referenced.
CONFLICTS = {"0989": "version", "0974": "version", "0823": "race", "0825": "client-id", "2745": "create-race"}

_HAPI_CODE = re.compile(r"HAPI-(\d{4})")
_ISSUE_TYPE = re.compile(r"[a-z-]{1,30}")
_EXPRESSION = re.compile(r"[A-Za-z][\w.\[\]()]{0,200}")


def tree_of(answer: Answer, limits: Limits) -> Tree | None:
    """The resource in the body, or None where the body is not FHIR JSON."""
    if answer.media_type not in FHIR_JSON:
        return None
    try:
        tree = fhir_json.loads(answer.body, fhir_json.Bounds(size=limits.size, depth=limits.depth))
    except BadInput:
        return None
    return tree if isinstance(tree, dict) and isinstance(tree.get("resourceType"), str) else None


def not_fhir(answer: Answer, what: str = "", *, retry_after: float | None = None) -> Unavailable:
    """The error for an answer that a FHIR server does not give: of a write, nobody knows what became of it."""
    what = what or f"The server did not answer with FHIR JSON (HTTP status {answer.status})."
    if answer.write:
        what = what.removesuffix(".") + "; whether the write took effect is not known."
        remedy = "Look at the server before sending it again."
        return UnknownOutcome(what, place=answer.place, remedy=remedy, retry_after=retry_after)
    return Unavailable(what, place=answer.place, retry_after=retry_after)


def error_of(answer: Answer, limits: Limits, clock: Clock, *, no_codes: str = "conflict") -> AdapterError | None:
    """The error that an answer's status stands for; None where it is a success.

    `no_codes` says what a 409 without one of HAPI's codes means: "conflict" or "refused".
    """
    status = answer.status
    if 200 <= status < 300:
        return None
    wait = retry_after(answer.headers.get("retry-after", ""), clock)
    if status == 429:
        return Unavailable("The server asks for fewer requests.", place=answer.place, retry_after=wait)
    if status < 400:
        return not_fhir(answer, f"The server redirects elsewhere (HTTP status {status}); that was not followed.")
    if status >= 500 or status == 408:
        return not_fhir(answer, f"The server failed (HTTP status {status}).", retry_after=wait)
    return _refusal(answer, tree_of(answer, limits), no_codes)


def _refusal(answer: Answer, tree: Tree | None, no_codes: str) -> AdapterError:
    status, place = answer.status, answer.place
    issues, codes = said(tree)
    if status in {404, 410}:
        return _absent(answer, tree, issues)
    if status in {409, 412} and (reason := _reason(status, codes, no_codes)):
        return Conflict("Somebody else wrote in between.", reason=reason, issues=issues, place=place)
    if status in {401, 403}:
        remedy = "Check the credentials given for this server, and what they allow."
        return ServerRefused(
            "The server does not let us do that.", status=status, issues=issues, place=place, remedy=remedy
        )
    named = f", {', '.join('HAPI-' + code for code in codes)}" if codes else ""
    return ServerRefused(
        f"The server refused the request (HTTP status {status}{named}).", status=status, issues=issues, place=place
    )


def _absent(answer: Answer, tree: Tree | None, issues: list[Issue]) -> AdapterError:
    if tree is None and answer.body.strip():
        # A proxy's page, or a server that is no FHIR server, must not read as "deleted".
        return not_fhir(answer)
    if answer.status == 410:
        return Gone("It has been deleted on the server.", issues=issues, place=answer.place)
    return NotFound("The server does not know it.", issues=issues, place=answer.place)


def _reason(status: int, codes: list[str], no_codes: str) -> str:
    """Why a write met another; empty where it did not."""
    known = [CONFLICTS[code] for code in codes if code in CONFLICTS]
    if known:
        return known[-1]
    if status == 412:
        # Of HAPI, 412 speaks of conditions that several match; of others, of a version.
        return "" if codes or no_codes == "refused" else "version"
    return "version" if no_codes == "conflict" else ""


def said(tree: Tree | None) -> tuple[list[Issue], list[str]]:
    """Issues of an OperationOutcome without its free text, and the codes that HAPI wrote into it."""
    if tree is None or tree.get("resourceType") != "OperationOutcome":
        return [], []
    rows = [row for row in _list(tree.get("issue")) if isinstance(row, dict)]
    issues, codes = [], []
    for row, issue in zip(rows, from_operation_outcome({"issue": rows}), strict=True):
        found = _HAPI_CODE.findall(str(row.get("diagnostics", "")))
        codes += [code for code in found if code not in codes]
        issues.append(_cleaned(issue, found))
    return issues, codes


def _cleaned(issue: Issue, codes: list[str]) -> Issue:
    text = issue.text
    if codes:
        text = f"The server found a fault here ({', '.join('HAPI-' + code for code in codes)})."
    return replace(
        issue,
        code=issue.code if _ISSUE_TYPE.fullmatch(issue.code) else "unknown",
        expression=issue.expression if _EXPRESSION.fullmatch(issue.expression) else "",
        text=text,
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
