"""A leg of the grid's meter that is away for a while: what needs it is unknown at once, everywhere and for that long."""

import pytest

from shared.readings import Reading
from tests.receiver.api.series_requests import MINUTE, START, ask
from tests.receiver.service import GATEWAY, Service

GONE, BACK = START + 5 * MINUTE, START + 5 * MINUTE + 90_000
"""When leg b is seen to be away first, and when it is back: near enough that a line would be drawn across it."""


def make_legs(time: int, **leg: float) -> list[Reading]:
    """One answer of production and both legs of the grid."""
    alive = {"power": 100.0, "voltage": 120.0, "frequency": 60.0, "measured": 1.0}
    return [
        Reading("meter", {"meter": "production", "phase": "a"}, time, {**alive}),
        Reading("meter", {"meter": "net-consumption", "phase": "a"}, time, {**alive}),
        Reading("meter", {"meter": "net-consumption", "phase": "b"}, time, {**(leg or alive)}),
    ]


async def read_power(service: Service) -> tuple[float | None, float | None]:
    answer = (await service.get(f"/api/v1/gateways/{GATEWAY}/power")).json()
    return answer["net_w"], answer["load_w"]


async def test_a_leg_that_is_away_makes_power_unknown_at_once_and_known_again_when_it_is_back(
    service_on_each_store: Service,
):
    service = service_on_each_store
    service.clock.ms = GONE
    await service.send(*make_legs(GONE - 5000))
    assert await read_power(service) == (200.0, 300.0)
    await service.send(*make_legs(GONE, frequency=60.0, measured=0.0), batch="ab", first=1000)
    assert await read_power(service) == (None, None)
    entries = (await service.get(f"/api/v1/gateways/{GATEWAY}/meters")).json()
    assert [entry.get("power") for entry in entries] == [100.0, None, 100.0]
    service.clock.ms = GONE + 5000
    await service.send(*make_legs(GONE + 5000), batch="ac", first=2000)
    assert await read_power(service) == (200.0, 300.0)


async def test_no_line_is_drawn_across_a_leg_that_was_away(service_on_each_store: Service):
    service = service_on_each_store
    service.clock.ms = START + 20 * MINUTE
    times = [*range(START, GONE, 5000), *range(BACK, START + 15 * MINUTE + 1, 5000)]
    silent = make_legs(GONE, frequency=60.0, measured=0.0)[-1:]
    legs = [reading for time in times for reading in make_legs(time)]
    await service.send(*legs[: len(legs) // 2], *silent)
    await service.send(*legs[len(legs) // 2 :], batch="ab", first=5000)
    await service.receiver.rollups.catch_up()
    phase = f"meter=net-consumption&phase=b&start={START}&stop={START + 15 * MINUTE}"
    coverages = {}
    for field in ("power", "voltage", "frequency"):
        for every in ("15m", "900s"):  # from stored minutes, where there are some, and from readings
            asked = f"kind=meter&field={field}&every={every}&{phase}"
            (series,) = (await ask(service, asked)).json()["series"]
            coverages[field, every] = series["windows"][0]["coverage"]
    away = pytest.approx(1 - 95 / 900, abs=1e-3)
    assert coverages == {
        ("power", "15m"): away,
        ("power", "900s"): away,
        ("voltage", "15m"): away,
        ("voltage", "900s"): away,
        ("frequency", "15m"): pytest.approx(1.0),
        ("frequency", "900s"): pytest.approx(1.0),
    }
    window = f"start={START}&stop={START + 15 * MINUTE}"
    answer = await service.get(f"/api/v1/gateways/{GATEWAY}/energy?every=15m&{window}")
    (energy,) = answer.json()["windows"]
    assert energy["imported_coverage"] == energy["load_coverage"] == away
    (series,) = (await ask(service, f"kind=site_1m&field=load&{window}")).json()["series"]
    minutes = {point["timestamp"] for point in series["points"]}
    assert set(range(START, START + 15 * MINUTE, MINUTE)) - minutes == {GONE}
