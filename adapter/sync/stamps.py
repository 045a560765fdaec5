"""What the stamps of a server tell: whether a version is one that was seen, and whether its clock was set back."""

from __future__ import annotations

from datetime import datetime, timedelta

from adapter.ports import Link, Versioned, moment

# What a server says of its time in a header of HTTP is in whole seconds.
CLOCK = timedelta(seconds=2)
# Seconds: a server's clock may be ahead of ours by so much.
DAY = 86_400.0


def same_moment(one: str, other: str) -> bool:
    """Whether two stamps of a version can be of the same one; some servers say none."""
    if not one or not other:
        return True
    first, second = moment(one), moment(other)
    if first.microsecond and second.microsecond:
        return first == second
    return abs((first - second).total_seconds()) < 1.0


def is_known(link: Link, row: Versioned) -> bool:
    """A version that was seen. A server that came back from a backup counts the same numbers again."""
    return row.version == link.remote_version and same_moment(link.remote_updated, row.last_updated)


def is_lower(one: str, other: str) -> bool:
    """Whether a version comes before another, of a server that counts them."""
    return one.isdecimal() and other.isdecimal() and int(one) < int(other)


def went_back(link: Link, row: Versioned) -> bool:
    """Whether a server that counts its versions gives an older one than it did, or another one under the same number."""
    old, new = link.remote_version, row.version
    if not (old.isdecimal() and new.isdecimal()):
        return False
    return is_lower(new, old) or (int(new) == int(old) and not is_known(link, row))


def bounded(newest: str, latest: str) -> str:
    """The newest stamp that was met; one that lies ahead of the latest that can be is of a clock that was wrong."""
    return min(newest, latest, key=moment) if newest else ""


def had_twice(mark: str, stamp: str, passed: timedelta) -> datetime | None:
    """Where the time begins that a server then had twice: its clock went on by less than ours (`passed`) since the look that
    set the mark. None where it did not.
    """
    start = moment(stamp) - passed
    return start if start < moment(mark) - CLOCK else None


def is_due(last: str, now: datetime, seconds: float) -> bool:
    """Whether so many seconds have passed since an instant, or the clock was set back before it, or there was none yet."""
    ago = now - moment(last) if last else timedelta.max
    return not timedelta() <= ago < timedelta(seconds=seconds)
