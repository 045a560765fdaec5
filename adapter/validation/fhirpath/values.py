"""What FHIRPath's operators do with plain JSON values. http://hl7.org/fhirpath/N1/#operations"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Items = list[Any]


class Bare(dict[str, Any]):
    """A primitive that has no value but extensions only."""


class Failed(ValueError):
    """An expression that cannot be evaluated on this data."""


class TooCostly(Failed):
    """An expression that takes more steps, or makes longer texts, than any honest one does on this data."""


# Items that one evaluation may handle, and characters that one text of it may have.
STEPS, LONGEST = 1_000_000, 4_000_000


def shorter(length: int) -> None:
    """Raises TooCostly for a text that would be too long."""
    if length > LONGEST:
        raise TooCostly("the expression makes too long a text")


def truth(items: Items) -> bool | None:
    """A collection as a boolean: None where it is empty; a single item that is no boolean counts as true."""
    if not items:
        return None
    if len(items) > 1:
        raise Failed("a single value is expected")
    return items[0] if isinstance(items[0], bool) else True


def equal(one: Any, other: Any) -> bool:
    """Equality of two items: numbers by value, objects by content, a boolean only with a boolean."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


def among(item: Any, items: Items) -> bool:
    """Whether an item is in a collection."""
    return any(equal(item, other) for other in items)


def distinct(items: Items) -> Items:
    """Each item once, in order."""
    if all(type(item) is str for item in items):
        return list(dict.fromkeys(items))
    kept: Items = []
    for item in items:
        if not among(item, kept):
            kept.append(item)
    return kept


def compare(one: Any, other: Any) -> int | None:
    """-1, 0 or 1; None where the two cannot be put in order (another precision, another unit, another type)."""
    if isinstance(one, dict) and isinstance(other, dict):
        return _compare_quantities(one, other)
    if isinstance(one, bool) or isinstance(other, bool):
        return None
    if isinstance(one, (int, Decimal)) and isinstance(other, (int, Decimal)):
        return (one > other) - (one < other)
    if not (isinstance(one, str) and isinstance(other, str)):
        return None
    if _MOMENT(one) and _MOMENT(other):
        return compare_moments(one, other)
    return (one > other) - (one < other)


_MOMENT = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?").fullmatch


def compare_moments(one: str, other: str) -> int | None:
    """Two dates or dateTimes: None where they are equal as far as the less exact one goes."""
    if "T" in one and "T" in other:
        first, second = _instant(one), _instant(other)
        if first is None or second is None:
            return None
        return (first > second) - (first < second)
    length = min(len(one.partition("T")[0]), len(other.partition("T")[0]))
    head, tail = one[:length], other[:length]
    if head != tail:
        return 1 if head > tail else -1
    return 0 if len(one) == len(other) else None


def _instant(text: str) -> datetime | None:
    try:
        # A leap second counts as the one before.
        found = datetime.fromisoformat(_SHORT(r"\1", text).replace(":60", ":59"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _SHORT(by: str, text: str) -> str:  # noqa: N802
    return re.sub(r"(\.[0-9]{6})[0-9]+", by, text)


def _compare_quantities(one: dict[str, Any], other: dict[str, Any]) -> int | None:
    first, second = one.get("value"), other.get("value")
    if first is None or second is None or isinstance(first, (dict, list)) or isinstance(second, (dict, list)):
        return None
    unit, unit2 = (one.get("code") or one.get("unit")), (other.get("code") or other.get("unit"))
    return compare(first, second) if unit == unit2 else None


def boundary(item: Any, sign: int) -> Any:
    """The least (-1) or the greatest (1) value that a number or a Quantity may stand for, by its digits."""
    if isinstance(item, dict):
        value = item.get("value")
        return None if not isinstance(value, (int, Decimal)) else {**item, "value": boundary(value, sign)}
    if isinstance(item, bool) or not isinstance(item, (int, Decimal)):
        raise Failed("a number or a Quantity is expected")
    exponent = Decimal(item).as_tuple().exponent
    return item + sign * Decimal(5).scaleb(min(int(exponent), 0) - 1)


def comparable(one: Any, other: Any) -> bool:
    """Whether two Quantities are of the same unit."""
    return compare(one, other) is not None


def text_of(item: Any) -> str:
    """An item as text, for & and toString()."""
    if isinstance(item, bool):
        return "true" if item else "false"
    return item if isinstance(item, str) else str(item)


def children(item: Any) -> Items:
    """The direct children of an item."""
    found: Items = []
    if isinstance(item, dict):
        for key, value in item.items():
            if key != "resourceType" and not key.startswith("_"):
                found.extend(each for each in value if each is not None) if isinstance(value, list) else found.append(
                    value
                )
    return found


def descendants(items: Items) -> Items:
    """All items below."""
    found: Items = []
    level = items
    while level:
        level = [child for item in level for child in children(item)]
        found.extend(level)
    return found
