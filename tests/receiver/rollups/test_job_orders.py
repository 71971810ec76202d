"""Whatever the order in which readings arrive, and whenever the job and the process run: the rows are the same."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver.rollups.job import Rollups
from receiver.sites.model import Site
from receiver.stores.base import GatewayReading
from receiver.stores.sqlite import SqliteStore
from tests.clocks import SetClock
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
    read_derived,
    take_steps,
)

START = MIDNIGHT - 65 * MINUTE
STOP = START + 3 * HOUR
SITES = {
    HOUSE: Site(time_zone="Europe/Berlin"),
    SHED: Site.model_validate({"netting": "phases", "panels": {"48210000001": {"name": "East", "array": "roof"}}}),
}

offsets = st.integers(0, STOP - START)
outages = st.lists(
    st.tuples(offsets, offsets, st.sampled_from(["", "meter", "meter_energy", "inverter", "01"])), max_size=3
)
"""Stretches in which something is silent: everything, one kind, or whatever has "01" in its tags."""
pieces = st.lists(st.tuples(st.sampled_from([HOUSE, SHED]), offsets, offsets), max_size=6)
"""What arrives first, in this order: the readings of a stretch. The rest comes last."""
steps = st.lists(st.sampled_from(["pass", "restart", "wait"]), max_size=4)


def is_lost(row: GatewayReading, lost: list[tuple[int, int, str]]) -> bool:
    what = f"{row.reading.kind}{sorted(row.reading.tags.values())}"
    return any(
        START + first <= row.reading.timestamp < START + last
        and (name in what if name in {"", "01"} else row.reading.kind == name)
        for first, last, name in lost
    )


@given(lost=outages, first=pieces, between=st.lists(steps, min_size=7, max_size=7))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_order_of_arrival_gives_the_rows_of_a_computation_from_scratch(lost, first, between):
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(arrive(Path(folder), lost, first, between))


async def arrive(folder, lost, first, between) -> None:
    rows = [
        row
        for row in [*make_house(START, STOP, step=60_000), *make_house(START, STOP, SHED, step=60_000, storage=True)]
        if not is_lost(row, lost)
    ]
    sites, clock = Sites(), SetClock(STOP - HOUR)
    sites.sites = SITES
    store = SqliteStore(folder / "readings.sqlite")
    await store.open()

    def make_job() -> Rollups:
        return Rollups(store, site_of=sites.get_site, clock=clock, state_dir=folder / "state")

    job = make_job()
    try:
        for (gateway, start, stop), todo in zip([*first, ("", 0, 0)], between, strict=False):
            arriving: list[GatewayReading] = []
            waiting: list[GatewayReading] = []
            for row in rows:
                is_now = not gateway or (row.gateway == gateway and start <= row.reading.timestamp - START < stop)
                (arriving if is_now else waiting).append(row)
            rows = waiting
            await job.store.write(arriving)
            job = await take_steps(todo, job, make_job, clock)
        clock.ms = STOP
        await job.catch_up()
        assert (
            find_differences(
                await read_derived(store), await compute_from_scratch(store, sites, clock, folder / "scratch")
            )
            == []
        )
    finally:
        await job.close()
        await store.close()
