"""envoy-scrape's measurement beside ours, over a real InfluxDB: what a scraper sends is there under both names."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from receiver.errors import ReceiverSettingError
from receiver.settings import load
from receiver.stores.base import GatewayReading
from receiver.stores.influxdb import InfluxStore
from shared.readings import Reading
from tests.clocks import NOW_MS
from tests.influxd.server import ADMIN_TOKEN, ORG, Influxd
from tests.receiver import over_influxdb, service
from tests.receiver.service import GATEWAY, make_inverter, make_meter
from tests.receiver.stores.store_factories import make_buckets

REPORT_MS = NOW_MS - NOW_MS % 1000


@pytest.fixture
def buckets(shared_influxd: Influxd) -> Iterator[tuple[str, str]]:
    with make_buckets(shared_influxd) as made:
        yield made


@pytest.fixture
async def receiver(shared_influxd: Influxd, buckets: tuple[str, str], tmp_path: Path) -> AsyncIterator[service.Service]:
    changes = over_influxdb.make_influxdb_settings(shared_influxd, buckets, tmp_path)
    async with service.start(tmp_path / "state", legacy_measurement=True, **changes) as started:
        yield started


def query(server: Influxd, bucket: str, text: str) -> list[dict[str, Any]]:
    """The series that InfluxQL gives, as a dashboard asks."""
    answer = httpx.get(
        f"{server.url}/query",
        params={"db": bucket, "q": text, "epoch": "ms"},
        headers={"authorization": f"Token {ADMIN_TOKEN}"},
    )
    answer.raise_for_status()
    found: list[dict[str, Any]] = answer.json()["results"][0].get("series", [])
    return found


def write_old_number(server: Influxd, bucket: str) -> None:
    """A power as a number with decimals, which envoy-scrape never wrote."""
    answer = httpx.post(
        f"{server.url}/api/v2/write",
        params={"org": ORG, "bucket": bucket, "precision": "ms"},
        content=f"inverterPower,envoySerial={GATEWAY},serial=482100000001,type=1 power=1.5 {REPORT_MS}",
        headers={"authorization": f"Token {ADMIN_TOKEN}"},
    )
    answer.raise_for_status()


async def test_reports_stand_under_both_names(
    receiver: service.Service, shared_influxd: Influxd, buckets: tuple[str, str]
):
    report = make_inverter("482100000001", REPORT_MS, power=120.4, max_power=290.0, temperature=30.0)
    assert (await receiver.send(report, make_meter())).rejected == []
    assert (await receiver.send(report, batch="ab")).rejected == []
    (series,) = query(shared_influxd, buckets[0], 'SELECT * FROM "inverterPower" GROUP BY *')
    assert series["tags"] == {"envoySerial": GATEWAY, "serial": "482100000001", "type": "1"}
    assert series["columns"] == ["time", "maxPower", "power"]
    assert series["values"] == [[REPORT_MS, 290, 120]]
    types = query(shared_influxd, buckets[0], 'SHOW FIELD KEYS FROM "inverterPower"')
    assert dict(types[0]["values"]) == {"maxPower": "integer", "power": "integer"}
    answer = await receiver.get(f"/api/v1/gateways/{GATEWAY}/inverters")
    assert answer.json()[0]["power"] == 120.4
    assert [entry["gateway"] for entry in (await receiver.get("/api/v1/gateways")).json()] == [GATEWAY]


async def test_an_old_field_of_another_type_costs_none_of_our_readings(
    receiver: service.Service, shared_influxd: Influxd, buckets: tuple[str, str]
):
    write_old_number(shared_influxd, buckets[0])
    verdict = await receiver.send(make_inverter("482100000001", REPORT_MS + 1000, power=7.0))
    assert (verdict.accepted, verdict.rejected) == (1, [])


async def test_without_the_switch_nothing_of_it_is_written(shared_influxd: Influxd, buckets: tuple[str, str]):
    store = InfluxStore(shared_influxd.url, ORG, ADMIN_TOKEN, *buckets)
    try:
        reading = Reading("inverter", {"inverter": "1"}, REPORT_MS, {"power": 1.0})
        assert await store.write([GatewayReading(GATEWAY, reading)]) == {}
    finally:
        await store.close()
    assert query(shared_influxd, buckets[0], 'SELECT * FROM "inverterPower"') == []


def test_over_a_file_it_is_refused_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECEIVER_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("RECEIVER_LEGACY_MEASUREMENT", "true")
    with pytest.raises(ReceiverSettingError, match=r"RECEIVER_LEGACY_MEASUREMENT .* set RECEIVER_STORE=influxdb"):
        load()
