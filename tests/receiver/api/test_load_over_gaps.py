"""What a house uses while inverters, or the gateway's total of them, stand in for a production meter, over a gap."""

import pytest

from shared.readings import Reading
from tests.receiver.api.series_requests import HOUR, MINUTE, START
from tests.receiver.service import GATEWAY, Service

STOP = START + 2 * HOUR
MADE_W, SOLD_W, USED_W = 2000.0, 1960.0, 40.0
GAPS = {
    "45 minutes over three boundaries": (7, 52),
    "10 minutes over one boundary": (25, 35),
    "3 minutes over one boundary": (29, 32),
    "inside a quarter hour": (17, 25),
    "from before the first reading": (0, 37),
}


def make_grid(gap: tuple[int, int]) -> list[Reading]:
    """Power and counters of the grid's meter, each half minute, but not in the gap (minutes since the start)."""
    tags, readings = {"meter": "net-consumption", "phase": "a"}, []
    for time in range(START, STOP + 1, MINUTE // 2):
        if not gap[0] * MINUTE < time - START < gap[1] * MINUTE and not (gap[0] == 0 and time == START):
            sold = SOLD_W * (time - START) / HOUR
            readings.append(Reading("meter", tags, time, {"power": -SOLD_W, "measured": 1.0}))
            readings.append(Reading("meter_energy", tags, time, {"delivered": 1e5, "received": 1e6 + sold}))
    return readings


def make_reports() -> list[Reading]:
    """Of four inverters, each five minutes, before and after the time too."""
    times = range(START - 30 * MINUTE, STOP + 30 * MINUTE, 5 * MINUTE)
    return [
        Reading("inverter", {"inverter": f"12200000000{index}"}, time, {"power": MADE_W / 4, "interval": 300.0})
        for time in times
        for index in range(4)
    ]


def make_totals() -> list[Reading]:
    """The gateway's own total, each minute."""
    return [
        Reading("production", {"source": "pdm"}, time, {"energy_lifetime": 1e6 + MADE_W * (time - START) / HOUR})
        for time in range(START - 30 * MINUTE, STOP + 30 * MINUTE, MINUTE)
    ]


@pytest.mark.parametrize("gap", GAPS.values(), ids=list(GAPS))
@pytest.mark.parametrize("make_production", [make_reports, make_totals])
async def test_the_load_is_that_of_the_time_in_which_all_of_it_is_known(
    service_on_each_store: Service, make_production, gap
):
    """By the whole production of a quarter hour less the export of a part of it a house of 40 W used hundreds."""
    service = service_on_each_store
    service.clock.ms = STOP + 30 * MINUTE
    for number, readings in enumerate((make_grid(gap), make_production())):
        await service.send(*readings, batch=f"a{number}", first=1 + 10_000 * number)
    await service.receiver.rollups.catch_up()
    for every in ("15m", "1h"):
        path = f"/api/v1/gateways/{GATEWAY}/energy?every={every}&start={START}&stop={STOP}"
        windows = (await service.get(path)).json()["windows"]
        assert sum(window["load_wh"] is not None for window in windows) >= len(windows) / 2
        for window in windows:
            if window["load_wh"] is not None:
                hours = window["load_coverage"] * (0.25 if every == "15m" else 1.0)
                assert window["load_wh"] == pytest.approx(USED_W * hours, abs=3.0)
