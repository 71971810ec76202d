"""A large step is judged by the week before it, also where the readings of that week come after the step."""

import pytest

from receiver.rollups.judged import list_judged_quarters
from receiver.stores.base import GatewayReading, Point
from shared.readings import FieldValue, Reading
from tests.receiver.rollups.example_households import (
    HOUR,
    HOUSE,
    MIDNIGHT,
    MINUTE,
    QUARTER,
    Sites,
    compute_from_scratch,
    find_differences,
    read_derived,
)

DAY = 24 * HOUR
GAPS = {
    "four hours": range(MIDNIGHT + 10 * HOUR, MIDNIGHT + 14 * HOUR),
    "minutes": range(MIDNIGHT + 10 * HOUR + MINUTE, MIDNIGHT + 10 * HOUR + 12 * MINUTE),
}


def make_day(first, last, watts, gap, step_wh, kind, energy=5e6):
    """A counter that moves by so many watts, and by a step over a gap."""
    rows = []
    for time in range(first, last, MINUTE):
        energy += watts / 60
        if time in gap:
            continue
        energy += step_wh if time == gap.stop else 0.0
        fields: dict[str, FieldValue] = {"delivered": energy, "received": 0.0}
        tags = {"meter": "net-consumption", "phase": "a"}
        if kind == "production":
            fields, tags = {"energy_lifetime": energy, "power": watts}, {"source": "api"}
        rows.append(GatewayReading(HOUSE, Reading(kind, tags, time, fields)))
        if kind == "meter_energy":
            rows.append(GatewayReading(HOUSE, Reading("meter", tags, time, {"power": watts})))
    return rows


async def write(rollups, rows):
    for first in range(0, len(rows), 1000):
        await rollups.store.write(rows[first : first + 1000])
    await rollups.catch_up()


@pytest.mark.parametrize("kind", ["meter_energy", "production"])
@pytest.mark.parametrize(
    ("gap", "begins", "before_w", "step_wh", "resets"),
    [
        ("four hours", -3 * HOUR, 4000.0, 30_000.0, (1, 0)),  # a weak day and more, and strong ones before it
        ("four hours", 9 * HOUR, 100.0, 40_000.0, (0, 1)),  # 15 kW were possible while the house was new
        ("minutes", 9 * HOUR, 100.0, 2_500.0, (0, 1)),
    ],
)
async def test_readings_that_come_late_judge_again_what_was_judged_without_them(
    sqlite_store, rollups, clock, tmp_path, kind, gap, begins, before_w, step_wh, resets
):
    clock.ms = MIDNIGHT + 20 * HOUR
    start = MIDNIGHT + begins - (DAY if begins < 0 else 0)
    await write(rollups, make_day(start, clock.ms, 100.0, GAPS[gap], step_wh, kind))

    async def count_resets():
        (day,) = await sqlite_store.read_points(HOUSE, "energy_1d", start=MIDNIGHT - HOUR, stop=MIDNIGHT + DAY)
        return day.points[-1].fields["resets"]

    found = [await count_resets()]
    await write(rollups, make_day(start - 3 * DAY, start, before_w, GAPS[gap], 0.0, kind, 5e6 - 72 * before_w))
    found.append(await count_resets())
    assert tuple(found) == resets
    scratch = await compute_from_scratch(sqlite_store, Sites(), clock, tmp_path / "scratch")
    assert find_differences(await read_derived(sqlite_store), scratch) == []


def test_what_a_reset_or_a_gap_marked_is_judged_again_and_nothing_else():
    rows: list[dict[str, FieldValue]] = [
        {"resets": 0.0, "production": 5.0, "production_coverage": 1.0, "load_coverage": 0.9},
        {"resets": 0.0},
        {"resets": 1.0},
        {"resets": 0.0, "imported_coverage": 0.8},
        {"resets": 0.0, "unallocated_since": 5.0},
    ]
    energies = [Point(index * QUARTER, fields) for index, fields in enumerate(rows)]
    assert list_judged_quarters(energies) == {QUARTER, 2 * QUARTER, 3 * QUARTER, 4 * QUARTER}
    assert list_judged_quarters(energies, 0) == {index * QUARTER for index in range(5)}
