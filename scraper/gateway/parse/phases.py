"""One phase of one meter: what the stream and the polled readings have in common. Pure."""

from collections.abc import Set as AbstractSet
from typing import NamedTuple

from scraper.gateway.parse.values import Notes
from shared.readings import Reading, Series

PHASES = ("a", "b", "c")
LIVE_VOLTAGE = 50.0
_SIGNS_OF_LIFE = frozenset({"power", "voltage", "current"})


class MeterValues(NamedTuple):
    """One phase of one meter.

    Attributes:
        meter: The measurement, e.g. `net-consumption`.
        phase: `a`, `b` or `c`.
        timestamp_s: The gateway's own stamp (seconds since 1970), to recognise a repeat; None in the stream.
        values: Fields of kind `meter`, in its units; absent means not measured.
        counters: `delivered` and `received` (Wh, lifetime) of kind `meter_energy`; empty in the stream.
    """

    meter: str
    phase: str
    timestamp_s: int | None
    values: dict[str, float]
    counters: dict[str, float]

    @property
    def tags(self) -> dict[str, str]:
        """The tags of its readings."""
        return {"meter": self.meter, "phase": self.phase}

    @property
    def series(self) -> Series:
        """The series that its values belong to."""
        return Series.of("meter", self.tags)

    def make_reading(self, stamp: int) -> Reading:
        """Its values as a reading of this time (milliseconds since 1970).

        It says whether there was a power: a reading without one may lack it because it did not change.
        """
        return Reading("meter", self.tags, stamp, {**self.values, "measured": float("power" in self.values)})

    def make_energy_reading(self, stamp: int) -> Reading:
        """Its counters as a reading of this time (milliseconds since 1970)."""
        return Reading("meter_energy", self.tags, stamp, {**self.counters})


def is_metered(values: dict[str, float], index: int, phase_count: int, seen: AbstractSet[str] = frozenset()) -> bool:
    """Whether the phase at this place (0 to 2) is really metered.

    Unused inputs show some volts and up to a watt, or nothing but zeros. `phase_count` 0 means that the gateway did not
    say: then a phase counts when its voltage can only be that of a grid. A phase that was `seen` to have a power is no
    unused input, whatever it shows now.
    """
    is_seen = PHASES[index] in seen
    if not (is_seen or any(values.values())):
        return False
    return index < phase_count if phase_count else is_seen or values.get("voltage", 0.0) > LIVE_VOLTAGE


def has_dropped_out(values: dict[str, float], counters: dict[str, float]) -> bool:
    """Whether a metered phase says nothing in this one answer: power, voltage, current and counters are 0.

    Firmware 8.3.6086 does so for single polls, dozens of times a day, while nothing was switched off or reset. What is
    left of the other values, as a frequency or a power factor, is no sign of life.
    """
    signs = _SIGNS_OF_LIFE if values.keys() >= _SIGNS_OF_LIFE else values.keys() - {"frequency"}
    return not any(values[name] for name in signs) and not any(counters.values())


def keep_frequency(values: dict[str, float]) -> dict[str, float]:
    """What is left of a phase that has dropped out.

    It keeps the phase known, so that a sum without it is unknown and never a part of it.
    """
    return {name: value for name, value in values.items() if name == "frequency"}


def drop_nonsense(values: dict[str, float], where: str, notes: Notes) -> dict[str, float]:
    """Leave out what some firmware makes up: a frequency of 0 Hz on a live phase, power factors above 1."""
    if values.get("frequency") == 0.0:
        del values["frequency"]
    if abs(values.get("power_factor", 0.0)) > 1.0:
        notes.refuse(f"{where}.power_factor")
        del values["power_factor"]
    return values


def add_missing(found: list[MeterValues], phase_count: int) -> list[MeterValues]:
    """The phases of one meter, with those that an answer lacks although the gateway says that they are metered.

    While its sisters carry the grid, a missing phase is known to be there from the first answer on, with the frequency
    that all of them share, where they say it: so a sum is unknown, and never a part. None is added while nothing of the
    meter is live.
    """
    sister = next((one for one in found if one.values.get("voltage", 0.0) > LIVE_VOLTAGE), None)
    if sister is None:
        return found
    there = {one.phase: one for one in found}
    stand_in = sister._replace(values=keep_frequency(sister.values), counters={})
    return [there.get(phase) or stand_in._replace(phase=phase) for phase in PHASES[:phase_count]]
