"""The readings that a scraper would have stored in the simulated past.

The device's documents of each past moment go through the scraper's parsers and delta detection, so this history has
the series, fields, rounding and density of real data, and its counters and report dates continue in the live ones.
It samples every ten seconds instead of every second, and every other minute what is older than a day, which makes a
week affordable: nobody zooms into the seconds of last Tuesday, and its energies come from counters.
"""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from scraper.delta.tracker import Tracker
from scraper.gateway.parse.device_data import join_inverters, parse_device_data
from scraper.gateway.parse.ensemble import EnsembleReplies, describe_ensemble
from scraper.gateway.parse.ensemble_control import parse_ensemble_control
from scraper.gateway.parse.ensemble_inventory import parse_ensemble_inventory
from scraper.gateway.parse.ensemble_power import parse_ensemble_power
from scraper.gateway.parse.inverters import parse_inverters
from scraper.gateway.parse.meter_readings import parse_readings
from scraper.gateway.parse.meters import parse_meters
from scraper.gateway.parse.stream import parse_event
from shared.readings import Reading
from shared.units import DAY_S, HOUR_S, SECOND_MS
from simulator.faults import Faults
from simulator.gateway.device import Device
from simulator.gateway.payloads import battery, device_data, inverters, meters
from simulator.house import House
from simulator.house.profiles import PROFILES as HOUSES
from simulator.profiles import find_profile

INVERTERS_S = 300
CHUNK_S = 6 * HOUR_S
_NEAR_S = DAY_S


class Density(NamedTuple):
    """How often meters are read, and their counters and the batteries (seconds)."""

    meters_s: int
    counters_s: int


NEAR = Density(meters_s=10, counters_s=60)
FAR = Density(meters_s=120, counters_s=120)
"""As coarse as can be: over longer pauses nothing is bridged (`MAX_GAP_MS`), and a counter that rests says nothing."""


class HouseSettings(NamedTuple):
    """The simulated house of a past, and the offset of its time.

    Attributes:
        profile: Name of the gateway's profile.
        seed: Of the house.
        start: Where the house's counters start (epoch seconds of the house).
        offset_s: Seconds from our time to the house's.
    """

    profile: str
    seed: int
    start: float
    offset_s: int


class _Moment:
    """A clock that stands where it is put (epoch seconds)."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    async def sleep_until(self, moment: float) -> None:
        """A clock that stands still waits for nobody."""
        self.time = max(self.time, moment)


class Past:
    """The readings of past times at one house.

    Args:
        house: Which house.
        near: How dense the last day is.
        far: How dense what is older is.
    """

    def __init__(self, house: HouseSettings, near: Density = NEAR, far: Density = FAR) -> None:
        self._near, self._far = near, far
        profile = find_profile(house.profile)
        simulated = House(HOUSES[profile.house], house.seed, house.start)
        self._clock = _Moment()
        self._device = Device(profile, simulated, self._clock, Faults(), house_offset_s=house.offset_s)
        self._meters = parse_meters(meters.list_meters(self._device))

    def make_pieces(self, start_s: int, stop_s: int) -> Iterator[list[Reading]]:
        """The readings from start to stop (epoch seconds, ours) in pieces of six hours, the newest first.

        Each piece begins with a snapshot of everything, so each is good without the others.
        """
        for stop, start in pairwise([*range(stop_s, start_s, -CHUNK_S), start_s]):
            yield self._make_piece(start, stop, self._near if stop > stop_s - _NEAR_S else self._far)

    def _make_piece(self, start_s: int, stop_s: int, density: Density) -> list[Reading]:
        step = density.meters_s
        tracker = Tracker(stall_ms=2 * step * SECOND_MS)  # this is no pause
        rows: list[Reading] = []
        for second in range(-(-start_s // step) * step, stop_s, step):
            proposal = tracker.propose(self._make_samples(second, density))
            tracker.accept(proposal)
            rows += proposal.rows
        return [*rows, *tracker.flush().rows]

    def _make_samples(self, second: int, density: Density) -> list[Reading]:
        """The samples that a scraper would read at one second (epoch)."""
        self._clock.time = float(second)
        stamp = second * 1000
        event = json.dumps(meters.make_stream_event(self._device)).encode()
        samples = [one.make_reading(stamp) for one in parse_event(event, self._meters)]
        if second % density.counters_s == 0:
            streamed = {(sample.tags["meter"], sample.tags["phase"]) for sample in samples}
            counted = parse_readings(meters.list_readings(self._device), self._meters)
            # the stream says nothing of a battery; the poll does
            unheard = [one for one in counted if (one.meter, one.phase) not in streamed]
            samples += [one.make_reading(stamp) for one in unheard]
            samples += [one.make_energy_reading(stamp) for one in counted]
        if second % INVERTERS_S == 0:
            samples += join_inverters(
                parse_inverters(inverters.list_inverters(self._device)),
                parse_device_data(device_data.describe_device_data(self._device)),
            )
        if second % density.counters_s == 0:
            samples += self._make_storage_samples(stamp)
        return samples

    def _make_storage_samples(self, stamp: int) -> list[Reading]:
        """Batteries and grid; nothing in a house without them."""
        replies = EnsembleReplies(
            inventory=parse_ensemble_inventory(battery.describe_inventory(self._device)),
            powers=parse_ensemble_power(battery.describe_power(self._device)),
            control=parse_ensemble_control(battery.describe_secondary_control(self._device)),
        )
        serials = {one.serial for one in replies.inventory.batteries} if replies.inventory else set[str]()
        return describe_ensemble(replies, serials, stamp)
