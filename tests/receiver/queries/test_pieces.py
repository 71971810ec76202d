"""Questions over readings that are far denser than any gateway reports: same answers, few rows in memory at once."""

import itertools
from collections.abc import Mapping
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from receiver.calendar.windows import Range
from receiver.errors import RefusedError
from receiver.queries import times
from receiver.queries.question import Aggregate, Fill, SeriesQuestion, ask_in_windows, check_question
from receiver.queries.series import SeriesReader
from receiver.queries.shares import RowBudget
from receiver.sites import Site
from receiver.stores.base import NO_TAGS, Latest, Point, SeriesPoints, Store
from receiver.stores.kinds import KEPT_WITHOUT_LIMIT
from shared.readings import Series
from tests.clocks import NOW_MS

START = NOW_MS - 60_000
ROWS = 6_000
"""Of each phase, one every ten milliseconds."""
PHASES = ("a", "b")


class DenseStore:
    """Holds readings of one kind in memory, and notes how many it gave out at once."""

    retention_ms = KEPT_WITHOUT_LIMIT

    def __init__(self, kind: str, field: str) -> None:
        self.kind = kind
        self.given = 0
        self.reads = 0
        self._points = {
            phase: [Point(START + n * 10, {field: float(n * 7 % 101 + offset)}) for n in range(ROWS)]
            for offset, phase in enumerate(PHASES)
        }

    async def read_latest(self, gateway: str, kind: str) -> list[Latest]:
        return [Latest(self._make_tags(phase), points[-1].timestamp, {}) for phase, points in self._points.items()]

    async def read_points(
        self,
        gateway: str,
        kind: str,
        *,
        tags: Mapping[str, str] = NO_TAGS,
        fields: Any = None,
        start: int,
        stop: int,
        neighbours: bool = False,
        most: int | None = None,
    ) -> list[SeriesPoints]:
        found: list[SeriesPoints] = []
        for phase, points in self._points.items() if kind == self.kind else ():
            inside = [point for point in points if start <= point.timestamp < stop][:most]
            if neighbours:
                before = [point for point in points if point.timestamp < start][-1:]
                inside = [*before, *inside, *(point for point in points if point.timestamp >= stop)][: len(inside) + 2]
            found.append(SeriesPoints(Series.of(kind, self._make_tags(phase)), inside))
        self.given = max(self.given, sum(len(points) for _, points in found))
        self.reads += 1
        return found

    def _make_tags(self, phase: str) -> dict[str, str]:
        return {"meter": "production", "phase": phase} if self.kind != "inverter" else {"inverter": phase}


def make_question(kind: str, field: str) -> SeriesQuestion:
    return check_question(
        SeriesQuestion(gateway="1", kind=kind, field=field, tags={}, asked=Range(START, NOW_MS), zone=ZoneInfo("UTC"))
    )


async def read_windows(
    kind: str, field: str, aggregate: str, group_by: str | None, *, rows: int
) -> tuple[Any, DenseStore]:
    """The answer by a reader that may hold so many rows, and the store it was read from."""
    store = DenseStore(kind, field)
    asked = ask_in_windows(
        make_question(kind, field),
        every=times.parse_step("20s"),
        aggregate=Aggregate(aggregate),
        group_by=group_by,
        fill=Fill.NULL,
    )
    budget = RowBudget(most=rows)
    async with budget.open_for_question() as held:
        reader = SeriesReader(cast("Store", store), lambda *span: [span[1:]])
        answer = await reader.read_windows(asked, Site(), NOW_MS, held)
        assert 0 < budget.held <= rows
    assert budget.held == 0
    return answer, store


@pytest.mark.parametrize(
    ("kind", "field", "aggregate", "group_by"),
    [
        *itertools.product(["meter"], ["power"], ["mean", "min", "max", "last", "integral"], [None, "meter"]),
        ("meter", "voltage", "mean", None),
        ("inverter", "power", "mean", None),
    ],
)
async def test_the_answer_is_the_same_however_few_rows_are_held(kind, field, aggregate, group_by):
    whole, _ = await read_windows(kind, field, aggregate, group_by, rows=400_000)
    found, store = await read_windows(kind, field, aggregate, group_by, rows=1_500)
    assert store.given <= 1_500 + 2 * len(PHASES)
    assert store.reads >= 2 * ROWS // 1_500
    assert [group.tags for group in found] == [group.tags for group in whole]
    for one, other in zip(found, whole, strict=True):
        for narrow, wide in zip(one.windows, other.windows, strict=True):
            assert narrow.value == pytest.approx(wide.value)
            assert narrow.coverage == pytest.approx(wide.coverage)
            assert wide.value is not None


async def test_what_cannot_be_taken_apart_is_refused_with_advice():
    """A sum over the panels that report in a window needs all of the window."""
    with pytest.raises(RefusedError) as refused:
        await read_windows("inverter", "power", "mean", "", rows=1_500)
    assert refused.value.detail is not None
    assert "shorter windows" in refused.value.detail


async def test_pages_hold_few_rows_and_together_are_all_points():
    store = DenseStore("meter", "power")
    reader = SeriesReader(cast("Store", store), lambda *_: [])
    found: dict[str, list[int]] = {phase: [] for phase in PHASES}
    after = None
    budget = RowBudget(most=1_500)
    while True:
        async with budget.open_for_question() as held:
            page, after = await reader.read_page(
                make_question("meter", "power"), Site(), after=after, limit=999, rows=held
            )
        assert 0 < sum(len(points) for _, points in page) <= 1_000
        for series, points in page:
            found[series.get_tag("phase")] += [point.timestamp for point in points]
        if after is None:
            break
    assert all(times == [START + n * 10 for n in range(ROWS)] for times in found.values())
    assert store.given <= 1_500
