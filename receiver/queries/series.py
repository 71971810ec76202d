"""Answers about series from the store: windows, in pieces that fit into memory, and pages of single points.

Sums of several series are known where all of them are. A series that ended a day before the range is no part of them.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from receiver.calendar.boundaries import list_boundaries
from receiver.calendar.windows import Range
from receiver.energy.means import Summary
from receiver.queries import budget, stored_windows
from receiver.queries.aggregates import (
    WindowValue,
    aggregate_windows,
    fill_windows,
    pick_value,
    summarise_group,
    summarise_line,
)
from receiver.queries.expired import find_oldest
from receiver.queries.hints import advise_hours, refuse_expired
from receiver.queries.moments import PagePoint, find_end_of_moment, order_by_time
from receiver.queries.pieces import PieceReader
from receiver.queries.possible import estimate_earlier, find_possible
from receiver.queries.question import SeriesQuestion, WindowedQuestion
from receiver.queries.shares import HeldRows
from receiver.queries.slices import run_slice
from receiver.queries.source import QuestionSource
from receiver.queries.stored_windows import StoredWindows
from receiver.sites.model import Site
from receiver.stores.base import Point, SeriesPoints, Store
from shared.fields import Interpolation
from shared.readings import Series, Tags

_LEAST_PIECE = 1_000
"""Fewer stored points than these are not worth a question to the store."""

_Groups: TypeAlias = Mapping[Tags, Sequence[Tags]]
_Summaries: TypeAlias = dict[Tags, list[Summary]]

_PIECES_A_PAGE = 10
"""Where nothing is stored, a page ends after so many of them, and the next one goes on."""

Unsettled = Callable[[str, int, int], Sequence[tuple[int, int]]]
"""The stretches of time between two instants of which a gateway's roll-ups may still change, in order of time."""


class Group(NamedTuple):
    """The windows of one group of series, and the tags that they have in common."""

    tags: Mapping[str, str]
    windows: Sequence[WindowValue]


