"""Slots of EmonCMS: energy that was not measured is never there, and a slot has a name only for what is known of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.energy.interpolation import make_linear_segments
from receiver.energy.means import compute_area, summarise_windows
from receiver.outputs.emoncms.closing import SlotState, judge_slot
from receiver.outputs.emoncms.slots import keep_fields, make_slots
from receiver.stores.base import Point, SeriesPoints
from shared.fields import MAX_GAP_MS
from shared.readings import FieldValue, Series
from tests.clocks import NOW_MS

BEGIN_MS = NOW_MS // 10_000 * 10_000
BOUNDARIES = range(BEGIN_MS, BEGIN_MS + 600_001, 10_000)
TIMES = st.lists(st.integers(BEGIN_MS - MAX_GAP_MS, BEGIN_MS + 600_000 + MAX_GAP_MS), unique=True).map(sorted)
PHASE_A = {("production", "a")}


def make_series(points, meter="production", phase="a"):
    return SeriesPoints(Series.of("meter", {"meter": meter, "phase": phase}), points)


@given(TIMES, st.data())
def test_the_energy_of_all_slots_is_what_the_readings_say(times, data):
    powers = [data.draw(st.floats(-1e5, 1e5)) for _ in times]
    slots = make_slots(
        [make_series([Point(at, {"power": power}) for at, power in zip(times, powers, strict=True)])],
        BOUNDARIES,
        phases=PHASE_A,
    )
    known = summarise_windows(make_linear_segments(list(zip(times, powers, strict=True))), BOUNDARIES)
    for slot, summary in zip(slots, known, strict=True):
        assert bool(slot) == (summary.coverage > 0)
        assert set(slot) <= {"prod_ph-a_wNow"}
    sent = sum(slot.get("prod_ph-a_wNow", 0.0) * one.coverage * 10_000 for slot, one in zip(slots, known, strict=True))
    inside = [
        one.clip(BOUNDARIES[0], BOUNDARIES[-1])
        for one in make_linear_segments(list(zip(times, powers, strict=True)))
        if one.start < BOUNDARIES[-1] and one.stop > BOUNDARIES[0]
    ]
    assert sent == pytest.approx(compute_area(inside), abs=600_000)  # a watt, for values are rounded


@given(TIMES, st.integers(0, 60))
def test_a_closed_slot_does_not_change_with_what_comes_later(times, index):
    stop = BOUNDARIES[index]
    later = [at for at in times if at >= stop]
    if judge_slot([times], stop, max(times, default=0), stop) is not SlotState.CLOSED:
        return
    needed = [at for at in times if at < stop or at == later[0]]
    powers = {at: float(number) for number, at in enumerate(times)}
    whole, part = (
        make_slots([make_series([Point(at, {"power": powers[at]}) for at in some])], (stop - 10_000, stop), phases=())
        for some in (times, needed)
    )
    assert whole == part


def test_a_field_within_its_dead_band_has_its_last_value_where_the_phase_was_read_and_no_longer():
    carried = keep_fields(
        [Point(0, {"power": 1.0, "voltage": 230.0}), Point(5_000, {"voltage": 231.0}), Point(MAX_GAP_MS + 1, {})]
    )
    assert [fields for _, fields in carried] == [
        {"power": 1.0, "voltage": 230.0},
        {"power": 1.0, "voltage": 231.0},
        {"voltage": 231.0},
    ]


def test_no_slot_has_a_phase_that_was_away_in_it():
    """Its last values are not carried on, and no line is drawn across its absence."""
    alive: dict[str, FieldValue] = {"power": 100.0, "voltage": 230.0, "measured": 1.0}
    points = [
        Point(BEGIN_MS, alive),
        Point(BEGIN_MS + 10_000, alive),
        Point(BEGIN_MS + 15_000, {"measured": 0.0}),
        Point(BEGIN_MS + 30_000, {"measured": 0.0, "frequency": 50.0}),
        Point(BEGIN_MS + 40_000, alive),
        Point(BEGIN_MS + 50_000, alive),
    ]
    slots = make_slots([make_series(points)], BOUNDARIES[:6], phases=PHASE_A)
    assert [set(slot) for slot in slots] == [
        {"prod_ph-a_wNow", "prod_ph-a_rmsVoltage"},
        set(),
        set(),
        set(),
        {"prod_ph-a_wNow", "prod_ph-a_rmsVoltage"},
    ]


@pytest.mark.parametrize(("battery", "generator"), [(True, False), (False, True)])
def test_a_load_is_unknown_with_a_battery_that_nobody_measures_and_beside_a_generator(battery, generator):
    series = [
        make_series([Point(at, {"power": 100.0}) for at in (BEGIN_MS, BEGIN_MS + 10_000)], meter)
        for meter in ("production", "net-consumption", "total-consumption")
    ]
    phases = {(one.series.get_tag("meter"), "a") for one in series}
    (slot,) = make_slots(series, BOUNDARIES[:2], phases=phases, has_battery=battery, has_generator=generator)
    assert set(slot) == {"prod_ph-a_wNow", "net_ph-a_wNow"}


def test_a_contradiction_of_meters_is_no_load():
    powers = {"production": 1000.0, "net-consumption": -3000.0}
    series = [
        make_series([Point(at, {"power": power}) for at in (BEGIN_MS, BEGIN_MS + 10_000)], meter)
        for meter, power in powers.items()
    ]
    (slot,) = make_slots(series, BOUNDARIES[:2], phases={(meter, "a") for meter in powers})
    assert "cons_ph-a_wNow" not in slot
