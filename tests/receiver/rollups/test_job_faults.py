"""The roll-up job when things fail: kills, stores that are away, data that cannot be computed, readings that expire."""

import itertools
import signal
import subprocess
import sys

import pytest

from receiver.ingest.arrivals import Arrivals
from receiver.metrics import Metrics
from receiver.rollups import compute
from receiver.rollups.job import RollupError, Rollups, catch_up
from receiver.sites.model import NO_SITE, Site
from receiver.stores.base import GatewayReading, StoreUnavailableError
from receiver.stores.sqlite import SqliteStore
from shared.readings import Reading
from tests.receiver.rollups.example_households import (
    HOUR,
    HOUSE,
    MIDNIGHT,
    MINUTE,
    QUARTER,
    SHED,
    SetClock,
    Sites,
    derived,
    differences,
    from_scratch,
    house,
)

DAY = 24 * HOUR


@pytest.fixture
def clock():
    return SetClock(MIDNIGHT)


@pytest.fixture
async def store(tmp_path):
    opened = SqliteStore(tmp_path / "readings.sqlite")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def rollups(store, clock, tmp_path):
    made = Rollups(store, site_of=Sites().of, clock=clock, state_dir=tmp_path / "state")
    yield made
    await made.close()


def failures(metrics: Metrics, gateway: str) -> float | None:
    return metrics.registry.get_sample_value("receiver_rollup_failures_total", {"gateway": gateway})


def run_until_killed(*arguments: object) -> None:
    command = [sys.executable, "-m", "tests.receiver.rollups.killed", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any(line.startswith("written") for line in process.stdout)
        process.kill()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("passes", [0, 3, 16])
async def test_a_kill_between_write_and_roll_up_loses_no_roll_up(tmp_path, clock, passes):
    """A real process and SIGKILL; the next one finds out by itself what was not done."""
    stop = MIDNIGHT + 20 * MINUTE
    run_until_killed(tmp_path, MIDNIGHT, stop, passes)
    clock.ms = stop
    store = SqliteStore(tmp_path / "readings.sqlite")
    await store.open()
    try:
        await catch_up(store, site_of=lambda _: NO_SITE, clock=clock, state_dir=tmp_path / "state")
        stored = await derived(store)
        assert max(time for _, _, time in stored[HOUSE]) >= MIDNIGHT + passes * MINUTE - MINUTE
        assert differences(stored, await from_scratch(store, Sites(), clock, tmp_path / "scratch")) == []
    finally:
        await store.close()


async def test_a_lost_journal_means_everything_is_computed_anew(store, rollups, clock, tmp_path):
    await rollups.store.write(house(MIDNIGHT, MIDNIGHT + HOUR))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "rollups.sqlite").write_bytes(b"nonsense" * 1000)
    clock.ms = MIDNIGHT + HOUR
    await catch_up(store, site_of=Sites().of, clock=clock, state_dir=tmp_path / "elsewhere")
    stored = await derived(store)
    assert {kind for kind, _, _ in stored[HOUSE]} >= {"meter_1m", "site_1h", "energy_1y", "panel_1d"}
    assert differences(stored, await from_scratch(store, Sites(), clock, tmp_path / "scratch")) == []


class Away:
    """A store that fails when it is told to."""

    def __init__(self, store) -> None:
        self.store = store
        self.calls_left = 10**9

    def __getattr__(self, name):
        return getattr(self.store, name)

    def _count(self) -> None:
        self.calls_left -= 1
        if self.calls_left < 0:
            raise StoreUnavailableError("the store is away")

    async def points(self, *arguments, **options):
        self._count()
        return await self.store.points(*arguments, **options)

    async def write(self, rows):
        self._count()
        return await self.store.write(rows)

    async def remove(self, *arguments, **options):
        self._count()
        await self.store.remove(*arguments, **options)


