"""A house that can be asked for any second: `House` puts roof, household, battery and meters together.

It guarantees:

- The same profile, seed, start and time give the same answer, in any order and any process.
- The meters measure once a second: `compute_state(t)` is the sample of the second that t lies in. Every energy here is
  the exact sum of those samples (one sample counts for one second), so counters and `compute_truth_wh` agree with it to
  rounding.
- On each phase and second, production + net-consumption (+ storage) is the load, exactly.
- Panels feed the production meter without loss; that meter adds its noise (mean zero) and, in the dark, the few
  watts that the inverters' filters draw.
"""

from simulator.house import meters
from simulator.house.energies import DEFAULT_START, EnergyAccounts
from simulator.house.inverters import InverterReports
from simulator.house.loads import Loads
from simulator.house.power import SimulatedPower
from simulator.house.profile import HouseProfile
from simulator.house.roof import Roof
from simulator.house.samples import MeterSamples
from simulator.house.state import (
    NET,
    PRODUCTION,
    STORAGE,
    TOTAL,
    HouseState,
    InverterReport,
    LifetimeCounters,
    PhaseEnergy,
    PhaseReading,
)
from simulator.house.storage import Storage
from simulator.house.weather import Weather
from simulator.units import JOULES_PER_WH


class House:
    """A house with its roof.

    Args:
        profile: What the house is.
        seed: Which weather and habits it has.
        start: Epoch seconds at which the lifetime counters have their (plausible) first values. Counters cost about
            a second for each day between here and the time asked for: choose a start near it, and the same one in
            every process that must agree (`choose_counters_start` helps).
    """

    def __init__(self, profile: HouseProfile, seed: int, start: float = DEFAULT_START) -> None:
        self.profile = profile
        self.seed = seed
        self.start = start // 60 * 60.0
        weather = Weather(profile, seed)
        self._roof = Roof(profile, seed, weather)
        power = SimulatedPower(profile, seed, self._roof, Loads(profile, seed, weather))
        self._storage = Storage(profile.battery, profile.time_zone, power) if profile.battery else None
        self._samples = MeterSamples(profile, seed, power, self._storage)
        self._grid = meters.Grid(profile, seed)
        shares = [profile.compute_shares(panel) for panel in profile.panels]
        self._inverters_on = [sum(phases) for phases in zip(*shares, strict=True)]
        self._energies = EnergyAccounts(profile, self._samples, self._roof, self.start)
        self._inverters = InverterReports(
            profile,
            seed,
            roof=self._roof,
            weather=weather,
            lifetime_wh=self._energies.compute_panel_wh,
            state=self.compute_state,
        )

    @property
    def meters(self) -> tuple[str, ...]:
        """Names of the house's meters, in the order of every answer."""
        return self._samples.meters

    def compute_state(self, t: float) -> HouseState:
        """Return the sample of the second that t lies in.

        Some 25 us, and 300 us in a minute not seen lately; with a battery up to a second for the first instant of
        a week.
        """
        second = int(t // 1)
        index, at = divmod(second, 60)
        minute = self._samples.minute(index)
        hertz = self._grid.compute_frequency_hz(second)
        readings: dict[str, list[PhaseReading]] = {name: [] for name in self.meters}
        for phase, inverters in enumerate(self._inverters_on):
            net_w, load_w = minute.watts[NET][phase][at], minute.load_w[phase][at]
            volts = self._grid.compute_voltage_v(phase, second, net_w)
            production = meters.measure_production(minute.watts[PRODUCTION][phase][at], inverters, volts, hertz)
            net = meters.measure_net_consumption(
                net_w, load_w, minute.load_var[phase][at], inverters=inverters, volts=volts, hertz=hertz
            )
            readings[PRODUCTION].append(production)
            readings[NET].append(net)
            readings[TOTAL].append(meters.compute_total_consumption(production, net))
            if self._storage:
                readings[STORAGE].append(meters.measure_storage(minute.watts[STORAGE][phase][at], volts, hertz))
        return HouseState(
            t=second,
            meters={name: tuple(phases) for name, phases in readings.items()},
            load_w=tuple(samples[at] for samples in minute.load_w),
            state_of_charge=self._storage.get_level(index) if self._storage else None,
        )

    def compute_panel_power(self, t: float) -> list[float]:
        """Return the AC power of each inverter at t (W), in the order of the profile's panels."""
        return self._roof.compute_power_w(t)

    def compute_interval_energy_wh(self, panel_index: int, start: float, end: float) -> float:
        """Return what one panel produces from start to end (Wh): the exact integral of `compute_panel_power`."""
        return self._roof.compute_energy_ws(panel_index, start, end) / JOULES_PER_WH

    def list_reports(self, t: float, interval_s: float) -> list[InverterReport]:
        """Return the last report of each inverter at t, as the gateway has it.

        Args:
            t: Epoch seconds.
            interval_s: How often the gateway asks each inverter (300 or 900 on real ones). It asks one after the other,
                so report dates are spread over the interval; after dusk they stay what they were.

        Returns:
            One report for each panel in order; one that has slept for over three days (polar night) is left out.

        Raises:
            ValueError: As `compute_counters`, of which a report carries one counter.
        """
        return self._inverters.list_reports(t, interval_s)

    def compute_counters(self, t: float) -> LifetimeCounters:
        """Return the lifetime counters at t: monotone, and the exact sum of the samples before the second of t.

        Raises:
            ValueError: t is more than 60 days from the house's start.
        """
        return self._energies.compute_counters(t)

    def compute_truth_wh(self, start: float, stop: float) -> dict[str, tuple[PhaseEnergy, ...]]:
        """Return the energy from start to stop (Wh): the sum of the samples of the seconds start <= s < stop.

        This is what every other account of the same time is compared with. A day takes about a second.

        Returns:
            Meter name to one `PhaseEnergy` for each phase; its `net_wh` is the integral.
        """
        return self._energies.compute_truth_wh(start, stop)
