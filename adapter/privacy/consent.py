"""What the patient's consents say of one disclosure: of one resource, to one recipient, for one purpose, now. Pure.

https://hl7.org/fhir/R4/consent.html and 42 CFR 2.31 to 2.33. A refusal, and a permission that has ended or was revoked,
stop what they cover; where no consent speaks of it, the recipient's own rule counts (`Recipient.needs_consent`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from adapter.identity import IDENTIFIER_SYSTEM, TYPE_OF_KIND
from adapter.ports import HostClass
from adapter.records.dates import is_before

Tree = dict[str, Any]
Word = Literal["permit", "deny", "ended", ""]

PURPOSE = "TREAT"
# Who sends, among the actors of a provision; all others receive. https://terminology.hl7.org/CodeSystem-v3-ParticipationType
_SENDERS = frozenset({"CST", "INF", "AUT"})
_SENDING = frozenset({"disclose", "access", "use"})
# Labels that every record of addiction treatment has, whether they stand on its resource or not.
_OURS = frozenset({"42CFRPart2", "R", "SUD", "SUDPROBLEM", "ETH", "ETHUD", "ETHUDPROBLEM", "OPIOIDUD", "BH"})
_LOWER = frozenset({"V"})
_PRIVACY = "patient-privacy"
_NOT_OF_A_NAME = re.compile(r"[^a-z0-9.]+")
_RESOURCE_TYPES = "http://hl7.org/fhir/resource-types"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is to get it: a name for messages, the class of its host, and the run tag that goes to a public one.

    `names` are what consents may call it (a name, an address, `system|value` of an identifier), `purpose` what it is sent
    for. With `needs_consent` a real record goes only where a consent permits it. Who is `inside` is the one who keeps the
    records: a consent to disclosure is about them only where it names them.
    """

    name: str
    host_class: HostClass
    run_tag: str = ""
    names: frozenset[str] = frozenset()
    purpose: str = PURPOSE
    needs_consent: bool = False
    inside: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """What the consents of a patient say of one resource: `word` is empty where they say nothing; `reason` names the
    consent, never a value of it.
    """

    word: Word = ""
    reason: str = ""

    @property
    def stops(self) -> bool:
        """Whether it may not leave."""
        return self.word in ("deny", "ended")


@dataclass(frozen=True, slots=True)
class Question:
    """One disclosure: a resource, or a record of ours, to a recipient at an instant (FHIR's, in UTC)."""

    resource: Tree
    recipient: Recipient
    now: str
    names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        known = {self.recipient.name, *self.recipient.names}
        object.__setattr__(self, "names", frozenset(name.casefold().rstrip("/") for name in known))


