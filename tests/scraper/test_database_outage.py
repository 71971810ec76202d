"""The whole chain over a real InfluxDB that is taken away: the scraper's outbox holds until it is back."""

from itertools import pairwise

import pytest

from tests.influxd.server import Influxd, run_influxd
from tests.receiver import over_influxdb
from tests.scraper.running_scraper import RunningScraper, run_at_home

BUCKETS = ("envoy", "envoy_live")
OUTAGE_S = 240.0


@pytest.fixture
def database(tmp_path):
    with run_influxd(tmp_path / "influxdb") as server:
        for bucket in BUCKETS:
            server.make_bucket(bucket)
        yield server


async def list_production(at_home: RunningScraper) -> list[int]:
    """Stamps of one series, oldest first."""
    return [point.timestamp for point in await at_home.read_points("meter", meter="production", phase="a")]


@pytest.mark.parametrize("end", [Influxd.stop, Influxd.kill], ids=["stopped", "killed"])
async def test_an_outage_of_the_database_loses_nothing(tmp_path, logs, database, end):
    """Time runs fast here: the outage lasts minutes, and there is no hole where it was."""
    stored_by = over_influxdb.make_influxdb_settings(database, BUCKETS, tmp_path / "hosted")
    async with run_at_home(tmp_path, logs, hosted_settings=stored_by) as at_home:
        async with at_home.run_scraper():
            await at_home.wait_for_points("meter", 20)
            end(database)
            await at_home.wait_for_line("uplink waits")
            (waits, *_) = at_home.list_lines("uplink waits")
            assert not waits["person_needed"], "it is the database's trouble, not somebody's mistake"
            gone = at_home.clock.now_ms()
            await at_home.clock.sleep(OUTAGE_S)
            database.start()
            await at_home.wait_for_line("uplink works again")
            newest = at_home.clock.now_ms()
            await at_home.wait_for_points("meter", what=lambda point: point.timestamp > newest)
        stamps = await list_production(at_home)
        gaps = await at_home.read_points("event", type="gap")
    assert stamps[0] < gone - 1000
    assert any(gone + 30_000 < stamp < newest for stamp in stamps), "what came meanwhile is there"
    # A heartbeat a minute, all the way; a busy machine may hold one up, for its second is many seconds of this clock.
    assert max(after - before for before, after in pairwise(stamps)) < OUTAGE_S * 1000 / 2
    assert [gap.fields for gap in gaps] == [{"reason": "the scraper was stopped"}]
