"""What the cloud fills in for its linked gateway: over both stores, in whatever order the readings come."""

import pytest

from receiver.rollups.misfits import WITHDRAWN
from receiver.sites.model import Site, Tariff
from receiver.stores.base import GatewayReading
from shared.readings import FieldValue, Reading
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS
from tests.clocks import SetClock
from tests.receiver.rollups.cloud_system import MIDNIGHT, SYSTEM
from tests.receiver.rollups.linked_home import (
    COUNTED_WH,
    HOME,
    LINKED,
    ONE,
    OUTAGE_WH,
    TEN,
    count_with_outage,
    make_cloud,
    make_counter,
    make_day_with_outage,
    read_fields,
    read_home,
    read_measured,
    roll,
    select_between,
)

TARIFF = Tariff.model_validate({"valid_from": "2020-01-01", "rates": 0.3, "feed_in": 0.1})


@pytest.fixture
def clock() -> SetClock:
    return SetClock(MIDNIGHT + DAY_MS + 5 * HOUR_MS)


def turn_into_grid(row: GatewayReading) -> GatewayReading:
    """What a counter says, as the export of the grid's meter."""
    fields: dict[str, FieldValue] = {"delivered": 0.0, "received": row.reading.fields["delivered"]}
    tags = {"meter": "net-consumption", "phase": "a"}
    return GatewayReading(row.gateway, Reading("meter_energy", tags, row.reading.timestamp, fields))


async def list_events(store) -> list[tuple[int, float | None, str]]:
    found = await store.read_points(SYSTEM, "event", tags={"type": "fill"}, start=0, stop=10**14)
    return [(time, fields.get("end"), fields["reason"]) for _, points in found for time, fields in points]


async def test_the_energy_of_an_outage_gets_the_cloud_s_shape_and_days_stay_as_they_are(store, linked_job):
    await roll(linked_job, make_day_with_outage())
    (day,) = await read_home(store, "energy_1d")
    before = select_between(await read_fields(store), TEN, ONE)
    assert {time: row.get("production_unallocated") for time, row in before.items()} == {ONE - QUARTER_MS: COUNTED_WH}
    measured = await read_measured(store)
    await roll(linked_job, make_cloud(TEN, OUTAGE_WH))
    filled = select_between(await read_fields(store), TEN, ONE)
    assert list(filled) == list(range(TEN, ONE, QUARTER_MS))
    for row, wh in zip(filled.values(), OUTAGE_WH, strict=True):
        assert row["production"] == pytest.approx(wh * COUNTED_WH / 4150)
        assert row["production_filled"] == row["production"]
        assert row["production_coverage"] == 0.0
        assert not {"production_uncounted", "production_unallocated"} & row.keys()
    assert sum(row["production"] for row in filled.values()) == pytest.approx(COUNTED_WH, abs=1e-6)
    (after,) = await read_home(store, "energy_1d")
    assert after.fields["production"] == pytest.approx(day.fields["production"], abs=1e-6)
    assert after.fields["production_filled"] == pytest.approx(COUNTED_WH, abs=1e-6)
    assert after.fields["production_coverage"] == day.fields["production_coverage"]
    assert "unallocated_since" not in after.fields
    hours = await read_fields(store, "energy_1h")
    assert hours[TEN]["production"] == pytest.approx(950 * COUNTED_WH / 4150)
    assert await read_measured(store) == measured, "nothing but roll-ups is written of the gateway"
    assert await list_events(store) == []


async def test_a_cloud_that_says_another_energy_fills_nothing_and_an_event_says_so(store, linked_job):
    await roll(linked_job, make_day_with_outage())
    before = await read_home(store)
    await roll(linked_job, make_cloud(TEN, [250.0] * 12))
    assert await read_home(store) == before, "3,000 Wh: the counter has 1.404 times as much"
    reason = "not filled: production 4213 Wh by the counters at home, 3000 Wh by the cloud"
    assert await list_events(store) == [(TEN, float(ONE), reason)]
    await roll(linked_job, make_cloud(TEN, OUTAGE_WH, revision=1))
    assert await list_events(store) == [(TEN, float(ONE), WITHDRAWN)], "corrected by the cloud"
    assert len(select_between(await read_fields(store), TEN, ONE)) == 12
    await roll(linked_job, make_cloud(TEN, [250.0] * 12, revision=2))
    assert await read_home(store) == before
    assert await list_events(store) == [(TEN, float(ONE), reason)]