class SeriesReader:
    """Reads series.

    Args:
        store: Where they are.
        unsettled: What the roll-ups have not seen yet.
    """

    def __init__(self, store: Store, unsettled: Unsettled) -> None:
        self._store = store
        self._source = QuestionSource(store)
        self._unsettled = unsettled

    @property
    def retention_ms(self) -> Mapping[str, int | None]:
        """How long readings of each kind are kept, as `Store.retention_ms`."""
        return self._store.retention_ms

    async def read_windows(self, question: WindowedQuestion, site: Site, now_ms: int, rows: HeldRows) -> list[Group]:
        """One group for each combination of the tags that the question keeps, by tags.

        Args:
            question: What is asked.
            site: Corrections of meters.
            now_ms: UTC milliseconds.
            rows: Holds what is in memory at once.

        Raises:
            RefusedError: It asks for too much, or too many questions are asked.
            StoreUnavailableError: Ask again later.
        """
        known = await self._source.find_series(question, site)
        groups: dict[Tags, list[Tags]] = {}
        for tags in known.series:
            groups.setdefault(tuple(tag for tag in tags if tag[0] in question.group_by), []).append(tags)
        budget.check_windows(question.every, question.asked, series=max(len(groups), 1))
        if not groups:
            return []
        cut = await run_slice(list_boundaries, question.every, question.asked, question.zone)
        source = stored_windows.choose(
            question,
            cut,
            sums=len(groups) < len(known.series),
            minutes_from=find_oldest("meter_1m", self.retention_ms, now_ms),
        )
        stored = Range(cut[0], max(cut[0], min(cut[-1], known.stop)))
        if source is None:
            answers = await self._answer_from_readings(question, site, groups, cut, stored, now_ms, rows)
        else:
            answers = await self._answer_from_roll_ups(question, site, groups, cut, stored, source, rows)
        return [
            Group(dict(tags), await run_slice(fill_windows, answers[tags], question.fill)) for tags in sorted(groups)
        ]

    async def _answer_from_readings(
        self,
        question: WindowedQuestion,
        site: Site,
        groups: _Groups,
        cut: Sequence[int],
        stored: Range,
        now_ms: int,
        rows: HeldRows,
    ) -> dict[Tags, list[WindowValue]]:
        series = sum(map(len, groups.values()))
        # A gap of a counter that was cut in two would lose its energy, so counters are not read in pieces.
        is_counter = question.described.interpolation is Interpolation.COUNTER
        most = budget.MAX_HELD if is_counter else budget.MAX_READ
        advice = advise_hours(question) if len(groups) == series else None  # stored hours hold no sums of series
        budget.check_read(question.kind, stored, series=series, most=most, instead=advice)
        refuse_expired(question, advice, self._store.retention_ms[question.kind], now_ms)
        # Beyond the last reading nothing is known, and nothing looked for; but states hold until now.
        is_state = question.described.interpolation is Interpolation.LAST
        is_step = question.described.interpolation is Interpolation.STEP
        end = min(max(bisect_left(cut, now_ms if is_state else stored.stop), 1), len(cut) - 1)
        read, unread = cut[: end + 1], cut[end:]
        if is_counter or is_state or (is_step and len(groups) < series):
            answers = await self._answer_by_windows(question, site, groups, read, now_ms, rows, together=is_counter)
        else:
            answers = await self._answer_by_stretches(question, site, groups, read, rows)
        if len(unread) > 1:
            for tags in groups:
                answers[tags] += await run_slice(aggregate_windows, question, [[]], unread, now_ms)
        return answers

    async def _answer_by_windows(
        self,
        question: WindowedQuestion,
        site: Site,
        groups: _Groups,
        cut: Sequence[int],
        now_ms: int,
        rows: HeldRows,
        *,
        together: bool,
    ) -> dict[Tags, list[WindowValue]]:
        """Each window from all of its points at once: counters, states, and sums of those that report in it."""
        series = sum(map(len, groups.values()))
        longest = Range(0, cut[-1] - cut[0] if together else max(after - before for before, after in pairwise(cut)))
        wanted = min(2 * budget.estimate_stored(question.kind, longest, series=series), budget.MAX_HELD * 11 // 10)
        answers: dict[Tags, list[WindowValue]] = {tags: [] for tags in groups}
        beside = len(cut) * len(groups) + estimate_earlier(question)
        reader = await self._hold(question, site, rows, series, wanted, beside)
        async for piece, points in reader.read_windows(cut, together=together):
            gaps = await self._source.read_gaps(question, Range(piece[0], piece[-1]))
            possible = await find_possible(self._source, question, site, points)
            for tags, members in groups.items():
                summaries = [points.get(member, []) for member in members]
                limits = [possible.get(member) for member in members]
                answers[tags] += await run_slice(aggregate_windows, question, summaries, piece, now_ms, gaps, limits)
        return answers

    async def _answer_by_stretches(
        self, question: WindowedQuestion, site: Site, groups: _Groups, cut: Sequence[int], rows: HeldRows
    ) -> dict[Tags, list[WindowValue]]:
        """Windows from summaries of their parts."""
        series = sum(map(len, groups.values()))
        reader = await self._hold(question, site, rows, series, budget.PIECE, len(cut) * len(groups))
        summaries: _Summaries = {tags: [] for tags in groups}
        async for piece, points in reader.read_stretches(cut):
            gaps = await self._source.read_gaps(question, Range(piece[0], piece[-1]))
            for tags, members in groups.items():
                read = [points.get(member, []) for member in members]
                summaries[tags] += await run_slice(summarise_group, question, read, piece, gaps, members)
        return await run_slice(_merge_parts, question, summaries, cut)

    async def _hold(
        self, question: SeriesQuestion, site: Site, rows: HeldRows, series: int, wanted: int, answer: int
    ) -> PieceReader:
        """Hold the rows of the answer and of what is read at once, and read with the latter."""
        held = await rows.hold(max(wanted, _LEAST_PIECE) + answer)
        most = max(held - answer, _LEAST_PIECE)
        return PieceReader(source=self._source, question=question, site=site, series=series, most=most)

    async def _answer_from_roll_ups(
        self,
        question: WindowedQuestion,
        site: Site,
        groups: _Groups,
        cut: Sequence[int],
        stored: Range,
        source: StoredWindows,
        rows: HeldRows,
    ) -> dict[Tags, list[WindowValue]]:
        kind, length_ms = source
        whole = Range(cut[0], -(-stored.stop // length_ms) * length_ms)
        settled, rest = stored_windows.split_settled(whole, self._unsettled(question.gateway, *whole), length_ms)
        budget.check_read(kind, whole, series=len(groups))
        unread = sum(stretch.stop - stretch.start for stretch in rest)
        budget.check_read(question.kind, Range(0, unread), series=len(groups))
        summaries: _Summaries = {tags: [] for tags in groups}
        reader = await self._hold(question, site, rows, len(groups), budget.PIECE, len(cut) * len(groups))
        for stretch in settled:
            inside = range(stretch.start, stretch.stop + 1, length_ms)
            for piece in budget.split_into_pieces(kind, inside, len(groups)):
                asked = Range(piece[0], piece[-1])
                found = await self._source.read_points(question, site, asked, kind=kind, fields=stored_windows.FIELDS)
                for tags, (member,) in groups.items():
                    summaries[tags] += await run_slice(stored_windows.summarise_rows, found.get(member, ()), length_ms)
        for stretch in rest:
            inside_cut = sorted({*stretch, *(boundary for boundary in cut if boundary in range(*stretch))})
            async for piece, points in reader.read_stretches(inside_cut):
                gaps = await self._source.read_gaps(question, Range(piece[0], piece[-1]))
                for tags, (member,) in groups.items():
                    read = points.get(member, ())
                    summaries[tags] += await run_slice(summarise_line, read, question.field, piece, gaps)
        return await run_slice(_merge_parts, question, summaries, cut)

    async def read_page(
        self, question: SeriesQuestion, site: Site, *, after: int | None, limit: int, rows: HeldRows
    ) -> tuple[list[SeriesPoints], int | None]:
        """Single points in the order of time, and the timestamp after which the next page begins (None: the last one).

        A moment is never cut in two: a page may have a few points more than `limit`. One that covers much time in
        which nothing was stored may have fewer, and is not the last one for that.

        Args:
            question: What is asked.
            site: Corrections of meters.
            after: Only what is later, UTC milliseconds; None: from the beginning of the range.
            limit: Points of a page.
            rows: Holds what is in memory at once.

        Raises:
            RefusedError: It asks for too much, or too many questions are asked.
            StoreUnavailableError: Ask again later.
        """
        series, stored_until = await self._source.find_series(question, site)
        first = question.asked.start if after is None else max(question.asked.start, after + 1)
        rest = Range(first, min(question.asked.stop, stored_until))
        if not series or rest.stop <= rest.start:
            return [], None
        budget.check_read(question.kind, rest, series=len(series), most=budget.MAX_PAGED)
        pace = budget.find_spacing_ms(question.kind)
        piece = await rows.hold(budget.PIECE + limit) - limit
        most = max(min(limit + 1, 2 * limit // len(series) + 2, piece // len(series)), 2)
        longest = max(piece * pace // len(series), 1)
        last = min(rest.stop, rest.start + _PIECES_A_PAGE * longest)
        length = min(longest, max(limit * pace // len(series), 1))
        found: list[PagePoint] = []
        start = rest.start
        while start < last and len(found) <= limit:
            asked = Range(start, min(start + length, last))
            points = await self._source.read_points(question, site, asked, most=most)
            stop, inside = await run_slice(order_by_time, points, question.field, asked.stop, most)
            found += inside
            start, length = stop, min(2 * length, longest)
        cut = find_end_of_moment(found, limit)
        following = found[cut - 1][0] if cut < len(found) else start - 1 if start < rest.stop else None
        shown: dict[Tags, list[Point]] = {}
        for _, tags, point in found[:cut]:
            shown.setdefault(tags, []).append(point)
        return [SeriesPoints(Series(question.kind, tags), shown[tags]) for tags in sorted(shown)], following


def _merge_parts(
    question: WindowedQuestion, summaries: _Summaries, cut: Sequence[int]
) -> dict[Tags, list[WindowValue]]:
    return {
        tags: [pick_value(question.aggregate, summary) for summary in stored_windows.merge(found, cut)]
        for tags, found in summaries.items()
    }
