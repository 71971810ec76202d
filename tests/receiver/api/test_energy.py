"""The energy of a site over time: right over every store, calendar, outage and reset."""

import csv
import io
from itertools import pairwise

import pytest

from receiver.api.energy_answers import EnergyTable
from receiver.energy.balance import QUANTITIES
from receiver.queries.energy_window import COLUMNS
from tests.receiver.api.constant_household import (
    BERLIN,
    HOUR,
    SITES,
    ask_all,
    fill,
    make_counters,
    to_ms,
    write_sites_file,
)
from tests.receiver.api.published import read_as
from tests.receiver.service import (
    GATEWAY,
    OTHER,
    READ_SECRET,
    Service,
    assert_problem,
    make_inverter,
    make_read_claims,
    sign,
    start,
)
from tests.receiver.stores.store_factories import STORES

PATH = f"/api/v1/gateways/{GATEWAY}/energy"
STEPS = ["15m", "1h", "1d", "1w", "1mo", "1y", "billing"]


@pytest.fixture(params=STORES)
async def service_with_sites(request, start_over, tmp_path):
    """A receiver over each kind of store, with a sites file."""
    async with start_over(request.param, sites_file=write_sites_file(tmp_path)) as running:
        yield running


async def ask(service: Service, **parameters: str):
    answer = await service.client.get(PATH, params=parameters, headers=make_token(service))
    assert answer.status_code == 200, answer.text
    return read_as(EnergyTable, answer.json())


def make_token(service: Service) -> dict[str, str]:
    return {"authorization": f"Bearer {sign(make_read_claims(service.clock.ms), READ_SECRET, kid='read')}"}


@pytest.mark.parametrize(("day", "following", "hours"), [
    ("2025-03-30", "2025-03-31", 23), ("2025-10-26", "2025-10-27", 25), ("2025-05-01", "2025-05-02", 24),
])  # fmt: skip
async def test_a_day_is_as_long_as_the_local_clock_makes_it(service_with_sites, day, following, hours):
    begin, end = to_ms(day), to_ms(following)
    await fill(service_with_sites, make_counters(begin, end), now=end + HOUR)
    table = await ask(service_with_sites, every="1d", start=day, stop=following)
    (window,) = table.windows
    assert (window.start, window.stop, window.in_progress) == (begin, end, False)
    assert window.local_start.startswith(f"{day}T00:00:00+0")
    energies = (window.production_wh, window.imported_wh, window.exported_wh, window.load_wh)
    assert energies == pytest.approx((1000.0 * hours, 300.0 * hours, 100.0 * hours, 1200.0 * hours))
    assert (window.self_consumption, window.self_sufficiency) == pytest.approx((0.9, 0.75))
    assert (window.cost, window.feed_in, window.savings) == pytest.approx(
        (0.3 * hours * 0.5, 0.1 * hours * 0.25, 0.9 * hours * 0.5)
    )
    assert window.production_coverage == pytest.approx(1.0)
    assert (window.discharged_wh, window.charged_wh, window.discharged_coverage) == (None, None, 0.0)
    assert vars(table.total) == pytest.approx(vars(window))
    by_hour = await ask(service_with_sites, every="1h", start=day, stop=following)
    assert len(by_hour.windows) == hours
    assert [each.production_wh for each in by_hour.windows] == pytest.approx([1000.0] * hours)
    assert by_hour.total.load_wh == pytest.approx(1200.0 * hours)


async def test_the_window_in_progress_says_how_much_of_it_is_known(service_with_sites):
    begin = to_ms("2025-05-01")
    await fill(service_with_sites, make_counters(begin, begin + 12 * HOUR), now=begin + 12 * HOUR)
    table = await ask(service_with_sites, start="today", every="1d")
    (window,) = table.windows
    assert (window.in_progress, window.production_wh) == (True, pytest.approx(12_000.0))
    assert window.production_coverage == pytest.approx(0.5)
    hours = await ask(service_with_sites, start="today", stop="2025-05-03", every="1h")
    assert len(hours.windows) == 12, "what lies in the future is left out"
    assert not any(window.in_progress for window in hours.windows)


