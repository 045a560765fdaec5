"""What is for a server and what is not: its kinds of record, its patients."""

from __future__ import annotations

from adapter.ports import Link, Tree
from adapter.sync.partner import Partner
from adapter.sync.references import relative


class Scope:
    """What a server's options let through."""

    def __init__(self, partner: Partner) -> None:
        options = partner.server.options
        self._kinds = frozenset(options.kinds)
        self._listed = partner.store.patients(partner.name) if options.patients == "listed" else None
        self._partner = partner
        self._known: dict[str, bool] = {}

    def outside(self, link: Link, tree: Tree) -> str:
        """Why a part is not for this server; empty where it is. What is there already stays in step."""
        if self._kinds and link.kind not in self._kinds:
            return f"no {link.kind} goes to this server"
        if self._listed is None or link.linked:
            return ""
        patient = link.local_id if link.type == "Patient" else _subject(tree)
        if patient is None or self._is_listed(patient):
            return ""
        return "the patient is not listed for this server"

    def wants(self, kind: str) -> bool:
        """Whether records of a kind are exchanged."""
        return not self._kinds or kind in self._kinds

    def _is_listed(self, id_: str) -> bool:
        if id_ not in self._known:
            stored = self._partner.store.resources([("Patient", id_)]).get(("Patient", id_))
            names = {stored.record_id, *identifiers(stored.tree)} if stored is not None else set()
            self._known[id_] = bool(names & (self._listed or frozenset()))
        return self._known[id_]

    def lists(self, patient: Tree) -> bool:
        """Whether a Patient of theirs is to be taken over."""
        if self._partner.server.options.patients == "all":
            return True
        return bool(self._listed and set(identifiers(patient)) & self._listed)


def identifiers(tree: Tree) -> list[str]:
    """`system|value` of each identifier."""
    found = tree.get("identifier")
    rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    return [f"{row.get('system', '')}|{row['value']}" for row in rows if isinstance(row.get("value"), str)]


def _subject(tree: Tree) -> str | None:
    """The id of the Patient that a resource of ours is about."""
    reference = tree.get("subject", tree.get("patient"))
    literal = reference.get("reference") if isinstance(reference, dict) else None
    key = relative(literal) if isinstance(literal, str) else None
    return key[1] if key is not None and key[0] == "Patient" else None
