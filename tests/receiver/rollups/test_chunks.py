"""The same readings give the same rows, in whatever pieces they are computed, and `reach` knows what a reading changes."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.rollups.compute import RawSeries, find_reach, make_hour_rows, make_quarter_rows
from receiver.rollups.panel_days import make_panel_day_rows
from receiver.rollups.panels import make_panel_rows
from receiver.sites.load import parse
from receiver.stores.base import Point, SeriesPoints
from shared.readings import FieldValue, Reading, Series
from shared.units import HOUR_MS, QUARTER_MS
from tests.receiver.rollups.random_house import START, RandomHouse, find_quarter, load

HOURS = 6
SITE = """
1:
  netting: {netting}
  time_zone: Asia/Kathmandu
  meters: {{net-consumption: {{reversed: [a]}}, total-consumption: {{role: ignore}}}}
  panels: {{480: {{name: East 1, array: East}}, 481: {{array: East}}, 489: {{array: East}}}}
  tariffs: [{{valid_from: 2024-01-01, rates: {{6-22: 0.34, 22-6: 0.21}}, feed_in: 0.08}}]
"""
seeds = st.integers(0, 1_000_000)
sites = st.sampled_from(["sum", "phases"]).map(lambda netting: parse(SITE.format(netting=netting).encode())["1"])


def group_by_identity(rows: Iterable[Reading]) -> dict[tuple[Series, int], dict[str, FieldValue]]:
    found = [(row.series, row.timestamp) for row in rows]
    assert len(found) == len(set(found))
    return {(row.series, row.timestamp): dict(row.fields) for row in rows}


@settings(max_examples=25, deadline=None)
@given(seeds, sites, st.integers(1, 4 * HOURS - 1))
def test_pieces_are_the_whole(seed, site, cut):
    readings = RandomHouse(seed, HOURS).readings
    start, middle, stop = find_quarter(0), find_quarter(cut), find_quarter(4 * HOURS)
    whole = make_quarter_rows(load(readings, start, stop), site, start, stop)
    pieces = [
        *make_quarter_rows(load(readings, start, middle), site, start, middle),
        *make_quarter_rows(load(readings, middle, stop), site, middle, stop),
    ]
    assert group_by_identity(pieces) == group_by_identity(whole)


@settings(max_examples=15, deadline=None)
@given(seeds, sites, st.integers(1, HOURS - 1))
def test_hours_in_pieces_are_all_hours(seed, site, cut):
    readings = RandomHouse(seed, HOURS).readings
    start, middle, stop = find_quarter(0), find_quarter(4 * cut), find_quarter(4 * HOURS)
    whole = make_hour_rows(load(readings, start, stop), site, start, stop)
    pieces = [
        *make_hour_rows(load(readings, start, middle), site, start, middle),
        *make_hour_rows(load(readings, middle, stop), site, middle, stop),
    ]
    assert group_by_identity(pieces) == group_by_identity(whole)


@settings(max_examples=5, deadline=None)
@given(seeds, sites)
def test_days_of_panels_by_themselves_are_all_days(seed, site):
    readings = [reading for reading in RandomHouse(seed, 50).readings if reading.kind == "inverter"]
    boundaries = site.list_windows("panel_1d", find_quarter(0), find_quarter(4 * 50))
    stored: dict[Series, list[Point]] = {}
    for row in make_panel_rows(
        load(readings, boundaries[0], boundaries[-1]).inverter,
        site,
        range(boundaries[0], boundaries[-1] + 1, QUARTER_MS),
    ):
        stored.setdefault(row.series, []).append(Point(row.timestamp, row.fields))
    quarters = [SeriesPoints(series, points) for series, points in stored.items()]
    whole = make_panel_day_rows(quarters, load(readings, boundaries[0], boundaries[-1]).inverter, site, boundaries)
    single = [
        row
        for day in pairwise(boundaries)
        for row in make_panel_day_rows(quarters, load(readings, *day).inverter, site, day)
    ]
    assert group_by_identity(single) == group_by_identity(whole)


@settings(max_examples=25, deadline=None)
@given(seeds, sites, st.integers(30, 200), st.integers(1, 90))
def test_late_readings_change_nothing_beyond_their_reach(seed, site, first_minute, minutes):
    """What arrives late is a piece out of the middle of every series, or of some of them."""
    full = RandomHouse(seed, HOURS).readings
    late_from, late_to = START + first_minute * 60_000, START + (first_minute + minutes) * 60_000
    some = {reading.series for index, reading in enumerate(full) if (index * seed) % 3} if seed % 2 else None
    before = [
        reading
        for reading in full
        if not late_from <= reading.timestamp < late_to or (some is not None and reading.series not in some)
    ]
    start, stop = find_quarter(0), find_quarter(4 * HOURS)
    old = group_by_identity(make_quarter_rows(load(before, start, stop), site, start, stop))
    new = group_by_identity(make_quarter_rows(load(full, start, stop), site, start, stop))
    changed = [key[1] for key in old.keys() | new.keys() if old.get(key) != new.get(key)]
    low, high, far = find_reach(load(full, late_from, late_to), late_from, late_to)
    assert all(low <= time < high for time in changed)
    assert not far, "no gap of the house is that long"


def test_a_reach_is_whole_quarter_hours_and_holds_what_it_is_asked_for():
    empty = RawSeries([], [], [], [])
    assert find_reach(empty, START + 1, START + 2) == (START, START + QUARTER_MS, frozenset())
    assert find_reach(empty, START, START + QUARTER_MS) == (START, START + QUARTER_MS, frozenset())


def test_the_end_of_a_long_gap_of_a_counter_reaches_over_all_of_it():
    readings = [
        Reading("meter_energy", {"meter": "production", "phase": "a"}, START + hour * HOUR_MS + 1, {"delivered": 1.0})
        for hour in (0, 5)
    ]
    late = (START + 5 * HOUR_MS, START + 5 * HOUR_MS + 60_000)
    assert find_reach(load(readings, *late), *late) == (START, START + 5 * HOUR_MS + QUARTER_MS, frozenset())


@pytest.mark.parametrize("compute", [make_quarter_rows, make_hour_rows])
def test_only_whole_windows_are_computed(compute):
    with pytest.raises(ValueError, match="whole windows"):
        compute(RawSeries([], [], [], []), parse(b"1:")["1"], START, START + 60_000)
    assert compute(RawSeries([], [], [], []), parse(b"1:")["1"], START, START) == []


def test_of_nothing_there_are_no_rows():
    assert make_quarter_rows(RawSeries([], [], [], []), parse(b"1:")["1"], START, START + QUARTER_MS) == []
