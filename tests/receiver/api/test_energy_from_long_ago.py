"""Energy asked from long before the first reading: only what is stored counts as work."""

import pytest

from receiver.rollups.replace import replace_rows
from shared.readings import Reading
from tests.receiver.api.constant_household import BERLIN, HOUR, SITES, fill, make_counters, to_ms, write_sites_file
from tests.receiver.service import GATEWAY
from tests.receiver.stores.store_factories import STORES

PATH = f"/api/v1/gateways/{GATEWAY}/energy"
BEGIN = to_ms("2025-11-03")


@pytest.fixture(params=STORES)
async def household(request, start_over, tmp_path):
    """A receiver over each kind of store, with thirty hours of readings."""
    async with start_over(request.param, sites_file=write_sites_file(tmp_path)) as running:
        await fill(running, make_counters(BEGIN, BEGIN + 30 * HOUR), now=BEGIN + 31 * HOUR)
        yield running


async def test_years_before_the_first_reading_are_no_reason_to_refuse_a_changed_calendar(household, tmp_path):
    """The page asks like this, when it does not know yet when the readings began."""
    write_sites_file(tmp_path, SITES.replace(BERLIN, "Asia/Kathmandu"))
    household.clock.advance(31)
    answer = await household.get(f"{PATH}?every=1y&start=2006-01-01")
    assert answer.status_code == 200, answer.text
    windows = answer.json()["windows"]
    assert [window["local_start"][:4] for window in windows if window["production_coverage"] > 0] == ["2025"]
    assert len(windows) == 20
    assert answer.json()["total"]["production_wh"] == pytest.approx(30_000.0)
    near = await household.get(f"{PATH}?every=1y&start=2025-01-01")
    assert near.json()["windows"] == windows[-1:]


async def test_before_all_readings_nothing_is_known(household):
    answer = await household.get(f"{PATH}?every=1y&start=1990-01-01&stop=2020-01-01&time_zone=Asia/Tokyo")
    assert answer.status_code == 200, answer.text
    assert {window["production_wh"] for window in answer.json()["windows"]} == {None}


async def test_too_many_stored_years_are_still_refused(household):
    first = to_ms("1995-01-01", "UTC")
    old = Reading("energy_15m", {}, first, {"production": 1.0, "duration": 900.0})
    await replace_rows(household.receiver.store, GATEWAY, "energy_15m", [old], start=first, stop=first + HOUR)
    answer = await household.get(f"{PATH}?every=1y&start=1990-01-01&time_zone=Asia/Tokyo")
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("start is too far back")
