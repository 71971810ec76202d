"""Placing the energy of a gap by the cloud: pure, with numbers that were computed by hand, and properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.rollups.fill import LEAST, MOST, FillVerdict, Known, place_gap
from shared.units import HOUR_MS, QUARTER_MS

TEN = 1_773_619_200_000 + 10 * HOUR_MS
SHAPE = [100.0, 200.0, 300.0, 350.0, 400.0, 450.0, 500.0, 450.0, 400.0, 400.0, 350.0, 250.0]


def at(number: int) -> int:
    return TEN + number * QUARTER_MS


def make_shape(energies: list[float], first: int = 0) -> dict[int, float]:
    return {at(first + number): wh for number, wh in enumerate(energies)}


def test_the_counter_says_how_much_and_the_cloud_when():
    assert sum(SHAPE) == 4150.0
    placement = place_gap(4213.0, TEN, at(12), {}, [make_shape(SHAPE)])
    assert placement.verdict is FillVerdict.PLACED
    assert list(placement.filled) == [at(number) for number in range(12)]
    assert sum(placement.filled.values()) == pytest.approx(4213.0, abs=1e-6)
    for time, wh in make_shape(SHAPE).items():
        assert placement.filled[time] == pytest.approx(wh * 4213 / 4150)
    assert pytest.approx(1.01518, abs=5e-6) == 4213 / 4150


def test_more_than_a_tenth_apart_they_speak_of_different_things():
    placement = place_gap(4213.0, TEN, at(12), {}, [make_shape([250.0] * 12)])
    assert placement.verdict is FillVerdict.CONTRADICTED
    assert (placement.counted_wh, placement.cloud_wh, dict(placement.filled)) == (4213.0, 3000.0, {})
    for wh, verdict in ((900.0, FillVerdict.PLACED), (1100.0, FillVerdict.PLACED), (899.0, FillVerdict.CONTRADICTED)):
        assert place_gap(wh, TEN, at(4), {}, [make_shape([250.0] * 4)]).verdict is verdict


def test_a_difference_that_rounding_makes_contradicts_nothing_and_places_nothing():
    placement = place_gap(3.0, TEN, at(2), {}, [make_shape([1.0, 1.0])])
    assert (placement.verdict, dict(placement.filled)) == (FillVerdict.TOO_LITTLE, {})
    assert place_gap(3.0, TEN, at(2), {}, [make_shape([0.0, 0.0])]).verdict is FillVerdict.TOO_LITTLE
    assert place_gap(30.0, TEN, at(2), {}, [make_shape([0.0, 0.0])]).verdict is FillVerdict.CONTRADICTED


def test_what_was_measured_at_both_ends_is_compared_and_left():
    """The gap is from 10:10 to 10:35: two thirds of the first quarter hour, and two thirds of the last one, are known."""
    measured = {at(0): Known(60.0, 10 / 15), at(2): Known(190.0, 10 / 15)}
    placement = place_gap(350.0, TEN, at(3), measured, [make_shape([90.0, 210.0, 300.0])])
    assert placement.verdict is FillVerdict.PLACED
    assert placement.filled == pytest.approx({at(0): 30.0, at(1): 210.0, at(2): 110.0})


def test_quarter_hours_that_are_known_keep_what_they_have():
    measured = {at(0): Known(100.0, 0.99), at(3): Known(100.0, 0.97)}
    placement = place_gap(200.0, TEN, at(4), measured, [make_shape([500.0, 110.0, 90.0, 500.0])])
    assert placement.filled == pytest.approx({at(1): 110.0, at(2): 90.0})
    whole = {at(0): Known(100.0, 0.96), at(1): Known(100.0, 0.96)}
    assert place_gap(3.0, TEN, at(2), whole, [make_shape([100.0, 100.0])]).verdict is FillVerdict.NOT_KNOWN


def test_where_more_was_measured_than_the_cloud_has_the_others_share_the_rest():
    placement = place_gap(290.0, TEN, at(3), {at(0): Known(112.0, 0.9)}, [make_shape([100.0, 200.0, 100.0])])
    assert placement.filled == pytest.approx({at(0): 0.0, at(1): 290 * 2 / 3, at(2): 290 / 3})
    against = place_gap(200.0, TEN, at(3), {at(0): Known(170.0, 0.9)}, [make_shape([100.0, 200.0, 100.0])])
    assert (against.verdict, dict(against.filled)) == (FillVerdict.CONTRADICTED, {})


def test_one_source_says_all_of_a_gap():
    meters, inverters = make_shape([100.0, 100.0, 100.0]), make_shape([102.0, 102.0, 102.0, 102.0])
    assert place_gap(306.0, TEN, at(3), {}, [meters, inverters]).cloud_wh == 300.0
    assert place_gap(408.0, TEN, at(4), {}, [meters, inverters]).cloud_wh == 408.0, "never the parts of two"
    assert place_gap(408.0, TEN, at(5), {}, [meters, inverters]).verdict is FillVerdict.NOT_KNOWN
    assert place_gap(408.0, TEN, at(5), {}, []).verdict is FillVerdict.NOT_KNOWN


energies = st.floats(0, 5000)


@given(
    st.lists(st.tuples(energies, energies, st.floats(0, 1)), min_size=1, max_size=30),
    st.floats(0.01, 100_000),
    st.booleans(),
)
def test_whatever_was_measured_the_parts_are_the_whole_and_none_is_below_nothing(quarters, wh, known):
    shape = make_shape([cloud for cloud, _, _ in quarters])
    measured = {at(n): Known(own, share) for n, (_, own, share) in enumerate(quarters) if known}
    placement = place_gap(wh, TEN, at(len(quarters)), measured, [shape])
    if placement.verdict is not FillVerdict.PLACED:
        assert not placement.filled
        return
    assert sum(placement.filled.values()) == pytest.approx(wh, rel=1e-9, abs=1e-6)
    assert min(placement.filled.values()) >= 0
    assert placement.cloud_wh is not None
    assert LEAST * placement.cloud_wh <= placement.counted_wh <= MOST * placement.cloud_wh
    assert all(measured.get(time, Known(0.0, 0.0)).coverage < 0.95 for time in placement.filled)


@given(st.lists(st.floats(1, 5000), min_size=1, max_size=30), st.floats(0.901, 1.099), st.data())
def test_of_the_cloud_s_own_energy_each_quarter_hour_gets_its_share(shape, factor, data):
    """Where the counter's sum and what was measured at the ends are the cloud's times a factor, so is each part."""
    shares = data.draw(st.lists(st.floats(0, 0.94), min_size=len(shape), max_size=len(shape)))
    measured = {
        at(n): Known(factor * wh * share, share) for n, (wh, share) in enumerate(zip(shape, shares, strict=True))
    }
    lacking = sum(factor * wh * (1 - share) for wh, share in zip(shape, shares, strict=True))
    placement = place_gap(lacking, TEN, at(len(shape)), measured, [make_shape(shape)])
    assert placement.verdict is FillVerdict.PLACED
    for number, (wh, share) in enumerate(zip(shape, shares, strict=True)):
        assert placement.filled[at(number)] == pytest.approx(factor * wh * (1 - share), rel=1e-6, abs=1e-6)
