"""Means and energies of what comes out of a store equal those of what went in, worked out with exact fractions.

The arithmetic here is the plain one of a school book and shares no code with `receiver.energy`.
"""

import itertools
from fractions import Fraction
from math import isclose

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver.energy.counters import compute_counter_windows
from receiver.energy.energy import compute_window_energy, compute_window_positive_negative
from receiver.energy.interpolation import make_linear_segments
from receiver.energy.means import summarise_windows
from receiver.stores.base import GatewayReading
from shared.fields import MAX_GAP_MS
from shared.readings import Reading
from shared.units import HOUR_MS

NOON = 1_750_000_000_000
PHASE = {"meter": "net-consumption", "phase": "a"}
_serials = itertools.count(200_000_000_000)

exact = settings(
    max_examples=50, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
watts = st.floats(-12_000, 12_000).map(lambda value: value + 0.0)  # no store keeps -0.0
steps = st.one_of(st.integers(1, 5_000), st.integers(5_001, MAX_GAP_MS), st.integers(MAX_GAP_MS + 1, 5 * MAX_GAP_MS))


@st.composite
def draw_boundaries(draw, last):
    """Boundaries of up to three windows that may begin before the first point and end after the last one."""
    found = draw(st.sets(st.integers(NOON - 2 * MAX_GAP_MS, last + 2 * MAX_GAP_MS), min_size=2, max_size=4))
    return sorted(found)


@st.composite
def draw_powers(draw):
    """A series stored by exception: times and powers, and beside them readings that carry other fields only."""
    times = list(itertools.accumulate(draw(st.lists(steps, min_size=1, max_size=25)), initial=NOON))
    carries = draw(st.lists(st.booleans(), min_size=len(times), max_size=len(times)))
    readings = [
        Reading("meter", PHASE, time, {"power": draw(watts)} if power else {"voltage": 230.0, "current": draw(watts)})
        for time, power in zip(times, carries, strict=True)
    ]
    return readings, draw(draw_boundaries(times[-1]))


@st.composite
def draw_counters(draw):
    """A lifetime counter that only grows, with gaps, and boundaries of windows."""
    times = list(itertools.accumulate(draw(st.lists(steps, min_size=1, max_size=15)), initial=NOON))
    growth = draw(st.lists(st.sampled_from([0.0, 0.01, 0.02]), min_size=len(times), max_size=len(times)))
    values = itertools.accumulate(growth, initial=1000.0)
    readings = [
        Reading("meter_energy", PHASE, time, {"delivered": value}) for time, value in zip(times, values, strict=False)
    ]
    return readings, draw(draw_boundaries(times[-1]))


async def write_and_read(store, readings, kind, field, boundaries):
    """Write readings of a new gateway; read what its windows need, as (timestamp, value)."""
    gateway = str(next(_serials))
    assert await store.write([GatewayReading(gateway, reading) for reading in readings]) == {}
    found = await store.read_points(
        gateway, kind, fields=[field], start=boundaries[0], stop=boundaries[-1], neighbours=True
    )
    return [(point.timestamp, point.fields[field]) for series in found for point in series.points]


def cut_known_lines(points, start, stop):
    """The straight lines within [start, stop): their length in milliseconds and their first and last value."""
    for (t0, v0), (t1, v1) in itertools.pairwise(points):
        first, last = max(t0, start), min(t1, stop)
        if t1 - t0 <= MAX_GAP_MS and first < last:
            slope = (Fraction(v1) - Fraction(v0)) / (t1 - t0)
            yield last - first, Fraction(v0) + slope * (first - t0), Fraction(v0) + slope * (last - t0)


def integrate_above_zero(length, first, last):
    """The integral of the part of a straight line that is above zero."""
    if first >= 0 and last >= 0:
        return (first + last) / 2 * length
    if first <= 0 and last <= 0:
        return Fraction(0)
    crossing = first / (first - last) * length
    return first * crossing / 2 if first > 0 else last * (length - crossing) / 2


def is_near(value, expected, *, least=1e-9):
    """Equal but for the last digits of floats."""
    return isclose(value, expected, rel_tol=1e-9, abs_tol=least)


@exact
@given(truth=draw_powers())
async def test_means_and_energies_over_series_with_gaps_are_exact(store, truth):
    """Time-weighted, split by sign, with their coverage: unknown across gaps, and right at the boundaries of windows."""
    readings, boundaries = truth
    points = [(r.timestamp, r.fields["power"]) for r in readings if "power" in r.fields]
    segments = make_linear_segments(await write_and_read(store, readings, "meter", "power", boundaries))
    windows = zip(
        itertools.pairwise(boundaries),
        summarise_windows(segments, boundaries),
        compute_window_energy(segments, boundaries),
        compute_window_positive_negative(segments, boundaries),
        strict=True,
    )
    for (start, stop), summary, energy, signed in windows:
        lines = list(cut_known_lines(points, start, stop))
        covered = sum(length for length, _, _ in lines)
        assert summary.coverage == energy.coverage == signed.coverage == covered / (stop - start)
        if not lines:
            assert (summary.mean, energy.wh, signed.positive_wh, signed.negative_wh) == (None,) * 4
            continue
        area = sum((first + last) / 2 * length for length, first, last in lines)
        assert is_near(energy.wh, area / HOUR_MS)
        assert is_near(summary.mean, area / covered, least=1e-6)
        assert is_near(signed.positive_wh, sum(integrate_above_zero(*line) for line in lines) / HOUR_MS)
        assert is_near(signed.negative_wh, sum(integrate_above_zero(n, -a, -b) for n, a, b in lines) / HOUR_MS)
        assert is_near(summary.minimum, min(min(first, last) for _, first, last in lines))
        assert is_near(summary.maximum, max(max(first, last) for _, first, last in lines))


@exact
@given(truth=draw_powers())
async def test_a_store_changes_no_digit_of_what_is_computed(store, truth):
    """The answers from the points of a window and their neighbours are those from all points, bit for bit."""
    readings, boundaries = truth
    points = [(r.timestamp, r.fields["power"]) for r in readings if "power" in r.fields]
    stored = make_linear_segments(await write_and_read(store, readings, "meter", "power", boundaries))
    assert summarise_windows(stored, boundaries) == summarise_windows(make_linear_segments(points), boundaries)


@exact
@given(truth=draw_counters())
async def test_energies_of_counters_with_gaps_are_exact(store, truth):
    """Shared evenly over short steps; over long ones placed only where one window holds them, and never lost."""
    readings, boundaries = truth
    points = [(reading.timestamp, reading.fields["delivered"]) for reading in readings]
    found = compute_counter_windows(
        await write_and_read(store, readings, "meter_energy", "delivered", boundaries), boundaries
    )
    for (start, stop), window in zip(itertools.pairwise(boundaries), found, strict=True):
        known, unallocated, covered, anything = Fraction(0), Fraction(0), 0, False
        for (t0, v0), (t1, v1) in itertools.pairwise(points):
            grown, inside = Fraction(v1) - Fraction(v0), min(t1, stop) - max(t0, start)
            if inside > 0 and (t1 - t0 <= MAX_GAP_MS or grown == 0):
                known, covered, anything = known + grown * inside / (t1 - t0), covered + inside, True
            elif start <= t0 and t1 <= stop:
                known, anything = known + grown, True
            elif boundaries[0] <= t0 and start < t1 <= stop:
                unallocated += grown
        assert (window.wh is not None) == anything
        assert is_near(window.wh or 0.0, known)
        assert is_near(window.unallocated_wh, unallocated)
        assert window.coverage == covered / (stop - start)
        assert window.resets == 0
