"""A site of two gateways: its sums over every store, whoever falls silent, and who may see it."""

import pytest

from receiver.api.house_answers import HouseEnergyTable, HouseEntry, HousePower
from shared.readings import Reading
from tests.clocks import NOW_MS
from tests.receiver.api.constant_household import BERLIN, HOUR, fill, make_counters, to_ms, write_sites_file
from tests.receiver.api.published import read_as
from tests.receiver.service import (
    GATEWAY,
    OTHER,
    READ_SECRET,
    assert_problem,
    make_inverter,
    make_meter,
    make_read_claims,
    sign,
)
from tests.receiver.stores.store_factories import STORES

ROOT = "/api/v1/sites"
SITE = f"{ROOT}/Lane%205"
SITES = f"""
"{GATEWAY}":
  name: House
  site: Lane 5
  time_zone: {BERLIN}
  tariffs:
    - valid_from: "2020-01-01"
      rates: 0.5
      feed_in: 0.25
"{OTHER}":
  name: Garage
  site: Lane 5
"""
BEGIN = to_ms("2025-05-01")


@pytest.fixture(params=STORES)
async def lane(request, start_over, tmp_path):
    """A receiver over each kind of store, with two gateways in one house."""
    async with start_over(request.param, sites_file=write_sites_file(tmp_path, SITES)) as running:
        yield running


def make_house(timestamp=NOW_MS, *, net=-3500.0):
    powers = {"production": 1000.0, "net-consumption": net}
    return [
        Reading("meter", {"meter": meter, "phase": "a"}, timestamp, {"power": power}) for meter, power in powers.items()
    ]


async def ask(service, path):
    answer = await service.get(f"{SITE}{path}", token=make_token(service))
    assert answer.status_code == 200, answer.text
    return answer.json()


def make_token(service, gateways="*"):
    return sign(make_read_claims(service.clock.ms, gateways=gateways), READ_SECRET, kid="read")


async def fill_both(service, garage_readings, *, now):
    """The constant household behind the first gateway, and what is given behind the second."""
    service.clock.ms = now
    rows = list(garage_readings)
    for first in range(0, len(rows), 500):
        await service.send(*rows[first : first + 500], serial=OTHER, outbox="cc")
    await fill(service, make_counters(BEGIN, now), now=now)


def make_garage(start, stop):
    return make_counters(start, stop, meters=["production"])


async def test_the_power_of_the_house_is_the_sum(lane):
    await lane.send(*make_house())
    await lane.send(make_meter(power=3000.0), serial=OTHER, outbox="cc")
    found = await ask(lane, "/power")
    power = read_as(HousePower, found)
    assert (power.production_w, power.load_w, power.net_w, power.exported_w) == (4000.0, 500.0, -3500.0, 3500.0)
    assert (power.timestamp, power.silent) == (NOW_MS, [])


async def test_a_silent_gateway_makes_the_power_unknown_and_is_named(lane):
    await lane.send(*make_house())
    await lane.send(make_meter(power=3000.0), serial=OTHER, outbox="cc")
    lane.clock.advance(360)
    await lane.send(*make_house(lane.clock.ms))
    power = read_as(HousePower, await ask(lane, "/power"))
    assert (power.production_w, power.load_w) == (None, None)
    assert (power.net_w, power.exported_w) == (-3500.0, 3500.0), "the house measures that alone"
    (silent,) = power.silent
    assert (silent.gateway, silent.name, silent.since) == (OTHER, "Garage", NOW_MS)
    assert silent.sentence.startswith(f"Gateway Garage ({OTHER}) is silent since 20")
    (entry,) = (await lane.get(ROOT, token=make_token(lane))).json()
    assert read_as(HouseEntry, entry).silent == [silent]
    gap = Reading("event", {"type": "gap"}, lane.clock.ms - 60_000, {"reason": "no answer"})
    await lane.send(gap, serial=OTHER, outbox="cc", batch="ab", first=9)
    (silent,) = (await ask(lane, "/power"))["silent"]
    assert silent["since"] == lane.clock.ms - 60_000, "its scraper knows better"


async def test_reports_from_before_a_silence_are_not_of_now(lane):
    """They would speak for half an hour otherwise, and the sum would be one of now and of then."""
    await lane.send(*make_house(net=500.0))
    await lane.send(make_inverter("2", NOW_MS - 60_000, power=200.0), serial=OTHER, outbox="cc")
    assert (await ask(lane, "/power"))["production_w"] == 1200.0
    gap = Reading("event", {"type": "gap"}, NOW_MS - 30_000, {"reason": "no answer"})
    await lane.send(gap, serial=OTHER, outbox="cc", batch="ab", first=9)
    assert (await ask(lane, "/power"))["production_w"] is None


async def test_a_gateway_that_was_never_heard_of_is_a_part_of_the_sum_too(lane):
    await lane.send(*make_house())
    power = read_as(HousePower, await ask(lane, "/power"))
    assert (power.production_w, power.load_w, power.net_w) == (None, None, -3500.0)
    assert power.silent[0].sentence == (
        f"Gateway Garage ({OTHER}) was never heard of: the sums of the site are unknown."
    )


