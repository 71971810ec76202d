"""Batteries and generators over time, for roll-ups. Pure.

Where no storage meter belongs to the site, the batteries' own power stands in for it. While a generator runs that no
meter sees, what the meters of grid and consumption show is neither purchase nor load.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from receiver.energy.combine import add
from receiver.energy.gaps import Gaps
from receiver.energy.interpolation import Point as Sample
from receiver.energy.interpolation import Segment, make_linear_segments
from receiver.energy.means import summarise_windows
from receiver.energy.meter_flows import MeterCounters
from receiver.energy.plausible import limit_ac_battery
from receiver.energy.site import NET, STORAGE, TOTAL, MeterPhase, select_phases
from receiver.rollups.series import REPORT_GAP_MS, has_samples_around, select_around, select_samples
from receiver.sites.storage import ISLANDED, STATE_SPEAKS_MS
from receiver.stores.base import Point, SeriesPoints
from shared.agreement import COMPARED_FROM_W
from shared.fields import MAX_GAP_MS
from shared.units import MINUTE_MS, QUARTER_MS

Span: TypeAlias = tuple[int, int]
"""UTC milliseconds, the second not part of it."""

STORAGE_TOTAL: MeterPhase = (STORAGE, "total")
"""Where the power of all batteries together stands in for the phases of a storage meter."""
POLL_MS = MINUTE_MS
"""A state that is seen may have begun this long before (milliseconds)."""


class StorageHistory(NamedTuple):
    """The site's batteries.

    Attributes:
        listed: When batteries were listed, or something was said of their capacity, ascending.
        power: W of all together.
        counts: How many were listed: UTC milliseconds and number, ascending.
        counters: Lifetime counters of each battery that has both, by serial number.
        powers: W of each of the others, likewise.
    """

    listed: Sequence[int]
    power: Sequence[Segment]
    counts: Sequence[Sample]
    counters: Mapping[str, MeterCounters]
    powers: Mapping[str, Sequence[Segment]]


def read_storage(
    series: Sequence[SeriesPoints],
    gaps: Gaps = (),
    batteries: Sequence[SeriesPoints] = (),
    gaps_of_reports: Gaps = (),
) -> StorageHistory:
    """The batteries from readings of kind `storage` and `battery`.

    Their power is unknown inside `gaps`, and what their counters say of `gaps_of_reports` is not when it flowed.
    """
    points = [point for entry in series for point in entry.points]
    counts = select_samples(points, "batteries")
    power = _draw_lines(_find_known(points), gaps)
    counters = {
        entry.series.get_tag("battery"): MeterCounters(given, taken, REPORT_GAP_MS, limit_ac_battery(), gaps_of_reports)
        for entry in batteries
        if (given := select_samples(entry.points, "discharged")) and (taken := select_samples(entry.points, "charged"))
    }
    powers = {
        serial: _draw_lines(_find_own(entry.points), gaps)
        for entry in batteries
        if (serial := entry.series.get_tag("battery")) not in counters
    }
    signs = [*counts, *select_samples(points, "capacity")]
    return StorageHistory(sorted({time for time, value in signs if value > 0}), power, counts, counters, powers)


def select_counters(batteries: StorageHistory, start: int, stop: int, measured: int = 0) -> list[MeterCounters]:
    """The counters of batteries around a quarter hour; none where a battery is left over: a part is not the sum.

    Args:
        batteries: All of the site.
        start: UTC milliseconds.
        stop: Likewise.
        measured: How many have no counters, and a power of their own in it.
    """
    found = [
        both._replace(
            delivered=select_around(both.delivered, start, stop), received=select_around(both.received, start, stop)
        )
        for both in batteries.counters.values()
        if has_samples_around(both.delivered, start, stop) and has_samples_around(both.received, start, stop)
    ]
    last = bisect_left(batteries.counts, stop, key=itemgetter(0))
    is_known = last > 0 and batteries.counts[last - 1][0] >= start - REPORT_GAP_MS
    return found if is_known and batteries.counts[last - 1][1] == len(found) + measured else []


def find_generator_spans(generator: Sequence[SeriesPoints], grid: Sequence[SeriesPoints]) -> list[Span]:
    """When a generator ran or may have run."""
    spans: list[Span] = []
    for entry in generator:
        spans += _find_spans([(time, value > 0) for time, value in select_samples(entry.points, "running")])
    for entry in grid:
        modes = [(time, fields["mode"] == "generator") for time, fields in entry.points if "mode" in fields]
        spans += _find_spans(modes)
    return spans


def find_islands(grid: Sequence[SeriesPoints]) -> list[Span]:
    """When the main relay was surely open and no generator known: between two looks that saw it so."""
    modes = ([(time, fields["mode"]) for time, fields in entry.points if "mode" in fields] for entry in grid)
    return [
        (first, last)
        for seen in modes
        for (first, mode), (last, then) in pairwise(seen)
        if mode == then == ISLANDED and last - first <= STATE_SPEAKS_MS
    ]


def is_fed_by_others(
    powers: Mapping[MeterPhase, Sequence[Segment]], islands: Sequence[Span], start: int, stop: int
) -> bool:
    """Whether power came in over an open relay in a quarter hour: a generator that the gateway does not tell of."""
    inside = [(max(first, start), min(last, stop)) for first, last in islands if first < stop and last > start]
    net = add(list(select_phases(powers, NET).values())) if inside else []
    return any(
        known.mean is not None and known.mean >= COMPARED_FROM_W
        for first, last in inside
        for known in summarise_windows(net, (first, last))
    )


def leave_out_generated(powers: Mapping[MeterPhase, Sequence[Segment]]) -> dict[MeterPhase, Sequence[Segment]]:
    """The powers of a quarter hour in which a generator ran: grid and consumption are unknown."""
    return {key: [] if key[0] in (NET, TOTAL) else segments for key, segments in powers.items()}


def has_generated(spans: Sequence[Span], start: int, stop: int) -> bool:
    """Whether a generator ran between two times (UTC milliseconds)."""
    return any(first < stop and last > start for first, last in spans)


def list_storage_reach(
    storage: Sequence[SeriesPoints], batteries: Sequence[SeriesPoints], start: int, stop: int
) -> Iterator[int]:
    """How far the batteries' power inside [start, stop) reaches: to its neighbours, if these are near.

    And how far their number does, where they have counters.
    """
    has_counters = any(select_samples(entry.points, "discharged") for entry in batteries)
    for entry in (*storage, *batteries):
        if has_counters and any(start <= time < stop for time, _ in select_samples(entry.points, "batteries")):
            yield stop + REPORT_GAP_MS + QUARTER_MS
        times = [time for time, _ in select_samples(entry.points, "power")]
        yield from (time for time in times if start - MAX_GAP_MS <= time < start)
        yield from (time for time in times if stop <= time <= stop + MAX_GAP_MS)


def list_state_reach(states: Sequence[SeriesPoints], start: int, stop: int) -> Iterator[int]:
    """How far states inside [start, stop) reach."""
    if any(start <= time < stop for entry in states for time, _ in entry.points):
        yield start - STATE_SPEAKS_MS
        yield stop + STATE_SPEAKS_MS


def _draw_lines(runs: Iterable[Sequence[Sample]], gaps: Gaps) -> list[Segment]:
    return [segment for run in runs for segment in make_linear_segments(run, gaps=gaps)]


def _find_own(points: Sequence[Point]) -> Iterator[list[Sample]]:
    """Runs of one battery's power without a reading in between that says none."""
    run: list[Sample] = []
    for time, fields in points:
        power = fields.get("power")
        if isinstance(power, float):
            run.append((time, power))
        else:
            yield run
            run = []
    yield run


def _find_known(points: Sequence[Point]) -> Iterator[list[Sample]]:
    """Runs of power without a reading in between in which the power of some battery was unknown."""
    run: list[Sample] = []
    count = measured = None
    for time, fields in points:
        count, measured = fields.get("batteries", count), fields.get("measured", measured)
        power = fields.get("power")
        if count != measured:
            yield run
            run = []
        elif isinstance(power, float):
            run.append((time, power))
    yield run


def _find_spans(states: Sequence[tuple[int, bool]]) -> Iterator[Span]:
    """When a state held or may have held: from the look before it was seen until the next one says otherwise."""
    before = [None, *(time for time, _ in states)]
    for index, ((time, holds), (until, _)) in enumerate(pairwise([*states, (2**63, False)])):
        if holds:
            last = before[index]
            first = time - POLL_MS if last is None else max(last, time - POLL_MS)
            yield first, min(until, time + STATE_SPEAKS_MS)
