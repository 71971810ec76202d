"""The energy of one meter in its two directions: from the counters of its phases, else from their power."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from receiver.energy.counters import CounterEnergy, compute_counter_windows
from receiver.energy.energy import compute_window_positive_negative
from receiver.energy.flows import NONE, UNKNOWN, Flow, add, add_counters
from receiver.energy.gaps import Gaps
from receiver.energy.interpolation import Point, Segments
from receiver.energy.plausible import Possible
from receiver.energy.site import MeterPhase, has_meter, select_phases


class MeterCounters(NamedTuple):
    """The lifetime counters of one meter and phase: points of UTC milliseconds and Wh, in order of time."""

    delivered: Sequence[Point]
    received: Sequence[Point]
    max_gap_ms: int | None = None
    """The longest step that is shared evenly over its time, where it is not the usual one."""
    possible: Possible | None = None
    """The most energy between two readings in one direction, where it is known."""
    gaps: Gaps = ()
    """Recorded ones that are as long as to matter, where the longest step is not the usual one."""
    wraps: bool = False
    """Whether they may begin again at 0 after 2^32 J."""


class MeterFlows(NamedTuple):
    """Energy in the two directions of one meter, summed over its phases; None received: it flows one way only."""

    delivered: Flow
    received: Flow | None
    resets: int = 0


def compute_meter_flows(
    meter: str,
    powers: Mapping[MeterPhase, Segments],
    counters: Mapping[MeterPhase, MeterCounters],
    boundaries: Sequence[int],
    max_gap_ms: int,
    gaps: Gaps,
) -> list[MeterFlows] | None:
    """Both directions of a meter in each window: from counters where all its phases have them, else from power."""
    if not has_meter(powers, meter) and not has_meter(counters, meter):
        return None
    phases = select_phases(powers, meter)
    read = {phase: both for phase, both in select_phases(counters, meter).items() if both.delivered}
    if not has_counters(meter, powers, counters):
        return integrate_phases(list(phases.values()), boundaries)
    return sum_counters(list(read.values()), boundaries, max_gap_ms, gaps)


def sum_counters(
    read: Sequence[MeterCounters], boundaries: Sequence[int], max_gap_ms: int, gaps: Gaps
) -> list[MeterFlows]:
    """Both directions of phases, or of batteries, together in each window, from the counters of each."""

    def measure(both: MeterCounters, points: Sequence[Point]) -> list[CounterEnergy]:
        if both.max_gap_ms:
            own = (both.max_gap_ms, both.gaps, both.possible)
            return compute_counter_windows(points, boundaries, *own, asked_apart=True, wraps=both.wraps)
        return compute_counter_windows(points, boundaries, max_gap_ms, gaps, both.possible)

    delivered = [measure(both, both.delivered) for both in read]
    received = [measure(both, both.received) for both in read if both.received]
    answers = []
    for index in range(len(boundaries) - 1):
        out, back = [phase[index] for phase in delivered], [phase[index] for phase in received]
        resets = sum(energy.resets for energy in [*out, *back])
        answers.append(MeterFlows(add_counters(out), add_counters(back) if back else None, resets))
    return answers


def sum_batteries(
    counters: Sequence[MeterCounters],
    powers: Sequence[Segments],
    boundaries: Sequence[int],
    max_gap_ms: int,
    gaps: Gaps,
) -> list[MeterFlows]:
    """What batteries gave and took in each window: from the counters of some and the power of each of the others."""
    counted = sum_counters(counters, boundaries, max_gap_ms, gaps)
    if not powers:
        return counted
    return [
        MeterFlows(
            add([some.delivered, others.delivered]),
            add([some.received or UNKNOWN, others.received or UNKNOWN]),
            some.resets,
        )
        for some, others in zip(counted, integrate_phases(powers, boundaries), strict=True)
    ]


def has_counters(
    meter: str, powers: Mapping[MeterPhase, Segments], counters: Mapping[MeterPhase, MeterCounters]
) -> bool:
    """Whether every phase of a meter has counters."""
    read = {phase for phase, both in select_phases(counters, meter).items() if both.delivered}
    return select_phases(powers, meter).keys() <= read


def has_both_directions(phases: Iterable[MeterCounters]) -> bool:
    """Whether every phase counts both directions."""
    return all(both.delivered and both.received for both in phases)


def sum_meters(first: list[MeterFlows] | None, second: list[MeterFlows]) -> list[MeterFlows] | None:
    """Two meters of one kind as one, window by window; unknown where the first of them is not there."""
    if first is None:
        return None
    return [
        MeterFlows(
            add([one.delivered, two.delivered]),
            add([one.received or NONE, two.received or NONE]) if one.received or two.received else None,
            one.resets + two.resets,
        )
        for one, two in zip(first, second, strict=True)
    ]


def integrate_phases(phases: Sequence[Segments], boundaries: Sequence[int]) -> list[MeterFlows]:
    """Both directions from the power of every phase."""
    signed = [compute_window_positive_negative(phase, boundaries) for phase in phases]
    return [
        MeterFlows(
            add([Flow(phase[index].positive_wh, phase[index].coverage) for phase in signed]),
            add([Flow(phase[index].negative_wh, phase[index].coverage) for phase in signed]),
        )
        for index in range(len(boundaries) - 1)
    ]


def join_directions(both: MeterFlows) -> Flow:
    """One direction of a quantity that never flows back: meters disagree by a little."""
    wh = both.delivered.wh
    back = (both.received.wh if both.received else None) or 0.0
    return both.delivered._replace(wh=None if wh is None else max(wh - back, 0.0))
