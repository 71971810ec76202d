"""Inverters that report without saying their power."""

from receiver.rollups.compute import RawSeries, make_quarter_rows
from receiver.stores.base import SeriesPoints
from shared.units import HOUR_MS, QUARTER_MS
from tests.receiver.rollups.random_house import START
from tests.receiver.rollups.test_rows import MINUTE, NO_SITE, make_inverter, select_kind


def test_an_inverter_that_reports_without_its_power_makes_their_sum_unknown():
    """A null in the list of one of two: half of it is not the production."""
    whole = make_inverter("2", 300.0)
    points = [
        point._replace(fields={"max_power": 290.0}) if START <= point.timestamp < START + QUARTER_MS else point
        for point in whole.points
    ]
    raw = RawSeries([], [], [make_inverter("1", 200.0), SeriesPoints(whole.series, points)], [])
    rows = select_kind(make_quarter_rows(raw, NO_SITE, START, START + HOUR_MS), "site_1m")
    assert {row.fields["production"] for row in rows} == {500.0}
    assert min(row.timestamp for row in rows) == START + 10 * MINUTE, "where the next report begins"