async def test_a_day_of_the_house_is_the_sum_of_both_gateways(lane):
    """Each hour: 1 kWh from each roof, 0.3 bought, 0.1 sold, so 2.2 used."""
    now = BEGIN + 25 * HOUR
    await fill_both(lane, make_garage(BEGIN, now), now=now)
    table = read_as(HouseEnergyTable, await ask(lane, "/energy?start=2025-05-01&stop=2025-05-02"))
    (day,) = table.windows
    assert (table.site, table.time_zone, table.silent, day.start) == ("Lane 5", BERLIN, [], BEGIN)
    energies = (day.production_wh, day.load_wh, day.imported_wh, day.exported_wh)
    assert energies == pytest.approx((48_000.0, 52_800.0, 7_200.0, 2_400.0))
    assert (day.production_coverage, day.load_coverage) == pytest.approx((1.0, 1.0))
    assert (day.self_consumption, day.self_sufficiency) == pytest.approx((1 - 0.1 / 2, 1 - 0.3 / 2.2))
    assert (day.cost, day.feed_in, day.savings) == pytest.approx((3.6, 0.6, 45.6 * 0.5))
    assert vars(table.total) == pytest.approx(vars(day))
    hours = read_as(HouseEnergyTable, await ask(lane, "/energy?start=2025-05-01&stop=2025-05-02&every=1h"))
    assert [hour.production_wh for hour in hours.windows] == pytest.approx([2000.0] * 24)
    quarter = read_as(HouseEnergyTable, await ask(lane, "/energy?start=2025-05-01&stop=2025-05-02&every=15m"))
    assert len(quarter.windows) == 96
    assert quarter.total.load_wh == pytest.approx(52_800.0)
    abroad = read_as(HouseEnergyTable, await ask(lane, "/energy?every=1y&start=2025-05-01&time_zone=Asia/Kathmandu"))
    assert abroad.time_zone == "Asia/Kathmandu"
    assert abroad.total.production_wh == pytest.approx(50_000.0)


async def test_while_a_gateway_is_silent_nothing_is_summed_and_the_coverage_says_so(lane):
    now = BEGIN + 25 * HOUR
    await fill_both(lane, make_garage(BEGIN, BEGIN + 12 * HOUR), now=now)
    table = read_as(HouseEnergyTable, await ask(lane, "/energy?start=2025-05-01&stop=2025-05-02"))
    (day,) = table.windows
    assert (day.production_wh, day.production_coverage) == pytest.approx((24_000.0, 0.5))
    assert (day.load_wh, day.load_coverage) == pytest.approx((26_400.0, 0.5))
    assert (day.exported_wh, day.exported_coverage) == pytest.approx((2_400.0, 1.0))
    assert (day.self_consumption, day.self_sufficiency) == pytest.approx((1 - 0.1 / 2, 1 - 0.3 / 2.2))
    assert table.silent[0].since == BEGIN + 12 * HOUR
    assert table.silent[0].sentence == (
        f"Gateway Garage ({OTHER}) is silent since 2025-05-01 12:00 ({BERLIN}): "
        "the sums of the site are unknown from then on."
    )
    hours = read_as(HouseEnergyTable, await ask(lane, "/energy?start=2025-05-01&stop=2025-05-02&every=1h"))
    assert [hour.production_wh is None for hour in hours.windows] == [False] * 12 + [True] * 12


async def test_what_counters_tell_of_a_silence_counts_in_the_day_that_holds_it(lane):
    now = BEGIN + 25 * HOUR
    quiet = BEGIN + 6 * HOUR + 1_800_000
    garage = [*make_garage(BEGIN, quiet), *make_garage(quiet + 3 * HOUR, now)]
    await fill_both(lane, garage, now=now)
    (day,) = read_as(HouseEnergyTable, await ask(lane, "/energy?start=2025-05-01&stop=2025-05-02")).windows
    assert (day.production_wh, day.load_wh) == pytest.approx((48_000.0, 52_800.0))
    assert day.production_coverage == pytest.approx(21 / 24, abs=0.02)
    hours = read_as(HouseEnergyTable, await ask(lane, "/energy?start=2025-05-01&stop=2025-05-02&every=1h")).windows
    assert [hour.production_wh is None for hour in hours] == [number in (7, 8) for number in range(24)]


async def test_csv_has_the_windows(lane):
    now = BEGIN + 2 * HOUR
    await fill_both(lane, make_garage(BEGIN, now), now=now)
    answer = await lane.get(f"{SITE}/energy?format=csv&start=today&every=1h", token=make_token(lane))
    lines = answer.text.splitlines()
    assert lines[0].startswith("start,stop,local_start")
    assert len(lines) == 3


async def test_who_may_not_see_all_of_its_gateways_does_not_see_the_site(lane):
    await lane.send(*make_house())
    for gateways, names in (([GATEWAY], []), ([OTHER], []), ([GATEWAY, OTHER], ["Lane 5"]), ("*", ["Lane 5"])):
        token = make_token(lane, gateways)
        listed = (await lane.get(ROOT, token=token)).json()
        assert [entry["site"] for entry in listed] == names
        for path in ("/power", "/energy"):
            assert (await lane.get(f"{SITE}{path}", token=token)).status_code == (200 if names else 404)
    assert_problem(await lane.get(f"{ROOT}/Lane%206/power", token=make_token(lane)), 404, "not-found")


async def test_gateways_that_say_different_zones_need_one_in_the_question(start_over, tmp_path):
    sites = SITES.replace(f"  time_zone: {BERLIN}\n", "")
    async with start_over("sqlite", sites_file=write_sites_file(tmp_path, sites)) as running:
        for serial, zone in ((GATEWAY, BERLIN), (OTHER, "Europe/London")):
            status = Reading("gateway", {}, NOW_MS, {"time_zone": zone})
            await running.send(status, serial=serial, outbox="b" + serial[-1])
        answer = await running.get(f"{SITE}/energy", token=make_token(running))
        assert answer.status_code == 422
        assert "give them one in the sites file" in answer.json()["detail"]
        assert (await ask(running, f"/energy?time_zone={BERLIN}"))["time_zone"] == BERLIN
        assert (await running.get(ROOT, token=make_token(running))).json()[0]["time_zone"] is None
