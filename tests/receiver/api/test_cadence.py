"""Reports that state no interval, as those of firmware before 8.2: energy of the time that they cover, over every store.

Twelve panels of 500 W report every 5 minutes. Each report is 500 Wh of the roof.
"""

import pytest

from shared.readings import Reading
from tests.receiver.api.constant_household import ask_all, fill, to_ms, write_sites_file
from tests.receiver.stores.store_factories import STORES

PANELS = [f"4821000001{number:02}" for number in range(12)]
POWER = 500.0
MINUTE = 60_000
BEGIN = to_ms("2025-03-30T08:00")
SERIES = "/series?kind=inverter&field=power&aggregate=integral&every=1h&start=2025-03-30&stop=2025-03-31"


@pytest.fixture(params=STORES)
async def house(request, start_over, tmp_path):
    async with start_over(request.param, sites_file=write_sites_file(tmp_path)) as running:
        yield running


async def report(house, *minutes):
    """Every panel at these minutes after the beginning."""
    readings = [
        Reading("inverter", {"inverter": panel}, BEGIN + minute * MINUTE, {"power": POWER, "max_power": POWER})
        for minute in minutes
        for panel in PANELS
    ]
    await fill(house, readings, now=BEGIN + (max(minutes) + 1) * MINUTE)


async def measure(house):
    """The day by each question that tells it: Wh, and the minutes that are covered."""
    energy, panels, series = await ask_all(
        house,
        "/energy?every=1d&start=2025-03-30&stop=2025-03-31",
        "/inverters/energy?every=1d&start=2025-03-30&stop=2025-03-31",
        SERIES,
    )
    (day,) = energy["windows"]
    day_minutes = (day["stop"] - day["start"]) / MINUTE
    made = [panel for panel in panels["panels"] if panel["inverter"] in PANELS]
    windows = [window for entry in series["series"] for window in entry["windows"]]
    return [
        (day["production_wh"], day["production_coverage"] * day_minutes),
        (sum(panel["total_wh"] for panel in made), made[0]["coverage"][0] * day_minutes),
        (
            sum(window["value"] or 0.0 for window in windows),
            sum(window["coverage"] for window in windows) * 60 / len(series["series"]),
        ),
    ]


@pytest.mark.parametrize("minutes", [
    pytest.param([*range(5, 61, 5), 130], id="after a pause"),
    pytest.param([5, *range(130, 186, 5)], id="first"),
    pytest.param([*range(5, 31, 5), *range(40, 56, 5), 65, 70, 80], id="beside missing reports"),
])  # fmt: skip
async def test_each_report_is_five_minutes_of_energy(house, minutes):
    """13 reports: 6,500 Wh. With a quarter hour for the one that is alone it was 7,500."""
    assert len(minutes) == 13
    await report(house, *minutes)
    for wh, covered in await measure(house):
        assert wh == pytest.approx(6500.0)
        assert covered == pytest.approx(65.0)


async def test_a_report_is_of_a_quarter_hour_where_the_others_come_so(house):
    await report(house, *range(15, 91, 15))
    for wh, covered in await measure(house):
        assert wh == pytest.approx(POWER * 12 * 1.5)
        assert covered == pytest.approx(90.0)


async def test_reports_that_come_later_teach_the_cadence_of_those_before(house):
    """Roll-ups of the time before are computed again: the first was taken for five minutes."""
    await report(house, 15)
    assert (await measure(house))[0] == (pytest.approx(500.0), pytest.approx(5.0))
    await report(house, 30, 45)
    for wh, covered in await measure(house):
        assert wh == pytest.approx(POWER * 12 * 0.75)
        assert covered == pytest.approx(45.0)