def asked(resource: Tree, recipient: Recipient, now: datetime) -> Question:
    """The question at this instant."""
    return Question(resource, recipient, now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def weigh(consents: Sequence[Tree], question: Question) -> Said:
    """What the consents of its patient say. A refusal counts before a permission, a permission before one that has ended."""
    found = [said for consent in consents if (said := _one(consent, question)).word]
    for word in ("deny", "permit", "ended"):
        for said in found:
            if said.word == word:
                return said
    return Said()


def _one(consent: Tree, question: Question) -> Said:
    scope = consent.get("scope") or {}
    if scope.get("code", _PRIVACY) != _PRIVACY or consent.get("status") not in ("active", "inactive", "rejected"):
        return Said()
    provision = consent.get("provision") or {}
    base: Word = provision.get("decision") or _rule_of(consent)
    word = _provision(provision, base, question)
    name = f"consent/{consent.get('id', '')}"
    if consent["status"] == "rejected":
        return Said("deny", f"{name} was rejected") if word == "permit" else Said()
    if consent["status"] == "inactive":
        return Said("ended", f"{name} was revoked") if word in ("permit", "ended") else Said()
    if word == "ended":
        return Said(word, f"{name} has expired or does not hold yet")
    return Said(word, f"{name} {'denies' if word == 'deny' else 'permits'} it") if word else Said()


def _rule_of(consent: Tree) -> Word:
    """A consent whose provision does not say is of its policy rule; an active one without any is a permission."""
    return "deny" if (consent.get("policy_rule") or {}).get("code") in ("OPTOUT", "OPTOUTE") else "permit"


def _provision(provision: Tree, word: Word, question: Question) -> Word:
    """What a provision says of it: of its exceptions, the one that fits; empty where it does not cover it."""
    if not _covers(provision, question, denied=word == "deny"):
        return ""
    if not _holds(provision.get("period") or {}, question.now):
        return "ended" if word == "permit" else ""
    inner = [
        _provision(one, one.get("decision") or ("permit" if word == "deny" else "deny"), question)
        for one in provision.get("provisions") or []
    ]
    if "deny" in inner:
        return "deny"
    return "permit" if "permit" in inner else word


def _holds(period: Tree, now: str) -> bool:
    start, end = period.get("start"), period.get("end")
    return not (start and is_before(now, start)) and not (end and is_before(end, now))


def _covers(provision: Tree, question: Question, *, denied: bool) -> bool:
    """Whether it is about this disclosure. Where that cannot be told, a refusal is, and a permission is not."""
    return (
        _names_recipient(provision, question)
        and _has_purpose(provision, question)
        and _is_about_sending(provision)
        and _has_class(provision, question, denied=denied)
        and _has_label(provision, question)
        and _has_code(provision, question)
        and _has_data(provision, question, denied=denied)
        and (denied or not provision.get("data_period"))
    )


def _names_recipient(provision: Tree, question: Question) -> bool:
    receiving = [
        actor for actor in provision.get("actors") or [] if (actor.get("role") or {}).get("code") not in _SENDERS
    ]
    if not receiving:
        return not question.recipient.inside
    return any(name in question.names for actor in receiving for name in _names(actor.get("who")))


def _names(who: Any) -> Iterator[str]:
    """What a party is called, as names are compared; `General Hospital` is the server or token `general-hospital` too."""
    if isinstance(who, str):
        yield who.casefold()
        yield _NOT_OF_A_NAME.sub("-", who.casefold()).strip("-")
    elif isinstance(who, dict):
        identifier = who.get("identifier") or {}
        yield from _names(who.get("text"))
        for name in (who.get("reference"), identifier.get("value")):
            if isinstance(name, str):
                yield name.casefold().rstrip("/")
        yield f"{identifier.get('system', '')}|{identifier.get('value', '')}".casefold()


def _has_purpose(provision: Tree, question: Question) -> bool:
    purposes = provision.get("purposes") or []
    return not purposes or any(one.get("code") == question.recipient.purpose for one in purposes)


def _is_about_sending(provision: Tree) -> bool:
    codes = {one.get("code") for one in provision.get("actions") or []}
    return not codes or None in codes or bool(codes & _SENDING)


def _has_class(provision: Tree, question: Question, *, denied: bool) -> bool:
    """Patients are of every class: nothing can be read without whom it is about."""
    classes = provision.get("classes") or []
    type_ = type_of(question.resource)
    if not classes or (not denied and type_ == "Patient"):
        return True
    known = [one.get("code") for one in classes if one.get("system") in (None, _RESOURCE_TYPES)]
    return type_ in known or (denied and len(known) < len(classes))


def _has_label(provision: Tree, question: Question) -> bool:
    """Every record here is of addiction treatment; finer labels count where they stand on the resource."""
    labels = {one.get("code") for one in provision.get("labels") or []}
    meta = question.resource.get("meta") or {}
    return not labels or bool(labels & (_OURS | _LOWER | {one.get("code") for one in meta.get("security") or []}))


def _has_code(provision: Tree, question: Question) -> bool:
    codes = {(one.get("system"), one.get("code")) for one in provision.get("codes") or []}
    return not codes or any(coding in codes for coding in _codings(question.resource))


def _codings(node: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(node, dict):
        if isinstance(node.get("code"), str):
            yield node.get("system"), node["code"]
        for value in node.values():
            yield from _codings(value)
    elif isinstance(node, list):
        for value in node:
            yield from _codings(value)


def _has_data(provision: Tree, question: Question, *, denied: bool) -> bool:
    """A thing that is named itself; what belongs to it, or depends on it, cannot be told from here."""
    data = provision.get("data") or []
    if not data:
        return True
    named = {name for one in data for name in _names(one.get("what"))}
    own = {f"{type_of(question.resource)}/{question.resource.get('id', '')}".casefold()}
    own |= {str(one.get("value", "")).casefold() for one in _identifiers(question.resource)}
    return bool(named & own) or (denied and any(one.get("meaning") != "instance" for one in data))


def _identifiers(resource: Tree) -> list[Tree]:
    found = resource.get("identifier")
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict)]


def part_of(tree: Tree, record: str) -> str:
    """Which part of its record ("kind/id") a resource is: its type, with the id of the item that it is one of several by."""
    own = next((one.get("value") for one in _identifiers(tree) if one.get("system") == IDENTIFIER_SYSTEM), None)
    return f"{type_of(tree)}/{own}" if own and own != record.partition("/")[2] else type_of(tree)


def type_of(tree: Tree) -> str:
    """The FHIR type of a resource, or of what a record is chiefly made to."""
    return str(tree.get("resourceType") or TYPE_OF_KIND.get(str(tree.get("kind")), ""))
