"""A house that can be asked for any second: `House` puts roof, household, battery and meters together.

It guarantees:

- The same profile, seed, start and time give the same answer, in any order and any process.
- The meters measure once a second: `at(t)` is the sample of the second that t lies in. Every energy here is the exact
  sum of those samples (one sample counts for one second), so counters and `truth_wh` agree with `at` to rounding.
- On each phase and second, production + net-consumption (+ storage) is the load, exactly.
- Panels feed the production meter without loss; that meter adds its noise (mean zero) and, in the dark, the few
  watts that the inverters' filters draw.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from simulator.house import meters
from simulator.house.counters import Totals
from simulator.house.inverters import Inverters
from simulator.house.loads import Loads
from simulator.house.noise import Texture
from simulator.house.power import Power, Samples
from simulator.house.profile import HouseProfile
from simulator.house.roof import Roof
from simulator.house.state import (
    NET,
    PRODUCTION,
    STORAGE,
    TOTAL,
    Counters,
    Energy,
    HouseState,
    InverterReport,
    PhaseReading,
)
from simulator.house.storage import STEP_S, Storage
from simulator.house.weather import Weather

DEFAULT_START = 1_781_481_600.0
"""2026-06-15T00:00Z: where counters start unless told otherwise."""
INSTALLED = 1_678_838_400.0
"""2023-03-15T00:00Z: since when every simulated system has been counting."""
MAX_COUNTED_S = 60 * 86_400.0
"""Counters are summed up second by second from the start; further away than this it would take too long."""
_SUN_HOURS = 2.9
"""Full-power hours of a mean day, for what the counters show at the start."""
_STANDBY_W = 8.0
"""What a battery's electronics draw."""


def counters_start(t: float) -> float:
    """Return a start for a house that will be asked about the days around t: a Monday 00:00 UTC, 8 to 15 days before.

    Two processes of the same week get the same start, so their counters agree.
    """
    week = 7 * 86_400.0
    monday = 4 * 86_400.0  # 1970-01-05, the first one
    return (t - 8 * 86_400.0 - monday) // week * week + monday


class _Minute(NamedTuple):
    """60 seconds of every meter, by name, and the loads behind them."""

    watts: Mapping[str, Samples]
    load_w: Samples
    load_var: Samples


