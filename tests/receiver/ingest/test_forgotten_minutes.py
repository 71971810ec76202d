"""What a sender makes the density limit forget is counted in the store again, and nothing else asks the store."""

from array import array
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.ingest import density as density_module
from receiver.ingest import route
from receiver.ingest.density import BURST, PER_MINUTE, DensityLimit
from receiver.stores.sqlite.store import SqliteStore
from shared import wire
from shared.problems import Rejection
from shared.readings import Series
from shared.units import HOUR_MS, MINUTE_MS, SECOND_MS
from tests.clocks import NOW_MS
from tests.receiver.service import GATEWAY, OTHER, Service, make_meter, start

HOUR = NOW_MS // HOUR_MS * HOUR_MS - HOUR_MS
PHASE = Series.of("meter", {"meter": "production", "phase": "a"})
OTHER_PHASE = Series.of("meter", {"meter": "production", "phase": "b"})
REMEMBERED = 600


@pytest.fixture
def density() -> DensityLimit:
    """One that forgets soon."""
    return DensityLimit(remembered=REMEMBERED)


@pytest.fixture
async def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, density: DensityLimit) -> AsyncIterator[Service]:
    """A receiver with that one."""
    monkeypatch.setattr(route, "DensityLimit", lambda: density)
    async with start(tmp_path) as running:
        yield running


@pytest.fixture
def hours_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Starts of what was asked of the store."""
    read = SqliteStore.read_points
    starts: list[int] = []

    async def note(self: SqliteStore, *args: object, **more: object) -> object:
        starts.append(cast("int", more["start"]))
        return await read(self, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(SqliteStore, "read_points", note)
    return starts


async def flush(service: Service) -> None:
    """Fill what is remembered with other minutes: a row in each."""
    for first in range(0, REMEMBERED + 10, wire.MAX_ROWS):
        rows = [make_meter(HOUR - (first + n + 1) * MINUTE_MS, phase="b") for n in range(wire.MAX_ROWS)]
        assert (await service.send(*rows)).rejected == []


async def test_a_minute_that_was_made_forgotten_takes_no_more(service: Service):
    """It took sixty more each time, and so a value a millisecond in the end."""
    dense = [make_meter(HOUR + offset) for offset in range(400)]
    assert (await service.send(*dense)).accepted == PER_MINUTE + BURST
    for once in (1, 2):
        await flush(service)
        again = await service.send(*(make_meter(HOUR + 1000 * once + offset) for offset in range(100)))
        assert (again.accepted, {row.code for row in again.rejected}) == (0, {Rejection.TOO_DENSE})
    await flush(service)
    assert (await service.send(*dense)).accepted == PER_MINUTE + BURST, "what passed once passes again"
    await flush(service)
    other_minute = [make_meter(HOUR + MINUTE_MS + offset) for offset in range(100)]
    assert (await service.send(*other_minute)).accepted == PER_MINUTE, "the burst of the hour is spent"


async def test_no_gateway_makes_another_ones_minutes_forgotten(service: Service, hours_read: list[int]):
    await service.send(*(make_meter(HOUR + offset) for offset in range(100)), serial=OTHER)
    await flush(service)
    hours_read.clear()
    await service.send(*(make_meter(HOUR + 100 + offset) for offset in range(100)), serial=OTHER)
    assert hours_read == []


async def test_live_values_and_a_backlog_in_order_ask_nothing_of_the_store(
    service: Service, density: DensityLimit, hours_read: list[int]
):
    """Beside each other, and for longer than is remembered."""
    for batch in range(6):
        live = [make_meter(HOUR + (batch * 250 + n) * 2 * SECOND_MS) for n in range(250)]
        backlog = [make_meter(HOUR - 4000 * MINUTE_MS + (batch * 250 + n) * MINUTE_MS) for n in range(250)]
        assert (await service.send(*live, *backlog)).rejected == []
    assert len(density._gateways[GATEWAY].minutes) == REMEMBERED
    assert hours_read == []


@given(st.lists(st.integers(0, 200), max_size=60))
def test_every_minute_that_was_forgotten_is_in_doubt(minutes: list[int]):
    density = DensityLimit(remembered=5)
    for minute in minutes:
        density.take(GATEWAY, PHASE, minute * MINUTE_MS)
        counts = density._gateways[GATEWAY]
        for seen in minutes[: minutes.index(minute) + 1]:
            assert (PHASE, seen) in counts.minutes or counts.is_doubtful(PHASE, seen)
        assert len(counts._forgotten.get(PHASE, ())) <= density_module._SPANS
        assert not counts.is_doubtful(OTHER_PHASE, minute)


def test_a_burst_that_is_forgotten_takes_its_minutes_along():
    density = DensityLimit(remembered=2)
    for hour in range(4):
        for offset in range(PER_MINUTE + 1):
            density.take(GATEWAY, PHASE, hour * HOUR_MS + offset)
    assert density.find_doubtful(GATEWAY, [(PHASE, 5), (PHASE, 3 * HOUR_MS)]) == {(PHASE, 0)}
    density.restore(GATEWAY, PHASE, [0], list(range(PER_MINUTE + BURST)))
    counts = density._gateways[GATEWAY]
    assert counts.minutes[PHASE, 0] == array("H", range(PER_MINUTE + BURST))
    assert not density.take(GATEWAY, PHASE, 1000)
