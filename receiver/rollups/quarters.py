"""A stretch of time cut into quarter hours, each with everything that is known of the site in it. Pure.

Each quarter hour is judged by itself, so that it comes out the same whatever the stretch it is computed in:

- A meter and phase belongs to the site if it was read within a day before the end of the quarter hour. Before that day
  it was not there; a day after its last reading it was taken away. One that was read again at most `LONGEST_GAP_MS`
  later was there throughout. In between, what needs it is unknown while it is.
- The batteries' own power stands in where no storage meter belongs to the site, for a day after they were last listed,
  or until they were listed again: while it is not known, what needs it is unknown.
- A quarter hour in which a generator ran or may have run, or power came in over an open relay, knows nothing of grid
  and load. One in which the main relay was open knows the load, and not what was bought or sold.
- Inverters stand in where no production meter belongs to the site: those that say something in the quarter hour. A
  dead one must not make the others unknown. One that reports without its power does: a part is not the sum.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from receiver.energy.combine import add
from receiver.energy.gaps import Gaps
from receiver.energy.interpolation import Point as Sample
from receiver.energy.interpolation import Segments
from receiver.energy.meter_flows import MeterCounters
from receiver.energy.plausible import TotalReading, find_panel_limit, is_large, is_large_total, limit_meter, limit_total
from receiver.energy.site import NET, PRODUCTION, STORAGE, TOTAL, MeterPhase, choose_phases, has_meter
from receiver.energy.windows import cut_by_window
from receiver.rollups.series import (
    REPORT_GAP_MS,
    find_gaps,
    get_meter_phase,
    has_samples_around,
    is_read_again,
    list_panel_powers,
    list_total_readings,
    make_powers,
    make_reports,
    select_around,
    select_samples,
)
from receiver.rollups.states import (
    find_generator_spans,
    find_islands,
    is_fed_by_others,
    is_in_spans,
    leave_out_generated,
)
from receiver.rollups.storage import STORAGE_TOTAL, has_batteries, read_storage, select_counters
from receiver.sites.corrections import correct_series
from receiver.sites.household import METER_GONE_MS, TOTAL_SOURCES
from receiver.sites.model import Site
from receiver.stores.base import SeriesPoints
from shared.units import QUARTER_MS

SOURCES = TOTAL_SOURCES
"""A window takes the first that was read before its end and after its start."""
GONE_MS = METER_GONE_MS
"""As in `receiver.sites.household`."""
_TOTAL = (PRODUCTION, "total")
"""Where the counter of all inverters together stands in for the phases of a production meter."""


class RawSeries(NamedTuple):
    """What the store gave for one gateway, each kind with neighbours on both sides, ascending in time.

    Attributes:
        meter: Power and the rest, at most `MAX_GAP_MS` beyond both ends.
        meter_energy: Lifetime counters, to the reading before and after at any distance.
        inverter: Reports, likewise.
        production: The gateway's own totals, likewise.
        storage: Batteries, likewise.
        grid: How the main relay stood, likewise.
        generator: Whether it ran, likewise.
        event: Gaps that may lie between two readings that are `MAX_GAP_MS` apart.
        battery: Lifetime counters of batteries that count for themselves, likewise.
        earlier: `meter_energy` of the days before a step that only the highest power seen can judge (`find_doubt`).
        earlier_totals: The powers of `production` in such days (`find_total_doubt`).
        interval: Of a system that is read through the cloud, as `read_intervals` gives them; neighbours are not needed.
    """

    meter: Sequence[SeriesPoints]
    meter_energy: Sequence[SeriesPoints]
    inverter: Sequence[SeriesPoints]
    production: Sequence[SeriesPoints]
    storage: Sequence[SeriesPoints] = ()
    grid: Sequence[SeriesPoints] = ()
    generator: Sequence[SeriesPoints] = ()
    event: Sequence[SeriesPoints] = ()
    battery: Sequence[SeriesPoints] = ()
    earlier: Sequence[SeriesPoints] = ()
    earlier_totals: Sequence[SeriesPoints] = ()
    interval: Sequence[SeriesPoints] = ()


class Quarter(NamedTuple):
    """One quarter hour [start, stop) in UTC milliseconds.

    Attributes:
        start: First millisecond.
        stop: End, not part of it.
        powers: W by meter and phase, cut to the quarter hour: of all that belong to the site.
        inverters: W of all inverters together where there is no production meter, else nothing.
        counters: Wh by meter and phase, to one reading beyond both ends.
        gaps: Recorded ones, here and elsewhere.
        batteries: Wh of the batteries that count for themselves, likewise, where no storage meter belongs to the site;
            nothing where one of the others is not known.
        battery_powers: W of the others beside them, as `powers`.
        was_cut_off: Whether the main relay was open: nothing of what the grid's meter shows was bought or sold.
        most: W that all inverters can make together; None where they are not listed.
    """

    start: int
    stop: int
    powers: Mapping[MeterPhase, Segments]
    inverters: Segments
    counters: Mapping[MeterPhase, MeterCounters]
    gaps: Gaps = ()
    batteries: Sequence[MeterCounters] = ()
    battery_powers: Sequence[Segments] = ()
    was_cut_off: bool = False
    most: float | None = None


def iterate_quarters(raw: RawSeries, site: Site, start: int, stop: int) -> Iterator[Quarter]:
    """Each quarter hour of [start, stop), which are whole ones."""
    boundaries = range(start, stop + 1, QUARTER_MS)
    meters, energies = correct_series(raw.meter, site), correct_series(raw.meter_energy, site)
    seen = [(get_meter_phase(series), [time for time, _ in series.points]) for series in (*meters, *energies)]
    gaps, longer_gaps = find_gaps(raw.event), find_gaps(raw.event, REPORT_GAP_MS)
    power = {key: _cut(segments, boundaries) for key, segments in make_powers(meters, gaps).items()}
    reported = [_cut(make_reports(series.points), boundaries) for series in raw.inverter]
    blanks = [[time for time, fields in series.points if "power" not in fields] for series in raw.inverter]
    counters = {
        get_meter_phase(series): MeterCounters(
            select_samples(series.points, "delivered"), select_samples(series.points, "received")
        )
        for series in energies
    }
    seen_before = group_earlier(correct_series(raw.earlier, site))
    totals = {get_source(series): list_total_readings(series.points) for series in raw.production}
    powers_before = {get_source(series): select_samples(series.points, "power") for series in raw.earlier_totals}
    batteries = read_storage(raw.storage, gaps, raw.battery, longer_gaps)
    generated, islands = find_generator_spans(raw.generator, raw.grid), find_islands(raw.grid)
    stored, own = _cut(batteries.power, boundaries), [_cut(power, boundaries) for power in batteries.powers.values()]
    for index, (first, last) in enumerate(pairwise(boundaries)):
        here = choose_phases(_find_last_seen(seen, first - GONE_MS, last))
        powers_here: dict[MeterPhase, Segments] = {
            key: power[key][index] if key in power else [] for key in sorted(here)
        }
        counting: Sequence[MeterCounters] = ()
        beside = [power[index] for power in own if power[index]]
        if not has_meter(powers_here, STORAGE) and has_batteries(batteries, first - GONE_MS, last):
            powers_here[STORAGE_TOTAL] = stored[index]
            counting = select_counters(batteries, first, last, len(beside))
        was_fed = is_in_spans(generated, first, last) or is_fed_by_others(powers_here, islands, first, last)
        if was_fed:
            powers_here = leave_out_generated(powers_here)
        near = {key: _select_around(both, first, last) for key, both in counters.items() if key in here}
        makes_w = add_limits(raw.inverter, first, last)
        possible = {meter: limit_meter(phases, makes_w) for meter, phases in seen_before.items()}
        counted = {
            key: both._replace(possible=possible.get(key[0]))
            for key, both in near.items()
            if _is_read(both, first, last)
        }
        if was_fed:
            counted = {key: both for key, both in counted.items() if key[0] not in (NET, TOTAL)}
        inverters: Segments = []
        if not has_meter(powers_here, PRODUCTION):
            inverters = add(
                [
                    segments[index]
                    for segments, blank in zip(reported, blanks, strict=True)
                    if segments[index] or _is_seen_within(blank, first, last)
                ]
            )
            total = _select_total(totals, powers_before, makes_w, first, last)
            counted |= {_TOTAL: total._replace(gaps=longer_gaps)} if total else {}
        was_cut_off = is_in_spans(islands, first, last)
        others = beside if counting else ()
        yield Quarter(
            first, last, powers_here, inverters, counted, gaps, counting, others, was_cut_off, makes_w or None
        )


def find_doubt(raw: RawSeries) -> int | None:
    """Where the first step of a meter's counter begins (UTC milliseconds) that is possible only in a large house.

    Whether it is possible in this one is known from the days before it: load them as `earlier`. None: no such step.
    """
    steps = (
        (before, after)
        for series in raw.meter_energy
        for name in ("delivered", "received")
        for before, after in pairwise(select_samples(series.points, name))
    )
    found = [before[0] for before, after in steps if is_large(before, after)]
    return min(found, default=None)


def find_total_doubt(raw: RawSeries) -> int | None:
    """The same for a total of all inverters, where no inverters are listed that could judge its steps."""
    if raw.inverter:
        return None
    steps = (step for series in raw.production for step in pairwise(list_total_readings(series.points)))
    return min((before.time for before, after in steps if is_large_total(before, after)), default=None)


def _select_total(
    totals: Mapping[str, Sequence[TotalReading]],
    powers_before: Mapping[str, Sequence[Sample]],
    makes_w: float,
    start: int,
    stop: int,
) -> MeterCounters | None:
    """The best of the gateway's own totals around a quarter hour; None where none says something of it.

    A total that was read now and then (by another login, or once by mistake) does not stand before one that speaks.
    """
    around = {
        source: select_around(samples, start, stop)
        for source in SOURCES
        if has_samples_around(samples := [(time, energy) for time, energy, _ in totals.get(source, ())], start, stop)
    }
    if not around:
        return None
    best = min(around, key=lambda source: _find_silence(around[source]))
    possible = limit_total(totals[best], powers_before.get(best, ()), makes_w)
    return MeterCounters(around[best], (), REPORT_GAP_MS, possible, wraps=True)


def _find_silence(samples: Sequence[Sample]) -> int:
    """The longest time between two samples (milliseconds), if it is longer than reports speak; else 0."""
    longest = max((later - time for (time, _), (later, _) in pairwise(samples)), default=0)
    return longest if longest > REPORT_GAP_MS else 0


def get_source(series: SeriesPoints) -> str:
    """Which of the gateway's own totals this is."""
    return series.series.get_tag("source")


