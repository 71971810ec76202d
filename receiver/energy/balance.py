"""The site's energy over windows, and the two ratios that households compare.

Energy comes from the gateway's lifetime counters, which miss nothing during an outage. Two things do not:

- Import and export netted over several phases: the gateway counts each phase for itself, so one phase's export would
  never cancel another's import. They are the integrals of the positive and of the negative part of the summed power;
  in gaps in which no phase's opposite counter moved they are the sums of the counters.
- A meter without counters: its power is integrated. The load of a house whose battery has none is integrated as a
  whole, so that its parts are of the same time.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from receiver.energy.counters import CounterEnergy, counter_windows
from receiver.energy.energy import WindowEnergy, window_positive_negative
from receiver.energy.flows import NONE, UNKNOWN, Flow, add, add_counters, negate, net_by_counters, take_common
from receiver.energy.gaps import Gaps
from receiver.energy.interpolation import Point, Segments
from receiver.energy.plausible import Possible
from receiver.energy.site import (
    NET,
    OTHER_PRODUCTION,
    PRODUCTION,
    STORAGE,
    TOTAL,
    MeterPhase,
    Netting,
    has_meter,
    select_phases,
    site_series,
)
from receiver.energy.windows import check_edges
from shared.fields import MAX_GAP_MS

QUANTITIES = ("production", "load", "imported", "exported", "discharged", "charged")
"""The fields of `SiteEnergy` that are energies."""
SHARED = ("shared_production", "shared_exported", "shared_load", "shared_imported")
"""Its fields that are compared with each other: of each pair only what both know of the same time."""
NOTHING_SHARED = (WindowEnergy(None, 0.0),) * len(SHARED)


class MeterCounters(NamedTuple):
    """The lifetime counters of one meter and phase: points of UTC milliseconds and Wh, in order of time."""

    delivered: Sequence[Point]
    received: Sequence[Point]
    max_gap_ms: int | None = None
    """The longest step that is shared evenly over its time, where it is not the usual one."""
    possible: Possible | None = None
    """The most energy between two readings in one direction, where it is known."""


class SiteEnergy(NamedTuple):
    """The energy of one window in Wh, each at least 0, each with the share of the window in which it is known.

    A quantity whose `wh` is None is unknown. Energy of a gap across an edge of the window is in no `wh`; where the gap
    ends, it stands as `unallocated_wh`.

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

    @property
    def self_consumption(self) -> float | None:
        """The share of the production that was used at home, 0 to 1; None without production, or export beside it."""
        return _share_kept(self.shared_production.wh, self.shared_exported.wh)

    @property
    def self_sufficiency(self) -> float | None:
        """The share of the load that was not bought, 0 to 1; None without load, or import beside it."""
        return _share_kept(self.shared_load.wh, self.shared_imported.wh)


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
    return SiteEnergy(
        start, stop, production, load, imported, exported, discharged, charged, resets, unallocated_since, *shared
    )


class _Both(NamedTuple):
    """Energy in the two directions of one meter, summed over its phases; None received: it flows one way only."""

    delivered: Flow
    received: Flow | None
    resets: int = 0


def site_energy(
    powers: Mapping[MeterPhase, Segments],
    counters: Mapping[MeterPhase, MeterCounters],
    edges: Sequence[int],
    *,
    netting: Netting = "sum",
    inverters: Segments = (),
    max_gap_ms: int = MAX_GAP_MS,
    gaps: Gaps = (),
) -> list[SiteEnergy]:
    """The site's energy in each window between neighbouring edges.

    Args:
        powers: Power (W) by meter and phase: every enabled one.
        counters: Lifetime counters (Wh) by meter and phase; may lack any.
        edges: UTC milliseconds, at least two, strictly increasing.
        netting: How import and export are billed.
        inverters: Summed power (W) of all inverters; stands in where no production meter is enabled.
        max_gap_ms: The longest step of a counter that is shared evenly over its time.
        gaps: Recorded ones; see `receiver.energy.counters`.

    Raises:
        ValueError: The edges, or timestamps of a counter, are not in order.
    """
    check_edges(edges)
    meters = {
        meter: _meter(meter, powers, counters, edges, max_gap_ms, gaps) for meter in (PRODUCTION, NET, TOTAL, STORAGE)
    }
    if meters[PRODUCTION] is None and inverters:
        meters[PRODUCTION] = _integrate([inverters], edges)
    load = None
    if meters[STORAGE] is not None and not _has_counters(STORAGE, powers, counters):
        load = [_join(both) for both in _integrate([site_series(powers, inverters=inverters).load], edges)]
    other = _meter(OTHER_PRODUCTION, powers, counters, edges, max_gap_ms, gaps)
    if other is not None:
        meters[PRODUCTION] = _sum_meters(meters[PRODUCTION], other)
    net, net_phases = meters[NET], select_phases(powers, NET).keys() | select_phases(counters, NET).keys()
    if net is not None and (netting == "phases" or len(net_phases) == 1):
        grid = [(both.delivered, both.received or NONE) for both in net]
    else:
        grid = _net(site_series(powers, inverters=inverters).net, edges)
        if net is not None and _count_both(select_phases(counters, NET).values()):
            grid = [
                net_by_counters(power, both.delivered, both.received or UNKNOWN)
                for power, both in zip(grid, net, strict=True)
            ]
    return [
        _window(
            start,
            stop,
            {meter: both[index] if both is not None else None for meter, both in meters.items()},
            *grid[index],
            load=load[index] if load is not None else None,
        )
        for index, (start, stop) in enumerate(pairwise(edges))
    ]


