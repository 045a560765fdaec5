"""What both sides changed: shown as fields of the record, decided element by element, then written as a new revision."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NoReturn

from adapter.errors import Conflict as Raced
from adapter.errors import DataError, UsageError
from adapter.fhir_json import Tree, same
from adapter.issues import Issue
from adapter.mapping import Mapper
from adapter.ports import THIS_WRITE, Conflict, Link, StoredResource
from adapter.services.restoring import before_deletion, left_with, of_origin
from adapter.sync import receive
from adapter.sync.agreeing import settled_on
from adapter.sync.anew import anew, refer_anew, sent_without
from adapter.sync.differences import differences
from adapter.sync.merge import MISSING, UNDECIDED, Choice, Clash, merge, ours, theirs
from adapter.sync.narrative import retold
from adapter.sync.partner import Store
from adapter.sync.policy import Policies, times

Taken = Literal["ours", "theirs", "merged"]
LEASE = 60.0


@dataclass(frozen=True, slots=True)
class Desk:
    """Where conflicts are decided. `carry_out` writes records and links in one transaction, `check` finds a record's issues,
    `validate` a resource's.
    """

    store: Store
    mapper: Mapper
    check: Callable[[Any], list[Issue]]
    carry_out: Callable[[receive.Plan, Sequence[Link]], None]
    validate: Callable[[Any], list[Issue]]

    def listed(self, server: str = "") -> list[Conflict]:
        """What waits for a person: elements that are open, and those of a part whose decisions were not carried out."""
        open_ = self.store.conflicts(server)
        parts = {one.key for one in open_}
        decided = self.store.conflicts(server, state="decided")
        left = [one for one in decided if one.key not in parts]
        return sorted([*open_, *left], key=lambda one: one.number)

    def show(self, number: int) -> Tree:
        """A conflict with the fields of the record that it is about, in the record's own words. Raises NotFound."""
        conflict = self._conflict(number)
        return {**row(conflict), "fields": list(self._fields(conflict))}

    def resolve(self, number: int, take: Taken, value: Any = None, by: str = "") -> Tree:
        """Decides one element; with the last of its part the record is written, and sent by the next push.

        `value` is what was merged: of the element, or a whole record of that kind, or the whole resource. Raises NotFound,
        UsageError, DataError where the outcome is not valid, Conflict where either side has changed since.
        """
        conflict = self._conflict(number)
        if conflict.state == "resolved":
            raise UsageError("This conflict has been resolved already.", place=str(number))
        link = self._link(conflict)
        if take == "merged" and isinstance(value, dict) and ("kind" in value or "resourceType" in value):
            return self._whole(link, value, by)
        if take == "merged" and conflict.path == "":
            raise UsageError("The whole is decided with a record, or with the resource of the part.", place="FILE")
        if take == "merged":
            self._check_value(link, conflict, value)
        chosen = {"ours": conflict.ours, "theirs": conflict.theirs, "merged": value}[take]
        self.store.decide([replace(conflict, state="decided", taken=take, value=chosen, decided_by=by)])
        rest = [one for one in self._of_part(link, "open") if one.number != number]
        if not rest:
            self._finish(link)
        return {"number": number, "taken": take, "open": len(rest)}

    def _conflict(self, number: int) -> Conflict:
        """One as it was shown. Raises NotFound; Conflict where other values are in conflict by now."""
        found = self.store.conflict(number)
        if found.state == "replaced":
            remedy = "See `careplan conflicts list`."
            raise Raced("Either side has changed since.", reason="race", place=str(number), remedy=remedy)
        return found

    def _link(self, conflict: Conflict) -> Link:
        found = self.store.link(conflict.key)
        if found is None or found.state not in ("conflict", "quarantine"):
            raise DataError("The part is no longer in conflict.", place=f"{conflict.kind}/{conflict.record_id}")
        return found

    def _of_part(self, link: Link, state: str) -> list[Conflict]:
        found = self.store.conflicts(link.server, state=state)
        return [one for one in found if one.key == link.key]

    def _finish(self, link: Link) -> None:
        """Everything of a part is decided: written here, and to be sent where it is not what they have."""
        link = self._leased(link)
        decided = self._of_part(link, "decided")
        try:
            if any(one.path == "" for one in decided):
                self._decided_whole(link, decided[-1])
            else:
                self._decided_elements(link, decided)
        except BaseException as error:
            self.store.settle([link.replace(lease_until="")])
            if isinstance(error, Raced):
                # What was decided stays so; it is carried out with the next decision.
                raise
            # Which of them is at fault nobody can tell: all are to be decided once more.
            self.store.decide([replace(one, state="open") for one in decided])
            raise
        self.store.decide([replace(one, state="resolved") for one in decided])

    def _leased(self, link: Link) -> Link:
        leased = self.store.lease([link], seconds=LEASE)
        if not leased:
            raise Raced("The exchange is at work on this part.", reason="race", remedy="Try again in a moment.")
        return leased[0]

    def _check_value(self, link: Link, conflict: Conflict, value: Any) -> None:
        """Raises DataError where what was merged is no value for its element, or no record can hold it."""
        local = self._local(link)
        if local is None or link.theirs is None or conflict.path == "":
            return

        def choose(clash: Clash) -> Any:
            return ours(clash) if clash.path != conflict.path else MISSING if value is None else value

        tree = self._merged(link, local, choose)[0]
        before = {(issue.message_id, issue.place) for issue in self.validate(local.tree)}
        new = [one for one in self.validate(tree) if one.is_error and (one.message_id, one.place) not in before]
        if new:
            raise DataError("What is given is no value for this element.", issues=new, place=conflict.path)
        receive.plan(self.store, self.mapper, {link.local: tree}, self.check)

    def _decided_elements(self, link: Link, decided: list[Conflict]) -> None:
        local = self._local(link)
        if local is None:
            # Deleted here since: now it is a conflict of the whole.
            self._changed_since(link, [Conflict(*link.key, "", link.seen, None, link.theirs)])
        choices = {one.path: one for one in decided}
        policies = self._policies(link, local)

        def choose(clash: Clash) -> Any:
            one = choices.get(clash.path)
            if one is None:
                return policies(clash)
            if not (same(one.ours, clash.ours) and same(one.theirs, clash.theirs)):
                return UNDECIDED
            return MISSING if one.value is None else one.value

        merged, left = self._merged(link, local, choose)
        if left:
            self._changed_since(link, [Conflict(*link.key, one.path, one.base, one.ours, one.theirs) for one in left])
        parts = {part: stored.tree for part, stored in self.store.parts(link.kind, link.record_id).items()}
        whose = (link.kind, link.record_id, link.part)
        self._write(link, retold(self.mapper, whose, parts, merged, link.theirs or {}))
        self.store.enter(policies.entries(link))

    def _changed_since(self, link: Link, fresh: list[Conflict]) -> NoReturn:
        self.store.clash(link.replace(lease_until=""), fresh)
        raise Raced("The record has changed since: look at the conflict again.", place=f"{link.kind}/{link.record_id}")

    def _policies(self, link: Link, local: StoredResource) -> Policies:
        """What the server's policies settle of the elements that nobody was asked about."""
        server, skew = self.store.server(link.server), self.store.state(link.server).skew
        return Policies(server.options.policies, times(local.last_updated, link.remote_updated, skew), [])

    def _decided_whole(self, link: Link, one: Conflict) -> None:
        """One side deleted it, or nothing is known of what it was before."""
        settled = link.replace(lease_until="", reason="", attempts=0, theirs=None, theirs_version="", in_flight="")
        if one.taken == "ours" and link.state == "quarantine" and link.theirs is None:
            # Tried again as it is: what was in the way is gone, or it is set aside once more.
            self.store.settle([settled.replace(state="linked" if link.linked else "waiting")])
        elif one.taken == "theirs" and link.theirs is not None:
            self._write(link, link.theirs)
        elif one.taken == "theirs":
            self.store.settle([settled.replace(state="gone", acked=link.wanted, reason="deleted there")])
        elif one.taken == "merged":
            self._write(link, one.value)
        elif link.theirs is not None:
            # Ours goes onto what they have, or is withdrawn there where it is deleted here.
            known = settled.replace(remote_version=link.theirs_version, base=0, seen=link.theirs, acked=0)
            self.store.settle([known.replace(state="linked")])
        else:
            self.store.settle([anew(link)])
            refer_anew(self.store, link.server, [link])

    def _write(self, link: Link, tree: Tree) -> None:
        """Ours is this from now on; theirs is what we last saw."""
        if link.theirs is None:
            raise UsageError("There is nothing on the other side to merge with: take ours or theirs.")
        done = settled_on(link, tree, THIS_WRITE)
        old = before_deletion(self.store, link)
        left = left_with(self.store, self.mapper, link, old)
        lost = [one for one in self.store.local(link.server, left).values() if one.remote_id and not one.linked]
        if lost:
            # They come back under other ids.
            refer_anew(self.store, link.server, lost)
            done = sent_without(done, link.theirs, {one.local for one in lost})
        trees = {**left, link.local: tree}
        plan = of_origin(receive.plan(self.store, self.mapper, trees, self.check), link, old)
        self.carry_out(plan, receive.placed([done], plan))

    def _whole(self, link: Link, value: Tree, by: str) -> Tree:
        """A record, or the resource of the part, that stands for everything in conflict in it."""
        tree = value
        if "kind" in value:
            if (value.get("kind"), value.get("id")) != (link.kind, link.record_id):
                raise UsageError("The record given is not the one in conflict.", place="FILE")
            faults = self.check(value)
            if faults:
                raise DataError("The record given is not valid.", issues=faults)
            parts, _ = self.mapper.parts(value, self._parts(link, theirs))
            tree = parts.get(link.part) or {}
        if (tree.get("resourceType"), tree.get("id")) != link.local:
            raise UsageError("What is given does not hold the part in conflict.", place="FILE")
        open_ = self._of_part(link, "open") + self._of_part(link, "decided")
        leased = self._leased(link)
        try:
            self._write(leased, tree)
        except BaseException:
            self.store.settle([leased.replace(lease_until="")])
            raise
        # Journalled once, as a whole; only then are they closed: until it is written nothing is decided.
        whole = replace(open_[0], path="", state="decided", taken="merged", value=tree, decided_by=by)
        self.store.decide([whole])
        self.store.decide([replace(one, state="resolved", taken="merged", decided_by=by) for one in open_])
        return {"number": open_[0].number, "taken": "merged", "open": 0}

    def _merged(self, link: Link, local: StoredResource, choose: Choice | None) -> tuple[Tree, list[Clash]]:
        base = self.store.versions([(*link.local, link.base)]).get(link.local) if link.base else None
        seen = link.seen if link.seen is not None else base
        mine = merge(base, local.tree, seen or base, ours)[0] if base is not None else local.tree
        return merge(seen or {}, mine, link.theirs or {}, choose)

    def _local(self, link: Link) -> StoredResource | None:
        found = self.store.resources([link.local]).get(link.local)
        return found if found is not None and not found.deleted else None

    def _parts(self, link: Link, choose: Choice) -> dict[str, Tree]:
        """The record's resources, that of the link merged by a choice."""
        parts = {part: stored.tree for part, stored in self.store.parts(link.kind, link.record_id).items()}
        local = self._local(link)
        if local is not None and link.theirs is not None:
            parts[link.part] = self._merged(link, local, choose)[0]
        return parts

    def _fields(self, conflict: Conflict) -> Iterator[Tree]:
        """The fields of the record that the element is, with the three values."""
        link = self._link(conflict)
        if conflict.path == "" or self._local(link) is None or link.theirs is None:
            return
        sides = {}
        for name in ("base", "ours", "theirs"):
            wanted = getattr(conflict, name)

            def choose(clash: Clash, wanted: Any = wanted) -> Any:
                if clash.path != conflict.path:
                    return ours(clash)
                return MISSING if wanted is None else wanted

            record, _ = self.mapper.record(conflict.kind, self._parts(link, choose), record_id=conflict.record_id)
            sides[name] = record
        before = {path: old for path, old, _ in differences(sides["base"], sides["ours"])}
        before |= {path: old for path, old, _ in differences(sides["base"], sides["theirs"])}
        for path, here, there in differences(sides["ours"], sides["theirs"]):
            yield {"field": path, "before": before.get(path), "ours": here, "theirs": there}


def row(conflict: Conflict) -> Tree:
    """A conflict as JSON, with its values."""
    return {
        **head(conflict), "base": conflict.base, "ours": conflict.ours, "theirs": conflict.theirs,
        "ours_by": conflict.ours_by, "ours_at": conflict.ours_at, "theirs_by": conflict.theirs_by,
        "theirs_at": conflict.theirs_at,
    }  # fmt: skip


def head(conflict: Conflict) -> Tree:
    """A conflict as JSON, without anything of its values."""
    return {
        "number": conflict.number, "server": conflict.server, "record": f"{conflict.kind}/{conflict.record_id}",
        "part": conflict.part, "element": conflict.path or "the whole", "opened_at": conflict.opened_at,
        "state": conflict.state,
    }  # fmt: skip
