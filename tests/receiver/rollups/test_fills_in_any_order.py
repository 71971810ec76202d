"""What the cloud fills in is the same, whatever came first, wherever gaps are, and whenever the job and the process run."""

import asyncio
import random
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver.rollups.catch_up import catch_up
from receiver.rollups.job import Rollups
from receiver.sites.cloud_links import find_linked_gateway
from receiver.stores.base import GatewayReading
from receiver.stores.sqlite import SqliteStore
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.clocks import SetClock
from tests.receiver.rollups.cloud_system import FIVE_MS, MIDNIGHT, SYSTEM, make_interval
from tests.receiver.rollups.example_households import Rows, Sites, find_differences, read_derived, take_steps
from tests.receiver.rollups.linked_home import HOME, LINKED, make_counter

SPAN = 26 * HOUR_MS
START = MIDNIGHT + 21 * HOUR_MS

offsets = st.integers(0, SPAN // MINUTE_MS)
outages = st.lists(st.tuples(offsets, st.integers(1, 400)), min_size=1, max_size=5)
"""Begin and length in minutes."""
steps = st.lists(st.sampled_from(["pass", "restart", "wait"]), max_size=3)


def make_readings(
    away: list[tuple[int, int]], holes: list[tuple[int, int]], seed: int
) -> tuple[list[GatewayReading], list[GatewayReading]]:
    """A counter of 1,200 W that is silent at times; and intervals with noise, holes and some corrections."""
    luck = random.Random(seed)

    def is_in(spans: list[tuple[int, int]], time: int) -> bool:
        return any(first <= (time - START) // MINUTE_MS < first + length for first, length in spans)

    times = [time for time in range(START, START + SPAN, MINUTE_MS) if not is_in(away, time)]
    home = make_counter(times, lambda time: 1e6 + 1200.0 * (time - MIDNIGHT) / HOUR_MS)
    ends = range(START - HOUR_MS, START + SPAN + HOUR_MS, FIVE_MS)
    cloud = [make_interval("inv", end, float(luck.randint(93, 105))) for end in ends if not is_in(holes, end)]
    cloud += [make_interval("inv", end, float(luck.randint(80, 125)), revision=1) for end in luck.sample(ends, 40)]
    return home, cloud


@given(
    away=outages,
    holes=st.lists(st.tuples(offsets, st.integers(5, 120)), max_size=2),
    between=st.lists(steps, min_size=5, max_size=5),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_order_of_arrival_gives_the_rows_of_a_computation_from_scratch(away, holes, between, seed):
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(arrive(Path(folder), *make_readings(away, holes, seed), between, random.Random(seed)))


async def arrive(
    folder: Path, home: list[GatewayReading], cloud: list[GatewayReading], between: list[list[str]], luck: random.Random
) -> None:
    sites, clock = Sites(), SetClock(START + SPAN - HOUR_MS)
    sites.sites[HOME] = LINKED
    store = SqliteStore(folder / "readings.sqlite")
    await store.open()

    def make_job() -> Rollups:
        return Rollups(
            store,
            site_of=sites.get_site,
            clock=clock,
            state_dir=folder / "state",
            find_linked=lambda system: find_linked_gateway(sites.sites, system),
        )

    job = make_job()
    try:
        for batch, todo in zip(cut_at_random(home, cloud, luck), between, strict=True):
            await job.store.write(batch)
            job = await take_steps(todo, job, make_job, clock)
        clock.ms = START + SPAN + DAY_MS
        await job.catch_up()
        scratch = await compute_again(home + cloud, sites, clock, folder)
        assert find_differences(await read_derived(store, [HOME, SYSTEM]), scratch) == []
    finally:
        await job.close()
        await store.close()


def cut_at_random(
    home: list[GatewayReading], cloud: list[GatewayReading], luck: random.Random
) -> list[list[GatewayReading]]:
    """Five batches: each stretch of three hours of either comes in any one of them."""
    chosen: dict[tuple[str, int], int] = {}
    batches: list[list[GatewayReading]] = [[] for _ in range(5)]
    for row in home + cloud:
        key = row.gateway, row.reading.timestamp // (3 * HOUR_MS)
        batches[chosen.setdefault(key, luck.randrange(5))].append(row)
    return batches


async def compute_again(rows: list[GatewayReading], sites: Sites, clock: SetClock, folder: Path) -> dict[str, Rows]:
    """What a receiver computes that finds all of it at its first start."""
    fresh = SqliteStore(folder / "scratch.sqlite")
    await fresh.open()
    try:
        await fresh.write(rows)
        await catch_up(fresh, site_of=sites.get_site, clock=clock, state_dir=folder / "scratch")
        return await read_derived(fresh, [HOME, SYSTEM])
    finally:
        await fresh.close()