def _window(
    start: int,
    stop: int,
    window: Mapping[str, _Both | None],
    imported: Flow,
    exported: Flow,
    *,
    load: Flow | None,
) -> SiteEnergy:
    production, battery = window[PRODUCTION], window[STORAGE]
    flows = [
        production.delivered if production else UNKNOWN,
        _load(window, imported, exported) if load is None else load,
        imported,
        exported,
        battery.delivered if battery else UNKNOWN,
        (battery.received or NONE) if battery else UNKNOWN,
    ]
    made, load, bought, sold = flows[:4]
    shared = [*take_common(made, sold), *take_common(load, bought)]
    gaps = [flow.gap_since for flow in flows if flow.gap_since is not None and flow.unallocated_wh > 0]
    resets = sum(both.resets for both in window.values() if both)
    return build_site_energy(start, stop, [flow.energy for flow in flows], resets, min(gaps, default=None), shared)


def _load(window: Mapping[str, _Both | None], imported: Flow, exported: Flow) -> Flow:
    """Production + import - export + discharge - charge; the total meter alone only where nothing else is there."""
    production, net, battery, total = window[PRODUCTION], window[NET], window[STORAGE], window[TOTAL]
    if total is not None and battery is None and (net is None or production is None):
        return total.delivered
    if production is None:
        return UNKNOWN
    grid = _Both(imported, exported) if net is None else net  # counters balance whatever the netting; integrals may not
    parts = [production, grid, *([battery] if battery else [])]
    out, back = [part.delivered for part in parts], [part.received for part in parts if part.received]
    balance = add([*out, *(negate(flow) for flow in back)])
    # Meters disagree by a little: a house that used nothing must not seem to have used less than nothing.
    wh = None if balance.wh is None else max(balance.wh, 0.0)
    return balance._replace(wh=wh, unallocated_wh=max(balance.unallocated_wh, 0.0))


def _count_both(phases: Iterable[MeterCounters]) -> bool:
    """Whether every phase counts both directions."""
    return all(both.delivered and both.received for both in phases)


def _net(power: Segments, edges: Sequence[int]) -> list[tuple[Flow, Flow]]:
    """Import and export of each window from the power netted over the phases."""
    return [
        (Flow(both.positive_wh, both.coverage), Flow(both.negative_wh, both.coverage))
        for both in window_positive_negative(power, edges)
    ]


def _meter(
    meter: str,
    powers: Mapping[MeterPhase, Segments],
    counters: Mapping[MeterPhase, MeterCounters],
    edges: Sequence[int],
    max_gap_ms: int,
    gaps: Gaps,
) -> list[_Both] | None:
    """Both directions of a meter in each window: from counters where all its phases have them, else from power."""
    if not has_meter(powers, meter) and not has_meter(counters, meter):
        return None
    phases = select_phases(powers, meter)
    read = {phase: both for phase, both in select_phases(counters, meter).items() if both.delivered}
    if not _has_counters(meter, powers, counters):
        return _integrate(list(phases.values()), edges)

    def measure(both: MeterCounters, points: Sequence[Point]) -> list[CounterEnergy]:
        longest, respected = (both.max_gap_ms, ()) if both.max_gap_ms else (max_gap_ms, gaps)
        return counter_windows(points, edges, longest, respected, both.possible)

    delivered = [measure(both, both.delivered) for both in read.values()]
    received = [measure(both, both.received) for both in read.values() if both.received]
    answers = []
    for index in range(len(edges) - 1):
        out, back = [phase[index] for phase in delivered], [phase[index] for phase in received]
        resets = sum(energy.resets for energy in [*out, *back])
        answers.append(_Both(add_counters(out), add_counters(back) if back else None, resets))
    return answers


def _has_counters(
    meter: str, powers: Mapping[MeterPhase, Segments], counters: Mapping[MeterPhase, MeterCounters]
) -> bool:
    """Whether every phase of a meter has counters."""
    read = {phase for phase, both in select_phases(counters, meter).items() if both.delivered}
    return select_phases(powers, meter).keys() <= read


def _join(both: _Both) -> Flow:
    """One direction of a quantity that never flows back: meters disagree by a little."""
    wh = both.delivered.wh
    back = (both.received.wh if both.received else None) or 0.0
    return both.delivered._replace(wh=None if wh is None else max(wh - back, 0.0))


def _sum_meters(first: list[_Both] | None, second: list[_Both]) -> list[_Both] | None:
    """Two meters of one kind as one, window by window; unknown where the first of them is not there."""
    if first is None:
        return None
    return [
        _Both(
            add([one.delivered, two.delivered]),
            add([one.received or NONE, two.received or NONE]) if one.received or two.received else None,
            one.resets + two.resets,
        )
        for one, two in zip(first, second, strict=True)
    ]


def _integrate(phases: Sequence[Segments], edges: Sequence[int]) -> list[_Both]:
    """Both directions from the power of every phase."""
    signed = [window_positive_negative(phase, edges) for phase in phases]
    return [
        _Both(
            add([Flow(phase[index].positive_wh, phase[index].coverage) for phase in signed]),
            add([Flow(phase[index].negative_wh, phase[index].coverage) for phase in signed]),
        )
        for index in range(len(edges) - 1)
    ]


def _share_kept(whole: float | None, given: float | None) -> float | None:
    """1 - given / whole, within 0 and 1; None where it is unknown or nothing can be shared."""
    if whole is None or given is None or whole <= 0:
        return None
    return min(max(1 - given / whole, 0.0), 1.0)
