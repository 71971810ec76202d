"""The roll-up job and readings that expire: first computed, then gone, and what was computed stays."""

import contextlib

import pytest

from receiver.rollups import compute
from receiver.rollups.job import RollupError, Rollups
from receiver.sites.model import Site
from receiver.stores.base import StoreUnavailableError
from receiver.stores.sqlite import SqliteStore
from tests.receiver.rollups.example_households import HOUR, HOUSE, MIDNIGHT, Sites, make_house, read_derived

DAY = 24 * HOUR


class UnreadableGateway:
    """A store in which the readings of one gateway lie on a damaged page."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.unreadable = ""

    def __getattr__(self, name):
        return getattr(self.store, name)

    async def read_points(self, gateway, kind, **options):
        if gateway == self.unreadable:
            raise StoreUnavailableError("the store is damaged")
        return await self.store.read_points(gateway, kind, **options)


async def test_what_cannot_be_computed_does_not_keep_readings_from_expiring(clock, tmp_path, monkeypatch):
    """A failure that nobody mends must not fill the disk: what is set aside has as long as readings are kept."""
    monkeypatch.setattr(compute, "make_quarter_rows", lambda *_: 1 // 0)
    store = SqliteStore(tmp_path / "readings.sqlite", retention_ms={"meter": 10 * HOUR})
    await store.open()
    job = Rollups(store, site_of=Sites().get_site, clock=clock, state_dir=tmp_path / "state")
    clock.ms = MIDNIGHT + HOUR
    try:
        await job.store.write(make_house(MIDNIGHT, MIDNIGHT + HOUR, step=60_000))
        with pytest.raises(RollupError):
            await job.catch_up()
        assert await store.read_points(HOUSE, "meter", start=0, stop=MIDNIGHT + DAY)
        clock.ms = MIDNIGHT + 12 * HOUR
        await job.run_once()
        assert await store.read_points(HOUSE, "meter", start=0, stop=MIDNIGHT + DAY) == []
    finally:
        await job.close()
        await store.close()


async def test_nothing_expires_before_it_is_rolled_up_and_what_was_computed_of_it_stays(clock, tmp_path):
    store = SqliteStore(tmp_path / "readings.sqlite", retention_ms={"meter": 10 * HOUR})
    await store.open()
    job = Rollups(store, site_of=Sites().get_site, clock=clock, state_dir=tmp_path / "state")
    stop = MIDNIGHT + 4 * HOUR
    try:
        await store.write(make_house(MIDNIGHT, stop, step=60_000))
        clock.ms = stop
        await job.run_once(seconds=0)
        clock.ms = MIDNIGHT + 2 * DAY
        assert await store.read_points(HOUSE, "meter", start=0, stop=MIDNIGHT + HOUR), "they wait for the history"
        await job.catch_up()
        assert await store.read_points(HOUSE, "meter", start=0, stop=stop) == []
        stored = await read_derived(store)
        late = [
            row for row in make_house(MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR, step=60_000) if row.reading.kind != "meter"
        ]
        await job.store.write(late)
        await job.catch_up()
        assert (await read_derived(store))[HOUSE] == stored[HOUSE]
    finally:
        await job.close()
        await store.close()


async def test_another_site_leaves_alone_what_readings_no_longer_reach(clock, tmp_path):
    """Panels keep their readings and get their new name; energies of old days are summed up in the new time zone."""
    store = SqliteStore(tmp_path / "readings.sqlite", retention_ms={"meter": 10 * HOUR})
    await store.open()
    sites = Sites()
    job = Rollups(store, site_of=sites.get_site, clock=clock, state_dir=tmp_path / "state")
    try:
        clock.ms = MIDNIGHT
        await job.store.write(make_house(MIDNIGHT - 4 * HOUR, MIDNIGHT, step=60_000))
        await job.catch_up()
        clock.ms = MIDNIGHT + 2 * DAY
        await job.catch_up()
        before = (await read_derived(store))[HOUSE]
        sites.sites[HOUSE] = Site.model_validate(
            {"time_zone": "Asia/Tokyo", "netting": "phases", "panels": {"48210000001": {"name": "East"}}}
        )
        await job.catch_up()
        after = (await read_derived(store))[HOUSE]
    finally:
        await job.close()
        await store.close()
    kept = {"meter_1m", "meter_1h", "site_1m", "site_1h", "energy_15m"}
    assert {key: row for key, row in after.items() if key[0] in kept} == {
        key: row for key, row in before.items() if key[0] in kept
    }
    names = {dict(series.tags)["panel"] for kind, series, _ in after if kind in {"panel_15m", "panel_1d"}}
    assert names == {"48210000000", "East", "48210000002"}
    days = [(time, row) for (kind, _, time), row in after.items() if kind == "energy_1d"]
    assert [(time + 9 * HOUR) % DAY for time, _ in days] == [0] * len(days)
    quarters = [row["production"] for (kind, _, _), row in after.items() if kind == "energy_15m"]
    assert sum(float(row["production"]) for _, row in days) == pytest.approx(sum(map(float, quarters)))


async def test_tariffs_price_the_energy_of_readings_that_have_expired(clock, tmp_path):
    """An owner who writes tariffs into the sites file after a year wants to see what that year has cost."""
    store = SqliteStore(tmp_path / "readings.sqlite", retention_ms={"meter": 10 * HOUR})
    await store.open()
    sites = Sites()
    job = Rollups(store, site_of=sites.get_site, clock=clock, state_dir=tmp_path / "state")
    clock.ms = MIDNIGHT
    try:
        await job.store.write(make_house(MIDNIGHT - 2 * HOUR, MIDNIGHT, step=60_000))
        await job.catch_up()
        clock.ms = MIDNIGHT + 2 * DAY
        await job.catch_up()
        before = (await read_derived(store))[HOUSE]
        tariff = {"valid_from": "2024-01-01", "rates": 0.5, "feed_in": 0.1}
        sites.sites[HOUSE] = Site.model_validate({"tariffs": [tariff]})
        await job.catch_up()
        (year,) = [row for key, row in (await read_derived(store))[HOUSE].items() if key[0] == "energy_1y"]
        assert year["cost"] == pytest.approx(float(year["imported"]) / 1000 * 0.5)
        assert year["feed_in"] == pytest.approx(float(year["exported"]) / 1000 * 0.1)
        sites.sites.clear()
        await job.catch_up()
        assert (await read_derived(store))[HOUSE] == before
    finally:
        await job.close()
        await store.close()


@pytest.mark.parametrize("has_been_rolled_up", [False, True], ids=["history", "quarter"])
async def test_a_gateway_that_can_never_be_rolled_up_keeps_readings_for_a_day_and_no_longer(
    clock, tmp_path, has_been_rolled_up
):
    """One damaged page under one gateway kept every reading of every gateway without limit."""
    store = UnreadableGateway(SqliteStore(tmp_path / "readings.sqlite", retention_ms={"meter": 10 * HOUR}))
    await store.open()
    job = Rollups(store, site_of=Sites().get_site, clock=clock, state_dir=tmp_path / "state")
    try:
        clock.ms = MIDNIGHT
        if has_been_rolled_up:
            await job.catch_up()
            await job.store.write(make_house(MIDNIGHT - 6 * HOUR, MIDNIGHT - 5 * HOUR, step=60_000))
            await job.catch_up()
        store.unreadable = HOUSE
        target = job.store if has_been_rolled_up else store
        await target.write(make_house(MIDNIGHT - HOUR, MIDNIGHT, step=60_000))
        left = []
        for _ in range(40):
            clock.ms += HOUR
            with contextlib.suppress(StoreUnavailableError):
                await job.run_once(seconds=0)
            left.append(bool(await store.store.read_points(HOUSE, "meter", start=0, stop=MIDNIGHT)))
        assert left[:22] == [True] * 22
        assert not left[-1]
    finally:
        await job.close()
        await store.close()
