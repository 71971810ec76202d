"""Meters and batteries that were silent for more than a day and came back, and one that did not."""

import random

import pytest

from receiver.rollups.compute import find_reach, make_quarter_rows
from receiver.sites.model import NO_SITE
from receiver.stores.base import GatewayReading
from shared.readings import FieldValue, Reading
from shared.units import DAY_MS, HOUR_MS, QUARTER_MS
from tests.receiver.rollups.example_households import (
    HOUSE,
    MIDNIGHT,
    MINUTE,
    Sites,
    compute_from_scratch,
    cut_into_batches,
    find_differences,
    read_derived,
)
from tests.receiver.rollups.random_house import START, load

CUT = MIDNIGHT + 4 * HOUR_MS
COUNTED_WH = 5e6
Fields = dict[str, FieldValue]


def make_readings(time, *, has_meter=True, has_total=False, battery_w=None):
    """A roof of 1 kW and a house that buys 2 kW, at one time."""
    hours = (time - MIDNIGHT) / HOUR_MS
    rows = []
    for meter, watts in {"production": 1000.0, "net-consumption": 2000.0}.items():
        if has_meter or meter != "production":
            tags = {"meter": meter, "phase": "a"}
            counters: Fields = {"delivered": COUNTED_WH + watts * hours, "received": COUNTED_WH}
            rows += [Reading("meter", tags, time, {"power": watts}), Reading("meter_energy", tags, time, counters)]
    if has_total:
        total: Fields = {"power": 1000.0, "energy_lifetime": COUNTED_WH + 1000 * hours}
        rows.append(Reading("production", {"source": "pdm"}, time, total))
    if battery_w is not None:
        rows.append(Reading("storage", {}, time, {"power": battery_w, "batteries": 1.0, "measured": 1.0}))
    return [GatewayReading(HOUSE, row) for row in rows]


def make_outage(gap_ms, **changes):
    """Four hours, silence, and two hours; and the event of the gap."""
    back = CUT + gap_ms
    times = [*range(MIDNIGHT, CUT + 1, MINUTE), *range(back, back + 2 * HOUR_MS + 1, MINUTE)]
    event = Reading("event", {"type": "gap"}, CUT, {"end": float(back), "reason": "no answer"})
    return [GatewayReading(HOUSE, event), *(row for time in times for row in make_readings(time, **changes))]


async def write_all(rollups, rows):
    for batch in cut_into_batches(rows):
        await rollups.store.write(batch)


async def sum_quarters(store, name):
    """All that quarter hours know of an energy, with that of gaps."""
    (found,) = await store.read_points(HOUSE, "energy_15m", start=0, stop=MIDNIGHT + 40 * DAY_MS)
    return sum(fields.get(name, 0.0) + fields.get(f"{name}_unallocated", 0.0) for _, fields in found.points)


@pytest.mark.parametrize("gap_ms", [36 * HOUR_MS, 60 * HOUR_MS + 7 * MINUTE])
@pytest.mark.parametrize(("has_meter", "has_total"), [(True, False), (False, True)])
async def test_no_energy_of_an_outage_of_days_is_lost(sqlite_store, rollups, clock, gap_ms, has_meter, has_total):
    """Also where it ends with a quarter hour, and where a total stands in for the meter of production."""
    await write_all(rollups, make_outage(gap_ms, has_meter=has_meter, has_total=has_total))
    clock.ms = CUT + gap_ms + 3 * HOUR_MS
    await rollups.catch_up()
    hours = 6 + gap_ms / HOUR_MS
    found = {name: await sum_quarters(sqlite_store, name) for name in ("production", "imported", "load", "exported")}
    assert found == pytest.approx(
        {"production": 1000 * hours, "imported": 2000 * hours, "load": 3000 * hours, "exported": 0.0}
    )
    year = (await sqlite_store.read_points(HOUSE, "energy_1y", start=0, stop=MIDNIGHT + DAY_MS))[0].points[-1].fields
    assert (year["imported"], year["load"]) == (pytest.approx(2000 * hours), pytest.approx(3000 * hours))


async def test_a_meter_that_was_taken_away_stops_to_belong_after_a_day_though_others_go_on(
    sqlite_store, rollups, clock
):
    """Then the total stands in for it; it did not, while the meter might come back."""
    clock.ms = CUT + 2 * DAY_MS
    rows = [
        row
        for time in range(MIDNIGHT, clock.ms, 2 * MINUTE)
        for row in make_readings(time, has_meter=time < CUT, has_total=True)
    ]
    await write_all(rollups, rows)
    await rollups.catch_up()
    (found,) = await sqlite_store.read_points(HOUSE, "energy_15m", start=0, stop=clock.ms)
    known = {time: fields.get("production") for time, fields in found.points}
    assert known[CUT + DAY_MS - 2 * QUARTER_MS] is None
    assert known[CUT + DAY_MS + QUARTER_MS] == pytest.approx(250.0)