def group_earlier(earlier: Sequence[SeriesPoints]) -> dict[str, list[list[Sequence[Sample]]]]:
    """The earlier readings of both counters of each phase, by meter."""
    found: dict[str, list[list[Sequence[Sample]]]] = {}
    for series in earlier:
        counters: list[Sequence[Sample]] = [select_samples(series.points, name) for name in ("delivered", "received")]
        found.setdefault(get_meter_phase(series)[0], []).append(counters)
    return found


def add_limits(inverters: Sequence[SeriesPoints], start: int, stop: int) -> float:
    """The most power (W) of all inverters together, by their reports around [start, stop); 0 without inverters."""
    near = (select_around(series.points, start, stop) for series in inverters)
    return sum(find_panel_limit(list_panel_powers(points)) for points in near if points)


def _cut(segments: Segments, boundaries: Sequence[int]) -> list[Segments]:
    return [inside for _, _, inside in cut_by_window(segments, boundaries)]


def _find_last_seen(seen: Sequence[tuple[MeterPhase, Sequence[int]]], start: int, stop: int) -> dict[MeterPhase, int]:
    """When each phase was last read before `stop`: of those that were in [start, stop), or are read again after it."""
    found: dict[MeterPhase, int] = {}
    for key, times in seen:
        if _is_seen_within(times, start, stop) or is_read_again(times, stop):
            found[key] = max(found.get(key, 0), times[bisect_left(times, stop) - 1])
    return found


def _is_seen_within(times: Sequence[int], start: int, stop: int) -> bool:
    """Whether one of the ascending times is in [start, stop)."""
    index = bisect_left(times, stop)
    return index > 0 and times[index - 1] >= start


def _is_read(both: MeterCounters, start: int, stop: int) -> bool:
    """Whether counters account for a window. Before they were first read, and a day after the last time, power does."""
    is_recent = any(start - GONE_MS <= time < stop for time, _ in both.delivered)
    return is_recent or has_samples_around(both.delivered, start, stop)


def _select_around(both: MeterCounters, start: int, stop: int) -> MeterCounters:
    return MeterCounters(select_around(both.delivered, start, stop), select_around(both.received, start, stop))