async def test_a_store_that_goes_away_at_any_moment_is_waited_for(store, clock, tmp_path):
    """After every number of calls once: what was not done is done by the next pass."""
    away, sites = Away(store), Sites()
    job = Rollups(away, site_of=sites.of, clock=clock, state_dir=tmp_path / "state")
    clock.ms = MIDNIGHT + HOUR
    rows = house(MIDNIGHT, MIDNIGHT + HOUR, step=60_000)
    try:
        for part in (rows[::2], rows[1::2]):
            away.calls_left = 10**9
            await job.store.write(part)
            for calls in itertools.count(step=5):
                away.calls_left = calls
                try:
                    await job.catch_up()
                except StoreUnavailableError:
                    continue
                break
            assert calls > 20
        assert differences(await derived(store), await from_scratch(store, sites, clock, tmp_path / "scratch")) == []
    finally:
        await job.close()


async def test_a_fault_in_the_data_of_one_gateway_stops_nobody_else(store, clock, tmp_path, monkeypatch):
    """It is counted, not tried again in every pass, but in an hour; and nothing of it expires or is forgotten."""
    quarter_rows, broken = compute.quarter_rows, True

    def rows(raw, site, start, stop):
        if broken and site.name == "broken" and start <= MIDNIGHT < stop:
            raise ZeroDivisionError
        return quarter_rows(raw, site, start, stop)

    monkeypatch.setattr(compute, "quarter_rows", rows)
    sites, metrics = Sites(), Metrics()
    sites.sites[SHED] = Site(name="broken")
    job = Rollups(store, site_of=sites.of, clock=clock, state_dir=tmp_path / "state", metrics=metrics)
    clock.ms = MIDNIGHT + HOUR
    try:
        for gateway in (HOUSE, SHED):
            await job.store.write(house(MIDNIGHT, MIDNIGHT + 2 * HOUR, gateway))
        with pytest.raises(RollupError, match="the log says why"):
            await job.catch_up()
        counted = failures(metrics, SHED)
        assert counted
        assert failures(metrics, HOUSE) is None
        stored = await derived(store)
        assert stored[HOUSE]
        await job.run_once()
        assert failures(metrics, SHED) == counted
        assert MIDNIGHT in job.store.of(SHED).in_journal
        broken = False
        clock.ms += HOUR
        await job.catch_up()
        assert differences(await derived(store), await from_scratch(store, sites, clock, tmp_path / "scratch")) == []
    finally:
        await job.close()


POISON = [
    ("meter", {"meter": "net-consumption", "phase": "a"}, {"power": 1.7e308, "voltage": -1.7e308}),
    ("meter_energy", {"meter": "production", "phase": "a"}, {"delivered": 1.7e308, "received": 5e-324}),
    ("production", {"source": "pdm"}, {"energy_lifetime": -1.7e308}),
    ("inverter", {"inverter": "48210000000"}, {"power": 1.7e308, "energy_lifetime": 1.7e308, "max_power": 1.7e308}),
    ("inverter", {"inverter": "48210000000"}, {"power": 200.0, "interval": 1.7e308}),
    ("inverter", {"inverter": "48210000000"}, {"power": 200.0, "interval": -1.7e308}),
    ("inverter", {"inverter": "48210000003"}, {"power": 200.0, "interval": 1e12}),
]


@pytest.mark.parametrize(("kind", "tags", "fields"), POISON)
async def test_no_number_stops_the_roll_ups(store, rollups, clock, kind, tags, fields):
    """What overflows is unknown; what does not depend on it is as it would have been."""
    clock.ms = MIDNIGHT + HOUR
    await rollups.store.write(house(MIDNIGHT, MIDNIGHT + HOUR, step=60_000))
    await rollups.catch_up()
    sound = (await derived(store))[HOUSE]
    poison = [Reading(kind, tags, MIDNIGHT + 20 * MINUTE + offset, dict(fields)) for offset in (30_001, 30_002)]
    await rollups.store.write([GatewayReading(HOUSE, one) for one in poison])
    await rollups.catch_up()
    stored = (await derived(store))[HOUSE]
    assert {key for key in sound if key[0] in {"meter_1m", "site_1m", "energy_15m"}} <= stored.keys()
    late = MIDNIGHT + 45 * MINUTE
    assert [row for key, row in sound.items() if key[2] >= late] == [stored[key] for key in sound if key[2] >= late]


