"""What is sold beyond what the inverters can make, as by a grid transformer the wrong way round, is no production."""

import pytest

from receiver.rollups.compute import RawSeries, make_quarter_rows
from receiver.sites.model import NO_SITE
from receiver.stores.base import Point, SeriesPoints
from shared.readings import Series
from shared.units import HOUR_MS, MINUTE_MS
from tests.receiver.rollups.test_common_ground import START, make_meter

REPORTS = range(START - HOUR_MS, START + 2 * HOUR_MS, 5 * MINUTE_MS)


def make_inverters(count: int, watts: float, highest: float) -> list[SeriesPoints]:
    """Reports each five minutes."""
    fields = {"power": watts, "max_power": highest, "interval": 300.0}
    return [
        SeriesPoints(Series("inverter", (("inverter", str(index)),)), [Point(time, {**fields}) for time in REPORTS])
        for index in range(count)
    ]


def make_rows(net_w: float, **inverters: float):
    """The first quarter hour: its minutes of the site, and its energies."""
    meter = make_meter("net-consumption", "a", net_w, range(START - MINUTE_MS, START + HOUR_MS, MINUTE_MS))
    raw = RawSeries([meter[0]], [meter[1]], make_inverters(10, **inverters), ())
    rows = make_quarter_rows(raw, NO_SITE, START, START + HOUR_MS // 4)
    minutes = [row.fields for row in rows if row.kind == "site_1m"]
    (energy,) = (row.fields for row in rows if row.kind == "energy_15m")
    return minutes, energy


def test_an_impossible_sale_makes_production_and_load_unknown():
    minutes, energy = make_rows(-4500.0, watts=5.0, highest=300.0)
    assert minutes
    for fields in minutes:
        assert not {"production", "load"} & fields.keys()
        assert fields["net"] == pytest.approx(-4500.0)
    assert "load" not in energy
    assert energy["production"] == pytest.approx(12.5), "what the inverters report"


def test_a_possible_sale_was_made():
    """Reports lag by minutes: what is sold meanwhile was made."""
    minutes, _ = make_rows(-2500.0, watts=200.0, highest=300.0)
    assert {round(fields["production"]) for fields in minutes} == {2500}
    assert {fields["load"] for fields in minutes} == {0.0}
