"""Windows against exact arithmetic, and what filling makes of the unknown ones."""

from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.calendar.windows import Range
from receiver.energy.combine import fill_in
from receiver.energy.interpolation import find_value, make_linear_segments
from receiver.queries.aggregates import WindowValue, aggregate_windows, fill_windows, summarise_group
from receiver.queries.question import Aggregate, Fill, SeriesQuestion, WindowedQuestion, ask_in_windows, check_question
from receiver.queries.times import parse_step
from receiver.stores.base import Point
from shared.fields import MAX_GAP_MS

BOUNDARIES = [0, 60_000, 120_000, 600_000]

times = st.lists(st.integers(-200_000, 800_000), unique=True, max_size=12).map(sorted)
values = st.integers(-5000, 5000).map(float)


def make_question(
    kind: str, field: str, aggregate: Aggregate | None = None, group_by: str | None = None
) -> WindowedQuestion:
    asked = SeriesQuestion(gateway="1", kind=kind, field=field, tags={}, asked=Range(0, 600_000), zone=ZoneInfo("UTC"))
    return ask_in_windows(
        check_question(asked), every=parse_step("1m"), aggregate=aggregate, group_by=group_by, fill=Fill.NONE
    )


@st.composite
def draw_series(draw: st.DrawFn, field: str = "power") -> list[Point]:
    return [Point(time, {field: draw(values)}) for time in draw(times)]


def cut_known(points: list[Point], start: int, stop: int) -> list[tuple[Fraction, Fraction, Fraction, Fraction]]:
    """The lines between points, cut to a window, as exact numbers: from, to, first and last value."""
    lines = []
    for (left, first), (right, last) in pairwise((time, Fraction(fields["power"])) for time, fields in points):
        low, high = max(left, start), min(right, stop)
        if right - left <= MAX_GAP_MS and low < high:
            slope = (last - first) / (right - left)
            lines.append((Fraction(low), Fraction(high), first + slope * (low - left), first + slope * (high - left)))
    return lines


@given(points=draw_series())
def test_means_and_integrals_of_lines_are_exact(points: list[Point]):
    """Up to the rounding of floats; unknown where two points are too far from each other."""
    answers = {
        aggregate: aggregate_windows(make_question("meter", "power", aggregate), [points], BOUNDARIES, 10**13)
        for aggregate in Aggregate
    }
    for index, (start, stop) in enumerate(pairwise(BOUNDARIES)):
        lines = cut_known(points, start, stop)
        length = sum((high - low for low, high, _, _ in lines), Fraction())
        area = sum(((first + last) / 2 * (high - low) for low, high, first, last in lines), Fraction())
        got = {aggregate: windows[index].value for aggregate, windows in answers.items()}
        assert {windows[index].coverage for windows in answers.values()} == {float(length / (stop - start))}
        if not length:
            assert set(got.values()) == {None}
            continue
        assert got[Aggregate.MEAN] == pytest.approx(float(area / length), rel=1e-9, abs=1e-6)
        assert got[Aggregate.INTEGRAL] == pytest.approx(float(area / 3_600_000), rel=1e-9, abs=1e-6)
        assert got[Aggregate.MIN] == pytest.approx(float(min(min(line[2:]) for line in lines)), abs=1e-6)
        assert got[Aggregate.MAX] == pytest.approx(float(max(max(line[2:]) for line in lines)), abs=1e-6)
        assert got[Aggregate.LAST] == pytest.approx(float(lines[-1][3]), abs=1e-6)


@given(points=draw_series())
def test_a_series_and_its_opposite_add_up_to_nothing(points: list[Point]):
    """Where it is known; and a silent third one makes all of it unknown."""
    opposite = [
        Point(time, {"power": -value}) for time, fields in points if isinstance(value := fields["power"], float)
    ]
    asked = make_question("meter", "power", group_by="")
    alone = aggregate_windows(asked, [points], BOUNDARIES, 10**13)
    for window, single in zip(aggregate_windows(asked, [points, opposite], BOUNDARIES, 10**13), alone, strict=True):
        assert window.coverage == single.coverage
        assert window.value is None or window.value == pytest.approx(0, abs=1e-6)
    assert all(window.coverage == 0 for window in aggregate_windows(asked, [points, opposite, []], BOUNDARIES, 10**13))


