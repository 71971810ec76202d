"""Counters that begin again at 0: those of inverters and their total may have wrapped at 2^32 J, those of meters not."""

import pytest

from receiver.rollups.compute import RawSeries, make_quarter_rows
from receiver.sites.model import NO_SITE
from receiver.stores.base import Point, SeriesPoints
from shared.fields import WRAP_WH
from shared.readings import Series
from shared.units import HOUR_MS, MINUTE_MS, QUARTER_MS
from tests.receiver.rollups.random_house import START


def make_wrapped(kind, tags, name, *, before=WRAP_WH - 20.0, gap_ms=10 * MINUTE_MS, **others):
    """Two readings of a counter that gained 50 Wh between them, if it wrapped."""
    first = START + MINUTE_MS
    points = [Point(first, {name: before, **others}), Point(first + gap_ms, {name: 30.0, **others})]
    return [SeriesPoints(Series.of(kind, tags), points)]


def compute(raw, kind):
    return [row.fields for row in make_quarter_rows(raw, NO_SITE, START, START + QUARTER_MS) if row.kind == kind]


@pytest.mark.parametrize("source", ["pdm", "inverters", "api"])
def test_a_total_of_all_inverters_wraps(source):
    total = make_wrapped("production", {"source": source}, "energy_lifetime", power=300.0)
    (row,) = compute(RawSeries([], [], [], total), "energy_15m")
    assert (row["production"], row["resets"]) == (pytest.approx(50.0), 0.0)


def test_the_counter_of_an_inverter_wraps():
    panel = make_wrapped("inverter", {"inverter": "1"}, "energy_lifetime", power=250.0, max_power=290.0)
    (row,) = compute(RawSeries([], [], panel, []), "panel_15m")
    assert row["energy"] == pytest.approx(50.0)


@pytest.mark.parametrize(("meter", "field", "quantity"), [
    ("production", "delivered", "production"),
    ("net-consumption", "delivered", "imported"),
    ("net-consumption", "received", "exported"),
])  # fmt: skip
def test_a_meter_that_begins_again_was_reset(meter, field, quantity):
    found = make_wrapped("meter_energy", {"meter": meter, "phase": "a"}, field)
    if field == "received":
        found = [SeriesPoints(found[0].series, [Point(time, {"delivered": 5.0, **f}) for time, f in found[0].points])]
    (row,) = compute(RawSeries([], found, [], []), "energy_15m")
    assert (row.get(quantity), row["resets"]) == (None, 1.0)


def test_a_meter_that_was_replaced_over_a_day_invents_nothing():
    """1,148 kWh before and 3 kWh after: 48 kWh, had it wrapped."""
    tags = {"meter": "net-consumption", "phase": "a"}
    points = [Point(START - 20 * HOUR_MS, {"delivered": 1.148e6}), Point(START + MINUTE_MS, {"delivered": 3000.0})]
    (row,) = compute(RawSeries([], [SeriesPoints(Series.of("meter_energy", tags), points)], [], []), "energy_15m")
    assert row["resets"] == 1.0
    assert "imported" not in row
    assert "imported_unallocated" not in row
