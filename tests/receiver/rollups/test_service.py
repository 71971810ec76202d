"""The roll-ups inside a running receiver."""

from tests.clocks import NOW_MS
from tests.receiver.service import GATEWAY, Service, make_meter

MINUTE = 60_000
START = NOW_MS // 900_000 * 900_000


async def test_what_is_posted_is_rolled_up_and_counted(service: Service):
    """A batch over HTTP; the next pass of the job has its minute, its quarter hour and its delivery."""
    readings = [make_meter(START + second * 1000, power=600.0) for second in range(0, 121, 30)]
    await service.send(*readings)
    service.clock.advance(60)
    await service.receiver.rollups.catch_up()
    store = service.receiver.store
    ((_, minutes),) = await store.read_points(GATEWAY, "site_1m", start=0, stop=2 * NOW_MS)
    assert [(point.timestamp, point.fields["production"]) for point in minutes] == [
        (START, 600.0),
        (START + MINUTE, 600.0),
    ]
    ((_, quarters),) = await store.read_points(GATEWAY, "energy_15m", fields=["production"], start=0, stop=2 * NOW_MS)
    assert quarters == [(START, {"production": 20.0})]
    ((_, deliveries),) = await store.read_points(GATEWAY, "delivery", start=0, stop=2 * NOW_MS)
    assert [point.fields["readings"] for point in deliveries] == [5.0]
    assert service.read_metric("receiver_rollup_dirty_quarters") == 0
    assert service.read_metric("receiver_rollup_failures_total", gateway=GATEWAY) == 0


async def test_readers_are_not_shown_derived_kinds_as_series(service: Service):
    """What a gateway sends is one thing, what is computed of it another."""
    await service.send(make_meter(START, power=600.0), make_meter(START + 30_000, power=600.0))
    await service.receiver.rollups.catch_up()
    (gateway,) = await service.receiver.store.list_gateways()
    assert gateway.series == {"meter": 1}
    assert await service.receiver.store.count() == 2
