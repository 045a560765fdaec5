"""How what is to be sent is put into requests: a record's parts together, targets before what refers to them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from adapter.sync.outgoing import Key, Send

Group = list[Send]


def groups(sends: Sequence[Send]) -> list[Group]:
    """What belongs together: the parts of each record."""
    ordered = sorted(sends, key=lambda send: (send.link.kind, send.link.record_id, send.link.part))
    return [list(rows) for _, rows in groupby(ordered, key=lambda send: (send.link.kind, send.link.record_id))]


def clusters(sends: Sequence[Send], limit: int) -> list[Group]:
    """Records with those that they refer to, or that refer to them, where all fit into one request; else each by itself,
    targets first.
    """
    parts = groups(sends)
    of = {send.link.local: place for place, group in enumerate(parts) for send in group}
    # A forest: each place points towards the one that stands for its cluster.
    head = list(range(len(parts)))

    def top(place: int) -> int:
        while head[place] != place:
            head[place] = place = head[head[place]]
        return place

    for place, group in enumerate(parts):
        for key in (key for send in group for key in send.refers if key in of):
            head[top(of[key])] = top(place)
    together: dict[int, Group] = {}
    for place, group in enumerate(parts):
        together.setdefault(top(place), []).extend(group)
    return [part for cluster in together.values() for part in _fitting(cluster, limit)]


def _fitting(cluster: Group, limit: int) -> list[Group]:
    if len(cluster) <= limit:
        return [cluster]
    records: dict[Key, Group] = {}
    for send in targets_first(cluster):
        records.setdefault((send.link.kind, send.link.record_id), []).append(send)
    return list(records.values())


def bundles(sends: Sequence[Send], limit: int) -> list[Group]:
    """Requests of at most `limit` entries, each record whole where it fits; one that does not is cut, targets first."""
    made: list[Group] = []
    for group in clusters(sends, limit):
        if len(group) > limit:
            ordered = targets_first(group)
            made += [ordered[start : start + limit] for start in range(0, len(ordered), limit)] + [[]]
        elif not made or len(made[-1]) + len(group) > limit:
            made.append(list(group))
        else:
            made[-1] += group
    return [bundle for bundle in made if bundle]


def targets_first(group: Sequence[Send]) -> Group:
    """The sends so that what is referred to goes first; where they refer to each other in a circle, some order."""
    by_key: dict[Key, Send] = {send.link.local: send for send in group}
    done: dict[Key, Send] = {}
    for send in group:
        # Depth first without recursion: a circle is entered once.
        stack = [(send, False)]
        entered: set[Key] = set()
        while stack:
            one, left = stack.pop()
            if one.link.local in done:
                continue
            if left or one.link.local in entered:
                done[one.link.local] = one
                continue
            entered.add(one.link.local)
            stack.append((one, True))
            stack += [(by_key[key], False) for key in one.refers if key in by_key and key not in entered]
    return list(done.values())


def layers(bundle: Sequence[Send]) -> list[Group]:
    """Requests in which nothing refers to another of the same request: targets first. A circle goes as it comes."""
    made: list[Group] = []
    level: dict[Key, int] = {}
    for send in targets_first(bundle):
        depth = max((level[key] + 1 for key in send.refers if key in level), default=0)
        level[send.link.local] = depth
        if depth == len(made):
            made.append([])
        made[depth].append(send)
    return made


def halves(bundle: Group) -> tuple[Group, Group] | None:
    """Two smaller requests: between two records where there are several, else within one, targets first; None for one."""
    if len(bundle) < 2:
        return None
    parts = groups(bundle)
    if len(parts) == 1:
        ordered = targets_first(bundle)
        return ordered[: len(ordered) // 2], ordered[len(ordered) // 2 :]
    middle = len(parts) // 2
    first, second = parts[:middle], parts[middle:]
    return [send for group in first for send in group], [send for group in second for send in group]