@pytest.mark.parametrize("order", ["cloud first", "home first", "backwards", "restart"])
async def test_the_order_in_which_readings_come_changes_nothing(store, linked_job, order):
    home, cloud = make_day_with_outage(), make_cloud(TEN - HOUR_MS, [300.0] * 4 + OUTAGE_WH + [300.0] * 8)
    if order == "cloud first":
        await roll(linked_job, cloud)
        await roll(linked_job, home)
    elif order == "home first":
        await roll(linked_job, home)
        for first in range(0, len(cloud), 7):
            await roll(linked_job, cloud[first : first + 7])
    elif order == "backwards":
        for rows in (cloud[40:], home[61:], cloud[:40], home[:61]):
            await roll(linked_job, rows)
    else:
        await store.write(home + cloud)
        await linked_job.catch_up()
    known = await read_fields(store)
    assert sorted(known) == list(range(TEN - HOUR_MS, ONE + 2 * HOUR_MS, QUARTER_MS))
    assert known[TEN]["production"] == pytest.approx(100 * COUNTED_WH / 4150)
    assert known[ONE]["production"] == pytest.approx(300.0)
    assert "production_filled" not in known[ONE]
    assert known[ONE + HOUR_MS + QUARTER_MS]["production_uncounted"] == 300.0, "its counter is silent since two"
    (day,) = await read_home(store, "energy_1d")
    assert day.fields["production"] == pytest.approx(1200 + COUNTED_WH + 1200 + 4 * 300.0)
    assert day.fields["production_filled"] == pytest.approx(COUNTED_WH + 1200.0)
    assert day.fields["production_uncounted"] == pytest.approx(1200.0)


async def test_an_outage_that_goes_on_has_the_cloud_s_energy_until_a_counter_says_more(store, linked_job):
    home = make_day_with_outage()
    await roll(linked_job, [*home[:61], *make_cloud(TEN, OUTAGE_WH)])
    rows = select_between(await read_fields(store), TEN, ONE)
    assert [row["production"] for row in rows.values()] == pytest.approx(OUTAGE_WH)
    assert [row["production_uncounted"] for row in rows.values()] == pytest.approx(OUTAGE_WH)
    await roll(linked_job, home[61:])
    rows = select_between(await read_fields(store), TEN, ONE)
    assert sum(row["production"] for row in rows.values()) == pytest.approx(COUNTED_WH)
    assert not any("production_uncounted" in row for row in rows.values())


async def test_before_the_first_day_and_after_the_last_the_cloud_s_energy_stands(store, linked_job, linked_sites):
    linked_sites.sites.clear()
    await roll(linked_job, make_day_with_outage())
    early, late = MIDNIGHT - 2 * DAY_MS, MIDNIGHT + 2 * DAY_MS
    await roll(linked_job, [*make_cloud(early, [80.0] * 4), *make_cloud(late, [90.0] * 4), *make_cloud(TEN, OUTAGE_WH)])
    unlinked = await read_home(store)
    linked_sites.sites[HOME] = LINKED
    await linked_job.catch_up()
    known = await read_fields(store)
    for start, wh in ((early, 80.0), (late, 90.0)):
        for time in range(start, start + HOUR_MS, QUARTER_MS):
            assert (known[time]["production"], known[time]["production_uncounted"]) == pytest.approx((wh, wh))
            assert known[time]["production_coverage"] == 0.0
    assert known[TEN]["production_filled"] == pytest.approx(100 * COUNTED_WH / 4150), "and of the outage, its shape"
    days = await read_fields(store, "energy_1d")
    assert days[early]["production_filled"] == days[early]["production"] == pytest.approx(320.0)
    linked_sites.sites[HOME] = Site()
    await linked_job.catch_up()
    assert await read_home(store) == unlinked, "a link that is taken away leaves nothing"
    assert list(await read_fields(store, "energy_1d")) == [MIDNIGHT]


