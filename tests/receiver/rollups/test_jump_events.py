"""Counters that came back impossibly make one event, and only they do; what comes later may take it back."""

import pytest

from receiver.rollups.compute import RawSeries
from receiver.rollups.jumps import WITHDRAWN, find_jumps
from receiver.sites.model import NO_SITE
from receiver.stores.base import Point, SeriesPoints
from shared.fields import WRAP_WH
from shared.readings import Series
from tests.receiver.rollups.example_households import (
    HOUR,
    HOUSE,
    MIDNIGHT,
    QUARTER,
)
from tests.receiver.rollups.test_job_judged_again import GAPS, make_day, write
from tests.receiver.rollups.test_job_jumps import GAP, make_house_day, make_panel_day


def make_series(kind, tags, points, **others):
    """A counter as points of time and Wh."""
    name = {"inverter": "energy_lifetime", "production": "energy_lifetime", "battery": "charged"}[kind]
    return SeriesPoints(Series.of(kind, tags), [Point(time, {name: wh, **others}) for time, wh in points])


def find(raw, start=MIDNIGHT, stop=MIDNIGHT + 24 * HOUR):
    return [
        (event.timestamp, event.fields["rows"], event.fields["reason"])
        for event in find_jumps(raw, NO_SITE, start, stop)
    ]


def test_a_roof_that_comes_back_makes_one_event_however_the_time_is_cut():
    panels = [
        make_series(
            "inverter",
            {"inverter": f"12209900010{index}"},
            [(MIDNIGHT, 1000.0), (MIDNIGHT + HOUR + 1 + index, 1000.0 + WRAP_WH)],
            power=200.0,
            max_power=295.0,
        )
        for index in range(6)
    ]
    raw = RawSeries([], [], panels, [])
    names = ", ".join(f"12209900010{index} energy_lifetime" for index in range(3))
    event = (MIDNIGHT + HOUR + 2, 6.0, f"impossible step: {names} and 3 more")
    assert find(raw) == [event]
    assert find(raw, MIDNIGHT, MIDNIGHT + HOUR) == []
    assert find(raw, MIDNIGHT + HOUR, MIDNIGHT + HOUR + QUARTER) == [event]


@pytest.mark.parametrize(
    ("kind", "tags", "after", "is_marked"),
    [
        ("inverter", {"inverter": "122099000101"}, 1100.0, False),
        ("inverter", {"inverter": "122099000101"}, 900.0, True),
        ("inverter", {"inverter": "122099000101"}, 2000.0, True),
        ("battery", {"battery": "121917000001"}, 1400.0, False),
        ("battery", {"battery": "121917000001"}, 900.0, True),
        ("battery", {"battery": "121917000001"}, 9000.0, True),
        ("production", {"source": "pdm"}, 2000.0, False),
        ("production", {"source": "pdm"}, 900.0, False),  # the scraper tells of that
        ("production", {"source": "pdm"}, 1000.0 + WRAP_WH, True),
        ("production", {"source": "pdm"}, 64_000.0, True),
    ],
)
def test_what_is_impossible_of_each_counter_is_marked(kind, tags, after, is_marked):
    series = make_series(kind, tags, [(MIDNIGHT, 1000.0), (MIDNIGHT + HOUR, after)], power=100.0)
    lists = {"inverter": (), "production": (), "battery": ()} | {kind: [series]}
    name = " ".join([*tags.values(), "charged" if kind == "battery" else "energy_lifetime"])
    marked = [(MIDNIGHT + HOUR + 1, 1.0, f"impossible step: {name}")]
    assert find(RawSeries([], [], lists["inverter"], lists["production"], battery=lists["battery"])) == (
        marked if is_marked else []
    )


async def list_events(store):
    found = await store.read_points(HOUSE, "event", start=0, stop=10**14)
    return [(dict(series.tags)["type"], *point) for series, points in found for point in points]


async def test_counters_that_jumped_over_an_outage_are_marked_once_whatever_is_sent_again(sqlite_store, rollups, clock):
    for rows in (make_house_day(300_000.0), make_panel_day(497_200.0)):
        for first in range(0, len(rows), 1000):
            await rollups.store.write(rows[first : first + 1000])
    clock.ms = MIDNIGHT + 24 * HOUR
    await rollups.catch_up()
    reason = "impossible step: 122099000101 energy_lifetime, production a delivered"
    event = ("counter_reset", GAP.stop + 1, {"rows": 2.0, "reason": reason})
    assert await list_events(sqlite_store) == [event]
    await rollups.store.write([rows[-1]])
    await rollups.store.write(make_house_day(300_000.0)[-400:])  # the same again
    await rollups.catch_up()
    assert await list_events(sqlite_store) == [event]


async def test_an_event_is_taken_back_when_later_readings_show_the_step_to_be_possible(sqlite_store, rollups, clock):
    clock.ms = MIDNIGHT + 20 * HOUR
    start, gap = MIDNIGHT - 27 * HOUR, GAPS["four hours"]
    await write(rollups, make_day(start, clock.ms, 100.0, gap, 30_000.0, "meter_energy"))
    name = "impossible step: net-consumption a delivered"
    assert await list_events(sqlite_store) == [("counter_reset", gap.stop + 1, {"rows": 1.0, "reason": name})]
    await write(rollups, make_day(start - 72 * HOUR, start, 4000.0, gap, 0.0, "meter_energy", 5e6 - 72 * 4000.0))
    taken_back = [("counter_reset", gap.stop + 1, {"rows": 0.0, "reason": WITHDRAWN})]
    assert await list_events(sqlite_store) == taken_back
