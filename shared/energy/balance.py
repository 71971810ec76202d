"""The site's energy over windows, and the two ratios that households compare.

Energy comes from the gateway's lifetime counters, which miss nothing during an outage. Two things do not:

- Import and export netted over several phases: the gateway counts each phase for itself, so one phase's export would
  never cancel another's import. They are the integrals of the positive and of the negative part of the summed power.
- A meter without counters: its power is integrated.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from shared.energy.counters import CounterEnergy, counter_windows
from shared.energy.energy import Energy, window_positive_negative
from shared.energy.interpolation import Point, Segments
from shared.energy.site import NET, PRODUCTION, STORAGE, TOTAL, MeterPhase, Netting, has_meter, phases_of, site_series
from shared.energy.windows import check_edges
from shared.fields import MAX_GAP_MS


class Counters(NamedTuple):
    """The lifetime counters of one meter and phase: points of UTC milliseconds and Wh, in order of time."""

    delivered: Sequence[Point]
    received: Sequence[Point]


class SiteEnergy(NamedTuple):
    """The energy of one window in Wh, each at least 0, each with the share of the window in which it is known.

    A quantity whose `wh` is None is unknown. Energy that flowed in a gap across an edge of the window is in none.

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
    """

    start: int
    stop: int
    production: Energy
    load: Energy
    imported: Energy
    exported: Energy
    discharged: Energy
    charged: Energy
    resets: int

    @property
    def self_consumption(self) -> float | None:
        """The share of the production that was used at home, 0 to 1; None without production."""
        return _share_kept(self.production.wh, self.exported.wh)

    @property
    def autarky(self) -> float | None:
        """The share of the load that was not bought, 0 to 1; None without load."""
        return _share_kept(self.load.wh, self.imported.wh)


_UNKNOWN = Energy(None, 0.0)


class _Both(NamedTuple):
    """Energy in the two directions of one meter, summed over its phases."""

    delivered: Energy
    received: Energy
    resets: int = 0


def site_energy(
    powers: Mapping[MeterPhase, Segments],
    counters: Mapping[MeterPhase, Counters],
    edges: Sequence[int],
    *,
    netting: Netting = "sum",
    inverters: Segments = (),
    max_gap_ms: int = MAX_GAP_MS,
) -> list[SiteEnergy]:
    """The site's energy in each window between neighbouring edges.

    Args:
        powers: Power (W) by meter and phase: every enabled one.
        counters: Lifetime counters (Wh) by meter and phase; may lack any.
        edges: UTC milliseconds, at least two, strictly increasing.
        netting: How import and export are billed.
        inverters: Summed power (W) of all inverters; stands in where no production meter is enabled.
        max_gap_ms: The longest step of a counter that is shared evenly over its time.

    Raises:
        ValueError: The edges, or timestamps of a counter, are not in order.
    """
    check_edges(edges)
    meters = {meter: _meter(meter, powers, counters, edges, max_gap_ms) for meter in (PRODUCTION, NET, TOTAL, STORAGE)}
    if meters[PRODUCTION] is None and inverters:
        meters[PRODUCTION] = _integrated([inverters], edges)
    net, net_phases = meters[NET], phases_of(powers, NET).keys() | phases_of(counters, NET).keys()
    if net is not None and (netting == "phases" or len(net_phases) == 1):
        grid = [(both.delivered, both.received) for both in net]
    else:
        grid = _netted(site_series(powers, inverters=inverters).net, edges)
    answers = []
    for index, (start, stop) in enumerate(pairwise(edges)):
        window = {meter: both[index] if both is not None else None for meter, both in meters.items()}
        production, battery = window[PRODUCTION], window[STORAGE]
        imported, exported = grid[index]
        answers.append(
            SiteEnergy(
                start,
                stop,
                production=production.delivered if production else _UNKNOWN,
                load=_load(window, imported, exported),
                imported=imported,
                exported=exported,
                discharged=battery.delivered if battery else _UNKNOWN,
                charged=battery.received if battery else _UNKNOWN,
                resets=sum(both.resets for both in window.values() if both),
            )
        )
    return answers


def _load(window: Mapping[str, _Both | None], imported: Energy, exported: Energy) -> Energy:
    """Production + import - export + discharge - charge; the total meter alone only where nothing else is there."""
    production, net, battery, total = window[PRODUCTION], window[NET], window[STORAGE], window[TOTAL]
    if total is not None and battery is None and (net is None or production is None):
        return total.delivered
    if production is None:
        return _UNKNOWN
    if net is not None:  # its two counters balance whatever the netting; the netted ones may have been integrated
        imported, exported = net.delivered, net.received
    plus = [production.delivered, imported, *([battery.delivered] if battery else [])]
    minus = [production.received, exported, *([battery.received] if battery else [])]
    balance = _add([*plus, *(_negative(energy) for energy in minus)])
    # Meters disagree by a little: a house that used nothing must not seem to have used less than nothing.
    return balance if balance.wh is None else Energy(max(balance.wh, 0.0), balance.coverage)


def _netted(power: Segments, edges: Sequence[int]) -> list[tuple[Energy, Energy]]:
    """Import and export of each window from the power netted over the phases."""
    return [
        (Energy(both.positive_wh, both.coverage), Energy(both.negative_wh, both.coverage))
        for both in window_positive_negative(power, edges)
    ]


def _meter(
    meter: str,
    powers: Mapping[MeterPhase, Segments],
    counters: Mapping[MeterPhase, Counters],
    edges: Sequence[int],
    max_gap_ms: int,
) -> list[_Both] | None:
    """Both directions of a meter in each window: from counters where all its phases have them, else from power."""
    if not has_meter(powers, meter) and not has_meter(counters, meter):
        return None
    phases = phases_of(powers, meter)
    counted = {phase: both for phase, both in phases_of(counters, meter).items() if both.delivered}
    if not phases.keys() <= counted.keys():
        return _integrated(list(phases.values()), edges)
    delivered = [counter_windows(both.delivered, edges, max_gap_ms) for both in counted.values()]
    received = [counter_windows(both.received, edges, max_gap_ms) for both in counted.values() if both.received]
    answers = []
    for index in range(len(edges) - 1):
        out, back = [phase[index] for phase in delivered], [phase[index] for phase in received]
        none = Energy(0.0, 1.0)  # a meter without a second counter (total-consumption) flows one way only
        resets = sum(energy.resets for energy in [*out, *back])
        answers.append(_Both(_counted(out), _counted(back) if back else none, resets))
    return answers


def _integrated(phases: Sequence[Segments], edges: Sequence[int]) -> list[_Both]:
    """Both directions from the power of every phase."""
    signed = [window_positive_negative(phase, edges) for phase in phases]
    return [
        _Both(
            _add([Energy(phase[index].positive_wh, phase[index].coverage) for phase in signed]),
            _add([Energy(phase[index].negative_wh, phase[index].coverage) for phase in signed]),
        )
        for index in range(len(edges) - 1)
    ]


def _counted(phases: Sequence[CounterEnergy]) -> Energy:
    return _add([Energy(phase.wh, phase.coverage) for phase in phases])


def _add(parts: Sequence[Energy]) -> Energy:
    """The sum, known where every part is; its coverage is that of the least known part."""
    if not parts or any(part.wh is None for part in parts):
        return _UNKNOWN
    return Energy(sum(part.wh or 0.0 for part in parts), min(part.coverage for part in parts))


def _negative(energy: Energy) -> Energy:
    return energy if energy.wh is None else Energy(-energy.wh, energy.coverage)


def _share_kept(whole: float | None, given: float | None) -> float | None:
    """1 - given / whole, within 0 and 1; None where it is unknown or nothing can be shared."""
    if whole is None or given is None or whole <= 0:
        return None
    return min(max(1 - given / whole, 0.0), 1.0)
