"""Lists of gateways show the names of the sites file, and queries get the serials: over a real InfluxDB."""

import httpx
import pytest

from receiver.rollups.job import Rollups
from receiver.sites.model import Site
from receiver.stores.base import GatewayReading
from receiver.stores.influxdb import InfluxStore
from tests.clocks import NOW_MS, SetClock
from tests.grafana.answers import DashboardClient, list_options
from tests.grafana.extraction import list_fixed_variables, list_variable_queries, read_dashboards
from tests.grafana.simulated_days import BUCKET, LIVE_BUCKET, LoadedDays
from tests.influxd.server import ADMIN_TOKEN, ORG, Influxd
from tests.receiver.service import make_meter

HOUSE, SHED, NEW = "122300001234", "122300005678", "122300009999"
BOARDS = read_dashboards()


def ask_for_options(server: Influxd, board: str) -> list[tuple[str, str]]:
    """What the list of gateways of a dashboard offers: text and value."""
    (variable,) = (one for one in list_variable_queries(board, BOARDS[board]) if one.name == "gateway")
    with httpx.Client(timeout=30) as http:
        client = DashboardClient(LoadedDays(server, HOUSE, "UTC", 0), http)
        series = client.run(variable.query, list_fixed_variables(BOARDS[board])).series
    return list_options([str(row[1]) for one in series for row in one["values"]], variable.regex)


async def test_gateways_are_chosen_by_name_and_asked_for_by_serial(server: Influxd, tmp_path):
    server.make_bucket(BUCKET)
    server.make_bucket(LIVE_BUCKET)
    sites = {HOUSE: Site(name="Home")}
    clock = SetClock(NOW_MS)
    store = InfluxStore(server.url, ORG, ADMIN_TOKEN, BUCKET, LIVE_BUCKET)
    rollups = Rollups(store, site_of=lambda serial: sites.get(serial, Site()), clock=clock, state_dir=tmp_path)
    try:
        start = NOW_MS // 900_000 * 900_000
        readings = [make_meter(start + second * 1000, power=600.0) for second in range(0, 121, 30)]
        await rollups.store.write([GatewayReading(serial, one) for serial in (HOUSE, SHED) for one in readings])
        await rollups.store.write([GatewayReading(NEW, make_meter(start))])
        clock.advance(180)
        await rollups.catch_up()
        assert ask_for_options(server, "now.json") == [(SHED, SHED), ("Home", HOUSE)]

        sites[HOUSE] = Site(name="Home (old roof)")
        await rollups.catch_up()
        assert ask_for_options(server, "energy.json") == [(SHED, SHED), ("Home (old roof)", HOUSE)]
    finally:
        await rollups.close()
        await store.close()


def test_the_pipeline_shows_every_gateway_that_was_heard():
    """Also one of whose energy nothing is known: that is what this dashboard is for."""
    (variable,) = (
        one for one in list_variable_queries("pipeline.json", BOARDS["pipeline.json"]) if one.name == "gateway"
    )
    assert (variable.query.text, variable.regex) == ('SHOW TAG VALUES WITH KEY = "gateway"', "")


@pytest.mark.parametrize("board", [name for name in BOARDS if name != "pipeline.json"])
def test_every_other_dashboard_shows_names(board):
    (variable,) = (one for one in list_variable_queries(board, BOARDS[board]) if one.name == "gateway")
    assert list_options(["Home (122300001234)", "122300005678"], variable.regex) == [
        ("122300005678", "122300005678"),
        ("Home", "122300001234"),
    ]
