"""The sums of this moment in the form that existing pages for the Envoy expect: `{"p": …, "c": …, "n": …}` in watts.

Production below 5 W of a phase is the inverters' own night-time draw and counts as zero here, and so net = consumption
- production. What is stored is never touched by this.
"""

from collections.abc import Iterable
from math import isfinite

import msgspec

from receiver.energy.site import PRODUCTION, select_phases
from receiver.sites import Site
from receiver.sites.household import describe_household
from receiver.stores.base import Latest
from shared.readings import Reading

QUIET_W = 5.0
"""Production of one phase below this is shown as none."""
_KINDS = ("meter", "inverter")


class SolarData(msgspec.Struct, frozen=True):
    """Watts of this second: production, consumption, and what comes from the grid (below zero: goes there)."""

    p: int
    c: int
    n: int


class LatestPowers:
    """The latest power of every meter phase and inverter of one gateway."""

    def __init__(self) -> None:
        self._latest: dict[str, dict[tuple[str, ...], Latest]] = {kind: {} for kind in _KINDS}

    def seed(self, meters: Iterable[Latest], inverters: Iterable[Latest]) -> None:
        """Begin with the latest values of the store."""
        for kind, entries in zip(_KINDS, (meters, inverters), strict=True):
            for entry in entries:
                self.see(Reading(kind, entry.tags, entry.timestamp, entry.fields))

    def see(self, reading: Reading) -> None:
        """Take a reading in; one that is older than the latest changes nothing."""
        if reading.kind not in self._latest or not isinstance(power := reading.fields.get("power"), float):
            return
        known, series = self._latest[reading.kind], tuple(sorted(reading.tags.values()))
        if series not in known or known[series].timestamp <= reading.timestamp:
            known[series] = Latest(reading.tags, reading.timestamp, {"power": power})

    def sum_up(self, now_ms: int, site: Site) -> SolarData | None:
        """The sums of now, or None where production or consumption is not known."""
        meters, inverters = (list(self._latest[kind].values()) for kind in _KINDS)
        household = describe_household(meters, inverters, site, now_ms)
        produced = list(select_phases(household.powers, PRODUCTION).values())
        if not produced and household.inverters is not None:
            produced = [household.inverters]
        if not produced or household.site.load is None:
            return None
        powers = sum(power for power in produced if power >= QUIET_W), household.site.load
        if not all(map(isfinite, powers)):
            return None  # a store of an earlier version may hold what overflows
        production, load = map(round, powers)
        return SolarData(p=production, c=load, n=load - production)
