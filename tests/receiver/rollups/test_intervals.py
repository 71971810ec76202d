"""Roll-ups of a system that is read through the cloud: over both stores, as readings come late and are corrected."""

import random

import pytest

from receiver.rollups.catch_up import catch_up
from receiver.rollups.job import Rollups
from receiver.sites.model import Site, Tariff
from receiver.stores.base import GatewayReading
from receiver.stores.sqlite import SqliteStore
from shared.units import DAY_MS, HOUR_MS, QUARTER_MS
from tests.clocks import SetClock
from tests.receiver.rollups.cloud_system import (
    FIVE_MS,
    MIDNIGHT,
    SYSTEM,
    make_interval,
    make_inv,
    read_energies,
)
from tests.receiver.rollups.example_households import Sites

TEN = MIDNIGHT + 10 * HOUR_MS


@pytest.fixture
def clock() -> SetClock:
    return SetClock(MIDNIGHT + DAY_MS + 5 * HOUR_MS)


@pytest.fixture
async def job(store, clock, tmp_path):
    made = Rollups(store, site_of=Sites().get_site, clock=clock, state_dir=tmp_path / "state")
    yield made
    await made.close()


async def roll(job: Rollups, rows: list[GatewayReading]) -> None:
    await job.store.write(rows)
    await job.catch_up()


async def test_three_intervals_of_the_inverters_are_a_quarter_hour_and_all_coarser_energies_follow(store, job):
    await roll(job, make_inv(TEN, [181.0, 184.0, 179.0, 176.0, 175.0]))
    (row,) = await read_energies(store)
    assert row.timestamp == TEN, "an interval is stamped with its end: the third one ends where the quarter hour does"
    assert (row.fields["production"], row.fields["production_coverage"]) == (544.0, 1.0)
    assert "load" not in row.fields, "nobody said it"
    (hour,) = await read_energies(store, "energy_1h")
    assert (hour.fields["production"], hour.fields["production_coverage"]) == (544.0, 0.25)
    (day,) = await read_energies(store, "energy_1d")
    assert day.fields["production"] == 544.0
    assert day.fields["production_coverage"] == pytest.approx(1 / 96)
    for kind in ("energy_1w", "energy_1mo", "energy_1y"):
        await roll(job, [])
        (point,) = (await store.read_points(SYSTEM, kind, start=0, stop=10**14))[0].points
        assert point.fields["production"] == 544.0


async def test_what_ends_a_quarter_hour_may_come_alone_and_late(store, job):
    first, second, third = make_inv(TEN, [1.0, 2.0, 4.0])
    await roll(job, [first, second])
    assert await read_energies(store) == []
    await roll(job, [third])
    (row,) = await read_energies(store)
    assert (row.timestamp, row.fields["production"]) == (TEN, 7.0)


async def test_the_highest_revision_counts_whatever_came_first(store, job):
    corrected = make_inv(TEN + 2 * FIVE_MS, [171.0], revision=10)
    await roll(job, [*make_inv(TEN, [181.0, 184.0, 128.0]), *make_inv(TEN + FIVE_MS, [1.0], revision=0)[1:]])
    await roll(job, corrected)
    assert (await read_energies(store))[0].fields["production"] == 181.0 + 184.0 + 171.0
    await roll(job, make_inv(TEN + 2 * FIVE_MS, [131.0], revision=9))
    assert (await read_energies(store))[0].fields["production"] == 181.0 + 184.0 + 171.0
    (day,) = await read_energies(store, "energy_1d")
    assert day.fields["production"] == 536.0


async def test_meters_stand_before_inverters_quarter_hour_by_quarter_hour(store, job):
    await roll(job, make_inv(TEN, [100.0] * 6))
    assert [row.fields["production"] for row in await read_energies(store)] == [300.0, 300.0]
    meter = [make_interval("met", TEN + QUARTER_MS, 305.0, length_ms=QUARTER_MS)]
    phases = [
        make_interval("met", TEN + (number + 1) * QUARTER_MS, 150.0, length_ms=QUARTER_MS, phase="a")
        for number in range(2)
    ]
    await roll(job, [*meter, *phases])
    assert [row.fields["production"] for row in await read_energies(store)] == [305.0, 300.0]


