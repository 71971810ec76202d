"""What the cloud fills in, in sums beyond one gateway's windows: lifetime totals, today, PVOutput, houses."""

from datetime import date

import pytest

from receiver.energy.house import HouseMember
from receiver.outputs.lifetime.totals import sum_years
from receiver.outputs.mqtt.payloads import make_today
from receiver.queries.energy_window import describe_energy
from receiver.queries.house_quarters import HouseQuarters
from receiver.rollups.series import read_counted
from receiver.sites.model import Site
from receiver.stores.base import Point
from shared.units import QUARTER_MS

START = 1_773_619_200_000


def test_a_total_has_what_a_counter_has_counted_and_nothing_that_the_cloud_alone_says():
    years = [
        Point(0, {"production": 700.0, "production_coverage": 0.0, "production_filled": 700.0,
                  "production_uncounted": 700.0}),
        Point(1, {"production": 90.0, "production_coverage": 0.5, "production_filled": 60.0,
                  "production_uncounted": 20.0, "production_unallocated": 1.0}),
        Point(2, {"production": 8.0, "production_coverage": 0.0, "production_filled": 8.0}),
        Point(3, {"load": 9.0, "load_coverage": 0.0, "load_filled": 9.0, "load_uncounted": 9.0}),
    ]  # fmt: skip
    assert sum_years(years) == {"production": 79.0}, "what was never counted is unknown, not nothing"


@pytest.mark.parametrize(
    ("fields", "wh"),
    [
        ({"production": 500.0, "production_coverage": 1.0}, 500.0),
        ({"production": 500.0, "production_coverage": 0.8, "production_filled": 100.0}, 500.0),
        ({"production": 500.0, "production_coverage": 0.8, "production_uncounted": 100.0, "production_filled": 100.0}, 400.0),
        ({"production": 500.0, "production_coverage": 0.0, "production_uncounted": 500.0, "production_filled": 500.0}, None),
        ({"production": 0.0, "production_coverage": 0.0, "production_uncounted": 0.0, "production_filled": 0.0}, None),
        ({"production": 500.0, "production_coverage": 0.0, "production_taken_over": 500.0}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_energies_of_today_are_those_that_were_counted(fields, wh):
    assert read_counted(fields, "production") == wh
    assert make_today(date(2026, 3, 16), fields)["production_wh"] == wh


def test_an_answer_names_what_is_filled_in_and_no_gap_that_is():
    fields: dict[str, float | str] = {
        "production": 90.0, "production_coverage": 0.5, "production_filled": 40.0, "production_measured": 50.0,
        "production_placed": 350.0, "unallocated_since": float(START - QUARTER_MS),
    }  # fmt: skip
    window = describe_energy(fields, START, START + QUARTER_MS, Site().zone, START + QUARTER_MS)
    assert (window["production_wh"], window["production_filled_wh"]) == (90.0, 40.0)
    assert (window["load_filled_wh"], window["unallocated_since"]) == (None, None)
    half: dict[str, float | str] = {**fields, "exported_unallocated": 3.0}
    assert (
        describe_energy(half, START, START + QUARTER_MS, Site().zone, START)["unallocated_since"] == START - QUARTER_MS
    )


async def test_a_house_has_what_was_measured_alone(sqlite_store):
    filled = Point(START, {
        "duration": 900.0, "resets": 0.0, "production": 70.0, "production_coverage": 0.0, "production_filled": 70.0,
    })  # fmt: skip
    measured = Point(START, {"duration": 900.0, "resets": 0.0, "production": 50.0, "production_coverage": 1.0})
    quarters = HouseQuarters(sqlite_store, {"1": HouseMember(), "2": HouseMember()}, Site())
    window = [(START, START + QUARTER_MS)]
    assert quarters.sum_windows([{START: measured}, {START: filled}], window) == []
    (both,) = quarters.sum_windows([{START + QUARTER_MS: measured}] * 2, [(START + QUARTER_MS, START + 2 * QUARTER_MS)])
    assert both.fields["production"] == 100.0
