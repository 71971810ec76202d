"""The site's energy over windows, and the two ratios that households compare.

Energy comes from the gateway's lifetime counters, which miss nothing during an outage. Two things do not:

- Import and export netted over several phases: the gateway counts each phase for itself, so one phase's export would
  never cancel another's import. They are the integrals of the positive and of the negative part of the summed power;
  in gaps in which no phase's opposite counter moved they are the sums of the counters.
- A meter without counters: its power is integrated. The load of a house whose battery has none is integrated as a
  whole, so that its parts are of the same time. Batteries that count for themselves do so by reports that are minutes
  old: what they gave and took is known by that, and the load is not.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from receiver.energy.energy import WindowEnergy, compute_window_positive_negative
from receiver.energy.flows import (
    NONE,
    UNKNOWN,
    Flow,
    add,
    compute_net_by_counters,
    is_of_one_time,
    negate,
    take_common,
)
from receiver.energy.gaps import Gaps
from receiver.energy.interpolation import Segments
from receiver.energy.meter_flows import (
    MeterCounters,
    MeterFlows,
    compute_meter_flows,
    has_both_directions,
    has_counters,
    integrate_phases,
    join_directions,
    sum_batteries,
    sum_meters,
)
from receiver.energy.site import (
    NET,
    OTHER_PRODUCTION,
    PRODUCTION,
    STORAGE,
    TOTAL,
    MeterPhase,
    Netting,
    compute_site_series,
    select_phases,
)
from receiver.energy.windows import check_boundaries
from shared.agreement import is_contradiction
from shared.fields import EIM_PHASE, MAX_GAP_MS
from shared.units import HOUR_MS

QUANTITIES = ("production", "load", "imported", "exported", "discharged", "charged")
"""The fields of `SiteEnergy` that are energies."""
SHARED = ("shared_production", "shared_exported", "shared_load", "shared_imported")
"""Its fields that are compared with each other: of each pair only what both know of the same time."""
NOTHING_SHARED = (WindowEnergy(None, 0.0),) * len(SHARED)


class SiteEnergy(NamedTuple):
    """The energy of one window in Wh, each at least 0, each with the share of the window in which it is known.

    A quantity whose `wh` is None is unknown. Energy of a gap across a boundary of the window is in no `wh`; where the
    gap ends, it stands as `unallocated_wh`.

    Attributes:
        start: First millisecond of the window (UTC).
        stop: End of the window, not part of it (UTC milliseconds).
        production: Generation.
        load: What the house used.
        imported: Bought from the grid.
        exported: Sold to the grid.
        discharged: Out of the battery.
        charged: Into the battery.
        resets: Counter resets seen in the window.
        unallocated_since: Where the earliest of the gaps began that gave the window such energy (UTC milliseconds);
            None for none.
        shared_production: Production of the time in which the export is known, too.
        shared_exported: Export of that time.
        shared_load: Load of the time in which the import is known, too.
        shared_imported: Import of that time.
        taken_over_since: Where the window of the import began that gave this one `taken_over_unallocated_wh` (UTC
            milliseconds); None for none.
    """

    start: int
    stop: int
    production: WindowEnergy
    load: WindowEnergy
    imported: WindowEnergy
    exported: WindowEnergy
    discharged: WindowEnergy
    charged: WindowEnergy
    resets: int
    unallocated_since: int | None = None
    shared_production: WindowEnergy = NOTHING_SHARED[0]
    shared_exported: WindowEnergy = NOTHING_SHARED[1]
    shared_load: WindowEnergy = NOTHING_SHARED[2]
    shared_imported: WindowEnergy = NOTHING_SHARED[3]
    taken_over_since: int | None = None

    @property
    def self_consumption(self) -> float | None:
        """The share of the production that was used at home, 0 to 1; None without production, or export beside it."""
        return _compute_share_kept(self.shared_production.wh, self.shared_exported.wh)

    @property
    def self_sufficiency(self) -> float | None:
        """The share of the load that was not bought, 0 to 1; None without load, or import beside it."""
        return _compute_share_kept(self.shared_load.wh, self.shared_imported.wh)


def build_site_energy(
    start: int,
    stop: int,
    energies: Sequence[WindowEnergy],
    resets: int,
    unallocated_since: int | None,
    shared: Sequence[WindowEnergy] = NOTHING_SHARED,
) -> SiteEnergy:
    """A window from its energies in the order of `QUANTITIES`, and those in the order of `SHARED`."""
    production, load, imported, exported, discharged, charged = energies
    alone = SiteEnergy(
        start, stop, production, load, imported, exported, discharged, charged, resets, unallocated_since
    )
    made, given, used, bought = shared
    return alone._replace(shared_production=made, shared_exported=given, shared_load=used, shared_imported=bought)


def compute_site_energy(
    powers: Mapping[MeterPhase, Segments],
    counters: Mapping[MeterPhase, MeterCounters],
    boundaries: Sequence[int],
    *,
    netting: Netting = "sum",
    inverters: Segments = (),
    most: float | None = None,
    max_gap_ms: int = MAX_GAP_MS,
    gaps: Gaps = (),
    batteries: Sequence[MeterCounters] = (),
    battery_powers: Sequence[Segments] = (),
) -> list[SiteEnergy]:
    """The site's energy in each window between neighbouring boundaries.

    Args:
        powers: Power (W) by meter and phase: every enabled one.
        counters: Lifetime counters (Wh) by meter and phase; may lack any.
        boundaries: UTC milliseconds, at least two, strictly increasing.
        netting: How import and export are billed.
        inverters: Summed power (W) of all inverters; stands in where no production meter is enabled.
        most: As in `compute_site_series`.
        max_gap_ms: The longest step of a counter that is shared evenly over its time.
        gaps: Recorded ones; see `receiver.energy.counters`.
        batteries: Lifetime counters of every battery that has its own, where no meter sees them.
        battery_powers: Power (W) of each of the others beside these.

    Raises:
        ValueError: The boundaries, or timestamps of a counter, are not in order.
    """
    check_boundaries(boundaries)
    stored = sum_batteries(batteries, battery_powers, boundaries, max_gap_ms, gaps) if batteries else None
    meters = {
        meter: compute_meter_flows(meter, powers, counters, boundaries, max_gap_ms, gaps)
        for meter in (PRODUCTION, NET, TOTAL, STORAGE)
    }
    if meters[PRODUCTION] is None and inverters:
        meters[PRODUCTION] = integrate_phases([inverters], boundaries)
    has_integral = meters[STORAGE] is not None and not has_counters(STORAGE, powers, counters)

    @functools.cache
    def integrate_load() -> list[Flow]:
        """Of the time of which all that the load is made of is known."""
        load = compute_site_series(powers, inverters=inverters, most=most).load
        return [join_directions(both) for both in integrate_phases([load], boundaries)]

    def get_integrated_load(index: int) -> Flow:
        return integrate_load()[index]

    other = compute_meter_flows(OTHER_PRODUCTION, powers, counters, boundaries, max_gap_ms, gaps)
    if other is not None:
        meters[PRODUCTION] = sum_meters(meters[PRODUCTION], other)
    net, net_phases = meters[NET], select_phases(powers, NET).keys() | select_phases(counters, NET).keys()
    if net is not None and netting == "phases" and EIM_PHASE in net_phases:
        grid = [(UNKNOWN, UNKNOWN)] * len(net)  # the phases are not known, only their sum
    elif net is not None and (netting == "phases" or len(net_phases) == 1):
        grid = [(both.delivered, both.received or NONE) for both in net]
    else:
        grid = _compute_net(compute_site_series(powers, inverters=inverters).net, boundaries)
        if net is not None and has_both_directions(select_phases(counters, NET).values()):
            grid = [
                compute_net_by_counters(power, both.delivered, both.received or UNKNOWN)
                for power, both in zip(grid, net, strict=True)
            ]
    return [
        _compute_window(
            start,
            stop,
            {meter: both[index] if both is not None else None for meter, both in meters.items()},
            *grid[index],
            has_integral=has_integral,
            integrate_load=functools.partial(get_integrated_load, index),
            stored=stored[index] if stored is not None else None,
        )
        for index, (start, stop) in enumerate(pairwise(boundaries))
    ]


def _compute_window(
    start: int,
    stop: int,
    window: Mapping[str, MeterFlows | None],
    imported: Flow,
    exported: Flow,
    *,
    has_integral: bool,
    integrate_load: Callable[[], Flow],
    stored: MeterFlows | None,
) -> SiteEnergy:
    production, battery = window[PRODUCTION], stored or window[STORAGE]
    load = None if has_integral else _compute_load(window, imported, exported, (stop - start) / HOUR_MS)
    if load is None:
        load = UNKNOWN if stored is not None else integrate_load()
    flows = [
        production.delivered if production else UNKNOWN,
        load,
        imported,
        exported,
        battery.delivered if battery else UNKNOWN,
        (battery.received or NONE) if battery else UNKNOWN,
    ]
    made, load, bought, sold = flows[:4]
    shared = [*take_common(made, sold), *take_common(load, bought)]
    gaps = [flow.gap_since for flow in flows if flow.gap_since is not None and flow.unallocated_wh > 0]
    resets = sum(both.resets for both in (*window.values(), stored) if both)
    return build_site_energy(start, stop, [flow.energy for flow in flows], resets, min(gaps, default=None), shared)


def _compute_load(window: Mapping[str, MeterFlows | None], imported: Flow, exported: Flow, hours: float) -> Flow | None:
    """Production + import - export + discharge - charge; the total meter alone only where nothing else is there.

    Returns:
        None where these know different times of the window: amounts of different times make no sum.
    """
    production, net, battery, total = window[PRODUCTION], window[NET], window[STORAGE], window[TOTAL]
    if total is not None and battery is None and (net is None or production is None):
        return UNKNOWN if _is_contradictory([total], hours) else total.delivered
    if production is None:
        return UNKNOWN
    grid = (
        MeterFlows(imported, exported) if net is None else net
    )  # counters balance whatever the netting; integrals may not
    sources = [production, grid, *([battery] if battery else [])]
    out, back = [source.delivered for source in sources], [source.received for source in sources if source.received]
    balance = add([*out, *(negate(flow) for flow in back)])
    if balance.wh is not None and not is_of_one_time([*out, *back]):
        return None
    if production.received is not None and _is_contradictory(sources, hours):
        return UNKNOWN  # but a total of reports, which flows one way only, may lag behind the grid's meter
    # Meters disagree by a little: a house that used nothing must not seem to have used less than nothing.
    wh = None if balance.wh is None else max(balance.wh, 0.0)
    return balance._replace(wh=wh, unallocated_wh=max(balance.unallocated_wh, 0.0))


def _is_contradictory(sources: Sequence[MeterFlows], hours: float) -> bool:
    """Whether the sources of a house say that it used less than nothing, by more than meters differ."""
    flows = [(source.delivered.wh, source.received.wh if source.received else 0.0) for source in sources]
    return is_contradiction((out - back) / hours for out, back in flows if out is not None and back is not None)


def _compute_net(power: Segments, boundaries: Sequence[int]) -> list[tuple[Flow, Flow]]:
    """Import and export of each window from the power netted over the phases."""
    return [
        (Flow(both.positive_wh, both.coverage), Flow(both.negative_wh, both.coverage))
        for both in compute_window_positive_negative(power, boundaries)
    ]


def _compute_share_kept(whole: float | None, given: float | None) -> float | None:
    """1 - given / whole, within 0 and 1; None where it is unknown or nothing can be shared."""
    if whole is None or given is None or whole <= 0:
        return None
    return min(max(1 - given / whole, 0.0), 1.0)
