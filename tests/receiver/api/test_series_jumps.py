"""Counters of meters that rise by more than the house can take: no energy of a series, as none of the roll-ups."""

import pytest

from shared.readings import Reading
from tests.receiver.api.series_requests import HOUR, MINUTE, START, ask, make_counter
from tests.receiver.service import GATEWAY, Service

BEGAN = START - 26 * HOUR
GAP = range(START + 10 * MINUTE, START + 40 * MINUTE)
ASKED = f"start={START}&stop={START + HOUR}&every=1h"


async def send_house(service: Service, jump_wh: float, *panels: Reading) -> None:
    """A day and more at 400 W, half an hour without a reading, and then so many Wh more on the counter."""
    service.clock.ms = START + HOUR + 5 * MINUTE
    rows = [
        make_counter(time, 1e6 + 400 * (time - BEGAN) / HOUR + (jump_wh if time >= GAP.stop else 0.0))
        for time in range(BEGAN, START + HOUR + MINUTE, 2 * MINUTE)
        if time not in GAP
    ]
    for number, first in enumerate(range(0, len(rows), 400)):
        await service.send(*rows[first : first + 400], batch=f"{number:02x}", first=1 + first)
    if panels:
        await service.send(*panels, batch="ff", first=5000)
    await service.receiver.rollups.catch_up()


async def read_counted(service: Service) -> tuple[float, float]:
    """What `/series` and `/energy` say was bought."""
    (series,) = (await ask(service, f"kind=meter_energy&field=delivered&{ASKED}")).json()["series"]
    answer = await service.get(f"/api/v1/gateways/{GATEWAY}/energy?{ASKED}")
    return series["windows"][0]["value"], answer.json()["windows"][0]["imported_wh"]


@pytest.mark.parametrize(("jump_wh", "counted"), [(0.0, 400.0), (350.0, 750.0), (9_000.0, 200.0), (60_000.0, 200.0)])
async def test_a_large_step_is_judged_by_the_highest_power_of_the_week_before(
    service_on_each_store: Service, jump_wh: float, counted: float
):
    """30 kWh in an hour are not absurd, and no house makes them whose highest power is 400 W."""
    await send_house(service_on_each_store, jump_wh)
    of_series, of_energy = await read_counted(service_on_each_store)
    assert of_series == pytest.approx(counted, abs=15)
    assert of_energy == pytest.approx(of_series, abs=1)


async def test_a_house_may_take_what_its_inverters_can_make(service_on_each_store: Service):
    panels = [
        Reading(
            "inverter", {"inverter": f"12209900010{index}"}, GAP.stop - 5 * MINUTE, {"power": 1.0, "max_power": 4000.0}
        )
        for index in range(5)
    ]
    await send_house(service_on_each_store, 9_000.0, *panels)
    of_series, of_energy = await read_counted(service_on_each_store)
    assert of_series == pytest.approx(9_400.0, abs=15)
    assert of_energy == pytest.approx(of_series, abs=1)


def make_total(time: int, jump_wh: float) -> Reading:
    """What a gateway gives that says the sum of its inverters alone: 400 W since `BEGAN`."""
    energy = 1e6 + 400 * (time - BEGAN) / HOUR + (jump_wh if time >= GAP.stop else 0.0)
    return Reading("production", {"source": "api"}, time, {"power": 400.0, "energy_lifetime": energy})


@pytest.mark.parametrize(("jump_wh", "counted"), [(0.0, 400.0), (500.0, 900.0), (9_000.0, 200.0), (60_000.0, 200.0)])
async def test_a_total_without_a_list_of_inverters_is_judged_by_its_own_power(
    service_on_each_store: Service, jump_wh: float, counted: float
):
    service = service_on_each_store
    service.clock.ms = START + HOUR + 5 * MINUTE
    times = [time for time in range(BEGAN, START + HOUR + MINUTE, 2 * MINUTE) if time not in GAP]
    for number, first in enumerate(range(0, len(times), 400)):
        rows = [make_total(time, jump_wh) for time in times[first : first + 400]]
        await service.send(*rows, batch=f"{number:02x}", first=1 + first)
    await service.receiver.rollups.catch_up()
    (series,) = (await ask(service, f"kind=production&field=energy_lifetime&{ASKED}")).json()["series"]
    answer = await service.get(f"/api/v1/gateways/{GATEWAY}/energy?{ASKED}")
    assert series["windows"][0]["value"] == pytest.approx(counted, abs=15)
    assert answer.json()["windows"][0]["production_wh"] == pytest.approx(counted, abs=15)


@pytest.mark.parametrize(("jump_wh", "counted"), [(9_000.0, 9_400.0), (11_000.0, 200.0)])
async def test_a_total_with_a_list_of_inverters_is_judged_by_what_these_can_make(
    service_on_each_store: Service, jump_wh: float, counted: float
):
    service = service_on_each_store
    service.clock.ms = START + HOUR + 5 * MINUTE
    panels = [
        Reading("inverter", {"inverter": f"12209900010{index}"}, time, {"power": 1.0, "max_power": 1900.0})
        for index in range(5)
        for time in (START - HOUR, GAP.stop - 5 * MINUTE)
    ]
    times = [time for time in range(START - 2 * HOUR, START + HOUR + MINUTE, 2 * MINUTE) if time not in GAP]
    await service.send(*panels, *(make_total(time, jump_wh) for time in times))
    await service.receiver.rollups.catch_up()
    (series,) = (await ask(service, f"kind=production&field=energy_lifetime&{ASKED}")).json()["series"]
    answer = await service.get(f"/api/v1/gateways/{GATEWAY}/energy?{ASKED}")
    assert series["windows"][0]["value"] == pytest.approx(counted, abs=15)
    assert answer.json()["windows"][0]["production_wh"] == pytest.approx(counted, abs=15)


@pytest.mark.parametrize(("given", "counted"), [(135.0, 135.0), (40_000.0, None)])
async def test_a_battery_gives_no_more_than_it_can(service_on_each_store: Service, given: float, counted: float | None):
    rows = [
        Reading("battery", {"battery": "121917000001"}, START + minute * MINUTE, {"discharged": wh})
        for minute, wh in ((5, 5e5), (25, 5e5 + given))
    ]
    await service_on_each_store.send(*rows)
    query = f"kind=battery&field=discharged&start={START}&stop={START + HOUR}&every=1h&fill=null"
    (series,) = (await ask(service_on_each_store, query)).json()["series"]
    assert series["windows"][0]["value"] == counted
