"""The stored points that a question is about: with the roles and signs of the sites file, whatever the gateway says."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from receiver.calendar.windows import Range
from receiver.energy.gaps import Gaps
from receiver.queries.hints import refuse_unknown_meter
from receiver.queries.question import SeriesQuestion
from receiver.queries.together import SharedReads
from receiver.rollups.roll import read_gaps
from receiver.rollups.series import MEASURED, REPORT_GAP_MS, REPORT_LOOK_BACK_MS, REPORT_LOOK_MS, find_gaps
from receiver.sites.corrections import correct_series
from receiver.sites.model import Site
from receiver.stores.base import Latest, Point, SeriesPoints, Store
from receiver.stores.kinds import STORED
from shared.fields import MAX_GAP_MS, Interpolation
from shared.readings import Series, Tags
from shared.units import DAY_MS, QUARTER_MS

_METERS = ("meter", "meter_energy")
"""Kinds that the sites file corrects."""
_WITH_GAPS = (*_METERS, "storage", "battery", "production")
"""Kinds that are asked so often that a gap of half a minute lies between two readings."""
_GONE_MS = DAY_MS
_TAUGHT_BY = 64
"""Reports of one inverter in an hour; where there are more the pauses are too short to need a cadence."""


class LiveSeries(NamedTuple):
    """The series that a question is about and that did not end a day before its range, and when all of them end.

    Attributes:
        series: Their tags, in order.
        stop: After the last reading of the kind (UTC milliseconds): nothing is beyond it, however long the range is.
    """

    series: Sequence[Tags]
    stop: int


class QuestionSource:
    """Reads what questions are about.

    Args:
        store: Where it is.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._latest = SharedReads[tuple[str, str], list[Latest]](lambda asked: store.read_latest(*asked))

    async def find_series(self, question: SeriesQuestion, site: Site) -> LiveSeries:
        """What the store has of a question.

        Raises:
            RefusedError: It is about a meter that cannot be.
            StoreUnavailableError: Ask again later.
        """
        latest = await self._latest.ask((question.gateway, question.kind))
        if "meter" in question.tags:
            every = _select(replace(question, tags={}), _make_empty(question, latest), site)
            refuse_unknown_meter(question, (entry.series.get_tag("meter") for entry in every))
        recent = [entry for entry in latest if entry.timestamp >= question.asked.start - _GONE_MS]
        empty = _make_empty(question, recent)
        return LiveSeries(
            [entry.series.tags for entry in _select(question, empty, site)],
            max((entry.timestamp + 1 for entry in recent), default=question.asked.start),
        )

    async def read_points(
        self,
        question: SeriesQuestion,
        site: Site,
        asked: Range,
        *,
        kind: str | None = None,
        fields: Sequence[str] | None = None,
        neighbours: bool = False,
        most: int | None = None,
    ) -> dict[Tags, Sequence[Point]]:
        """Points of the series that a question is about, by corrected tags; of reports with neighbours some more.

        The rest is as in `Store.read_points`.
        """
        looks = neighbours and question.kind == "inverter"
        found = await self._store.read_points(
            question.gateway,
            kind or question.kind,
            tags=_find_stored_tags(question, site),
            fields=fields or _list_fields(question),
            start=asked.start,
            stop=asked.stop + (REPORT_LOOK_MS if looks else 0),
            neighbours=neighbours,
            most=most,
        )
        points: dict[Tags, Sequence[Point]] = {
            entry.series.tags: entry.points for entry in _select(question, found, site)
        }
        return await self._add_earlier(question, asked, points) if looks else points

    async def _add_earlier(
        self, question: SeriesQuestion, asked: Range, points: Mapping[Tags, Sequence[Point]]
    ) -> dict[Tags, Sequence[Point]]:
        """With the reports of the hour before, which teach how often the inverters report.

        They are read by themselves, because `most` bounds what is inside the range. The few that it takes are enough.
        """
        found = await self._store.read_points(
            question.gateway,
            question.kind,
            tags=question.tags,
            fields=_list_fields(question),
            start=asked.start - REPORT_LOOK_BACK_MS,
            stop=asked.start,
            most=_TAUGHT_BY,
        )
        earlier = {entry.series.tags: entry.points for entry in found}
        return {tags: _merge_points(earlier.get(tags, ()), inside) for tags, inside in points.items()}

    async def read_earlier(
        self, question: SeriesQuestion, site: Site, meter: str, asked: Range
    ) -> dict[Tags, Sequence[Point]]:
        """Both counters of every phase of a meter in a time before the question's."""
        return await self.read_points(replace(question, tags={"meter": meter}), site, asked)

    async def read_powers_of_total(self, question: SeriesQuestion, tags: Tags, asked: Range) -> Sequence[Point]:
        """The powers that the gateway gave beside one total of all inverters."""
        found = await self._store.read_points(
            question.gateway, "production", tags=dict(tags), fields=("power",), start=asked.start, stop=asked.stop
        )
        return found[0].points if found else ()

    async def read_inverters(self, gateway: str, quarter: int) -> tuple[Sequence[SeriesPoints], int, int]:
        """The reports around the quarter hour that begins then (UTC milliseconds), and its two ends."""
        start, stop = quarter, quarter + QUARTER_MS
        fields = ("power", "max_power")
        found = await self._store.read_points(
            gateway, "inverter", fields=fields, start=start, stop=stop + REPORT_LOOK_MS, neighbours=True
        )
        return found, start, stop

    async def read_gaps(self, question: SeriesQuestion, asked: Range) -> Gaps:
        """The recorded gaps that a question has to respect; none for kinds that are not asked so often."""
        if question.kind not in _WITH_GAPS:
            return ()
        is_counter = question.described.interpolation is Interpolation.COUNTER
        longest_ms = REPORT_GAP_MS if is_counter and question.kind not in _METERS else MAX_GAP_MS
        return find_gaps(await read_gaps(self._store, question.gateway, asked.start, asked.stop), longest_ms)


