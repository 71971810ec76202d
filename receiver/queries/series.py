"""Answers about series from the store: windows, in pieces that fit into memory, and pages of single points.

Sums of several series are known where all of them are. A series that ended a day before the range is no part of them.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from receiver.calendar.edges import list_edges
from receiver.calendar.windows import Range
from receiver.energy.linear import linear_summaries
from receiver.energy.means import Summary
from receiver.queries import budget, stored_windows
from receiver.queries.aggregates import WindowValue, aggregate_windows, fill_windows, pick_value
from receiver.queries.question import SeriesQuestion, WindowedQuestion
from receiver.queries.source import QuestionSource
from receiver.queries.stored_windows import StoredWindows
from receiver.rollups.series import samples
from receiver.sites.model import Site
from receiver.stores.base import Point, SeriesPoints, Store
from shared.fields import Interpolation
from shared.readings import Series, Tags
from shared.units import HOUR_MS

_PIECE = 100_000
"""Stored points that are read at once, as `budget.estimate_stored` counts them."""

_Parts: TypeAlias = dict[Tags, list[Summary]]

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
        self._source = QuestionSource(store)
        self._unsettled = unsettled

    async def read_windows(self, question: WindowedQuestion, site: Site, now_ms: int) -> list[Group]:
        """One group for each combination of the tags that the question keeps, by tags.

        Args:
            question: What is asked.
            site: Corrections of meters.
            now_ms: UTC milliseconds.

        Raises:
            RefusedError: It asks for too much.
            StoreUnavailableError: Ask again later.
        """
        known = await self._source.find_series(question, site)
        groups: dict[Tags, list[Tags]] = {}
        for tags in known.series:
            groups.setdefault(tuple(tag for tag in tags if tag[0] in question.group_by), []).append(tags)
        budget.check_windows(question.every, question.asked, series=max(len(groups), 1))
        if not groups:
            return []
        cut = list_edges(question.every, question.asked, question.zone)
        source = stored_windows.choose(question, cut, sums=len(groups) < len(known.series))
        stored = Range(cut[0], max(cut[0], min(cut[-1], known.stop)))
        if source is None:
            answers = await self._answer_from_readings(question, site, groups, cut, stored, now_ms)
        else:
            answers = await self._answer_from_roll_ups(question, site, groups, cut, stored, source)
        return [Group(dict(tags), fill_windows(answers[tags], question.fill)) for tags in sorted(groups)]

    async def _answer_from_readings(
        self,
        question: WindowedQuestion,
        site: Site,
        groups: Mapping[Tags, Sequence[Tags]],
        cut: Sequence[int],
        stored: Range,
        now_ms: int,
    ) -> dict[Tags, list[WindowValue]]:
        series = sum(map(len, groups.values()))
        # A gap of a counter that was cut in two would lose its energy, so counters are not read in pieces.
        is_counter = question.described.interpolation is Interpolation.COUNTER
        most = budget.MAX_HELD if is_counter else budget.MAX_READ
        budget.check_read(question.kind, stored, series=series, most=most)
        answers: dict[Tags, list[WindowValue]] = {tags: [] for tags in groups}
        # Beyond the last reading nothing is known, and nothing looked for; but states hold until now.
        until = now_ms if question.described.interpolation is Interpolation.LAST else stored.stop
        end = min(max(bisect_left(cut, until), 1), len(cut) - 1)
        read, unread = cut[: end + 1], cut[end:]
        for piece in [read] if is_counter else _split_into_pieces(question.kind, read, series):
            points = await self._source.read_points(question, site, Range(piece[0], piece[-1]), neighbours=True)
            for tags, members in groups.items():
                parts = [points.get(member, []) for member in members]
                answers[tags] += await asyncio.to_thread(aggregate_windows, question, parts, piece, now_ms)
        if len(unread) > 1:
            for tags in groups:
                answers[tags] += aggregate_windows(question, [[]], unread, now_ms)
        return answers

    async def _answer_from_roll_ups(
        self,
        question: WindowedQuestion,
        site: Site,
        groups: Mapping[Tags, Sequence[Tags]],
        cut: Sequence[int],
        stored: Range,
        source: StoredWindows,
    ) -> dict[Tags, list[WindowValue]]:
        kind, length_ms = source
        whole = Range(cut[0], -(-stored.stop // length_ms) * length_ms)
        settled, rest = stored_windows.split_settled(whole, self._unsettled(question.gateway, *whole), length_ms)
        budget.check_read(kind, whole, series=len(groups))
        unread = sum(stretch.stop - stretch.start for stretch in rest)
        budget.check_read(question.kind, Range(0, unread), series=len(groups))
        parts: _Parts = {tags: [] for tags in groups}
        for stretch in settled:
            for piece in _split_into_pieces(kind, range(stretch.start, stretch.stop + 1, length_ms), len(groups)):
                asked = Range(piece[0], piece[-1])
                rows = await self._source.read_points(question, site, asked, kind=kind, fields=stored_windows.FIELDS)
                for tags, (member,) in groups.items():
                    parts[tags] += stored_windows.summarise_rows(rows.get(member, ()), length_ms)
        for stretch in rest:
            # Cut finer than the windows may be, for these may be long.
            inside = sorted(
                {*range(*stretch, HOUR_MS), *(edge for edge in cut if edge in range(*stretch)), stretch.stop}
            )
            for piece in _split_into_pieces(question.kind, inside, len(groups)):
                points = await self._source.read_points(question, site, Range(piece[0], piece[-1]), neighbours=True)
                for tags, (member,) in groups.items():
                    read = samples(points.get(member, ()), question.field)
                    parts[tags] += await asyncio.to_thread(linear_summaries, read, piece)
        return {
            tags: [pick_value(question.aggregate, summary) for summary in stored_windows.merge(found, cut)]
            for tags, found in parts.items()
        }

    async def read_page(
        self, question: SeriesQuestion, site: Site, *, after: int | None, limit: int
    ) -> tuple[list[SeriesPoints], int | None]:
        """Single points in the order of time, and the timestamp after which the next page begins (None: the last one).

        A moment is never cut in two: a page may have a few points more than `limit`. One that covers much time in
        which nothing was stored may have fewer, and is not the last one for that.

        Args:
            question: What is asked.
            site: Corrections of meters.
            after: Only what is later, UTC milliseconds; None: from the beginning of the range.
            limit: Points of a page.

        Raises:
            RefusedError: It asks for too much.
            StoreUnavailableError: Ask again later.
        """
        series, stored_until = await self._source.find_series(question, site)
        first = question.asked.start if after is None else max(question.asked.start, after + 1)
        rest = Range(first, min(question.asked.stop, stored_until))
        if not series or rest.stop <= rest.start:
            return [], None
        budget.check_read(question.kind, rest, series=len(series), most=budget.MAX_PAGED)
        pace = budget.find_spacing_ms(question.kind)
        longest = max(_PIECE * pace // len(series), 1)
        last = min(rest.stop, rest.start + _PIECES_A_PAGE * longest)
        length = min(longest, max(limit * pace // len(series), 1))
        found: list[tuple[int, Tags, Point]] = []
        start = rest.start
        while start < last and len(found) <= limit:
            stop = min(start + length, last)
            points = await self._source.read_points(question, site, Range(start, stop))
            found += sorted(
                (point.timestamp, tags, point)
                for tags, read in points.items()
                for point in read
                if question.field in point.fields  # a correction may have needed another field, too
            )
            start, length = stop, min(2 * length, longest)
        cut = _end_of_moment(found, limit)
        following = found[cut - 1][0] if cut < len(found) else start - 1 if start < rest.stop else None
        shown: dict[Tags, list[Point]] = {}
        for _, tags, point in found[:cut]:
            shown.setdefault(tags, []).append(point)
        return [SeriesPoints(Series(question.kind, tags), shown[tags]) for tags in sorted(shown)], following


def _split_into_pieces(kind: str, cut: Sequence[int], series: int) -> Iterator[Sequence[int]]:
    """The edges in runs that are small enough to be read at once, or have a single window; neighbours share an edge."""
    first = 0
    for index in range(1, len(cut)):
        is_last = index == len(cut) - 1
        if is_last or budget.estimate_stored(kind, Range(cut[first], cut[index + 1]), series=series) > _PIECE:
            yield cut[first : index + 1]
            first = index


def _end_of_moment(found: Sequence[tuple[int, Tags, Point]], limit: int) -> int:
    """How many points a page has: `limit`, and those of the same moment as its last one."""
    cut = min(limit, len(found))
    while 0 < cut < len(found) and found[cut][0] == found[cut - 1][0]:
        cut += 1
    return cut
