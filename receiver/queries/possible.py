"""What the counters of meters can have counted, for answers about series: by the rule of the roll-ups.

Whether a large step is possible in this house is known from the week before it, and from what its inverters can make.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from receiver.calendar.windows import Range
from receiver.queries import budget
from receiver.queries.question import SeriesQuestion
from receiver.queries.source import QuestionSource
from receiver.rollups.quarters import add_limits
from receiver.rollups.roll import SEEN_MS
from receiver.rollups.series import select_samples
from receiver.sites.model import Site
from receiver.stores.base import Point
from shared.plausible import Possible, is_large, limit_meter
from shared.readings import Tags
from shared.units import QUARTER_MS

_COUNTERS = ("delivered", "received")
_MOST_PHASES = 3
_MOST_STEPS = 32
"""So many large steps of one meter are judged in one answer, the first ones; further ones count as impossible."""


def estimate_earlier(kind: str) -> int:
    """How many stored points `find_possible` holds at once."""
    return budget.estimate_stored(kind, Range(0, SEEN_MS), series=_MOST_PHASES) if kind == "meter_energy" else 0


async def find_possible(
    source: QuestionSource, question: SeriesQuestion, site: Site, points: Mapping[Tags, Sequence[Point]]
) -> dict[Tags, Possible]:
    """The most energy of the steps of each series that is in doubt; none for kinds that are no counters of meters.

    Args:
        source: Of the earlier readings.
        question: What is asked.
        site: Corrections of meters.
        points: Of each series, with neighbours.

    Raises:
        StoreUnavailableError: Ask again later.
    """
    if question.kind != "meter_energy":
        return {}
    doubts: dict[str, set[tuple[int, int]]] = {}
    for tags, read in points.items():
        doubts.setdefault(dict(tags)["meter"], set()).update(_list_doubts(read))
    limits = {
        meter: await _limit_steps(source, question, site, meter, sorted(steps)) for meter, steps in doubts.items()
    }
    return {tags: limit for tags in points if (limit := limits[dict(tags)["meter"]]) is not None}


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
        makes_w = add_limits(*await source.read_inverters(question.gateway, stop // QUARTER_MS * QUARTER_MS))
        earlier = await source.read_earlier(question, site, meter, Range(start - SEEN_MS, start + 1))
        phases = [[select_samples(points, name) for name in _COUNTERS] for points in earlier.values()]
        known[start, stop] = limit_meter(phases, makes_w)
    beyond = {*steps[_MOST_STEPS:]}

    def compute_most(start: int, stop: int) -> float | None:
        if (start, stop) in beyond:
            return 0.0
        possible = known.get((start, stop))
        return None if possible is None else possible(start, stop)

    return compute_most
