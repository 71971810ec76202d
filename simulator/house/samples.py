"""The samples of every meter of the house, a minute at a time: roof, household and battery on the same wires."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from simulator.house.noise import Texture
from simulator.house.power import Samples, SimulatedPower
from simulator.house.profile import HouseProfile
from simulator.house.state import NET, PRODUCTION, STORAGE, TOTAL
from simulator.house.storage import STEP_S, Storage

_STANDBY_W = 8.0
"""Power of a battery's electronics."""


class MeterMinute(NamedTuple):
    """60 seconds of every meter by name (W), and of the appliances behind them (W, var)."""

    watts: Mapping[str, Samples]
    load_w: Samples
    load_var: Samples


class MeterSamples:
    """The active power that each meter of a house sees.

    Args:
        profile: Gives the wiring.
        seed: The house's seed.
        power: Roof and household.
        storage: The battery, if there is one.
    """

    def __init__(self, profile: HouseProfile, seed: int, power: SimulatedPower, storage: Storage | None) -> None:
        self._power = power
        self._storage = storage
        self._phases = range(profile.phase_count)
        self._noise = [Texture(seed, f"storage noise {phase}") for phase in self._phases]
        self.meters: tuple[str, ...] = (PRODUCTION, NET, TOTAL) + ((STORAGE,) if storage else ())
        """Names of the meters, the order of every answer."""
        self.minute = lru_cache(maxsize=256)(self._compute_minute)

    def _compute_minute(self, index: int) -> MeterMinute:
        """Return all meters of a minute. The grid supplies what is missing, so phase by phase nothing is lost."""
        base = self._power.get_minute(index)
        watts: dict[str, Samples] = {PRODUCTION: base.production_w}
        if self._storage:
            watts[STORAGE] = self._make_storage_samples(self._storage.get_minute_w(index), index)
        supplies = list(watts.values())
        watts[NET] = [
            [load - sum(parts) for load, *parts in zip(base.load_w[phase], *(s[phase] for s in supplies), strict=True)]
            for phase in self._phases
        ]
        watts[TOTAL] = [
            [p + n for p, n in zip(watts[PRODUCTION][phase], watts[NET][phase], strict=True)] for phase in self._phases
        ]
        return MeterMinute(watts, base.load_w, base.load_var)

    def _make_storage_samples(self, steps_w: list[float], index: int) -> Samples:
        """Return the battery's 60 seconds, shared by all phases alike, from its power at each step."""
        count = len(self._phases)
        mean_w = [(power - _STANDBY_W) / count for power in steps_w for _ in range(STEP_S)]
        return [
            [w + (0.3 + 0.001 * abs(w)) * n for w, n in zip(mean_w, noise.get_minute(index), strict=True)]
            for noise in self._noise
        ]
