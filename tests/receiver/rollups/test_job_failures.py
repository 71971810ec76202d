"""The roll-up job when things fail: kills, stores that are away, data that cannot be computed."""

import itertools
import signal
import subprocess
import sys

import pytest

from receiver.ingest.arrivals import Arrivals
from receiver.metrics import Metrics
from receiver.rollups import compute
from receiver.rollups.catch_up import catch_up
from receiver.rollups.job import RollupError, Rollups
from receiver.sites.model import NO_SITE, Site
from receiver.stores.base import GatewayReading, StoreUnavailableError
from receiver.stores.sqlite import SqliteStore
from shared.readings import Reading
from tests.receiver.rollups.example_households import (
    HOUR,
    HOUSE,
    MIDNIGHT,
    MINUTE,
    SHED,
    Sites,
    compute_from_scratch,
    find_differences,
    make_house,
    make_reading,
    read_derived,
)
from tests.receiver.rollups.failing_store import FailingStore
from tests.receiver.rollups.test_job_expiry import DAY


def count_failures(metrics: Metrics, gateway: str) -> float | None:
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
        stored = await read_derived(store)
        assert max(time for _, _, time in stored[HOUSE]) >= MIDNIGHT + passes * MINUTE - MINUTE
        assert find_differences(stored, await compute_from_scratch(store, Sites(), clock, tmp_path / "scratch")) == []
    finally:
        await store.close()


async def test_a_lost_journal_means_everything_is_computed_again(sqlite_store, rollups, clock, tmp_path):
    await rollups.store.write(make_house(MIDNIGHT, MIDNIGHT + HOUR))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "rollups.sqlite").write_bytes(b"nonsense" * 1000)
    clock.ms = MIDNIGHT + HOUR
    await catch_up(sqlite_store, site_of=Sites().get_site, clock=clock, state_dir=tmp_path / "elsewhere")
    stored = await read_derived(sqlite_store)
    assert {kind for kind, _, _ in stored[HOUSE]} >= {"meter_1m", "site_1h", "energy_1y", "panel_1d"}
    assert (
        find_differences(stored, await compute_from_scratch(sqlite_store, Sites(), clock, tmp_path / "scratch")) == []
    )


async def test_a_store_that_goes_away_at_any_moment_is_waited_for(sqlite_store, clock, tmp_path):
    """After every number of calls once: what was not done is done by the next pass."""
    away, sites = FailingStore(sqlite_store), Sites()
    job = Rollups(away, site_of=sites.get_site, clock=clock, state_dir=tmp_path / "state")
    clock.ms = MIDNIGHT + HOUR
    rows = make_house(MIDNIGHT, MIDNIGHT + HOUR, step=60_000)
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
        assert (
            find_differences(
                await read_derived(sqlite_store),
                await compute_from_scratch(sqlite_store, sites, clock, tmp_path / "scratch"),
            )
            == []
        )
    finally:
        await job.close()


async def test_damage_in_the_data_of_one_gateway_stops_nobody_else(sqlite_store, clock, tmp_path, monkeypatch):
    """It is counted, not tried again in every pass, but in an hour; and nothing of it expires or is forgotten."""
    quarter_rows, broken = compute.make_quarter_rows, True

    def make_rows(raw, site, start, stop):
        if broken and site.name == "broken" and start <= MIDNIGHT < stop:
            raise ZeroDivisionError
        return quarter_rows(raw, site, start, stop)

    monkeypatch.setattr(compute, "make_quarter_rows", make_rows)
    sites, metrics = Sites(), Metrics()
    sites.sites[SHED] = Site(name="broken")
    job = Rollups(sqlite_store, site_of=sites.get_site, clock=clock, state_dir=tmp_path / "state", metrics=metrics)
    clock.ms = MIDNIGHT + HOUR
    try:
        for gateway in (HOUSE, SHED):
            await job.store.write(make_house(MIDNIGHT, MIDNIGHT + 2 * HOUR, gateway))
        with pytest.raises(RollupError, match="the log says why"):
            await job.catch_up()
        counted = count_failures(metrics, SHED)
        assert counted
        assert count_failures(metrics, HOUSE) is None
        stored = await read_derived(sqlite_store)
        assert stored[HOUSE]
        await job.run_once()
        assert count_failures(metrics, SHED) == counted
        assert MIDNIGHT in job.store.get_marks(SHED).in_journal
        broken = False
        clock.ms += HOUR
        await job.catch_up()
        assert (
            find_differences(
                await read_derived(sqlite_store),
                await compute_from_scratch(sqlite_store, sites, clock, tmp_path / "scratch"),
            )
            == []
        )
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
async def test_no_number_stops_the_roll_ups(sqlite_store, rollups, clock, kind, tags, fields):
    """What overflows is unknown; what does not depend on it is as it would have been."""
    clock.ms = MIDNIGHT + HOUR
    await rollups.store.write(make_house(MIDNIGHT, MIDNIGHT + HOUR, step=60_000))
    await rollups.catch_up()
    sound = (await read_derived(sqlite_store))[HOUSE]
    poison = [Reading(kind, tags, MIDNIGHT + 20 * MINUTE + offset, dict(fields)) for offset in (30_001, 30_002)]
    await rollups.store.write([GatewayReading(HOUSE, one) for one in poison])
    await rollups.catch_up()
    stored = (await read_derived(sqlite_store))[HOUSE]
    assert {key for key in sound if key[0] in {"meter_1m", "site_1m", "energy_15m"}} <= stored.keys()
    late = MIDNIGHT + 45 * MINUTE
    assert [row for key, row in sound.items() if key[2] >= late] == [stored[key] for key in sound if key[2] >= late]


async def test_a_store_that_fails_for_one_gateway_does_not_starve_the_others(sqlite_store, clock, tmp_path):
    """The gateway that a pass ended at comes last in the next one."""

    class FailingForHouse(FailingStore):
        async def read_points(self, gateway, *arguments, **options):
            if gateway == HOUSE:
                raise StoreUnavailableError("too much for one answer")
            return await self.store.read_points(gateway, *arguments, **options)

    arrivals = Arrivals()
    arrivals.note(SHED, received=MIDNIGHT - MINUTE, newest=MIDNIGHT - MINUTE, readings=1)
    job = Rollups(
        FailingForHouse(sqlite_store),
        site_of=Sites().get_site,
        clock=clock,
        state_dir=tmp_path / "state",
        arrivals=arrivals,
    )
    clock.ms = MIDNIGHT
    try:
        for gateway in (HOUSE, SHED):
            await job.store.write([make_reading(gateway, MIDNIGHT)])
        for _ in range(2):
            with pytest.raises(StoreUnavailableError):
                await job.run_once()
    finally:
        await job.close()
    assert await sqlite_store.read_points(SHED, "panel_15m", start=0, stop=MIDNIGHT + DAY)
    ((_, minutes),) = await sqlite_store.read_points(SHED, "delivery", start=0, stop=MIDNIGHT + DAY)
    assert len(minutes) == 1, "and what else there is to do is done"
