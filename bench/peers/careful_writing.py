"""What the resources of the job have in common, written by hand: texts, dates, codes, references, each checked."""

from __future__ import annotations

from typing import Any

from adapter.identity import IDENTIFIER_SYSTEM, resource_id
from adapter.issues import Issue
from adapter.records.dates import is_date, is_datetime
from bench.peers.careful_tables import CODING, LOCAL, Codes, Row

Tree = dict[str, Any]


class Writing:
    """A plan, what is wrong with it, and how its values are written; a value that FHIR cannot say is left out and said."""

    def __init__(self, plan: Tree) -> None:
        self.plan, self.issues = plan, list[Issue]()

    def _head(self, type_: str, record_id: str, part: str) -> Tree:
        return {
            "resourceType": type_,
            "id": resource_id("plan", self.plan["id"], part),
            "identifier": [{"system": IDENTIFIER_SYSTEM, "value": record_id}],
        }

    def _left_out(self, path: str) -> None:
        text = "The value is not one that FHIR can say here; it was left out."
        self.issues.append(Issue("error", "value", "map-not-written", text, expression=path))

    def _copied(self, source: Tree, tree: Tree, rows: tuple[Row, ...], where: str) -> None:
        """Texts and codes."""
        for name, element, allowed in rows:
            value = source.get(name)
            if value is not None:
                if type(value) is str and value and (allowed is None or value in allowed):
                    tree[element] = value
                else:
                    self._left_out(f"{where}.{element}")

    def _day(self, source: Tree, tree: Tree, name: str, element: str, where: str) -> None:
        value = source.get(name)
        if value is not None:
            if is_date(value):
                tree[element] = value
            else:
                self._left_out(f"{where}.{element}")

    def _moment(self, source: Tree, tree: Tree, name: str, element: str, where: str) -> None:
        value = source.get(name)
        if value is not None:
            if is_datetime(value):
                tree[element] = value
            else:
                self._left_out(f"{where}.{element}")

    def _period(self, source: Tree, tree: Tree, where: str) -> None:
        period = source.get("period")
        if type(period) is dict:
            made: Tree = {}
            self._moment(period, made, "start", "start", where)
            self._moment(period, made, "end", "end", where)
            if made:
                tree["period"] = made

    def _subject(self, tree: Tree, type_: str) -> None:
        patient = self.plan.get("patient")
        if patient is not None:
            if type(patient) is str and patient:
                tree["subject"] = held("Patient", patient)
            else:
                self._left_out(f"{type_}.subject")

    def _party(self, source: Tree, tree: Tree, name: str, element: str, where: str) -> None:
        value = source.get(name)
        if value is not None:
            made = party(value)
            if made is not None:
                tree[element] = made
            else:
                self._left_out(f"{where}.{element}")

    def _concept(self, value: Any, codes: Codes | None, path: str) -> Tree | None:
        tree = self._codeable(value, codes) if type(value) is dict else None
        if not tree:
            self._left_out(path)
            return None
        return tree

    def _codeable(self, value: Tree, codes: Codes | None) -> Tree:
        tree: Tree = {}
        codings = self._codings(value, codes)
        for coding in value.get("also", ()):
            codings.append(dict(coding))
        if codings:
            tree["coding"] = codings
        text = value.get("text")
        if type(text) is str and text:
            tree["text"] = text
        return tree

    def _codings(self, value: Tree, codes: Codes | None) -> list[Tree]:
        code = value.get("code")
        if "system" in value or "display" in value:
            return [{key: value[key] for key in CODING if key in value}]
        if code is None:
            return []
        if codes is None:
            return [{"system": LOCAL, "code": code}]
        if type(code) is not str:
            return []
        pair = codes.published.get(code)
        if pair is not None:
            return [{"system": pair[0], "code": pair[1]}]
        if code in codes.displays:
            return [{"system": codes.system, "code": code, "display": codes.displays[code]}]
        self.issues.append(Issue("error", "code-invalid", "code-unknown", "The code is not one of this pack's."))
        return []


def held(type_: str, record_id: str) -> Tree:
    """A reference to a record that is not at hand."""
    return {"type": type_, "identifier": {"system": IDENTIFIER_SYSTEM, "value": record_id}}


def party(value: Any) -> Tree | None:
    """A name, or what others keep of a person, as a Reference."""
    if type(value) is str and value:
        return {"display": value}
    if type(value) is not dict:
        return None
    made = {key: value[key] for key in ("reference", "type", "identifier") if key in value}
    if "text" in value:
        made["display"] = value["text"]
    return made or None


def related(type_: str, value: Any) -> Tree:
    """The id of a record, alone or with what it is called here, or what others keep, as a Reference."""
    if type(value) is str:
        return held(type_, value)
    if "id" in value:
        return {**held(type_, value["id"]), "display": value["text"]} if value.get("text") else held(type_, value["id"])
    return party(value) or {}
