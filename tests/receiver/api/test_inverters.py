"""The panels: how each is now, and what it made, over every store."""

import contextlib
import csv
import io

import pytest

from receiver.api.inverter_answers import InverterDetail, InverterEntry, PanelEnergyTable
from receiver.stores.base import GatewayReading
from tests.clocks import NOW_MS
from tests.receiver.api.constant_household import HOUR, ask_all, fill, make_reports, to_ms, write_sites_file
from tests.receiver.api.published import read_as
from tests.receiver.service import GATEWAY, OTHER, assert_problem, make_inverter
from tests.receiver.stores.store_factories import STORES

PATH = f"/api/v1/gateways/{GATEWAY}/inverters"
EAST_1, EAST_2, OLD, SHED = "482100000001", "482100000002", "482100000003", "482100000009"
QUESTIONS = ["", f"/{EAST_1}", f"/{SHED}", *(f"/energy?every={step}" for step in ("1h", "1d", "1w", "1mo", "1y"))]
QUESTIONS.append("/energy?every=15m&start=yesterday")


@pytest.fixture(scope="module")
async def sqlite_roof(start_over_once, tmp_path_factory):
    async with run_roof("sqlite", start_over_once, tmp_path_factory) as running:
        yield running


@pytest.fixture(scope="module")
async def influxdb_roof(start_over_once, tmp_path_factory):
    async with run_roof("influxdb", start_over_once, tmp_path_factory) as running:
        yield running


@pytest.fixture(params=STORES)
def roof(request):
    """A day and a half of two panels, and one that went silent a month ago, over each kind of store. Only to be read."""
    return request.getfixturevalue(f"{request.param}_roof")


@contextlib.asynccontextmanager
async def run_roof(store, start_over_once, tmp_path_factory):
    async with start_over_once(store, sites_file=write_sites_file(tmp_path_factory.mktemp("sites"))) as running:
        await put_up(running)
        yield running


async def put_up(running):
    midnight, now = to_ms("2025-03-30"), to_ms("2025-03-31T12:00")
    await fill(
        running,
        [*make_reports(EAST_1, midnight, now, 200.0), *make_reports(EAST_2, midnight, now - HOUR, 100.0)],
        now=now,
    )
    # Past the roll-ups: they would look at each day since then.
    old = make_reports(OLD, to_ms("2025-02-20"), to_ms("2025-02-20T01:00"), 100.0)
    await running.receiver.store.write([GatewayReading(GATEWAY, reading) for reading in old])


async def test_every_panel_has_a_state_and_its_place(roof):
    (found,) = await ask_all(roof, "/inverters")
    for entry in found:
        read_as(InverterEntry, entry)
    states = {entry["inverter"]: (entry["state"], entry["age_seconds"], entry.get("power")) for entry in found}
    assert states == {
        EAST_1: ("producing", 0.0, 200.0),
        EAST_2: ("silent", 3600.0, 100.0),
        OLD: ("gone", pytest.approx((to_ms("2025-03-31T12:00") - to_ms("2025-02-20T01:00")) / 1000), 100.0),
        SHED: ("gone", None, None),
    }
    assert {name: found[0][name] for name in ("name", "array", "row", "column")} == {
        "name": "East 1", "array": "East", "row": 1, "column": 1,
    }  # fmt: skip
    assert "name" not in found[2]
    assert (found[3]["name"], found[3]["timestamp"]) == ("Shed", None)


async def test_one_panel_beside_its_peers(roof):
    (found,) = await ask_all(roof, f"/inverters/{EAST_1}")
    panel = read_as(InverterDetail, found)
    assert (panel.state, panel.power, panel.peers_power) == ("producing", 200.0, None), "its only peer is silent"
    assert panel.first_timestamp == to_ms("2025-03-30") + 300_000
    assert (panel.panel.tilt, panel.panel.rated_watts, panel.panel.name) == (30, 400, "East 1")
    yesterday, today = panel.days[-2:]
    assert today == panel.today
    assert (today.in_progress, today.energy_wh, today.peers_wh) == pytest.approx((True, 2400.0, 1100.0))
    assert (today.ratio, today.peak_w, today.coverage) == pytest.approx((24 / 11, 200.0, 0.5))
    assert (today.reports, today.last_timestamp) == (145, to_ms("2025-03-31T12:00"))
    assert yesterday.stop - yesterday.start == 23 * HOUR
    assert yesterday.energy_wh == pytest.approx(4600.0)
    (peer,) = await ask_all(roof, f"/inverters/{EAST_2}")
    assert peer["peers_power"] == 200.0


