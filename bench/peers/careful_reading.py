"""What the resources of the job have in common, read by hand: texts, dates, codes, references, each checked."""

from __future__ import annotations

from typing import Any

from adapter.issues import Issue
from adapter.mapping.scope import link_of
from adapter.records.dates import is_date, is_datetime
from bench.peers.careful_input import Input
from bench.peers.careful_tables import Codes, Row
from bench.peers.careful_values import concept, contained_id, own_id, party

Tree = dict[str, Any]


class Reading:
    """An input, what of it was not understood, and how its values are read. `at` is the resource at hand, `plan` the record's."""

    def __init__(self, input_: Input) -> None:
        self.input, self.issues = input_, list[Issue]()
        self.at: Tree = {}
        self.plan = -1

    def _foreign(self, value: Any, path: str) -> None:
        if not (type(value) is dict and "extension" in value):
            text = "The value is carried along as it is: the record has no place for it."
            self.issues.append(Issue("information", "not-supported", "map-not-understood", text, expression=path))

    def _copied(self, tree: Tree, record: Tree, rows: tuple[Row, ...], where: str) -> None:
        """Texts and codes."""
        for name, element, allowed in rows:
            value = tree.get(element)
            if value is not None:
                if type(value) is str and value and (allowed is None or value in allowed):
                    record[name] = value
                else:
                    self._foreign(value, f"{where}.{element}")

    def _day(self, tree: Tree, record: Tree, element: str, name: str, where: str) -> None:
        value = tree.get(element)
        if value is not None:
            if is_date(value):
                record[name] = value
            else:
                self._foreign(value, f"{where}.{element}")

    def _moment(self, tree: Tree, record: Tree, element: str, name: str, where: str) -> None:
        value = tree.get(element)
        if value is not None:
            if is_datetime(value):
                record[name] = value
            else:
                self._foreign(value, f"{where}.{element}")

    def _period(self, tree: Tree, record: Tree, where: str) -> None:
        value = tree.get("period")
        if type(value) is dict:
            period: Tree = {}
            self._moment(value, period, "start", "start", where)
            self._moment(value, period, "end", "end", where)
            if period:
                record["period"] = period

    def _subject(self, tree: Tree, record: Tree, type_: str) -> None:
        value = tree.get("subject")
        if value is not None:
            id_ = self._link(value, "Patient")
            if id_ is not None:
                record["patient"] = id_
            else:
                self._foreign(value, f"{type_}.subject")

    def _party(self, tree: Tree, record: Tree, element: str, name: str, where: str) -> None:
        value = tree.get(element)
        if value is not None:
            found = party(value)
            if found is not None:
                record[name] = found
            else:
                self._foreign(value, f"{where}.{element}")

    def _link(self, value: Any, type_: str) -> str | None:
        """The id of the record of that type which a Reference leads to."""
        if type(value) is not dict:
            return None
        literal = value.get("reference")
        if type(literal) is not str:
            own, said = own_id(value), value.get("type")
            return own if said == type_ or type(said) is not str or not said else None
        if literal[:1] == "#":
            inner = self._contained(literal)
            if inner is not None:
                return contained_id(inner, self.input.ids[self.plan]) if inner.get("resourceType") == type_ else None
        index = self.input.named(literal)
        found = (self.input.types[index], self.input.ids[index]) if index is not None else link_of(value, "none")
        return found[1] if found is not None and found[0] in ("", type_) else None

    def _contained(self, literal: str) -> Tree | None:
        contained = self.at.get("contained")
        for resource in contained if type(contained) is list else ():
            if type(resource) is dict and resource.get("id") == literal[1:]:
                return resource
        return None

    def _related(self, value: Any, type_: str) -> Any:
        id_ = self._link(value, type_)
        if id_ is None:
            found = party(value)
            return {"text": found} if type(found) is str else found
        text = value.get("display")
        return {"id": id_, "text": text} if type(text) is str and text else id_

    def _concept(self, value: Any, record: Tree, name: str, codes: Codes | None, path: str) -> None:
        found = concept(value, codes)
        if found is not None:
            record[name] = found
        else:
            self._foreign(value, path)

    def _all_related(self, rows: Any, type_: str) -> list[Any]:
        found = [self._related(row, type_) for row in rows if row is not None] if type(rows) is list else []
        return [row for row in found if row is not None]
