"""What `Store.remove` takes away, and what it leaves alone."""

import pytest

from receiver.stores.base import GatewayReading, Point
from shared.readings import Reading

QUARTER = 900_000
NOON = 1_750_000_500_000 - 1_750_000_500_000 % QUARTER
HOME, NEXT_DOOR = "122233334444", "122233335555"
PANELS = [{"inverter": serial, "panel": f"Roof {serial}", "array": "-"} for serial in ("4821", "4822")]
HOSTILE = ['a"', "a\r", "a\0b", "a'", "a\\", 'a" OR "b"="b', "a\nb", "é☀😀", "a,b=c d", "a AND b"]


def make_energy(timestamp, wh, gateway=HOME, kind="energy_15m"):
    return GatewayReading(gateway, Reading(kind, {}, timestamp, {"production": wh}))


async def read_times(store, kind="energy_15m", gateway=HOME):
    found = await store.read_points(gateway, kind, start=0, stop=2 * NOON)
    return [[point.timestamp for point in series.points] for series in found]


async def test_only_what_lies_between_start_and_stop_goes(store):
    """Half-open, to the millisecond."""
    stamps = [NOON - 1, NOON, NOON + 1, NOON + QUARTER - 1, NOON + QUARTER]
    await store.write([make_energy(stamp, 1.0) for stamp in stamps])
    await store.remove(HOME, "energy_15m", start=NOON, stop=NOON + QUARTER)
    assert await read_times(store) == [[NOON - 1, NOON + QUARTER]]


async def test_every_series_of_the_kind_goes(store):
    """Also those whose tags are no longer the sites file's."""
    await store.write([GatewayReading(HOME, Reading("panel_15m", tags, NOON, {"energy": 1.0})) for tags in PANELS])
    await store.remove(HOME, "panel_15m", start=0, stop=NOON + 1)
    assert await read_times(store, "panel_15m") == []
    assert await store.read_latest(HOME, "panel_15m") == []


async def test_other_kinds_and_other_gateways_are_left_alone(store):
    """The same time under another name."""
    rows = [make_energy(NOON, 1.0), make_energy(NOON, 2.0, kind="energy_1h"), make_energy(NOON, 3.0, gateway=NEXT_DOOR)]
    await store.write(rows)
    await store.remove(HOME, "energy_15m", start=NOON, stop=NOON + 1)
    assert await read_times(store) == []
    assert await read_times(store, "energy_1h") == [[NOON]]
    assert await read_times(store, gateway=NEXT_DOOR) == [[NOON]]


@pytest.mark.parametrize("gateway", HOSTILE)
async def test_the_serial_is_data_whatever_it_contains(store, gateway):
    """Nothing but its own readings goes, and they do."""
    others = [other for other in [*HOSTILE, "a", "b", "ab"] if other != gateway]
    await store.write([make_energy(NOON, 1.0, gateway=name) for name in [gateway, *others]])
    await store.remove(gateway, "energy_15m", start=0, stop=NOON + 1)
    assert await read_times(store, gateway=gateway) == []
    for other in others:
        assert await read_times(store, gateway=other) == [[NOON]]


async def test_removing_twice_or_nothing_harms_nothing(store):
    """A removal whose answer was lost is simply repeated."""
    await store.write([make_energy(NOON, 1.0), make_energy(NOON + QUARTER, 2.0)])
    for _ in range(2):
        await store.remove(HOME, "energy_15m", start=NOON, stop=NOON + 1)
    await store.remove(HOME, "energy_15m", start=NOON + QUARTER, stop=NOON + QUARTER)
    await store.remove(HOME, "energy_15m", start=NOON + 2 * QUARTER, stop=NOON)
    await store.remove(NEXT_DOOR, "energy_15m", start=0, stop=2 * NOON)
    await store.remove(HOME, "kind_of_tomorrow", start=0, stop=2 * NOON)
    assert await read_times(store) == [[NOON + QUARTER]]


async def test_what_was_removed_can_be_written_again(store):
    """Derived readings are computed again; nothing of the old ones shows through."""
    old = GatewayReading(HOME, Reading("energy_15m", {}, NOON, {"production": 1.0, "load": 2.0}))
    await store.write([old])
    await store.remove(HOME, "energy_15m", start=NOON, stop=NOON + 1)
    await store.write([make_energy(NOON, 3.0)])
    (series,) = await store.read_points(HOME, "energy_15m", start=0, stop=2 * NOON)
    assert series.points == [Point(NOON, {"production": 3.0})]
    (latest,) = await store.read_latest(HOME, "energy_15m")
    assert latest.fields == {"production": 3.0}


async def test_a_removed_series_is_not_counted(store):
    """Neither as a series nor as a gateway."""
    meter = {"meter": "production", "phase": "a"}
    rows = [Reading("meter", meter, NOON, {"power": 1.0}), Reading("meter_energy", meter, NOON, {"delivered": 1.0})]
    await store.write([GatewayReading(HOME, row) for row in rows])
    await store.write([GatewayReading(NEXT_DOOR, rows[0])])
    await store.remove(HOME, "meter", start=0, stop=NOON + 1)
    await store.remove(NEXT_DOOR, "meter", start=0, stop=NOON + 1)
    assert await store.count() == 1
    assert [summary.gateway for summary in await store.list_gateways()] == [HOME]