async def test_a_panel_that_never_reported_is_there_and_says_nothing(roof):
    (found,) = await ask_all(roof, f"/inverters/{SHED}")
    panel = read_as(InverterDetail, found)
    assert (panel.state, panel.timestamp, panel.first_timestamp) == ("gone", None, None)
    assert panel.panel.name == "Shed"
    assert all(day.energy_wh is None for day in panel.days)


async def test_an_inverter_that_nobody_knows_is_not_found(roof):
    for name in ("482100000004", "Energy", "' OR 1=1 --", "%2e%2e", "é", "1" * 500):
        answer = await roof.get(f"{PATH}/{name}")
        said = "This gateway has no inverter of that serial; the route without a serial lists those it has."
        assert_problem(answer, 404, "not-found", detail=said)


async def test_energy_of_all_panels_at_once(roof):
    (found,) = await ask_all(roof, "/inverters/energy?start=yesterday")
    table = read_as(PanelEnergyTable, found)
    assert [window.stop - window.start for window in table.windows] == [23 * HOUR, 24 * HOUR]
    panels = {panel.inverter: panel for panel in table.panels}
    assert panels[EAST_1].energy_wh == pytest.approx([4600.0, 2400.0])
    assert panels[EAST_1].coverage == pytest.approx([1.0, 0.5])
    assert panels[EAST_1].total_wh == pytest.approx(7000.0)
    assert panels[EAST_2].energy_wh == pytest.approx([2300.0, 1100.0])
    assert (panels[EAST_2].name, panels[EAST_2].array, panels[EAST_2].column) == ("East 2", "East", 2)
    assert (panels[SHED].energy_wh, panels[SHED].total_wh, panels[SHED].coverage) == ([None, None], None, [0.0, 0.0])
    assert OLD not in panels, "it is not of the site any more"


async def test_panels_stand_in_the_order_that_was_asked_for_with_their_ratios(roof):
    """Over both days 7000 Wh beside 3400; the shed has neither energy nor peers, whatever the length of windows."""
    orders = {
        "serial": [EAST_1, EAST_2, SHED],
        "name": [EAST_1, EAST_2, SHED],
        "energy": [EAST_1, EAST_2, SHED],
        "ratio": [EAST_2, EAST_1, SHED],
    }
    for every in ("1h", "1d", "1mo"):
        for order, serials in orders.items():
            (found,) = await ask_all(roof, f"/inverters/energy?start=yesterday&every={every}&order={order}")
            assert [panel["inverter"] for panel in found["panels"]] == serials, (every, order)
            ratios = {panel["inverter"]: panel["ratio"] for panel in found["panels"]}
            assert ratios == pytest.approx({EAST_1: 7000 / 3400, EAST_2: 3400 / 7000, SHED: None}), every
    lines = await read_table(roof, "/energy?start=yesterday&format=csv&order=ratio")
    assert lines[1][4] == EAST_2


async def test_the_ratio_of_a_day_is_that_of_the_panel_itself(roof):
    (found, panel) = await ask_all(roof, "/inverters/energy?start=today", f"/inverters/{EAST_2}")
    (ratio,) = (one["ratio"] for one in found["panels"] if one["inverter"] == EAST_2)
    assert ratio == pytest.approx(panel["today"]["ratio"])


