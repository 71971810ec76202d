"""Energy of a house: the truth about any span, and lifetime counters. All are sums of the meters' own samples."""

from collections.abc import Sequence
from functools import lru_cache

from simulator.house.counters import Totals
from simulator.house.profile import HouseProfile
from simulator.house.roof import Roof
from simulator.house.samples import MeterSamples
from simulator.house.state import NET, PRODUCTION, STORAGE, TOTAL, LifetimeCounters, PhaseEnergy
from simulator.units import DAY_S, JOULES_PER_WH

DEFAULT_START = 1_781_481_600.0
"""2026-06-15T00:00Z: the default start of the counters."""
INSTALLED = 1_678_838_400.0
"""2023-03-15T00:00Z: since when every simulated system has been counting."""
MAX_COUNTED_S = 60 * DAY_S
"""Counters are summed up second by second from the start; further away than this it would take too long."""
_SUN_HOURS = 2.9
"""Full-power hours of a mean day, for what the counters show at the start."""
_APPLIANCES = 2.2
"""The mean load as a multiple of the base load, for the same purpose."""


def choose_counters_start(t: float) -> float:
    """Return a start for a house that will be asked about the days around t: a Monday 00:00 UTC, 8 to 15 days before.

    Two processes of the same week get the same start, so their counters agree.
    """
    week = 7 * DAY_S
    monday = 4 * DAY_S  # 1970-01-05, the first one
    return (t - 8 * DAY_S - monday) // week * week + monday


class EnergyAccounts:
    """The accounts of one house.

    Args:
        profile: Gives wiring and panels.
        samples: What its meters see.
        roof: What its panels produce.
        start: Epoch seconds, a whole minute, at which the counters have their first values.
    """

    def __init__(self, profile: HouseProfile, samples: MeterSamples, roof: Roof, start: float) -> None:
        self._profile = profile
        self._samples = samples
        self._roof = roof
        self._start = start
        self._phases = range(profile.phase_count)
        self._width = len(samples.meters) * len(self._phases) * 2
        self._get_minute_wh = lru_cache(maxsize=256)(self._compute_minute_wh)
        # Meters and panels in one row: both need the same knots of the roof, which are not remembered for long.
        self._totals = Totals(
            int(start) // 60,
            self._width + len(profile.panels),
            lambda minute: [*self._get_minute_wh(minute), *roof.get_minute_ws(minute)],
        )
        days = max(30.0, (start - INSTALLED) / DAY_S)
        self._panel_base_wh = [panel.rated_w * panel.health * _SUN_HOURS * days for panel in profile.panels]
        self._load_base_wh = profile.base_load_w * _APPLIANCES * 24.0 * days / len(self._phases)
        self._base = {
            meter: [self._compute_base_wh(meter, phase) for phase in self._phases] for meter in samples.meters
        }

    def compute_truth_wh(self, start: float, stop: float) -> dict[str, tuple[PhaseEnergy, ...]]:
        """Return the sum of the samples of the seconds start <= s < stop (Wh), by meter and phase."""
        # A part of a second counts when its second does: the sample of a second is at its beginning.
        first, last = -int(-start // 1), -int(-stop // 1)
        sums = [0.0] * self._width
        for minute in range(first // 60, last // 60):
            sums = [a + b for a, b in zip(sums, self._get_minute_wh(minute), strict=True)]
        before = self._add_seconds([0.0] * self._width, first)
        return self._split_by_meter([a - b for a, b in zip(self._add_seconds(sums, last), before, strict=True)])

    def compute_counters(self, t: float) -> LifetimeCounters:
        """Return all lifetime counters at t.

        Raises:
            ValueError: t is too far from the start.
        """
        sums = self._add_seconds(self._sum_until(int(t // 60))[: self._width], int(t // 1))
        counted = {
            meter: tuple(
                PhaseEnergy(base.delivered_wh + span.delivered_wh, base.received_wh + span.received_wh)
                for base, span in zip(self._base[meter], spans, strict=True)
            )
            for meter, spans in self._split_by_meter(sums).items()
        }
        return LifetimeCounters(counted, tuple(self._compute_panels_wh(t)))

    def compute_panel_wh(self, index: int, t: float) -> float:
        """Return the lifetime counter of one panel at t (Wh)."""
        return self._compute_panels_wh(t)[index]

    def _compute_panels_wh(self, t: float) -> list[float]:
        minute = int(t // 60)
        totals = self._sum_until(minute)[self._width :]
        return [
            base + (total + self._roof.compute_energy_ws(index, minute * 60.0, t)) / JOULES_PER_WH
            for index, (base, total) in enumerate(zip(self._panel_base_wh, totals, strict=True))
        ]

    def _sum_until(self, minute: int) -> list[float]:
        """Return the row of totals at a minute: meters (Wh), then panels (W s)."""
        if abs(minute * 60 - self._start) > MAX_COUNTED_S:
            days = abs(minute * 60 - self._start) / DAY_S
            raise ValueError(
                f"counters at {minute * 60} are {days:.0f} days from this house's start {self._start:.0f}: "
                "make the house with start=counters_start(t)"
            )
        return self._totals.sum_until(minute)

    def _compute_minute_wh(self, index: int) -> list[float]:
        """Return delivered and received energy of a minute, by meter and phase, in one row."""
        return self._compute_seconds_wh(index, 60)

    def _compute_seconds_wh(self, index: int, seconds: int) -> list[float]:
        """Return the row of the first seconds of a minute."""
        row: list[float] = []
        watts = self._samples.minute(index).watts
        for meter in self._samples.meters:
            for samples in watts[meter]:
                part = samples[:seconds]
                # Nearly every minute keeps one sign, and then one plain sum is ten times faster than choosing.
                net = sum(part)
                positive = sum(w for w in part if w > 0.0) if min(part) < 0.0 < max(part) else max(0.0, net)
                row += (positive / JOULES_PER_WH, (positive - net) / JOULES_PER_WH)
        return row

    def _add_seconds(self, sums: Sequence[float], second: int) -> list[float]:
        """Return the sums with those seconds added that lie before `second` in its own minute."""
        minute, seconds = divmod(second, 60)
        return (
            [a + b for a, b in zip(sums, self._compute_seconds_wh(minute, seconds), strict=True)]
            if seconds
            else list(sums)
        )

    def _split_by_meter(self, row: Sequence[float]) -> dict[str, tuple[PhaseEnergy, ...]]:
        pairs = iter(row)
        return {
            meter: tuple(PhaseEnergy(next(pairs), next(pairs)) for _ in self._phases) for meter in self._samples.meters
        }

    def _compute_base_wh(self, meter: str, phase: int) -> PhaseEnergy:
        """Return what a counter showed at the start: what such a house collects from its installation on."""
        made = sum(
            base * self._profile.compute_shares(panel)[phase]
            for base, panel in zip(self._panel_base_wh, self._profile.panels, strict=True)
        )
        used = self._load_base_wh
        return {
            PRODUCTION: PhaseEnergy(made, 0.0007 * made),
            NET: PhaseEnergy(0.65 * used, max(0.0, made - 0.35 * used)),
            TOTAL: PhaseEnergy(used, 0.0),
            STORAGE: PhaseEnergy(0.2 * made, 0.22 * made),
        }[meter]
