"""EmonCMS and a gateway of which nothing came for more than a day: what was measured before goes there all the same."""

import pytest

from receiver.outputs.progress_file import FILE, OutputWish, leave_wish
from shared.readings import Reading
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.receiver.outputs.test_emoncms import BEGIN_MS, list_slots, read_times, run_bench, run_live
from tests.receiver.service import GATEWAY, make_inverter

PANEL = "482300001111"


def list_reports(fake):
    return [time * 1000 for _, rows in fake.posts for time, _, values in rows if f"{PANEL}_wNow" in values]


async def test_what_was_measured_before_days_of_silence_goes_when_emoncms_is_back(tmp_path):
    async with run_bench(tmp_path) as (bench, fake, _):
        await run_live(bench, 60)
        fake.is_away = True
        await run_live(bench, 600)
        stop = bench.clock.now_ms() // 1000
        bench.clock.advance(30 * 3600)
        fake.is_away = False
        await bench.catch_up()
        assert list_slots(fake) == list(range(BEGIN_MS // 1000, stop - 10, 10))
        (state,) = bench.driver.list_states(bench.clock.now_ms())
        assert state.behind_ms == 0  # it has all that there is
        back = bench.clock.now_ms() // 1000
        await run_live(bench, 300)
        await bench.catch_up()
        slots = list_slots(fake)
        assert slots == [*range(BEGIN_MS // 1000, stop, 10), *range(back, slots[-1] + 1, 10)]
        assert slots[-1] >= bench.clock.now_ms() / 1000 - 30
        assert not fake.disordered


@pytest.mark.parametrize("has_battery", [False, True])
async def test_what_is_stored_of_days_ago_goes_when_somebody_asks_for_it(tmp_path, has_battery):
    """As an import of a gateway that is silent now; a battery of that time makes its load unknown."""
    past = BEGIN_MS - 3 * DAY_MS
    meters = read_times(past, past + 10 * MINUTE_MS, meters=("production", "net-consumption"))
    battery = Reading("storage", {}, past, {"batteries": 1.0})
    async with run_bench(tmp_path) as (bench, fake, _):
        await bench.write(GATEWAY, [*meters, make_inverter(PANEL, past + MINUTE_MS), *[battery] * has_battery])
        await bench.catch_up()
        leave_wish(tmp_path / FILE, OutputWish("emoncms", GATEWAY, past))
        await bench.catch_up()
        assert list_slots(fake) == list(range(past // 1000, past // 1000 + 590, 10))
        assert list_reports(fake) == [past + MINUTE_MS]
        phases = [values for _, rows in fake.posts for _, node, values in rows if node == "Envoy-S"]
        assert all("prod_ph-a_wNow" in values for values in phases)
        assert all(("cons_ph-a_wNow" in values) is not has_battery for values in phases)


async def test_reports_of_panels_go_on_a_day_after_the_meters_were_taken_away(tmp_path):
    async with run_bench(tmp_path) as (bench, fake, _):
        await run_live(bench, 60)
        reports = [BEGIN_MS + hours * HOUR_MS for hours in (1, 23, 26, 27)]
        bench.clock.advance(28 * 3600)
        await bench.write(GATEWAY, [make_inverter(PANEL, at) for at in reports[:2]])
        await bench.catch_up()
        assert not list_reports(fake)
        await bench.write(GATEWAY, [make_inverter(PANEL, at) for at in reports[2:]])
        await bench.catch_up()
        assert list_reports(fake) == reports
