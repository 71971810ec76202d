"""The whole receiver over a real InfluxDB: what a scraper sends is what readers see, and a missing bucket loses nothing."""

import gzip

import pytest

from shared.readings import Reading
from tests.clocks import NOW_MS
from tests.influxd.server import ADMIN_TOKEN
from tests.receiver import over_influxdb, service
from tests.receiver.service import GATEWAY, OTHER, assert_problem, make_batch, make_inverter, make_meter
from tests.receiver.stores.store_factories import make_buckets


@pytest.fixture
async def receiver(shared_influxd, tmp_path):
    with make_buckets(shared_influxd) as buckets:
        changes = over_influxdb.make_influxdb_settings(shared_influxd, buckets, tmp_path)
        async with service.start(tmp_path / "state", **changes) as started:
            yield started


async def test_what_was_sent_is_shown(receiver):
    """Every kind of answer, and only what belongs to the gateway."""
    verdict = await receiver.send(
        make_inverter("1", NOW_MS - 60_000, power=7.0, max_power=9.0), make_inverter("2", power=5.0), make_meter(phase="a", power=1.0),
        Reading("gateway", {}, NOW_MS - 5000, {"firmware": "D8.2.4286", "role": "owner"}),
    )  # fmt: skip
    assert verdict.rejected == []
    await receiver.send(make_inverter("7", NOW_MS - 1000), serial=OTHER)
    answer = await receiver.get(f"/api/v1/gateways/{GATEWAY}/inverters")
    producing = {"state": "producing", "speaks": True}
    assert answer.json() == [
        {"inverter": "1", "power": 7.0, "max_power": 9.0, "timestamp": NOW_MS - 60_000, "age_seconds": 60.0}
        | producing,
        {"inverter": "2", "power": 5.0, "timestamp": NOW_MS, "age_seconds": 0.0} | producing,
    ]
    answer = await receiver.get(f"/api/v1/gateways/{GATEWAY}/meters")
    assert [(entry["meter"], entry["phase"], entry["power"]) for entry in answer.json()] == [("production", "a", 1.0)]
    home, other = (await receiver.get("/api/v1/gateways")).json()
    assert (home["gateway"], home["last_timestamp"], home["firmware"]) == (GATEWAY, NOW_MS, "D8.2.4286")
    assert (home["inverters"], home["meters"]) == (2, 1)
    assert (other["gateway"], other["inverters"]) == (OTHER, 1)
    assert (await receiver.get("/readyz")).status_code == 200


async def test_without_its_buckets_the_scraper_keeps_everything(shared_influxd, tmp_path):
    """503 with a time to come back, for sender and reader alike; nothing in the answers tells of the database."""
    changes = over_influxdb.make_influxdb_settings(shared_influxd, ("gone", "gone-too"), tmp_path)
    async with service.start(tmp_path / "state", **changes) as started:
        refused = await started.post(
            gzip.compress(make_batch(make_inverter("1"))), headers={"content-encoding": "gzip"}
        )
        assert_problem(refused, 503, "store-unavailable")
        assert int(refused.headers["retry-after"]) > 0
        assert_problem(await started.get(f"/api/v1/gateways/{GATEWAY}/inverters"), 503, "store-unavailable")
        ready = await started.get("/readyz")
        assert ready.status_code == 503
        assert not any(ADMIN_TOKEN in answer.text for answer in started.answers)