async def test_each_other_quantity_has_its_source_and_what_is_named_otherwise_is_not_counted(store, clock, tmp_path):
    energies = {"met": 400.0, "consumption": 300.0, "import": 20.0, "export": 100.0, "charge": 30.0, "discharge": 10.0}
    rows = [
        make_interval(source, TEN + QUARTER_MS, wh, length_ms=QUARTER_MS)
        for source, wh in (energies | {"roof": 7.0}).items()
    ]
    await store.write(rows)
    tariff = Tariff.model_validate({"valid_from": "2020-01-01", "rates": 0.3, "feed_in": 0.1})
    site = Site(tariffs=[tariff])
    await catch_up(store, site_of=lambda _: site, clock=clock, state_dir=tmp_path / "state")
    (row,) = await read_energies(store)
    known = {name: row.fields[name] for name in ("production", "load", "imported", "exported", "charged", "discharged")}
    assert [*known.values()] == [*energies.values()]
    assert row.fields["self_consumption"] == 0.75
    assert row.fields["self_sufficiency"] == pytest.approx(1 - 20 / 300)
    assert row.fields["cost"] == pytest.approx(0.02 * 0.3)


async def test_the_day_of_an_old_import_counts_as_a_day_and_in_no_quarter_hour(store, job):
    day = [
        make_interval(source, MIDNIGHT, wh, length_ms=DAY_MS) for source, wh in (("inv", 9_900.0), ("met", 10_000.0))
    ]
    await roll(job, day)
    (row,) = await read_energies(store)
    assert row.timestamp == MIDNIGHT - QUARTER_MS
    assert (row.fields["production_unallocated"], "production" in row.fields) == (10_000.0, False)
    (whole,) = await read_energies(store, "energy_1d")
    assert (whole.timestamp, whole.fields["production"]) == (MIDNIGHT - DAY_MS, 10_000.0)
    assert whole.fields["production_coverage"] == 0.0
    await roll(job, make_inv(MIDNIGHT - 12 * HOUR_MS, [50.0] * 3))
    (whole,) = await read_energies(store, "energy_1d")
    assert whole.fields["production"] == 150.0, "a day whose intervals are known is not counted twice"


async def test_pieces_and_orders_make_no_difference(store, job, clock, tmp_path):
    """Late, corrected, shuffled: the same rows as of a computation over everything at once."""
    chance = random.Random(7)
    rows = [
        *make_inv(MIDNIGHT, [float(number % 60) for number in range(288)]),
        *make_inv(MIDNIGHT + 6 * HOUR_MS, [float(number % 50) for number in range(100)], revision=1),
        *(
            make_interval("met", MIDNIGHT + number * QUARTER_MS, 3.0 * number, length_ms=QUARTER_MS)
            for number in range(30, 60)
        ),
        make_interval("inv", MIDNIGHT - 2 * HOUR_MS, 5_000.0, length_ms=DAY_MS),
    ]
    chance.shuffle(rows)
    for first in range(0, len(rows), 70):
        await roll(job, rows[first : first + 70])
    stepwise = [await read_energies(store, kind) for kind in ("energy_15m", "energy_1h", "energy_1d")]
    assert len(stepwise[0]) == 97
    await catch_up(store, site_of=Sites().get_site, clock=clock, state_dir=tmp_path / "other")
    assert [await read_energies(store, kind) for kind in ("energy_15m", "energy_1h", "energy_1d")] == stepwise


async def test_a_correction_still_counts_where_readings_of_meters_would_be_gone(clock, tmp_path):
    store = SqliteStore(tmp_path / "kept.sqlite", retention_ms={"meter": HOUR_MS})
    await store.open()
    job = Rollups(store, site_of=Sites().get_site, clock=clock, state_dir=tmp_path / "state")
    try:
        await roll(job, make_inv(TEN, [1.0, 2.0, 4.0]))
        await roll(job, make_inv(TEN, [8.0], revision=1))
        assert (await read_energies(store))[0].fields["production"] == 14.0
    finally:
        await job.close()
        await store.close()


async def test_a_local_gateway_has_no_intervals(store, job):
    rows = [GatewayReading("122200000001", row.reading) for row in make_inv(TEN, [1.0, 2.0, 4.0])]
    await roll(job, rows)
    assert await read_energies(store, gateway="122200000001") == []
