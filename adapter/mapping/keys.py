"""How an item of a list is known again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from adapter.fhir_json import canonical
from adapter.identity import content_id, foreign_record_id, is_uuid
from adapter.mapping.links import Link
from adapter.mapping.scope import Scope

Tree = dict[str, Any]
NUMBER = "#"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Keys:
    """How an item is known again: `id`, `link`, `value`, `number` (of a column), or the name of a field (with its occurrence).

    With `uuid`, an element's id of another form gives a UUID made from it. The reference of a link is the element, or
    stands `at` a name inside it.
    """

    by: str = "id"
    link: Link | None = None
    uuid: bool = False
    at: str = ""

    def linked(self, element: Tree, scope: Scope) -> Any:
        """The id of the record that an element refers to, or None."""
        if self.link is None:
            return None
        return self.link.decode(element.get(self.at) if self.at else element, scope)

    def refer(self, element: Tree, id_: Any, scope: Scope) -> None:
        """Make an element refer to a record."""
        if self.link is not None:
            reference = self.link.encode(id_, None, scope)
            if reference is not None:
                element.update({self.at: reference} if self.at else reference)

    def of(self, element: Tree, scope: Scope, seen: dict[Any, int]) -> str:
        """The id of an element: of its reference, its own, or derived from its content."""
        if self.by == NUMBER:
            seen[NUMBER] = number_of(element, seen.get(NUMBER, 0))
            return str(seen[NUMBER])
        found = self.linked(element, scope)
        if found is not None and times(("id", found), seen) == 1:
            return str(found)
        own = element.get("id")
        if type(own) is str and own and " " not in own and len(own) <= 64 and times(("id", own), seen) == 1:
            return own if not self.uuid or is_uuid(own) else foreign_record_id(scope.record_id, "element", own)
        form = canonical(element)
        return content_id(form, times(form, seen))


def times(key: Hashable, seen: dict[Any, int]) -> int:
    """How often a key has come by, this time included."""
    seen[key] = found = seen.get(key, 0) + 1
    return found


def number_of(element: Tree, before: int) -> int:
    """The number of an element of numbered columns: its id where that is a larger one, else the next."""
    own = element.get("id")
    if type(own) is str and own.isascii() and own.isdigit() and own[0] != "0" and len(own) < 4:
        return max(int(own), before + 1)
    return before + 1


def settle_numbers(rows: Iterable[tuple[Tree, Tree]]) -> None:
    """Write down the number of each (element, item) that the element's place does not say."""
    before = 0
    for element, item in rows:
        number = int(item["id"])
        if number_of(element, before) != number:
            element["id"] = str(number)
        before = number


def keyed(rows: Iterable[T], key: Callable[[T], Hashable]) -> list[tuple[Hashable, T]]:
    """(key, row) of each row, the key with its occurrence, so that equal ones stay apart."""
    seen: dict[Any, int] = {}
    bases = ((key(row), row) for row in rows)
    return [((base, times(base, seen)), row) for base, row in bases]
