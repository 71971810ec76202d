"""What the SQLite store deletes by itself, and how gently."""

import asyncio

import pytest

from receiver.stores.base import GatewayReading
from receiver.stores.sqlite import SqliteStore
from receiver.stores.sqlite import store as module
from receiver.stores.sqlite import writer as writing
from shared.readings import Reading

NOON = 1_750_000_000_000
DAY = 86_400_000
HOME, NEXT_DOOR = "122233334444", "122233335555"
PHASE_A, PHASE_B = ({"meter": "production", "phase": phase} for phase in "ab")


@pytest.fixture
async def store(tmp_path):
    """Keeps raw meter readings for one day, everything else without limit."""
    opened = SqliteStore(tmp_path / "state" / "readings.db", retention_ms={"meter": DAY})
    await opened.open()
    yield opened
    await opened.close()


def make_meter(timestamp, tags=PHASE_A, gateway=HOME):
    return GatewayReading(gateway, Reading("meter", tags, timestamp, {"power": 1.0}))


async def read_times(store, kind="meter", gateway=HOME):
    found = await store.read_points(gateway, kind, start=0, stop=2 * NOON)
    return [[point.timestamp for point in series.points] for series in found]


async def test_what_is_older_than_its_kind_is_kept_goes(store):
    """Of every series and gateway; to the millisecond."""
    await store.write([make_meter(NOON - DAY - n) for n in (2, 1, 0, -1)])
    await store.write(
        [make_meter(NOON - 2 * DAY, PHASE_B), make_meter(NOON, PHASE_B), make_meter(NOON - 2 * DAY, gateway=NEXT_DOOR)]
    )
    await store.expire(NOON)
    assert await read_times(store) == [[NOON - DAY, NOON - DAY + 1], [NOON]]
    assert await read_times(store, gateway=NEXT_DOOR) == []
    assert [summary.gateway for summary in await store.list_gateways()] == [HOME]


async def test_other_kinds_stay_without_limit(store):
    """Roll-ups of the same meter among them."""
    kinds: dict[str, dict[str, float | str]] = {"meter_energy": {"delivered": 1.0}, "meter_1m": {"power": 1.0}}
    await store.write([
        GatewayReading(HOME, Reading(kind, PHASE_A, NOON - 99 * DAY, fields)) for kind, fields in kinds.items()
    ])  # fmt: skip
    await store.expire(NOON)
    for kind in kinds:
        assert await read_times(store, kind) == [[NOON - 99 * DAY]]


async def test_without_a_limit_nothing_goes(tmp_path):
    """The default is without limit."""
    store = SqliteStore(tmp_path / "readings.db")
    await store.write([make_meter(0)])
    await store.expire(NOON)
    assert await read_times(store) == [[0]]
    await store.close()


async def test_much_goes_in_steps_the_oldest_first(store, monkeypatch):
    """One call deletes a bounded number, so no write waits for long; further calls delete the rest."""
    monkeypatch.setattr(module, "_EXPIRING_STEPS", 1)
    old = [NOON - 3 * DAY + n for n in range(12_000)]
    await store.write([make_meter(stamp) for stamp in [*old, NOON]])
    left = []
    while len((await read_times(store))[0]) > 1:
        await store.expire(NOON)
        (stamps,) = await read_times(store)
        assert stamps == [*old, NOON][-len(stamps) :]
        left.append(len(stamps))
    assert left == [7001, 2001, 1]


async def test_a_write_during_expiry_is_not_held_up_until_its_end(store, monkeypatch):
    """Each step is a transaction of its own, and a write may pass between two of them."""
    steps = []
    expire = store._writer.expire

    def note(kind, before):
        steps.append(len(written))
        return expire(kind, before)

    written: list[int] = []
    monkeypatch.setattr(store._writer, "expire", note)
    await store.write([make_meter(NOON - 3 * DAY + n) for n in range(12_000)])

    async def write():
        await store.write([make_meter(NOON)])
        written.append(1)

    await asyncio.gather(store.expire(NOON), write())
    assert steps[0] == 0
    assert steps[-1] == 1
    assert await read_times(store) == [[NOON]]


def make_storage(timestamp, gateway=HOME, **fields):
    return GatewayReading(gateway, Reading("storage", {}, timestamp, fields))


def make_minute(start, gateway=HOME):
    """A whole reading, the charge alone, and a second of power alone after the other."""
    return [
        make_storage(start, gateway, power=1.0, state_of_charge=50.0, batteries=2.0, measured=2.0),
        make_storage(start + 500, gateway, state_of_charge=51.0),
        *(make_storage(start + 1000 * second, gateway, power=float(second)) for second in range(1, 60)),
    ]


async def test_power_of_batteries_each_second_goes_with_that_of_meters_and_a_reading_a_minute_stays(store):
    old, young = NOON - DAY - 60_000, NOON - DAY
    for gateway in (HOME, NEXT_DOOR):
        await store.write([*make_minute(old, gateway), *make_minute(young, gateway)])
    await store.expire(NOON)
    for gateway in (HOME, NEXT_DOOR):
        (times,) = await read_times(store, "storage", gateway)
        assert times == [old, old + 500, *sorted(row.reading.timestamp for row in make_minute(young))]
    await store.expire(NOON + 30_000)
    (times,) = await read_times(store, "storage")
    assert len([time for time in times if time >= young]) == 61 - 29, "what has come of age since"


async def test_much_is_thinned_in_steps_whatever_stays(store, monkeypatch):
    monkeypatch.setattr(module, "_EXPIRING_STEPS", 1)
    monkeypatch.setattr(writing, "_THINNED_ROWS", 100)
    minutes = [NOON - 2 * DAY + 60_000 * n for n in range(5)]
    await store.write([row for minute in minutes for row in make_minute(minute)])
    left = []
    for _ in range(5):
        await store.expire(NOON)
        (times,) = await read_times(store, "storage")
        left.append(len(times))
    assert left == [209, 113, 15, 10, 10]


async def test_without_a_limit_no_power_of_batteries_goes(tmp_path):
    store = SqliteStore(tmp_path / "readings.db")
    await store.write(make_minute(0))
    await store.expire(NOON)
    assert len((await read_times(store, "storage"))[0]) == 61
    await store.close()