async def test_what_was_computed_as_if_a_meter_was_gone_is_computed_again_when_it_is_back(
    sqlite_store, rollups, clock, tmp_path
):
    """The roll-ups go on during the silence, and a reading from the middle of it comes last."""
    back = CUT + 40 * HOUR_MS
    usual = [
        row
        for time in range(MIDNIGHT, back, 5 * MINUTE)
        for row in make_readings(time, has_meter=time < CUT, has_total=True, battery_w=0.0 if time < CUT else None)
    ]
    again = [row for row in make_readings(back, battery_w=0.0) if row.reading.tags.get("meter") != "net-consumption"]
    late = [row for row in make_readings(CUT + 30 * HOUR_MS) if row.reading.tags["meter"] == "production"]
    await write_all(rollups, usual)
    for more in ([], again, late):
        await rollups.store.write(more)
        clock.ms = back + HOUR_MS
        await rollups.catch_up()
        scratch = tmp_path / f"scratch{len(more)}{len(more) and more[0].reading.timestamp}"
        scratch.mkdir()
        expected = await compute_from_scratch(sqlite_store, Sites(), clock, scratch)
        assert find_differences(await read_derived(sqlite_store), expected) == []


async def test_a_house_with_a_battery_that_comes_back_has_no_load_without_it(sqlite_store, rollups, clock):
    """The battery gave 500 W meanwhile, which no counter knows; its end is that of a quarter hour."""
    await write_all(rollups, make_outage(36 * HOUR_MS, battery_w=500.0))
    clock.ms = CUT + 39 * HOUR_MS
    await rollups.catch_up()
    assert await sum_quarters(sqlite_store, "load") == pytest.approx(6 * 3500.0)
    assert await sum_quarters(sqlite_store, "imported") == pytest.approx(42 * 2000.0)


def make_sparse_house(seed):
    """A meter, a total and batteries that are read now and then in six days."""
    chance, rows = random.Random(seed), []
    for kind, tags, fields in (
        ("meter_energy", {"meter": "production", "phase": "a"}, ("delivered", "received")),
        ("meter_energy", {"meter": "net-consumption", "phase": "a"}, ("delivered", "received")),
        ("production", {"source": "pdm"}, ("energy_lifetime",)),
        ("storage", {}, ("batteries", "measured")),
    ):
        time, value = START + chance.randrange(DAY_MS), 1.0
        while time < START + 6 * DAY_MS:
            value += chance.choice([0.0, 1.0]) if kind != "storage" else 0.0
            names = chance.choice([fields, fields[:1], fields[-1:]])
            rows.append(Reading(kind, tags, time, dict.fromkeys(names, value)))
            time += chance.choice([MINUTE, 3 * HOUR_MS, 20 * HOUR_MS, 30 * HOUR_MS, 50 * HOUR_MS])
    return rows


@pytest.mark.parametrize("seed", range(8))
def test_late_readings_of_sparse_series_change_nothing_beyond_their_reach(seed):
    full = make_sparse_house(seed)
    late_from = START + random.Random(seed).randrange(6 * 24) * HOUR_MS
    late_to, end = late_from + 8 * HOUR_MS, START + 6 * DAY_MS
    before = [row for index, row in enumerate(full) if not late_from <= row.timestamp < late_to or index * seed % 3]
    old, new = (
        {
            (row.kind, row.timestamp): row.fields
            for row in make_quarter_rows(load(rows, START, end), NO_SITE, START, end)
        }
        for rows in (before, full)
    )
    changed = [key[1] for key in old.keys() | new.keys() if old.get(key) != new.get(key)]
    low, high, _ = find_reach(load(full, late_from, late_to), late_from, late_to)
    assert all(low <= time < high for time in changed)
    pieces = {
        (row.kind, row.timestamp): row.fields
        for start in range(START, end, 6 * HOUR_MS)
        for row in make_quarter_rows(load(full, start, start + 6 * HOUR_MS), NO_SITE, start, start + 6 * HOUR_MS)
    }
    assert pieces == new


def test_the_last_reading_before_a_very_long_silence_says_that_a_meter_belongs_for_a_day():
    tags = {"meter": "production", "phase": "a"}
    rows = [Reading("meter_energy", tags, START + day * DAY_MS, {"delivered": 1.0}) for day in (0, 10, 50)]
    late = (START + 10 * DAY_MS, START + 10 * DAY_MS + MINUTE)
    reach = find_reach(load(rows, *late), *late, now_ms=START + 60 * DAY_MS)
    assert (reach.start, reach.stop) == (START, START + 11 * DAY_MS + QUARTER_MS)
