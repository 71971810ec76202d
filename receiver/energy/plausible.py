"""How much energy can have flowed between two readings of a lifetime counter. Pure.

A counter that rises by more than that was reset or jumped, and the step is no energy:

- A panel makes at most `_PANEL_MARGIN` times the highest power seen of it, `_UNKNOWN_PANEL_W` where none is known.
- A site makes or takes at most what its inverters can make together, or `_SITE_MARGIN` times the highest power seen of
  the meter. A site that has been seen for less than a day may take `_NEW_SITE_W` all the same: its first kettle is no
  jump.
- A total of all inverters, by which a gateway without meters counts, gains at most what these can make. Where no list
  of them is known, at most `_SITE_MARGIN` times the highest power that the gateway gave beside it.
- Where nothing is known, a step of more than `_LARGEST_W` is refused, and one by a multiple of 2^32 J: firmware 8
  shows totals whole that older firmware had wrapped.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from shared.fields import MAX_GAP_MS, WRAP_WH
from shared.units import DAY_MS, HOUR_MS, QUARTER_MS

Point: TypeAlias = tuple[int, float]
"""UTC milliseconds, and Wh."""

Possible: TypeAlias = Callable[[int, int], float | None]
"""The most energy (Wh) between two readings (UTC milliseconds) of a counter; None where nothing bounds it."""

_LARGEST_W = 250_000.0  # more than 600 microinverters, the most a gateway serves; a faster counter jumped
_LARGEST_WRAPPED_WH = WRAP_WH / 10  # a decrease that would need more energy than this to be a wrap is a reset
_SAME_WH = 3.0  # counters are read in whole watt-hours, or of several channels
_PANEL_MARGIN = 1.5
_UNKNOWN_PANEL_W = 500.0
_SITE_MARGIN = 3.0
_NEW_SITE_W = 15_000.0
_AC_BATTERY_W = 500.0  # one gives and takes 270 W
_LITTLE_W = 1000.0  # any house may take this much
_READING_WH = 500.0  # what two readings may differ by, however close: they are not taken at one moment
_FEWEST_STEPS = 3  # so many of the highest are left out but one: a jump that was believed is no power


WRAPPING_KINDS = ("inverter", "production")
"""Whose counters may begin again at 0 after 2^32 J: inverters, and their total."""


class TotalReading(NamedTuple):
    """What one reading of a total says: time (UTC milliseconds), counter (Wh), and power (W) if it gives one."""

    time: int
    energy: float
    power: float | None


class PanelPower(NamedTuple):
    """What one report of an inverter says of its power: time (UTC milliseconds), mean and highest mean ever, in W."""

    time: int
    power: float | None
    highest: float | None


def compute_increase_wh(
    before: Point, after: Point, possible: Possible | None = None, *, wraps: bool = False
) -> float | None:
    """The energy between two readings of a lifetime counter (UTC milliseconds, Wh); None if it was reset or jumped.

    `wraps`: whether it may begin again at 0 after 2^32 J, as those of inverters and their total do. Meters never do.
    """
    step = after[1] - before[1]
    most = possible(before[0], after[0]) if possible else None
    most_wh = _LARGEST_W * (after[0] - before[0]) / HOUR_MS if most is None else most
    if step < 0:
        step += WRAP_WH
        is_wrap = wraps and before[1] <= WRAP_WH and 0 <= step <= min(_LARGEST_WRAPPED_WH, most_wh)
        return step if is_wrap else None
    if step > most_wh:
        return None
    # A step that is possible is taken for a jump only where it is a multiple all but exactly.
    return None if _is_unwrap(step, _LARGEST_WRAPPED_WH if most is None else _SAME_WH) else step


def _is_unwrap(step_wh: float, further_wh: float) -> bool:
    """Whether a step is by a multiple of 2^32 J and at most some further energy."""
    times = (step_wh + _SAME_WH) // WRAP_WH
    return times >= 1 and step_wh - times * WRAP_WH <= further_wh


def is_large(before: Point, after: Point) -> bool:
    """Whether a step that is not absurd needs to be compared with the highest power seen."""
    step = after[1] - before[1]
    return step > _READING_WH and step > _LITTLE_W * (after[0] - before[0]) / HOUR_MS


def limit_panel(reports: Iterable[PanelPower]) -> Possible:
    """What a panel can make, judged by the two reports of each step.

    A report may count what its own interval does not cover, so a quarter hour is added to the time that passed.
    """
    known = {report.time: report for report in reports}

    def compute_most(start: int, stop: int) -> float:
        watts = find_panel_limit(known[time] for time in (start, stop) if time in known)
        return watts * _measure_hours(start, stop)

    return compute_most


def find_panel_limit(reports: Iterable[PanelPower]) -> float:
    """The most power (W) that reports of one inverter let it make."""
    found = list(reports)
    highest = [report.highest for report in found if report.highest is not None and report.highest > 0]
    seen = [report.power for report in found if report.power is not None]
    if not highest:
        return max([_UNKNOWN_PANEL_W, *(_PANEL_MARGIN * power for power in seen)])
    return _PANEL_MARGIN * max(*highest, *seen, 0.0)


def limit_steady(watts: float) -> Possible:
    """What flows at no more than `watts`, in a counter that moves with the reports of inverters."""
    return lambda start, stop: watts * _measure_hours(start, stop)


def is_large_total(before: TotalReading, after: TotalReading) -> bool:
    """Whether a step of a total is more than the power at its two ends explains, so that earlier powers must judge."""
    step = after.energy - before.energy
    risen = step if step >= 0 else step + WRAP_WH
    return risen > _find_end_power(before, after) * _measure_hours(before.time, after.time)


def limit_total(
    readings: Iterable[TotalReading], earlier: Sequence[Point], inverters_w: float = 0.0
) -> Possible | None:
    """What the total of all inverters can gain; None where nothing is known of them, and no power of it was ever given.

    Args:
        readings: Of the total, with the two ends of each step that is asked for.
        earlier: The powers (W) that the gateway gave beside it in the days before a step that `is_large_total`.
        inverters_w: The most that all inverters make together; 0 where none is known.
    """
    known = {reading.time: reading for reading in readings}
    if inverters_w <= 0 and not earlier and all(reading.power is None for reading in known.values()):
        return None
    watts = inverters_w if inverters_w > 0 else _find_total_limit(earlier)

    def compute_most(start: int, stop: int) -> float:
        before, after = known.get(start), known.get(stop)
        if before is None or after is None:
            return watts * _measure_hours(start, stop)
        if _is_unwrap(after.energy - before.energy, _LARGEST_WRAPPED_WH):
            return 0.0  # possible over a long gap, but no less likely to be no energy
        ends = 0.0 if inverters_w > 0 else _find_end_power(before, after)
        return max(watts, ends) * _measure_hours(start, stop)

    return compute_most


def _find_total_limit(powers: Sequence[Point]) -> float:
    """The most power (W) of a site that gave these."""
    # As of steps: a few powers that were none do not make the next jump possible.
    highest = sorted(power for _, power in powers)[-_FEWEST_STEPS] if len(powers) >= _FEWEST_STEPS else 0.0
    is_new = not powers or powers[-1][0] - powers[0][0] < DAY_MS
    return max(_SITE_MARGIN * highest, _NEW_SITE_W if is_new else _LITTLE_W)


def _find_end_power(before: TotalReading, after: TotalReading) -> float:
    """What a site may make (W) that gave these powers at the two ends of a step."""
    return max(_SITE_MARGIN * min(before.power or 0.0, after.power or 0.0), _LITTLE_W)


def _measure_hours(start: int, stop: int) -> float:
    """The time that a counter which moves with the reports of inverters may have counted in a step, in hours."""
    return (stop - start + QUARTER_MS) / HOUR_MS


def limit_ac_battery() -> Possible:
    """What one AC Battery can give or take between two of its reports."""
    return limit_steady(_AC_BATTERY_W)


def limit_meter(phases: Iterable[Sequence[Sequence[Point]]], inverters_w: float) -> Possible | None:
    """What a meter of a site can count; None where nothing is known of it.

    Args:
        phases: The earlier readings of each phase: of both its counters.
        inverters_w: The most that all inverters make together.
    """
    found = [(_find_highest(counters), _measure_time(counters)) for counters in phases]
    seen = [highest for highest, _ in found if highest is not None]
    if not seen:
        return None
    return limit_seen(sum(seen), max(length for _, length in found), inverters_w)


def limit_seen(highest_w: float, seen_ms: int, inverters_w: float = 0.0) -> Possible:
    """What a meter can count whose highest power is known.

    Args:
        highest_w: That power.
        seen_ms: How long it has been watched.
        inverters_w: The most that all inverters make together.
    """
    watts = max(_SITE_MARGIN * highest_w, inverters_w, _NEW_SITE_W if seen_ms < DAY_MS else _LITTLE_W)
    return lambda start, stop: watts * (stop - start) / HOUR_MS + _READING_WH


def _find_highest(counters: Iterable[Sequence[Point]]) -> float | None:
    """The highest power (W) that lasted from one reading to the next, but for the few highest; None if too few."""
    powers = [
        (after[1] - before[1]) * HOUR_MS / (after[0] - before[0])
        for points in counters
        for before, after in pairwise(points)
        if 0 < after[0] - before[0] <= MAX_GAP_MS and after[1] >= before[1]
    ]
    return sorted(powers)[-_FEWEST_STEPS] if len(powers) >= _FEWEST_STEPS else None


def _measure_time(counters: Sequence[Sequence[Point]]) -> int:
    """How long the counters have been read, in milliseconds."""
    return max((points[-1][0] - points[0][0] for points in counters if points), default=0)