class House:
    """A house with its roof.

    Args:
        profile: What the house is.
        seed: Which weather and habits it has.
        start: Epoch seconds at which the lifetime counters have their (plausible) first values. Counters cost about
            a second for each day between here and the time asked for: choose a start near it, and the same one in
            every process that must agree (`counters_start` helps).
    """

    def __init__(self, profile: HouseProfile, seed: int, start: float = DEFAULT_START) -> None:
        self.profile = profile
        self.seed = seed
        self.start = start // 60 * 60.0
        self._phases = range(profile.phase_count)
        weather = Weather(profile, seed)
        self._roof = Roof(profile, seed, weather)
        self._power = Power(profile, seed, self._roof, Loads(profile, seed, weather))
        self._storage = Storage(profile.battery, profile.time_zone, self._power) if profile.battery else None
        self._storage_noise = [Texture(seed, f"storage noise {phase}") for phase in self._phases]
        self._grid = meters.Grid(profile, seed)
        shares = [profile.share(panel) for panel in profile.panels]
        self._inverters_on = [sum(share[phase] for share in shares) for phase in self._phases]
        self.meters: tuple[str, ...] = (PRODUCTION, NET, TOTAL) + ((STORAGE,) if self._storage else ())
        """Names of the meters, the order of every answer."""
        self._minute = lru_cache(maxsize=256)(self._new_minute)
        self._sums = lru_cache(maxsize=256)(self._minute_sums)
        start_minute = int(self.start) // 60
        self._meter_totals = Totals(start_minute, len(self.meters) * len(self._phases) * 2, self._sums)
        self._panel_totals = Totals(start_minute, len(profile.panels), self._roof.minute_ws)
        days = max(30.0, (self.start - INSTALLED) / 86_400.0)
        self._panel_base_wh = [panel.rated_w * panel.health * _SUN_HOURS * days for panel in profile.panels]
        self._load_base_wh = profile.base_load_w * 2.2 * 24.0 * days / len(self._phases)
        self._inverters = Inverters(
            profile, seed, roof=self._roof, weather=weather, lifetime_wh=self._panel_wh_at, state=self.at
        )

    def at(self, t: float) -> HouseState:
        """Return the sample of the second that t lies in.

        Some 25 us, and 300 us in a minute not seen lately; with a battery up to two seconds for the first instant of
        a week.
        """
        second = int(t // 1)
        index, at = divmod(second, 60)
        minute = self._minute(index)
        hertz = self._grid.frequency_hz(second)
        readings: dict[str, list[PhaseReading]] = {name: [] for name in self.meters}
        for phase, inverters in enumerate(self._inverters_on):
            net_w, load_w = minute.watts[NET][phase][at], minute.load_w[phase][at]
            volts = self._grid.voltage_v(phase, second, net_w)
            production = meters.production(minute.watts[PRODUCTION][phase][at], inverters, volts, hertz)
            net = meters.net_consumption(
                net_w, load_w, minute.load_var[phase][at], inverters=inverters, volts=volts, hertz=hertz
            )
            readings[PRODUCTION].append(production)
            readings[NET].append(net)
            readings[TOTAL].append(meters.total_consumption(production, net))
            if self._storage:
                readings[STORAGE].append(meters.reading(minute.watts[STORAGE][phase][at], 12.0, 8.0, volts, hertz))
        return HouseState(
            t=second,
            meters={name: tuple(phases) for name, phases in readings.items()},
            load_w=tuple(samples[at] for samples in minute.load_w),
            state_of_charge=self._storage.level(index) if self._storage else None,
        )

    def panel_power(self, t: float) -> list[float]:
        """Return the AC power of each inverter at t (W), in the order of the profile's panels."""
        return self._roof.power_w(t)

    def interval_energy_wh(self, panel_index: int, start: float, end: float) -> float:
        """Return what one panel produces from start to end (Wh): the exact integral of `panel_power`."""
        return self._roof.energy_ws(panel_index, start, end) / 3600.0

    def reports(self, t: float, interval_s: float) -> list[InverterReport]:
        """Return the last report of each inverter at t, as the gateway has it.

        Args:
            t: Epoch seconds.
            interval_s: How often the gateway asks each inverter (300 or 900 on real ones). It asks one after the other,
                so report dates are spread over the interval; after dusk they stay what they were.

        Returns:
            One report for each panel in order; one that has slept for over three days (polar night) is left out.
        """
        return self._inverters.reports(t, interval_s)

    def energy(self, t: float) -> Counters:
        """Return the lifetime counters at t: monotone, and the exact sum of the samples before the second of t.

        Raises:
            ValueError: t is too far from the house's start.
        """
        self._check_counted(t)
        sums = self._add_partial(self._meter_totals.until(int(t // 60)), t)
        counted: dict[str, tuple[Energy, ...]] = {}
        for meter, spans in self._by_meter(sums).items():
            bases = [self._base_wh(meter, phase) for phase in self._phases]
            counted[meter] = tuple(
                Energy(base.delivered_wh + span.delivered_wh, base.received_wh + span.received_wh)
                for base, span in zip(bases, spans, strict=True)
            )
        return Counters(counted, tuple(self._panel_wh_at(index, t) for index in range(len(self.profile.panels))))

    def truth_wh(self, start: float, stop: float) -> dict[str, tuple[Energy, ...]]:
        """Return the energy from start to stop (Wh): the sum of the samples of the seconds start <= s < stop.

        This is what every other account of the same time is compared with. A day takes about a second.

        Returns:
            Meter name to one `Energy` for each phase; its `net_wh` is the integral.
        """
        first, last = int(start // 60), int(stop // 60)
        sums = [0.0] * (len(self.meters) * len(self._phases) * 2)
        for minute in range(first, last):
            sums = [a + b for a, b in zip(sums, self._sums(minute), strict=True)]
        before = self._add_partial([0.0] * len(sums), start)
        return self._by_meter([a - b for a, b in zip(self._add_partial(sums, stop), before, strict=True)])

    def _new_minute(self, index: int) -> _Minute:
        """Return all meters of a minute. Net is what is missing, as the wires have it."""
        base = self._power.minute(index)
        watts: dict[str, Samples] = {PRODUCTION: base.production_w}
        supplies = [base.production_w]
        if self._storage:
            supplies.append(self._storage_samples(index))
            watts[STORAGE] = supplies[-1]
        watts[NET] = [
            [load - sum(parts) for load, *parts in zip(base.load_w[phase], *(s[phase] for s in supplies), strict=True)]
            for phase in self._phases
        ]
        watts[TOTAL] = [
            [p + n for p, n in zip(watts[PRODUCTION][phase], watts[NET][phase], strict=True)] for phase in self._phases
        ]
        return _Minute(watts, base.load_w, base.load_var)

    def _storage_samples(self, index: int) -> Samples:
        """Return the battery's 60 seconds, shared by all phases alike."""
        if self._storage is None:
            return []
        count = len(self._phases)
        steady = [(power - _STANDBY_W) / count for power in self._storage.minute_w(index) for _ in range(STEP_S)]
        return [
            [
                w + (0.3 + 0.001 * abs(w)) * n
                for w, n in zip(steady, self._storage_noise[phase].minute(index), strict=True)
            ]
            for phase in self._phases
        ]

    def _minute_sums(self, index: int) -> list[float]:
        """Return delivered and received Wh of a minute, by meter and phase, in one row."""
        return self._sums_of(index, 60)

    def _sums_of(self, index: int, seconds: int) -> list[float]:
        row: list[float] = []
        watts = self._minute(index).watts
        for meter in self.meters:
            for samples in watts[meter]:
                part = samples[:seconds]
                positive = sum(w for w in part if w > 0.0)
                row += (positive / 3600.0, (positive - sum(part)) / 3600.0)
        return row

    def _add_partial(self, sums: Sequence[float], t: float) -> list[float]:
        """Return the sums with the seconds of t's own minute before t added."""
        minute, seconds = divmod(int(t // 1), 60)
        return [a + b for a, b in zip(sums, self._sums_of(minute, seconds), strict=True)] if seconds else list(sums)

    def _by_meter(self, row: Sequence[float]) -> dict[str, tuple[Energy, ...]]:
        pairs = iter(row)
        return {meter: tuple(Energy(next(pairs), next(pairs)) for _ in self._phases) for meter in self.meters}

    def _panel_wh_at(self, index: int, t: float) -> float:
        """Return the lifetime energy of one panel at t (Wh)."""
        minute = int(t // 60)
        counted_ws = self._panel_totals.until(minute)[index] + self._roof.energy_ws(index, minute * 60.0, t)
        return self._panel_base_wh[index] + counted_ws / 3600.0

    def _base_wh(self, meter: str, phase: int) -> Energy:
        """Return what a counter showed at the start: what such a house collects from its installation on."""
        made = sum(
            base * self.profile.share(panel)[phase]
            for base, panel in zip(self._panel_base_wh, self.profile.panels, strict=True)
        )
        used = self._load_base_wh
        return {
            PRODUCTION: Energy(made, 0.0007 * made),
            NET: Energy(0.65 * used, max(0.0, made - 0.35 * used)),
            TOTAL: Energy(used, 0.0),
            STORAGE: Energy(0.2 * made, 0.22 * made),
        }[meter]

    def _check_counted(self, t: float) -> None:
        if abs(t - self.start) > MAX_COUNTED_S:
            raise ValueError(
                f"counters at {t:.0f} are {abs(t - self.start) / 86_400.0:.0f} days from this house's start "
                f"{self.start:.0f}: make the house with start=counters_start(t)"
            )
