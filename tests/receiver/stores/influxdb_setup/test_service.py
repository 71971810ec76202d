"""The receiver at work on an InfluxDB that `setup` made ready."""

from pathlib import Path

import pytest

from receiver import settings
from receiver.settings import InfluxDB
from tests.clocks import NOW_MS
from tests.influxd.server import Influxd
from tests.receiver.service import GATEWAY, make_batch, make_inverter, make_meter, make_read_claims, sign, start
from tests.receiver.service import READ_SECRET as READ
from tests.receiver.stores.influxdb_setup.conftest import Command


@pytest.fixture
def ready(setup: Command) -> InfluxDB:
    """What the settings say once `setup` has run."""
    setup(RECEIVER_METER_DAYS="0")
    store = settings.load().store
    assert isinstance(store, InfluxDB)
    return store


async def test_what_a_scraper_sends_is_stored_and_read_with_the_token_that_setup_made(
    ready: InfluxDB, database: Influxd, tmp_path: Path
):
    async with start(tmp_path / "state", store=ready, meter_days=0) as service:
        answer = await service.post(make_batch(make_meter(power=5.0), make_inverter("482300001111", NOW_MS - 1000)))
        assert answer.status_code == 200, answer.text
        headers = {"authorization": f"Bearer {sign(make_read_claims(), READ, kid='read')}"}
        found = await service.client.get(f"/api/v1/gateways/{GATEWAY}/meters", headers=headers)
        assert '"power":5' in found.text.replace(" ", "")
        assert (await service.client.get("/readyz")).status_code == 200
    for bucket, query in (
        ("envoy_live", "SELECT count(power) FROM meter"),
        ("envoy", "SELECT count(power) FROM inverter"),
    ):
        asked = database.call("GET", "/query", db=bucket, q=query)
        assert asked.json()["results"][0]["series"][0]["values"][0][1] == 1
