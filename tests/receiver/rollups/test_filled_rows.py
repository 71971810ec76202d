"""Rows with what the cloud fills in, and without it again: no store."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.energy.totals import sum_windows
from receiver.rollups.energy import from_point, remove_fill, reprice
from receiver.rollups.filled_rows import FilledRows, find_reach, keep_filled, make_filled_rows, take_out_fill
from receiver.rollups.misfits import INTRO, make_misfit_events
from receiver.rollups.taken_over import ImportedWindow, make_rows
from receiver.sites.model import Site, Tariff
from receiver.stores.base import Point
from shared.units import HOUR_MS, QUARTER_MS

HOUR = 1_715_594_400_000
SITE = Site(tariffs=(Tariff.model_validate({"valid_from": "2020-01-01", "rates": 0.5, "feed_in": 0.1}),))


def at(number: int) -> int:
    return HOUR + number * QUARTER_MS


def make_point(number: int, **fields: float) -> Point:
    return Point(at(number), {"duration": 900.0, "resets": 0.0, **fields})


def make_shape(*energies: float) -> Mapping[int, float]:
    return {at(number): wh for number, wh in enumerate(energies)}


def fill(
    stored: list[Point], stop: int, *shapes: Mapping[int, float], quantity: str = "production", **more: Any
) -> FilledRows:
    return make_filled_rows(stored, more.pop("ends", ()), {quantity: shapes}, more.pop("imported", ()), HOUR, at(stop))


def to_points(made: FilledRows) -> list[Point]:
    return [Point(row.timestamp, dict(row.fields)) for row in made.rows]


GAP = [
    make_point(0, production=60.0, production_coverage=2 / 3, exported=1.0, exported_coverage=1.0),
    make_point(
        3, production=30.0, production_coverage=1 / 3, production_unallocated=250.0, unallocated_since=at(0) + 6e5
    ),
]
SHAPE = make_shape(90.0, 100.0, 80.0, 70.0)


def test_what_was_filled_in_comes_out_again_exactly():
    made = fill(GAP, 4, SHAPE)
    assert [row.fields["production"] for row in made.rows] == pytest.approx([90.0, 100.0, 80.0, 70.0])
    assert made.rows[0].fields["exported"] == 1.0
    assert made.rows[3].fields["production_placed"] == 250.0
    assert take_out_fill(to_points(made)) == GAP
    assert fill(to_points(made), 4, SHAPE) == made, "filled in again it is the same"
    assert fill(to_points(made), 4).rows == fill(GAP, 4).rows, "and nothing of it stays when the cloud is silent"


def test_a_recomputed_row_keeps_what_was_filled_in_until_it_is_judged():
    stored = to_points(fill(GAP, 4, SHAPE))
    computed = fill(GAP, 4).rows
    assert keep_filled(computed, stored) == fill(GAP, 4, SHAPE).rows
    changed = make_filled_rows(
        [make_point(0, production=61.0, production_coverage=2 / 3)], (), {}, (), HOUR, at(1)
    ).rows
    kept = keep_filled(changed, stored)
    assert kept[0] == changed[0]
    assert [row.timestamp for row in kept] == [at(0), at(1), at(2)], "the end of the gap is to be computed again"


def test_the_cloud_s_own_energy_is_said_to_be_that():
    made = fill([make_point(0, load=5.0, load_coverage=1.0)], 3, make_shape(7.0), make_shape(9.0, 8.0))
    assert [row.fields["production"] for row in made.rows] == [7.0, 8.0], "of the first source that knows it"
    assert made.rows[0].fields["production_uncounted"] == made.rows[0].fields["production_filled"] == 7.0
    assert made.rows[0].fields["load"] == 5.0
    assert "self_sufficiency" not in made.rows[0].fields


def test_what_was_imported_goes_first():
    window = ImportedWindow(at(0), at(4), {"production": 112.0})
    imported = [Point(row.timestamp, dict(row.fields)) for row in make_rows([window], [], (), Site())]
    made = fill(imported, 5, make_shape(1.0, 1.0, 1.0, 1.0, 1.0), imported=[window])
    assert [row.timestamp for row in made.rows] == [at(3), at(4)]
    assert make_rows([window], to_points(made), (), Site())[-1].fields["production_filled"] == 1.0


def test_no_quarter_hour_of_a_gap_that_ends_later_is_filled_from_the_cloud_alone():
    end = make_point(9, production_unallocated=250.0, unallocated_since=float(at(1) + 60_000))
    assert [row.timestamp for row in fill([], 4, SHAPE, ends=[end]).rows] == [at(0)]
    assert [row.timestamp for row in fill([], 4, SHAPE, ends=[end], quantity="load").rows] == [at(n) for n in range(4)]


def test_a_quantity_that_fell_silent_later_has_a_gap_of_its_own():
    """The row names the earliest gap, of the export; the production was measured until the third quarter hour."""
    known = [make_point(n, production=100.0, production_coverage=1.0) for n in (0, 1)]
    end = make_point(3, production_unallocated=150.0, exported_unallocated=20.0, unallocated_since=float(at(0)))
    made = fill([*known, end], 4, make_shape(500.0, 500.0, 90.0, 60.0))
    assert [row.fields["production"] for row in made.rows] == pytest.approx([100.0, 100.0, 90.0, 60.0])
    assert made.rows[3].fields["exported_unallocated"] == 20.0
    day = sum_windows([from_point(point) for point in to_points(made)], HOUR, at(4))
    assert (day.production.wh, day.production.filled_wh, day.exported.wh) == pytest.approx((350.0, 150.0, 20.0))


def test_a_coarser_window_waits_for_no_gap_that_is_filled():
    made = fill(GAP, 4, SHAPE)
    after = sum_windows([from_point(to_points(made)[3])], at(3), at(4))
    assert (after.unallocated_since, after.production.unallocated_wh) == (None, 0.0)
    assert after.production.filled_wh == pytest.approx(40.0)


def test_what_was_filled_in_has_no_price():
    end = make_point(1, imported_unallocated=2000.0, unallocated_since=float(at(0)))
    made = fill([end], 2, make_shape(1000.0, 1000.0), quantity="imported")
    assert [row.fields["imported"] for row in made.rows] == [1000.0, 1000.0]
    assert not any("cost" in row.fields for row in reprice(to_points(made), SITE))


def test_the_reach_is_that_of_all_gaps_that_touch_each_other():
    gaps = [(at(0) + 1, at(4)), (at(3), at(8)), (at(9), at(12)), (at(0) - 40 * 24 * HOUR_MS, at(1))]
    assert find_reach(gaps, at(5), at(6)) == (at(0), at(8))
    assert find_reach(gaps, at(8), at(9)) == (at(8), at(9))


def test_gaps_of_one_begin_make_one_event():
    fields = {"production_unallocated": 4213.0, "load_unallocated": 10.0, "unallocated_since": float(at(0))}
    shapes = {"production": [make_shape(*[1000.0] * 3)], "load": [make_shape(*[100.0] * 3)]}
    made = make_filled_rows([make_point(2, **fields)], (), shapes, (), HOUR, at(3))
    (event,) = make_misfit_events(made.misfits)
    assert event.fields["reason"] == (
        f"{INTRO}production 4213 Wh by the counters at home, 3000 Wh by the cloud; "
        "load 10 Wh by the counters at home, 300 Wh by the cloud"
    )
    assert (event.timestamp, event.fields["end"]) == (at(0), at(3))


shares = st.floats(0, 1)
quarters = st.lists(st.tuples(st.sampled_from("mgu"), st.floats(0, 900), shares), min_size=2, max_size=40)


@given(quarters, st.lists(st.floats(0, 1000) | st.none(), min_size=40, max_size=40))
def test_whatever_is_filled_in_the_rest_is_as_it_was(known, cloud):
    """Quarter hours are measured (m), the end of a gap over the two before (g), or unknown (u)."""
    stored = []
    for number, (what, wh, share) in enumerate(known):
        if what == "m":
            stored.append(make_point(number, production=wh, production_coverage=share))
        elif what == "g" and number >= 2:
            since = float(at(number - 2))
            stored.append(make_point(number, production_unallocated=wh + 1, unallocated_since=since))
    shape = {at(number): wh for number, wh in enumerate(cloud) if wh is not None}
    made = fill(stored, len(known), shape)
    assert take_out_fill(to_points(made)) == stored
    before, after = (
        sum_windows([from_point(point) for point in points], HOUR, at(len(known)))
        for points in (stored, to_points(made))
    )
    added = (after.production.wh or 0.0) - (before.production.wh or 0.0)
    waiting = before.production.unallocated_wh - after.production.unallocated_wh
    assert added == pytest.approx((after.production.uncounted_wh or 0.0) + waiting, abs=1e-6)
    assert after.production.coverage == pytest.approx(before.production.coverage)
    for point in to_points(made):
        bare = remove_fill(point).fields
        assert all(point.fields[name] == bare[name] for name in bare.keys() & {"production_coverage", "resets"})