async def test_an_outage_hides_the_hours_but_not_the_days_energy(service_with_sites):
    begin = to_ms("2025-05-01")
    quiet = begin + 6 * HOUR + 1_800_000
    readings = [*make_counters(begin, quiet), *make_counters(quiet + 3 * HOUR, begin + 24 * HOUR)]
    await fill(service_with_sites, readings, now=begin + 25 * HOUR)
    hours = (await ask(service_with_sites, start="2025-05-01", stop="2025-05-02", every="1h")).windows
    assert [window.production_wh is None for window in hours] == [number in (7, 8) for number in range(24)]
    assert (hours[6].production_wh, hours[6].production_coverage) == pytest.approx((500.0, 0.5))
    assert (hours[9].production_wh, hours[9].production_unallocated_wh) == pytest.approx((500.0, 3000.0))
    assert hours[9].unallocated_since == quiet
    table = await ask(service_with_sites, start="2025-05-01", stop="2025-05-02", every="1h")
    (day,) = (await ask(service_with_sites, start="2025-05-01", stop="2025-05-02", every="1d")).windows
    for whole in (table.total, day):
        assert (whole.production_wh, whole.load_wh) == pytest.approx((24_000.0, 28_800.0))
        assert whole.production_coverage == pytest.approx(21 / 24)
        assert (whole.production_unallocated_wh, whole.unallocated_since) == (0.0, None)


async def test_a_counter_that_falls_gives_no_energy_and_is_told(service_with_sites):
    begin = to_ms("2025-05-01")
    middle = begin + 12 * HOUR
    readings = [*make_counters(begin, middle), *make_counters(middle + 120_000, begin + 24 * HOUR, base=-2.8e6)]
    await fill(service_with_sites, readings, now=begin + 25 * HOUR)
    (day,) = (await ask(service_with_sites, start="2025-05-01", stop="2025-05-02", every="1d")).windows
    assert day.resets == 4, "two meters, two counters each"
    assert day.production_wh == pytest.approx(24_000.0 - 1000 / 30)


async def test_a_battery_takes_part(service_with_sites):
    begin = to_ms("2025-05-01")
    meters = ("production", "net-consumption", "storage")
    await fill(service_with_sites, make_counters(begin, begin + 24 * HOUR, meters=meters), now=begin + 25 * HOUR)
    (day,) = (await ask(service_with_sites, start="2025-05-01", stop="2025-05-02", every="1d")).windows
    assert (day.discharged_wh, day.charged_wh) == pytest.approx((1200.0, 6000.0))
    assert day.load_wh == pytest.approx(24 * (1000.0 + 200.0 - 200.0))


async def test_every_step_sums_to_the_same(service_with_sites):
    """From quarter hours to years, and the bill that begins in the middle of the month."""
    begin, end = to_ms("2025-05-13T12:00"), to_ms("2025-05-15T12:00")
    await fill(service_with_sites, make_counters(begin, end), now=end)
    for every in STEPS:
        table = await ask(service_with_sites, start="2025-05-01", every=every)
        assert table.total.production_wh == pytest.approx(48_000.0), every
        assert all(one.stop == other.start for one, other in pairwise(table.windows))
    bills = (await ask(service_with_sites, start="2025-05-01", every="billing")).windows
    assert [window.production_wh for window in bills] == pytest.approx([36_000.0, 12_000.0])
    assert [window.local_start[:10] for window in bills] == ["2025-04-15", "2025-05-15"]
    months = (await ask(service_with_sites, start="2025-04-01", every="1mo")).windows
    assert (months[0].production_wh, months[0].production_coverage) == (None, 0.0), "nothing is known of April"


async def test_another_time_zone_is_summed_by_the_same_rule(tmp_path):
    """What a receiver stores for Berlin is what one in New York sums up for it, to the last digit."""
    first, last = to_ms("2025-03-28T17:00"), to_ms("2025-04-01T05:00")
    quiet = first + 20 * HOUR
    readings = [*make_counters(first, quiet), *make_counters(quiet + 11 * HOUR, last)]
    found = []
    for zone in (BERLIN, "America/New_York"):
        folder = tmp_path / zone.partition("/")[2]
        folder.mkdir()
        async with start(folder / "state", sites_file=write_sites_file(folder, SITES.replace(BERLIN, zone))) as running:
            await fill(running, readings, now=last)
            found.append([await ask(running, every=every, start="2025-03-28", time_zone=BERLIN) for every in STEPS])
    home, abroad = found
    assert home == abroad
    assert all(table.time_zone == BERLIN and table.total.production_wh for table in home)