@given(increases=st.lists(st.integers(0, 50), min_size=2, max_size=10), data=st.data())
def test_the_increase_of_a_counter_is_all_there(increases: list[int], data: st.DataObject):
    """Placed and unallocated together, from the first reading in the range to the last, whatever the gaps."""
    stamps = sorted(data.draw(st.sets(st.integers(0, 599_999), min_size=len(increases), max_size=len(increases))))
    total, points = 0.0, list[Point]()
    for time, increase in zip(stamps, increases, strict=True):
        rate_allows = 0 if points and time - points[-1].timestamp < 1000 else increase
        total += rate_allows
        points.append(Point(time, {"delivered": total}))
    first = points[0].fields["delivered"]
    assert isinstance(first, float)
    windows = aggregate_windows(make_question("meter_energy", "delivered"), [points], BOUNDARIES, 10**13)
    placed = sum(window.value for window in windows if isinstance(window.value, float))
    unallocated = sum(window.unallocated or 0.0 for window in windows)
    assert placed + unallocated == pytest.approx(total - first)


def test_texts_are_told_as_they_were():
    points = [Point(-500_000, {"firmware": "D7"}), Point(90_000, {"firmware": "D8"}), Point(100_000, {"role": "owner"})]
    found = aggregate_windows(make_question("gateway", "firmware"), [points], BOUNDARIES, 300_000)
    assert [(window.value, window.coverage) for window in found] == [("D7", 1.0), ("D8", 1.0), ("D8", 180 / 480)]


WINDOWS = [WindowValue(index * 10, index * 10 + 10, value, float(value is not None)) for index, value in enumerate(
    [None, 10.0, None, None, 40.0, None]
)]  # fmt: skip


@pytest.mark.parametrize(
    ("fill", "wanted"),
    [
        (Fill.NONE, [10.0, 40.0]),
        (Fill.NULL, [None, 10.0, None, None, 40.0, None]),
        (Fill.PREVIOUS, [None, 10.0, 10.0, 10.0, 40.0, 40.0]),
        (Fill.LINEAR, [None, 10.0, 20.0, 30.0, 40.0, None]),
    ],
)
def test_filling_never_claims_to_have_measured(fill: Fill, wanted: list[float | None]):
    """Values may be filled in, coverage may not; and nothing is made up before the first or, by a line, after the last."""
    found = fill_windows(WINDOWS, fill)
    assert [window.value for window in found] == wanted
    assert sum(window.coverage for window in found) == 2.0
    assert fill_windows([], fill) == []


def make_points(power: float, start: int, stop: int) -> list[Point]:
    return [Point(time, {"power": power}) for time in range(start, stop + 1, 60_000)]


def test_the_sum_of_a_meter_takes_turns_with_its_phases():
    """From the handover on the phases count; before it the sum that the gateway gave, which is no third phase."""
    question = make_question("meter", "power", group_by="meter")
    names = [(("meter", "production"), ("phase", phase)) for phase in ("a", "b", "eim")]
    phases = [make_points(400.0, 300_000, 600_000), make_points(300.0, 300_000, 600_000)]
    members = [*phases, make_points(900.0, 0, 240_000)]
    boundaries = range(0, 600_001, 60_000)
    found = [one.mean for one in summarise_group(question, members, boundaries, (), names)]
    assert found == [900.0] * 4 + [None] + [700.0] * 5
    members[2] = make_points(900.0, 0, 600_000)
    assert [one.mean for one in summarise_group(question, members, boundaries, (), names)] == [900.0] * 5 + [700.0] * 5
    lost = [phases[0], [], make_points(900.0, 0, 240_000)]
    assert [one.mean for one in summarise_group(question, lost, boundaries, (), names)] == [900.0] * 4 + [None] * 6


@given(draw_series(), draw_series())
def test_what_stands_in_is_used_where_nothing_else_is_known(known: list[Point], other: list[Point]):
    series, stand_in = (
        make_linear_segments([(time, float(fields["power"])) for time, fields in points]) for points in (known, other)
    )
    filled = fill_in(series, stand_in)
    assert all(before.stop <= after.start for before, after in pairwise(filled))
    for time in range(-200_001, 800_000, 7_919):
        expected = find_value(series, time)
        expected = find_value(stand_in, time) if expected is None else expected
        if not any(time in (one.start, one.stop) for one in (*series, *stand_in)):
            assert find_value(filled, time) == (expected if expected is None else pytest.approx(expected, abs=1e-6))
