"""The sums of this moment in the form that existing pages for the Envoy expect: `{"p": …, "c": …, "n": …}` in watts.

Production below 5 W of a phase is the inverters' own night-time draw and counts as zero here, and so net = consumption
- production. What is stored is never touched by this.
"""

from collections.abc import Iterable

import msgspec

from receiver.energy.site import PRODUCTION, phases_of, site_power
from receiver.sites import Site
from receiver.sites.corrections import correct
from receiver.stores.base import Latest
from shared.fields import MAX_GAP_MS
from shared.readings import Reading
from shared.units import MINUTE_MS

QUIET_W = 5.0
"""Production of one phase below this is shown as none."""
INVERTERS_MS = 30 * MINUTE_MS
"""An inverter's report speaks of now for two intervals of the slowest ones (15 minutes)."""


class SolarData(msgspec.Struct, frozen=True):
    """Watts of this second: production, consumption, and what comes from the grid (below zero: goes there)."""

    p: int
    c: int
    n: int


class Powers:
    """The latest power of every meter phase and inverter of one gateway, as far as it speaks of now."""

    def __init__(self) -> None:
        self._meters: dict[tuple[str, str], tuple[int, float]] = {}
        self._inverters: dict[str, tuple[int, float]] = {}

    def seed(self, meters: Iterable[Latest], inverters: Iterable[Latest]) -> None:
        """Begin with what the store knows."""
        for kind, entries in (("meter", meters), ("inverter", inverters)):
            for entry in entries:
                self.see(Reading(kind, entry.tags, entry.timestamp, entry.fields))

    def see(self, reading: Reading) -> None:
        """Take a reading in; an older one than is known changes nothing."""
        power = reading.fields.get("power")
        if not isinstance(power, float):
            return
        if reading.kind == "meter":
            place = (reading.tags["meter"], reading.tags["phase"])
            self._meters[place] = max(self._meters.get(place, (0, 0.0)), (reading.timestamp, power))
        elif reading.kind == "inverter":
            serial = reading.tags["inverter"]
            self._inverters[serial] = max(self._inverters.get(serial, (0, 0.0)), (reading.timestamp, power))

    def solar_data(self, now_ms: int, site: Site) -> SolarData | None:
        """The sums of now, or None where production or consumption is not known."""
        entries = [
            Latest({"meter": meter, "phase": phase}, time, {"power": power})
            for (meter, phase), (time, power) in self._meters.items()
            if now_ms - time <= MAX_GAP_MS
        ]
        powers = {
            (entry.tags["meter"], entry.tags["phase"]): float(entry.fields["power"]) for entry in correct(entries, site)
        }
        heard = [power for time, power in self._inverters.values() if now_ms - time <= INVERTERS_MS]
        inverters = sum(heard) if heard else None
        consumption = site_power(powers, inverters=inverters).load
        produced = list(phases_of(powers, PRODUCTION).values()) or ([inverters] if inverters is not None else [])
        if not produced or consumption is None:
            return None
        production = round(sum(power for power in produced if power >= QUIET_W))
        return SolarData(p=production, c=round(consumption), n=round(consumption) - production)
