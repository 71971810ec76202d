"""Counters that rose by more than is possible, and those of inverters and batteries that fell, as events. Pure.

Roll-ups make no energy of such a step (`receiver.energy.plausible`); here it is said, once for all
counters of a quarter hour. Falls of other counters are noticed by the scraper, which stores both sides of them.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import pairwise

from receiver.calendar.windows import Range
from receiver.energy.interpolation import Point as Sample
from receiver.energy.plausible import (
    compute_increase_wh,
    is_large,
    limit_ac_battery,
    limit_meter,
    limit_panel,
    limit_total,
)
from receiver.rollups.quarters import RawSeries, add_limits, get_source, group_earlier
from receiver.rollups.series import (
    get_meter_phase,
    list_panel_powers,
    list_total_readings,
    select_samples,
)
from receiver.sites.corrections import correct_series
from receiver.sites.model import Site
from shared.fields import MAX_TEXT
from shared.readings import FieldValue, Reading
from shared.units import QUARTER_MS

EVENT_TYPE = "counter_reset"
INTRO = "impossible step: "
"""Begins the reason of each event that is made here."""
WITHDRAWN = "not impossible, as readings that came later show"
"""Is the reason of an event that is none any more."""
AFTER_MS = 1
"""An event stands so long after the reading: a fall that the scraper tells of has the stamp of the reading itself."""
_NAMED = 3

_Step = tuple[Sample, Sample]
"""Two readings of a counter, one after the other."""
_Jump = tuple[int, str]
"""When a counter had jumped (UTC milliseconds), and which it is."""


def find_jumps(raw: RawSeries, site: Site, start: int, stop: int) -> list[Reading]:
    """One event for each quarter hour of [start, stop) (UTC milliseconds) in which counters came back impossibly.

    A step that ends where a quarter hour does ends in that one, as in the energies.
    """
    asked = Range(start, stop)

    @cache
    def add_makes(quarter: int) -> float:
        return add_limits(raw.inverter, quarter * QUARTER_MS, (quarter + 1) * QUARTER_MS)

    def find_makes(step: _Step) -> float:
        """What the inverters make in the quarter hour in which a step ends."""
        return add_makes(_find_quarter(step[1][0]))

    found: dict[int, list[_Jump]] = {}
    for jump in (
        *_find_in_reports(raw, asked),
        *_find_in_totals(raw, asked, find_makes),
        *_find_in_meters(raw, site, asked, find_makes),
    ):
        found.setdefault(_find_quarter(jump[0]), []).append(jump)
    return [_make_event(jumps) for _, jumps in sorted(found.items())]


def withdraw(stamp: int) -> Reading:
    """The event of that time, taken back."""
    return Reading("event", {"type": EVENT_TYPE}, stamp, {"rows": 0.0, "reason": WITHDRAWN})


def _make_event(jumps: list[tuple[int, str]]) -> Reading:
    names = [name for _, name in sorted(jumps)]
    more = "" if len(names) <= _NAMED else f" and {len(names) - _NAMED} more"
    reason = (INTRO + ", ".join(names[:_NAMED]))[: MAX_TEXT - len(more)] + more
    fields: dict[str, FieldValue] = {"rows": float(len(names)), "reason": reason}
    return Reading("event", {"type": EVENT_TYPE}, min(time for time, _ in jumps) + AFTER_MS, fields)


def _find_in_reports(raw: RawSeries, asked: Range) -> Iterator[_Jump]:
    """Of inverters and batteries: also what fell."""
    for series in raw.inverter:
        possible = limit_panel(list_panel_powers(series.points))
        for step in _list_steps(select_samples(series.points, "energy_lifetime"), asked):
            if compute_increase_wh(*step, possible, wraps=True) is None:
                yield step[1][0], f"{series.series.get_tag('inverter')} energy_lifetime"
    for series in raw.battery:
        for field in ("discharged", "charged"):
            for step in _list_steps(select_samples(series.points, field), asked):
                if compute_increase_wh(*step, limit_ac_battery()) is None:
                    yield step[1][0], f"{series.series.get_tag('battery')} {field}"


def _find_in_totals(raw: RawSeries, asked: Range, find_makes: Callable[[_Step], float]) -> Iterator[_Jump]:
    earlier = {get_source(series): select_samples(series.points, "power") for series in raw.earlier_totals}
    for series in raw.production:
        source, readings = get_source(series), list_total_readings(series.points)
        for step in _list_steps([reading[:2] for reading in readings], asked):
            if step[1][1] > step[0][1]:
                possible = limit_total(readings, earlier.get(source, ()), find_makes(step))
                if compute_increase_wh(*step, possible) is None:
                    yield step[1][0], f"{source} energy_lifetime"


def _find_in_meters(raw: RawSeries, site: Site, asked: Range, find_makes: Callable[[_Step], float]) -> Iterator[_Jump]:
    earlier = group_earlier(correct_series(raw.earlier, site))
    for series in correct_series(raw.meter_energy, site):
        meter, phase = get_meter_phase(series)
        for field in ("delivered", "received"):
            for step in _list_steps(select_samples(series.points, field), asked):
                if is_large(*step):
                    possible = limit_meter(earlier.get(meter, ()), find_makes(step))
                    if compute_increase_wh(*step, possible) is None:
                        yield step[1][0], f"{meter} {phase} {field}"


def _list_steps(points: Sequence[Sample], asked: Range) -> Iterator[_Step]:
    """The steps of a counter that end in some time."""
    return (step for step in pairwise(points) if asked.start < step[1][0] <= asked.stop)


def _find_quarter(end: int) -> int:
    """The number of the quarter hour in which a step ends."""
    return (end - 1) // QUARTER_MS
