"""Counters that jump, through the job: no such energy in any row of a panel or of the site, and the reset is counted."""

import pytest

from receiver.stores.base import GatewayReading
from shared.fields import WRAP_WH
from shared.readings import FieldValue, Reading
from tests.receiver.rollups.example_households import HOUR, HOUSE, MIDNIGHT, MINUTE

GAP = range(MIDNIGHT + 10 * HOUR, MIDNIGHT + 14 * HOUR)
PANEL = {"inverter": "122099000101"}


def make_panel_day(jump):
    """A panel at 200 W from eight to sixteen, with four hours in which nothing is read and its counter jumps."""
    rows = []
    for time in range(MIDNIGHT + 8 * HOUR, MIDNIGHT + 16 * HOUR, 15 * MINUTE):
        if time in GAP:
            continue
        energy = 1000.0 + 200 * (time - MIDNIGHT) / HOUR + (jump if time >= GAP.stop else 0.0)
        fields: dict[str, FieldValue] = {
            "power": 200.0,
            "interval": 900.0,
            "max_power": 295.0,
            "energy_lifetime": energy,
        }
        rows.append(GatewayReading(HOUSE, Reading("inverter", PANEL, time, fields)))
    return rows


def make_house_day(jump, days=1):
    """A house that makes 3 kW and sells half of it, on one phase; the gateway is away for four hours of the last day."""
    rows = []
    for time in range(MIDNIGHT - (days - 1) * 24 * HOUR, MIDNIGHT + 20 * HOUR, MINUTE):
        if time in GAP:
            continue
        hours = (time - MIDNIGHT) / HOUR + 1e4
        more = jump if time >= GAP.stop else 0.0
        for meter, counters in {
            "production": {"delivered": 3000 * hours + more, "received": 0.0},
            "net-consumption": {"delivered": 0.0, "received": 1500 * hours},
        }.items():
            tags = {"meter": meter, "phase": "a"}
            power = 3000.0 if meter == "production" else -1500.0
            rows.append(GatewayReading(HOUSE, Reading("meter", tags, time, {"power": power})))
            rows.append(GatewayReading(HOUSE, Reading("meter_energy", tags, time, {**counters})))
    return rows


async def read_day(store, kind):
    """The day in UTC, which began an hour after midnight in Berlin."""
    (series,) = await store.read_points(HOUSE, kind, start=MIDNIGHT - 24 * HOUR, stop=MIDNIGHT + 24 * HOUR)
    return series.points[-1].fields


@pytest.mark.parametrize(("jump", "energy"), [(0.0, 1550.0), (497_200.0, 700.0)])
async def test_a_panel_that_came_back_with_497_kwh_made_none_of_it(sqlite_store, rollups, clock, jump, energy):
    await rollups.store.write(make_panel_day(jump))
    clock.ms = MIDNIGHT + 24 * HOUR
    await rollups.catch_up()
    assert (await read_day(sqlite_store, "panel_1d"))["energy"] == pytest.approx(energy)


@pytest.mark.parametrize(
    ("jump", "production", "resets"),
    [
        (0.0, 19 * 3000.0, 0),
        (WRAP_WH, 15 * 3000.0, 1),  # 1,193 kWh
        (3 * WRAP_WH, 15 * 3000.0, 1),
        (300_000.0, 15 * 3000.0, 1),  # no multiple, but 25 times what this house ever made
    ],
)
async def test_a_house_made_no_more_than_it_can(sqlite_store, rollups, clock, jump, production, resets):
    rows = make_house_day(jump)
    for first in range(0, len(rows), 1000):
        await rollups.store.write(rows[first : first + 1000])
    clock.ms = MIDNIGHT + 24 * HOUR
    await rollups.catch_up()
    day = await read_day(sqlite_store, "energy_1d")
    assert day["production"] == pytest.approx(production, abs=120)
    assert day["resets"] == resets


def make_day_of_total(jump):
    """A gateway of firmware 3.7: a total of 3 kW from eight to sixteen of two days, and no list of inverters."""
    rows = []
    for time in range(MIDNIGHT - 24 * HOUR, MIDNIGHT + 20 * HOUR, MINUTE):
        if time in GAP:
            continue
        day, hour = divmod((time - MIDNIGHT) / HOUR, 24)
        made = 24_000.0 * day + 3000.0 * min(max(hour - 8, 0.0), 8.0)
        fields: dict[str, FieldValue] = {
            "power": 3000.0 if 8 < hour < 16 else 0.0,
            "energy_lifetime": 5e6 + made + (jump if time >= GAP.stop else 0.0),
        }
        rows.append(GatewayReading(HOUSE, Reading("production", {"source": "api"}, time, fields)))
    return rows


@pytest.mark.parametrize(
    ("jump", "production", "resets"),
    [
        (0.0, 24_000.0, 0),
        (497_000.0, 12_000.0, 1),  # 124 kW, which 250 kW did not exclude
        (40_000.0, 12_000.0, 1),  # 13 kW: four times what this roof ever made
        (20_000.0, 44_000.0, 0),
    ],
)
async def test_a_total_without_inverters_gained_no_more_than_it_can(
    sqlite_store, rollups, clock, jump, production, resets
):
    rows = make_day_of_total(jump)
    for first in range(0, len(rows), 1000):
        await rollups.store.write(rows[first : first + 1000])
    clock.ms = MIDNIGHT + 24 * HOUR
    await rollups.catch_up()
    day = await read_day(sqlite_store, "energy_1d")
    assert day["production"] == pytest.approx(production, abs=120)
    assert day["resets"] == resets
