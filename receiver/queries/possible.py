"""What counters can have counted, for answers about series: by the rule of the roll-ups.

Those of inverters are judged by the reports beside them, where they are read (`aggregates`). Whether a large step of a
meter, or of the total of all inverters, is possible in this house is known from the week before it, and from what its
inverters can make.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise

from receiver.calendar.windows import Range
from receiver.energy.plausible import (
    Possible,
    TotalReading,
    compute_increase_wh,
    is_large,
    is_large_total,
    limit_ac_battery,
    limit_meter,
    limit_total,
)
from receiver.queries import budget
from receiver.queries.question import SeriesQuestion
from receiver.queries.source import QuestionSource
from receiver.rollups.judged import SEEN_MS
from receiver.rollups.quarters import add_limits
from receiver.rollups.series import list_total_readings, select_samples
from receiver.sites.model import Site
from receiver.stores.base import Point
from shared.fields import Interpolation
from shared.readings import Tags
from shared.units import QUARTER_MS

_COUNTERS = ("delivered", "received")
_MOST_PHASES = 3
_MOST_STEPS = 32
"""So many large steps of one meter are judged in one answer, the first ones; further ones count as impossible."""


def estimate_earlier(question: SeriesQuestion) -> int:
    """How many stored points `find_possible` holds at once."""
    series = _MOST_PHASES if question.kind == "meter_energy" else int(_is_of_total(question))
    return budget.estimate_stored(question.kind, Range(0, SEEN_MS), series=series) if series else 0


async def find_possible(
    source: QuestionSource, question: SeriesQuestion, site: Site, points: Mapping[Tags, Sequence[Point]]
) -> dict[Tags, Possible]:
    """The most energy of the steps of each series that is in doubt; none for fields that are judged elsewhere.

    Args:
        source: Of the earlier readings.
        question: What is asked.
        site: Corrections of meters.
        points: Of each series, with neighbours.

    Raises:
        StoreUnavailableError: Ask again later.
    """
    if question.kind == "battery":
        return dict.fromkeys(points, limit_ac_battery())
    if _is_of_total(question):
        totals = {tags: await _limit_total(source, question, tags, read) for tags, read in points.items()}
        return {tags: limit for tags, limit in totals.items() if limit is not None}
    if question.kind != "meter_energy":
        return {}
    doubts: dict[str, set[tuple[int, int]]] = {}
    for tags, read in points.items():
        doubts.setdefault(dict(tags)["meter"], set()).update(_list_doubts(read))
    limits = {
        meter: await _limit_steps(source, question, site, meter, sorted(steps)) for meter, steps in doubts.items()
    }
    return {tags: limit for tags in points if (limit := limits[dict(tags)["meter"]]) is not None}


def _is_of_total(question: SeriesQuestion) -> bool:
    return question.kind == "production" and question.described.interpolation is Interpolation.COUNTER


async def _limit_total(
    source: QuestionSource, question: SeriesQuestion, tags: Tags, points: Sequence[Point]
) -> Possible | None:
    """What one total can gain: by what the inverters make at its beginning; each refused step, by its own time."""
    readings = list_total_readings(points)
    if not readings:
        return None
    usual_w = await _add_limits_around(source, question, readings[0].time)
    usual = limit_total(readings, (), usual_w)
    doubts = [step for step in pairwise(readings) if _is_doubtful(*step, usual, usual_w)]
    known: dict[tuple[int, int], Possible | None] = {}
    for before, after in doubts[:_MOST_STEPS]:
        makes_w = await _add_limits_around(source, question, after.time)
        asked = Range(before.time - SEEN_MS, before.time + 1)
        earlier = await source.read_powers_of_total(question, tags, asked) if makes_w <= 0 else ()
        known[before.time, after.time] = limit_total((before, after), select_samples(earlier, "power"), makes_w)
    return _join_limits(known, {(before.time, after.time) for before, after in doubts[_MOST_STEPS:]}, usual)


def _is_doubtful(before: TotalReading, after: TotalReading, usual: Possible | None, usual_w: float) -> bool:
    if usual_w <= 0:
        return is_large_total(before, after)
    return compute_increase_wh(before[:2], after[:2], usual, wraps=True) is None


async def _add_limits_around(source: QuestionSource, question: SeriesQuestion, time: int) -> float:
    """The most power (W) of all inverters in the quarter hour of an instant."""
    return add_limits(*await source.read_inverters(question.gateway, time // QUARTER_MS * QUARTER_MS))


def _join_limits(
    known: Mapping[tuple[int, int], Possible | None], beyond: Collection[tuple[int, int]], usual: Possible | None
) -> Possible:
    """The limits of single steps, nothing for those `beyond`, and a usual one for all others, as one."""

    def compute_most(start: int, stop: int) -> float | None:
        if (start, stop) in beyond:
            return 0.0
        possible = known.get((start, stop), usual)
        return None if possible is None else possible(start, stop)

    return compute_most


def _list_doubts(points: Sequence[Point]) -> Iterator[tuple[int, int]]:
    for name in _COUNTERS:
        for before, after in pairwise(select_samples(points, name)):
            if is_large(before, after):
                yield before[0], after[0]


async def _limit_steps(
    source: QuestionSource, question: SeriesQuestion, site: Site, meter: str, steps: Sequence[tuple[int, int]]
) -> Possible | None:
    if not steps:
        return None
    known: dict[tuple[int, int], Possible | None] = {}
    for start, stop in steps[:_MOST_STEPS]:
        makes_w = await _add_limits_around(source, question, stop)
        earlier = await source.read_earlier(question, site, meter, Range(start - SEEN_MS, start + 1))
        phases = [[select_samples(points, name) for name in _COUNTERS] for points in earlier.values()]
        known[start, stop] = limit_meter(phases, makes_w)
    return _join_limits(known, {*steps[_MOST_STEPS:]}, None)