async def test_what_cannot_be_computed_does_not_keep_readings_from_expiring(clock, tmp_path, monkeypatch):
    """A fault that nobody mends must not fill the disk: what is set aside has as long as readings are kept."""
    monkeypatch.setattr(compute, "quarter_rows", lambda *_: 1 // 0)
    store = SqliteStore(tmp_path / "readings.sqlite", retention_ms={"meter": 10 * HOUR})
    await store.open()
    job = Rollups(store, site_of=Sites().of, clock=clock, state_dir=tmp_path / "state")
    clock.ms = MIDNIGHT + HOUR
    try:
        await job.store.write(house(MIDNIGHT, MIDNIGHT + HOUR, step=60_000))
        with pytest.raises(RollupError):
            await job.catch_up()
        assert await store.points(HOUSE, "meter", start=0, stop=MIDNIGHT + DAY)
        clock.ms = MIDNIGHT + 12 * HOUR
        await job.run_once()
        assert await store.points(HOUSE, "meter", start=0, stop=MIDNIGHT + DAY) == []
    finally:
        await job.close()
        await store.close()


async def test_the_end_of_a_long_silence_keeps_nobody_waiting(store, rollups, clock, tmp_path):
    """A counter that comes back speaks of all of it; that is computed in pieces, after what is new elsewhere."""
    counter = {"meter": "production", "phase": "a"}
    for time in (MIDNIGHT - 8 * DAY, MIDNIGHT - 1):
        clock.ms = time
        await rollups.store.write([GatewayReading(HOUSE, Reading("meter_energy", counter, time, {"delivered": 5.0}))])
        await rollups.store.write([reading(SHED, time)])
        clock.slept.clear()
        await rollups.run_once(seconds=0)
    assert len(clock.slept) < 2 * 24 + 4, "hours that were computed before anybody else had a turn"
    assert await store.points(SHED, "panel_15m", start=MIDNIGHT - DAY, stop=MIDNIGHT)
    assert rollups.store.of(HOUSE).hours_due
    await rollups.catch_up()
    assert differences(await derived(store), await from_scratch(store, Sites(), clock, tmp_path / "scratch")) == []


async def test_readings_that_come_while_a_history_is_computed_change_what_they_reach(clock, tmp_path):
    """A counter read late, in a day that the history is about to do, cuts a gap that ends in a day already done."""
    early = [
        GatewayReading(HOUSE, Reading("meter_energy", {"meter": "production", "phase": "a"}, time, {"delivered": wh}))
        for time, wh in ((MIDNIGHT - 24 * HOUR, 0.0), (MIDNIGHT - HOUR, 500.0))
    ]
    first = early[0].reading
    late = [
        GatewayReading(HOUSE, Reading(first.kind, first.tags, MIDNIGHT - 24 * HOUR + QUARTER, {"delivered": 400.0}))
    ]

    class Slow(SqliteStore):
        async def points(self, gateway, kind, *, start, stop, **options):
            if job is not None and late and stop == MIDNIGHT - 22 * HOUR:  # the day of the late one is next
                await job.store.write([late.pop()])
            return await super().points(gateway, kind, start=start, stop=stop, **options)

    job, store = None, Slow(tmp_path / "readings.sqlite")
    await store.open()
    await store.write(early)
    clock.ms = MIDNIGHT + 2 * HOUR
    job = Rollups(store, site_of=Sites().of, clock=clock, state_dir=tmp_path / "state")
    try:
        await job.catch_up()
        found = await derived(store)
        assert differences(found, await from_scratch(store, Sites(), clock, tmp_path / "scratch")) == []
    finally:
        await job.close()
        await store.close()


async def test_the_last_reading_of_a_meter_may_come_late(store, rollups, clock, tmp_path):
    """It belongs to the site for another day then: what was computed of that day as if it were gone is wrong."""
    clock.ms = MIDNIGHT + 5 * HOUR
    rows = house(MIDNIGHT, clock.ms, step=60_000)
    late = [
        row
        for row in rows
        if row.reading.kind.startswith("meter") and MIDNIGHT + HOUR <= row.reading.timestamp < MIDNIGHT + 2 * HOUR
    ]
    await rollups.store.write([row for row in rows if not row.reading.kind.startswith("meter")])
    await rollups.catch_up()
    await rollups.store.write(late)
    await rollups.catch_up()
    assert differences(await derived(store), await from_scratch(store, Sites(), clock, tmp_path / "scratch")) == []


async def test_nothing_expires_before_it_is_rolled_up_and_what_was_computed_of_it_stays(clock, tmp_path):
    store = SqliteStore(tmp_path / "readings.sqlite", retention_ms={"meter": 10 * HOUR})
    await store.open()
    job = Rollups(store, site_of=Sites().of, clock=clock, state_dir=tmp_path / "state")
    stop = MIDNIGHT + 4 * HOUR
    try:
        await store.write(house(MIDNIGHT, stop, step=60_000))
        clock.ms = stop
        await job.run_once(seconds=0)
        clock.ms = MIDNIGHT + 2 * DAY
        assert await store.points(HOUSE, "meter", start=0, stop=MIDNIGHT + HOUR), "they wait for the history"
        await job.catch_up()
        assert await store.points(HOUSE, "meter", start=0, stop=stop) == []
        stored = await derived(store)
        late = [row for row in house(MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR, step=60_000) if row.reading.kind != "meter"]
        await job.store.write(late)
        await job.catch_up()
        assert (await derived(store))[HOUSE] == stored[HOUSE]
    finally:
        await job.close()
        await store.close()


async def test_another_site_leaves_alone_what_readings_no_longer_reach(clock, tmp_path):
    """Panels keep their readings and get their new name; energies of old days are summed up in the new time zone."""
    store = SqliteStore(tmp_path / "readings.sqlite", retention_ms={"meter": 10 * HOUR})
    await store.open()
    sites = Sites()
    job = Rollups(store, site_of=sites.of, clock=clock, state_dir=tmp_path / "state")
    try:
        clock.ms = MIDNIGHT
        await job.store.write(house(MIDNIGHT - 4 * HOUR, MIDNIGHT, step=60_000))
        await job.catch_up()
        clock.ms = MIDNIGHT + 2 * DAY
        await job.catch_up()
        before = (await derived(store))[HOUSE]
        sites.sites[HOUSE] = Site.model_validate(
            {"time_zone": "Asia/Tokyo", "netting": "phases", "panels": {"48210000001": {"name": "East"}}}
        )
        await job.catch_up()
        after = (await derived(store))[HOUSE]
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
    """Whoever writes tariffs into the sites file after a year wants to see what that year has cost."""
    store = SqliteStore(tmp_path / "readings.sqlite", retention_ms={"meter": 10 * HOUR})
    await store.open()
    sites = Sites()
    job = Rollups(store, site_of=sites.of, clock=clock, state_dir=tmp_path / "state")
    clock.ms = MIDNIGHT
    try:
        await job.store.write(house(MIDNIGHT - 2 * HOUR, MIDNIGHT, step=60_000))
        await job.catch_up()
        clock.ms = MIDNIGHT + 2 * DAY
        await job.catch_up()
        before = (await derived(store))[HOUSE]
        tariff = {"valid_from": "2024-01-01", "rates": 0.5, "feed_in": 0.1}
        sites.sites[HOUSE] = Site.model_validate({"tariffs": [tariff]})
        await job.catch_up()
        (year,) = [row for key, row in (await derived(store))[HOUSE].items() if key[0] == "energy_1y"]
        assert year["cost"] == pytest.approx(float(year["imported"]) / 1000 * 0.5)
        assert year["feed_in"] == pytest.approx(float(year["exported"]) / 1000 * 0.1)
        sites.sites.clear()
        await job.catch_up()
        assert (await derived(store))[HOUSE] == before
    finally:
        await job.close()
        await store.close()


async def test_deliveries_are_stored_by_the_minute(store, clock, tmp_path):
    arrivals = Arrivals()
    job = Rollups(store, site_of=Sites().of, clock=clock, state_dir=tmp_path / "state", arrivals=arrivals)
    arrivals.note(HOUSE, received=MIDNIGHT + 2_000, newest=MIDNIGHT, readings=7, rejected=1)
    arrivals.note(SHED, received=MIDNIGHT + 2_000, newest=None, rejected=2)
    arrivals.note(HOUSE, received=MIDNIGHT + MINUTE, newest=MIDNIGHT + MINUTE, readings=1)
    clock.ms = MIDNIGHT + MINUTE + 1
    try:
        await job.run_once()
        await job.run_once()
        ((_, house_points),) = await store.points(HOUSE, "delivery", start=0, stop=MIDNIGHT + DAY)
        ((_, shed_points),) = await store.points(SHED, "delivery", start=0, stop=MIDNIGHT + DAY)
    finally:
        await job.close()
    assert house_points == [(MIDNIGHT, {"lag": 2.0, "readings": 7.0, "rejected": 1.0})]
    assert shed_points == [(MIDNIGHT, {"readings": 0.0, "rejected": 2.0})]


async def test_live_readings_of_every_gateway_come_before_any_backlog(store, rollups, clock):
    """A pass that has no time left still does the newest piece of each."""
    clock.ms = MIDNIGHT
    for gateway in (HOUSE, SHED):
        await rollups.store.write([reading(gateway, MIDNIGHT - hours * HOUR) for hours in range(10)])
    await rollups.run_once(seconds=0)
    for gateway in (HOUSE, SHED):
        ((_, points),) = await store.points(gateway, "panel_15m", start=0, stop=MIDNIGHT + DAY)
        assert max(point.timestamp for point in points) == MIDNIGHT - QUARTER
        assert len(rollups.store.of(gateway).fresh) == 7, "three hours at once, and the rest later"


def reading(gateway: str, timestamp: int) -> GatewayReading:
    fields: dict[str, float | str] = {"power": 100.0, "interval": 300.0}
    return GatewayReading(gateway, Reading("inverter", {"inverter": "1"}, timestamp, fields))


async def test_while_it_serves_it_rests_as_long_as_it_worked(store, rollups, clock):
    """A history of years is computed beside what comes in, not before it."""
    await store.write(house(MIDNIGHT - 8 * HOUR, MIDNIGHT, step=300_000))
    await rollups.run_once()
    assert len(clock.slept) >= 3
    clock.slept.clear()
    await rollups.store.write(house(MIDNIGHT - 8 * HOUR, MIDNIGHT, step=300_000))
    await rollups.catch_up()
    assert clock.slept == []


async def test_a_store_that_fails_for_one_gateway_does_not_starve_the_others(store, clock, tmp_path):
    """The gateway that a pass ended at comes last in the next one."""

    class AwayForHouse(Away):
        async def points(self, gateway, *arguments, **options):
            if gateway == HOUSE:
                raise StoreUnavailableError("too much for one answer")
            return await self.store.points(gateway, *arguments, **options)

    arrivals = Arrivals()
    arrivals.note(SHED, received=MIDNIGHT - MINUTE, newest=MIDNIGHT - MINUTE, readings=1)
    job = Rollups(AwayForHouse(store), site_of=Sites().of, clock=clock, state_dir=tmp_path / "state", arrivals=arrivals)
    clock.ms = MIDNIGHT
    try:
        for gateway in (HOUSE, SHED):
            await job.store.write([reading(gateway, MIDNIGHT)])
        for _ in range(2):
            with pytest.raises(StoreUnavailableError):
                await job.run_once()
    finally:
        await job.close()
    assert await store.points(SHED, "panel_15m", start=0, stop=MIDNIGHT + DAY)
    ((_, minutes),) = await store.points(SHED, "delivery", start=0, stop=MIDNIGHT + DAY)
    assert len(minutes) == 1, "and what else there is to do is done"