async def test_a_changed_calendar_is_right_before_the_job_has_seen_it(service_with_sites, tmp_path):
    """Stored days of the old zone are not shown as days of the new one."""
    begin = to_ms("2025-11-03")
    await fill(service_with_sites, make_counters(begin, begin + 30 * HOUR), now=begin + 31 * HOUR)
    write_sites_file(tmp_path, SITES.replace(BERLIN, "Asia/Kathmandu"))
    service_with_sites.clock.advance(31)
    before = await ask(service_with_sites, start="2025-11-03", every="1d")
    assert before.windows[0].local_start == "2025-11-03T00:00:00+05:45"
    await service_with_sites.receiver.rollups.catch_up()
    assert await ask(service_with_sites, start="2025-11-03", every="1d") == before
    assert before.total.production_wh == pytest.approx(30_000.0)


async def test_both_stores_give_the_same_answers(start_over, tmp_path):
    begin = to_ms("2025-03-29T21:00")
    readings = [*make_counters(begin, begin + 9 * HOUR), *make_counters(begin + 12 * HOUR, begin + 15 * HOUR)]
    questions = [f"/energy?start=2025-03-29&every={every}" for every in STEPS]
    questions += ["/energy?start=-2d&time_zone=Australia/Lord_Howe&every=1h"]
    found = []
    for store in STORES:
        async with start_over(store, sites_file=write_sites_file(tmp_path)) as running:
            await fill(running, readings, now=begin + 16 * HOUR)
            found.append(await ask_all(running, *questions))
    assert found[0] == found[1]


async def test_csv_has_the_windows(service_with_sites):
    begin = to_ms("2025-05-01")
    await fill(service_with_sites, make_counters(begin, begin + 2 * HOUR), now=begin + 2 * HOUR)
    question = f"{PATH}?start=today&every=1h"
    windows = (await service_with_sites.get(question)).json()["windows"]
    answer = await service_with_sites.get(f"{question}&format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    lines = list(csv.reader(io.StringIO(answer.text)))
    assert [name for name in lines[0] if name != "local_unallocated_since"] == list(COLUMNS) == list(windows[0])
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    wanted = [{name: as_csv_cell(value) for name, value in window.items()} for window in windows]
    assert [{name: row[name] for name in COLUMNS} for row in rows] == wanted
    by_header = await service_with_sites.client.get(
        question, headers={**make_token(service_with_sites), "accept": "text/csv"}
    )
    assert by_header.text == answer.text


def as_csv_cell(value: object) -> str:
    if isinstance(value, float):
        return str(round(value, 4))  # all of them are rounder than that
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize(("query", "names"), [
    ("start=soon", "start"), ("stop=x", "stop"), ("start=now&stop=-1d", "stop"), ("start=2040-01-01&stop=2041-01-01", "start"),
    ("start=" + "1" * 70, None), ("time_zone=Mars/Base", "time_zone"), ("time_zone=" + "x" * 70, None),
    ("every=5m", "every"), ("every=", "every"), ("every=15m&start=2019-01-01", "every"),
    ("format=xml", "format"), ("evry=canary", "parameter evry"),
    ("every=1d&every=1h", "every"),
])  # fmt: skip
async def test_what_cannot_be_answered_says_which_parameter_to_change(service, query, names):
    await service.send(make_inverter("1"))
    answer = await service.get(f"{PATH}?{query}")
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "unprocessable"
    assert names is None or problem["detail"].startswith(f"{names} "), problem
    for canary in ("soon", "Mars", "xml", "canary"):
        assert canary not in answer.text


async def test_who_asks_for_another_gateway_finds_nothing(service):
    await service.send(make_inverter("1"), serial=OTHER)
    assert_problem(await service.get(PATH), 404, "not-found")


async def test_a_gateway_without_meters_has_windows_of_which_nothing_is_known(service):
    await service.send(make_inverter("1"))
    table = read_as(EnergyTable, (await service.get(f"{PATH}?start=today")).json())
    assert table.time_zone == "UTC"
    assert [getattr(table.windows[0], f"{name}_wh") for name in QUANTITIES] == [None] * 6