async def test_every_step_sums_to_the_same(roof):
    """Of 30 March, which is a Sunday of 23 hours, and half of the 31st."""
    expected = {"15m": (140, 50.0), "1h": (35, 200.0), "1d": (2, 4600.0), "1w": (2, 4600.0), "1mo": (1, 7000.0)}
    for every, (windows, first) in {**expected, "1y": (1, 7000.0)}.items():
        (found,) = await ask_all(roof, f"/inverters/energy?start=yesterday&every={every}")
        assert len(found["windows"]) == windows
        panel = found["panels"][0]
        assert panel["energy_wh"][0] == pytest.approx(first)
        assert panel["total_wh"] == pytest.approx(7000.0)
        lengths = [(window["stop"] - window["start"]) / HOUR for window in found["windows"]]
        known = sum(share * length for share, length in zip(panel["coverage"], lengths, strict=True))
        assert known == pytest.approx(35.0), every


async def test_both_stores_give_the_same_answers(sqlite_roof, influxdb_roof):
    found = [
        await ask_all(running, *(f"/inverters{question}" for question in QUESTIONS))
        for running in (sqlite_roof, influxdb_roof)
    ]
    assert found[0] == found[1]


async def test_csv_has_a_line_for_each_window_and_panel(roof):
    lines = await read_table(roof, "/energy?start=yesterday&format=csv")
    assert lines[0] == [
        "start", "stop", "local_start", "in_progress", "inverter", "name", "array", "energy_wh", "coverage",
    ]  # fmt: skip
    assert [(line[2], line[4], line[5]) for line in lines[1:3]] == [
        ("2025-03-30T00:00:00+01:00", EAST_1, "East 1"),
        ("2025-03-30T00:00:00+01:00", EAST_2, "East 2"),
    ]
    assert len(lines) == 1 + 2 * 3
    now = await read_table(roof, "?format=csv")
    assert now[0][:6] == ["inverter", "timestamp", "local_timestamp", "age_seconds", "state", "power"]
    assert now[1][2] == "2025-03-31T12:00:00+02:00"
    assert [line[0] for line in now[1:]] == [EAST_1, EAST_2, OLD, SHED]


async def read_table(service, question):
    answer = await service.get(f"{PATH}{question}")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(answer.text)))


@pytest.mark.parametrize("route", ["", f"/{EAST_1}"])
async def test_who_has_the_latest_is_told_so(service, route):
    await service.send(*make_reports(EAST_1, NOW_MS - HOUR, NOW_MS, 200.0))
    first = await service.get(f"{PATH}{route}")
    again = await service.client.get(f"{PATH}{route}", headers=make_headers(first))
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    service.clock.advance(60)
    older = await service.client.get(f"{PATH}{route}", headers=make_headers(first))
    assert older.status_code == 304, "nothing is new but the age"
    await service.send(make_inverter(EAST_1, NOW_MS + 60_000, power=1.0), first=100)
    newer = await service.client.get(f"{PATH}{route}", headers=make_headers(first))
    assert newer.status_code == 200
    assert newer.headers["etag"] != first.headers["etag"]


def make_headers(answer):
    return {"authorization": answer.request.headers["authorization"], "if-none-match": answer.headers["etag"]}


@pytest.mark.parametrize(("query", "names"), [
    ("/energy?every=5m", "every"), ("/energy?order=weight", "order"), ("/energy?every=billing", "every"), ("/energy?start=x", "start"),
    ("/energy?stop=x", "stop"), ("/energy?start=2040-01-01&stop=2041-01-01", "start"), ("/energy?format=pdf", "format"),
    ("/energy?every=15m&start=2015-01-01", "every"), ("/energy?time_zone=UTC", "parameter"), ("?state=idle", "parameter"),
    (f"/{EAST_1}?start=today", "parameter"), ("?format=csv&format=csv", "format"),
])  # fmt: skip
async def test_what_cannot_be_answered_says_which_parameter_to_change(service, query, names):
    await service.send(make_inverter(EAST_1))
    answer = await service.get(f"{PATH}{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(f"{names} ")


@pytest.mark.parametrize("route", ["", "/energy", f"/{EAST_1}"])
async def test_who_asks_for_another_gateway_finds_nothing(service, route):
    await service.send(make_inverter(EAST_1), serial=OTHER)
    assert_problem(await service.get(f"{PATH}{route}"), 404, "not-found")
