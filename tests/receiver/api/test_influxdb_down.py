"""The whole receiver before an InfluxDB that comes and goes: what is not stored is not acknowledged."""

import gzip

import pytest
from structlog.testing import capture_logs

from receiver.settings import InfluxDB
from tests.clocks import NOW_MS
from tests.influxd.server import ADMIN_TOKEN, ORG
from tests.receiver.service import assert_problem, make_batch, make_inverter, make_meter, start
from tests.receiver.stores.influx_server import BUCKET, LIVE_BUCKET, InfluxTestServer


@pytest.fixture
def server(tmp_path):
    with InfluxTestServer.run(tmp_path) as server:
        yield server


@pytest.fixture
async def service(tmp_path, server):
    influxdb = InfluxDB(
        url=server.influxd.url, org=ORG, token=ADMIN_TOKEN, bucket=BUCKET, live_bucket=LIVE_BUCKET,
        tokens_dir=tmp_path / "state", admin_user="admin", admin_password=None, admin_token=None,
    )  # fmt: skip
    async with start(tmp_path / "state", store=influxdb) as service:
        yield service


async def test_a_batch_that_came_while_influxdb_was_down_is_refused_and_stored_later(server, service):
    """503 with Retry-After; the same batch is taken once InfluxDB is back, with no restart of the receiver."""
    assert (await service.send(make_meter(NOW_MS - 1000), make_inverter("1", NOW_MS - 1000))).accepted == 2
    body = gzip.compress(make_batch(make_meter(), make_inverter("1")))
    packed = {"content-encoding": "gzip"}
    server.influxd.stop()
    with capture_logs() as logs:
        answer = await service.post(body, headers=packed)
    assert_problem(answer, 503, "store-unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert service.read_metric("receiver_batches_total", outcome="store-unavailable") == 1
    assert service.read_metric("receiver_batches_total", outcome="stored") == 1
    assert_problem(await service.get("/readyz"), 503, "store-unavailable")
    assert (await service.get("/healthz")).status_code == 200
    assert any(log["log_level"] == "error" and "cannot be reached" in str(log) for log in logs)
    assert "canary" not in f"{logs}{answer.text}{answer.headers}"
    server.influxd.start()
    assert (await service.get("/readyz")).status_code == 200
    assert (await service.post(body, headers=packed)).status_code == 200
    assert service.read_metric("receiver_batches_total", outcome="stored") == 2
    assert [stamp for _, stamp, _ in server.read_points(LIVE_BUCKET, "meter")] == [NOW_MS - 1000, NOW_MS]
    assert [stamp for _, stamp, _ in server.read_points(BUCKET, "inverter")] == [NOW_MS - 1000, NOW_MS]


async def test_rows_that_influxdb_refuses_are_named_in_the_verdict(server, service):
    """The good ones beside them are stored; the scraper keeps the others as dead letters."""
    server.post(BUCKET, b'inverter,gateway=x,inverter=y rssi="strong" %d' % NOW_MS)
    verdict = await service.send(make_inverter("1"), make_inverter("2", rssi=5.0), make_meter(), make_inverter("3"))
    assert verdict.accepted == 3
    assert [(row.seq, row.code) for row in verdict.rejected] == [(2, "store-refused")]
    assert service.read_metric("receiver_readings_rejected_total", code="store-refused") == 1