def _make_empty(question: SeriesQuestion, latest: Sequence[Latest]) -> list[SeriesPoints]:
    return [SeriesPoints(Series.of(question.kind, entry.tags), []) for entry in latest]


def _select(question: SeriesQuestion, found: Sequence[SeriesPoints], site: Site) -> list[SeriesPoints]:
    """With the roles and signs of the sites file, those that a question is about."""
    corrected = correct_series(found, site) if question.kind in _METERS else found
    return [entry for entry in corrected if question.tags.items() <= dict(entry.series.tags).items()]


def _merge_points(earlier: Sequence[Point], points: Sequence[Point]) -> list[Point]:
    """Both in the order of time; what is in both is one point."""
    merged = {point.timestamp: point for point in (*earlier, *points)}
    return [merged[time] for time in sorted(merged)]


def _find_stored_tags(question: SeriesQuestion, site: Site) -> dict[str, str]:
    """The tags as the gateway has them: no two meters have one role."""
    tags = dict(question.tags)
    if question.kind in _METERS and "meter" in tags:
        names = (name for name, correction in site.meters.items() if correction.role == tags["meter"])
        tags["meter"] = next(names, tags["meter"])
    return tags


def _list_fields(question: SeriesQuestion) -> list[str]:
    """What is read for one field.

    Means say how long they are, phases of meters whether they had a power, a reversed meter counts the other way round,
    and powers judge the counter of a panel or of all.
    """
    if question.kind == "meter_energy":
        return list(STORED[question.kind].fields)
    if question.kind == "inverter" and question.described.interpolation is Interpolation.COUNTER:
        return [question.field, "power", "max_power"]
    if question.kind == "production" and question.described.interpolation is Interpolation.COUNTER:
        return [question.field, "power"]
    if question.kind == "meter" and question.described.interpolation is Interpolation.LINEAR:
        return [question.field, MEASURED]
    is_step = question.described.interpolation is Interpolation.STEP
    return [question.field, "interval"] if is_step else [question.field]
