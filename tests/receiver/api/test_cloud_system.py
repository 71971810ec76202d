"""What readers see of a system that is read through the cloud, over both stores."""

from collections.abc import AsyncIterator

import pytest

from shared.readings import Reading
from shared.units import HOUR_MS, HOUR_S, MINUTE_MS
from tests.clocks import NOW_MS
from tests.receiver.api.conftest import StartOver
from tests.receiver.service import GATEWAY, Service, make_meter
from tests.receiver.stores.store_factories import STORES

SYSTEM = "system-4711023"
PATH = f"/api/v1/gateways/{SYSTEM}"


@pytest.fixture(params=STORES)
async def service(request: pytest.FixtureRequest, start_over: StartOver) -> AsyncIterator[Service]:
    async with start_over(request.param, gateways=(GATEWAY, SYSTEM)) as running:
        yield running


def make_interval(source: str, age_ms: int, power: float, *, revision: int = 0, phase: str = "total") -> Reading:
    tags = {"source": source, "phase": phase, "revision": str(revision)}
    return Reading(
        "interval", tags, NOW_MS - age_ms, {"energy": power / 12, "interval": 300.0, "power": power, "power_end": 1.0}
    )


async def test_power_is_that_of_the_newest_interval_with_its_age_for_three_hours(service: Service):
    ten, twenty = 10 * MINUTE_MS, 20 * MINUTE_MS
    await service.send(make_interval("met", twenty, 2400.0), make_interval("inv", ten, 1200.0), serial=SYSTEM)
    power = (await service.get(f"{PATH}/power")).json()
    assert (power["production_w"], power["age_seconds"], power["timestamp"]) == (1200.0, 600.0, NOW_MS - ten)
    unknown = ("load_w", "net_w", "imported_w", "exported_w", "battery_w", "state_of_charge", "load_unknown")
    assert {power[name] for name in unknown} == {None}
    assert (await service.get(PATH)).json()["power"] == power
    service.clock.advance(3 * HOUR_S - 600)
    assert (await service.get(f"{PATH}/power")).json()["production_w"] == 1200.0
    service.clock.advance(1)
    old = (await service.get(f"{PATH}/power")).json()
    assert (old["production_w"], old["timestamp"], old["age_seconds"]) == (None, None, None)


async def test_of_one_end_the_meters_and_the_last_correction_count(service: Service):
    await service.send(
        make_interval("inv", MINUTE_MS, 1100.0),
        make_interval("met", MINUTE_MS, 1200.0),
        make_interval("met", MINUTE_MS, 1300.0, revision=10),
        make_interval("met", MINUTE_MS, 1250.0, revision=9),
        make_interval("met", 0, 400.0, phase="a"),
        make_interval("roof", 0, 7.0),
        serial=SYSTEM,
    )
    assert (await service.get(f"{PATH}/power")).json()["production_w"] == 1300.0


async def test_the_list_says_where_readings_come_from(service: Service):
    await service.send(make_interval("inv", HOUR_MS, 5.0), serial=SYSTEM)
    await service.send(make_meter(power=1.0))
    entries = (await service.get("/api/v1/gateways")).json()
    assert {entry["gateway"]: entry["source"] for entry in entries} == {GATEWAY: "gateway", SYSTEM: "cloud"}
    assert (await service.get(PATH)).json()["source"] == "cloud"
