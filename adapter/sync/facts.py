"""What is known of a server: measured once, stored, and looked at again when a day has passed.

Several workers learn of one server at a time. Each notes what it has learned itself, onto what stands by then.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Lock
from typing import Any

from adapter.fhir_json import Tree
from adapter.ports import Capability, ServerState, moment
from adapter.sync.partner import Partner
from adapter.sync.ways import Tempo, ways

# So many first writes of a type are read back, to see whether the server keeps what it answers.
READ_BACK = 10
_AGE = timedelta(days=1)
_SETS = ("types", "conditional_create", "update_create", "history_type")
# What one look at the server's CapabilityStatement says.
_MEASURED = (*_SETS, "transaction", "batch", "fhir_version", "software", "at")


@dataclass(slots=True)
class Facts:
    """A server's capability, the most entries of one request, and how far its answers to writes are believed.

    `placing` is "yes" where it was seen to create at our own ids, and only what was never there, "no" where it was seen not
    to, empty where that was not tried. `torn` where it did a part of a transaction without the others.
    """

    capability: Capability
    bundle: int
    at: str
    alike: Counter[str] = field(default_factory=Counter)
    unlike: set[str] = field(default_factory=set)
    rates: dict[str, float] = field(default_factory=dict)
    placing: str = ""
    torn: bool = False
    changed: bool = False
    _noted: Tree = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @classmethod
    def of(cls, partner: Partner, state: ServerState | None = None) -> Facts:
        """As stored (in this state, where it was just read), or asked of the server where they are not, or are old.

        Raises Unavailable.
        """
        kept: dict[str, Any] = (state or partner.store.state(partner.name)).facts
        fresh = bool(kept) and abs(partner.clock.now() - moment(kept["at"])) < _AGE
        found = _capability(kept) if fresh else partner.client.capability()
        most = min(partner.server.options.bundle, kept.get("bundle", 10_000) if fresh else 10_000)
        made = cls(found, most, kept["at"] if fresh else partner.later())
        made.alike, made.unlike = Counter(kept.get("alike", {})), set(kept.get("unlike", ()))
        made.rates = dict(kept.get("rates", {}))
        if found.software == kept.get("software"):
            made.placing = str(kept.get("placing", ""))
            if kept.get("torn"):
                made.tore()
        made.changed, made._noted = not fresh, kept
        made.keep(partner)
        return made

    def believed(self, type_: str) -> bool:
        """Whether what it answers to a write of this type is what it keeps."""
        return type_ not in self.unlike and self.alike[type_] >= READ_BACK

    def compared(self, type_: str, alike: bool) -> None:
        """What a read said of an answer."""
        with self._lock:
            self.changed = True
            if alike:
                self.alike[type_] += 1
            else:
                self.unlike.add(type_)

    def placed(self, verdict: str) -> None:
        """What a try of creating at our own id said."""
        with self._lock:
            self.changed |= self.placing != verdict
            self.placing = verdict

    def tore(self) -> None:
        """It did a part of a transaction without the others: whatever it says, it has none."""
        with self._lock:
            self.changed |= not self.torn
            self.torn, self.capability = True, replace(self.capability, transaction=False)

    def tempo(self, partner: Partner) -> Tempo:
        """The ways in which it can be sent to, and how quick each was."""
        bundles = self.capability.transaction or self.capability.batch
        known = ways(self.bundle, partner.at_once, bundles=bundles)
        return Tempo(known, {way.name: float(self.rates[way.name]) for way in known if way.name in self.rates})

    def learned(self, tempo: Tempo) -> None:
        """What was measured of them."""
        rates = {**self.rates, **tempo.kept()}
        with self._lock:
            self.changed |= rates != self.rates
            self.rates = rates

    def smaller(self, entries: int) -> None:
        """It takes no more entries than that at once."""
        self.bundle, self.changed = max(1, entries), True

    def keep(self, partner: Partner) -> None:
        """Stores what is new since they were last stored, where anything is."""
        with self._lock:
            if not self.changed:
                return
            self.changed = False
            before, self._noted = self._noted, self._kept()
            after = self._noted
        partner.store.revise(partner.name, lambda present: joined(before, after, present))

    def _kept(self) -> Tree:
        rows = {name: sorted(getattr(self.capability, name)) for name in _SETS}
        return {
            **rows, "transaction": self.capability.transaction, "batch": self.capability.batch, "at": self.at,
            "bundle": self.bundle, "fhir_version": self.capability.fhir_version, "software": self.capability.software,
            "alike": dict(self.alike), "unlike": sorted(self.unlike), "rates": self.rates,
            "placing": self.placing, "torn": self.torn,
        }  # fmt: skip


def joined(before: Tree, after: Tree, present: Tree) -> Tree:
    """The facts that stand at present, and of each what changed from `before` to `after`: two that learn at once lose nothing.

    Of two looks at what the server says of itself the later one stands, with the verdict on creating at our ids only where
    that was of the same software.
    """
    newer = not present or moment(after["at"]) >= moment(present["at"])
    found = {**present, **({name: after[name] for name in _MEASURED} if newer else {})}
    sizes = [facts["bundle"] for facts in (present, after) if facts.get("at") == found["at"]]
    counted: Counter[str] = Counter(after["alike"])
    counted.subtract(before.get("alike", {}))
    counted.update(present.get("alike", {}))
    rates = {name: rate for name, rate in after["rates"].items() if rate != before.get("rates", {}).get(name)}
    found |= {
        "bundle": min(sizes),
        "alike": {name: number for name, number in counted.items() if number},
        "unlike": sorted({*present.get("unlike", ()), *after["unlike"]}),
        "rates": {**present.get("rates", {}), **rates},
    }
    alike = after["software"] == found["software"]
    told = alike and after["placing"] != before.get("placing", "")
    torn = any(one.get("torn") for one in (present, after) if one.get("software") == found["software"])
    return found | {"placing": after["placing"] if told else present.get("placing", ""), "torn": torn}


def _capability(kept: dict[str, Any]) -> Capability:
    sets: dict[str, Any] = {name: frozenset(kept.get(name, ())) for name in _SETS}
    return Capability(
        software=kept.get("software", ""), fhir_version=kept.get("fhir_version", "4.0.1"),
        transaction=bool(kept.get("transaction")), batch=bool(kept.get("batch")), **sets,
    )  # fmt: skip