async def test_what_was_measured_at_the_ends_of_an_outage_stays(store, linked_job):
    first, last = TEN + 7 * MINUTE_MS, ONE - 4 * MINUTE_MS
    times = [*range(TEN - HOUR_MS, first + 1, MINUTE_MS), *range(last, ONE + HOUR_MS, MINUTE_MS)]
    await roll(linked_job, make_counter(times, lambda time: 1e6 + 1200.0 * (time - MIDNIGHT) / HOUR_MS))
    before = await read_fields(store)
    await roll(linked_job, make_cloud(TEN - HOUR_MS, [295.0] * 20))
    known = await read_fields(store)
    for time in (TEN, ONE - QUARTER_MS):
        assert known[time]["production_measured"] == before[time]["production"]
        assert known[time]["production_coverage"] == before[time]["production_coverage"] > 0
        assert known[time]["production"] == pytest.approx(300.0)
    assert known[TEN]["production_filled"] == pytest.approx(300.0 * 8 / 15)
    assert known[TEN - QUARTER_MS] == before[TEN - QUARTER_MS], "the local value wins where there is one"
    (day,) = await read_home(store, "energy_1d")
    assert day.fields["production_filled"] == pytest.approx(1200.0 * (last - first) / HOUR_MS)


async def test_gaps_that_share_a_quarter_hour_are_filled_together(store, linked_job):
    blip = range(TEN + HOUR_MS + 5 * MINUTE_MS, TEN + HOUR_MS + 9 * MINUTE_MS, MINUTE_MS)
    times = [*range(TEN - HOUR_MS, TEN + 1, MINUTE_MS), *blip, *range(ONE, ONE + HOUR_MS, MINUTE_MS)]
    await roll(linked_job, make_counter(times, lambda time: 1e6 + 1200.0 * (time - MIDNIGHT) / HOUR_MS))
    await roll(linked_job, make_cloud(TEN, [310.0] * 12))
    rows = select_between(await read_fields(store), TEN, ONE)
    assert [row["production"] for row in rows.values()] == pytest.approx([300.0] * 12)
    (day,) = await read_home(store, "energy_1d")
    assert day.fields["production"] == pytest.approx(1200.0 * (5 - 1 / 60))
    assert "production_unallocated" not in day.fields


async def test_shares_and_money_stay_those_of_what_was_measured(store, linked_job, linked_sites):
    """Of the same outage the counters of the grid know the export, and the cloud does not."""
    linked_sites.sites[HOME] = Site(cloud=SYSTEM, netting="phases", tariffs=(TARIFF,))
    counted = make_day_with_outage()
    sold = make_counter([row.reading.timestamp for row in counted], lambda time: 0.25 * count_with_outage(time))
    await roll(linked_job, [*counted, *map(turn_into_grid, sold)])
    before = (await read_fields(store, "energy_1d"))[MIDNIGHT]
    assert before["self_consumption"] == pytest.approx(0.75)
    ends = (await read_fields(store))[ONE - QUARTER_MS]
    assert (ends["production_unallocated"], ends["exported_unallocated"]) == (COUNTED_WH, COUNTED_WH / 4)
    await roll(linked_job, make_cloud(TEN, OUTAGE_WH))
    ends = (await read_fields(store))[ONE - QUARTER_MS]
    assert (ends["production_placed"], ends["exported_unallocated"]) == (COUNTED_WH, COUNTED_WH / 4)
    assert ends["unallocated_since"] == TEN
    assert not {"self_consumption", "savings", "feed_in"} & ends.keys()
    after = (await read_fields(store, "energy_1d"))[MIDNIGHT]
    assert after.pop("production_filled") == pytest.approx(COUNTED_WH)
    assert after == pytest.approx(before), "the same of all else"


async def test_a_row_of_the_cloud_dirties_its_gateway_and_tells_nobody(linked_job):
    await linked_job.store.load()
    await linked_job.store.write(make_cloud(TEN, [100.0])[2:])
    marks = linked_job.store.get_marks(HOME)
    assert marks.fresh == marks.told == {TEN}, "an interval is of the time before its timestamp"
    assert not linked_job.store.get_marks(SYSTEM).told
