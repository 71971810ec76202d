"""The simulated past looks like what a scraper would have stored."""

from collections import defaultdict
from itertools import pairwise

import pytest

from receiver.energy.counters import compute_counter_energy
from receiver.energy.energy import compute_energy_wh
from receiver.energy.interpolation import make_linear_segments
from shared import wire
from shared.fields import KINDS, MAX_GAP_MS
from shared.readings import Reading
from standalone.history import HouseSettings, Past
from standalone.loader import make_batches

NOON = 1_781_520_000  # 2026-06-15T10:40Z, a bright hour in Berlin
HOUR = 3600
PLACE = HouseSettings("firmware-8", 7, float(NOON), 0)


@pytest.fixture(scope="module")
def hour() -> list[Reading]:
    (piece,) = Past(PLACE).make_pieces(NOON - HOUR, NOON)
    return piece


def test_every_field_is_in_the_dictionary_and_every_stamp_in_the_span(hour):
    assert {reading.kind for reading in hour} == {"meter", "meter_energy", "inverter"}
    for reading in hour:
        assert reading.fields.keys() <= KINDS[reading.kind].fields.keys()
        assert reading.timestamp < NOON * 1000
    assert len({reading.series for reading in hour if reading.kind == "inverter"}) == 24


def test_meters_are_stored_by_exception_and_never_unknown(hour):
    points = defaultdict(list)
    for reading in hour:
        if reading.kind == "meter" and "power" in reading.fields:
            points[reading.series].append(reading.timestamp)
    assert len(points) == 9
    for times in points.values():
        assert max(b - a for a, b in pairwise(times)) <= MAX_GAP_MS
        assert len(times) < HOUR / 10  # fewer than the samples: what stays within its band is not stored


def test_power_and_counters_tell_the_same_energy(hour):
    """The integral of the stored points is the increase of the stored counter, to half a per cent."""
    tags = {"meter": "production", "phase": "a"}
    power = [
        (r.timestamp, float(r.fields["power"]))
        for r in hour
        if r.kind == "meter" and r.tags == tags and "power" in r.fields
    ]
    counter = [(r.timestamp, float(r.fields["delivered"])) for r in hour if r.kind == "meter_energy" and r.tags == tags]
    start, stop = counter[0][0], counter[-1][0]
    integrated = compute_energy_wh(make_linear_segments(sorted(dict(power).items())), start, stop)
    counted = compute_counter_energy(counter, start, stop)
    assert integrated.coverage == counted.coverage == 1.0
    assert counted.wh is not None
    assert counted.wh > 100
    assert integrated.wh == pytest.approx(counted.wh, rel=0.005)


def test_the_newest_piece_comes_first_and_pieces_meet():
    pieces = list(Past(PLACE).make_pieces(NOON - 7 * HOUR, NOON))
    assert len(pieces) == 2
    newest, older = ([r.timestamp for r in piece if r.kind == "meter"] for piece in pieces)
    assert min(newest) - max(older) == 10_000
    assert (min(older), max(newest)) == ((NOON - 7 * HOUR) * 1000, (NOON - 10) * 1000)


def test_what_is_older_than_a_day_is_coarser_and_as_well_known():
    """Samples as far apart as is still bridged, so no minute of the old days is unknown, for a third of the readings."""
    (newest, *_, oldest) = Past(PLACE).make_pieces(NOON - 30 * HOUR, NOON)
    for kind in ("meter", "meter_energy"):
        times = sorted({one.timestamp for one in oldest if one.kind == kind})
        assert {after - before for before, after in pairwise(times)} == {MAX_GAP_MS}
    assert sum(one.kind.startswith("meter") for one in oldest) < 0.4 * sum(
        one.kind.startswith("meter") for one in newest
    )


def test_the_past_of_a_battery_is_there_too():
    """Charge and power of all batteries at least every two minutes, and each battery by itself."""
    start = NOON - 30 * HOUR
    (*_, oldest) = Past(HouseSettings("battery", 7, float(NOON), 0)).make_pieces(start, NOON)
    storage = [one for one in oldest if one.kind == "storage"]
    times = [one.timestamp for one in storage if {"state_of_charge", "power"} <= one.fields.keys()]
    assert max(after - before for before, after in pairwise([start * 1000, *times])) <= MAX_GAP_MS
    assert len({one.series for one in oldest if one.kind == "battery"}) == storage[0].fields["batteries"]
    assert all(0 <= float(one.fields["state_of_charge"]) <= 100 for one in storage if "state_of_charge" in one.fields)


def test_batches_are_such_as_a_receiver_takes(hour):
    packed = list(make_batches(hour))
    assert sum(len(batch) for batch in packed) == len(hour)
    for batch in packed:
        assert len(batch) <= wire.MAX_ROWS
        rows = zip(range(1, len(batch) + 1), batch, strict=True)
        assert len(wire.encode_batch(batch="a" * 32, outbox="b" * 32, rows=rows)) <= wire.MAX_BYTES
