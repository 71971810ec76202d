"""A house uses no less than nothing: over time, as in `/power`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.energy.balance import compute_site_energy
from receiver.energy.combine import keep_positive
from receiver.energy.interpolation import Segment, find_value
from receiver.energy.meter_flows import MeterCounters
from receiver.energy.site import compute_site_series
from receiver.rollups.compute import RawSeries
from tests.receiver.energy.reference import approximate
from tests.receiver.energy.test_site import HOUR, MINUTE, _make_flat
from tests.receiver.rollups.test_rows import make_first, make_flat


def make_counted(watts):
    """The counters of one phase over an hour, read each minute: + delivered, - received."""
    times = range(0, HOUR + 1, MINUTE)
    out, back = max(watts, 0.0), max(-watts, 0.0)
    return MeterCounters(
        [(time, 5e5 + out * time / HOUR) for time in times], [(time, 5e5 + back * time / HOUR) for time in times]
    )


def test_energies_of_meters_that_contradict_each_other_make_no_load():
    """A reversed production meter: 3 kW are made and seem to be taken, 2.5 kW are sold. Its load is not 0."""
    for made, net, load in ((-3000.0, -2500.0, None), (3000.0, -3020.0, 0.0), (3000.0, -2500.0, 500.0)):
        powers = {("production", "a"): made, ("net-consumption", "a"): net}
        counters = {key: make_counted(watts) for key, watts in powers.items()}
        (hour,) = compute_site_energy(_make_flat(powers), counters, (0, HOUR))
        assert hour.load.wh == (None if load is None else approximate(load))
        assert hour.exported.wh == approximate(-net)
        assert (hour.self_sufficiency is None) is (not load)
    total = {("total-consumption", "a"): make_counted(-900.0)}
    (hour,) = compute_site_energy(_make_flat({("total-consumption", "a"): -900.0}), total, (0, HOUR))
    assert hour.load.wh is None


def test_what_is_sold_was_made_also_over_time_where_only_reports_tell_what_is_made():
    """A mean of 700 W over the report, and 900 W that go out for half of it."""
    net = [Segment(0, HOUR // 2, -900.0, -900.0), Segment(HOUR // 2, HOUR, -300.0, -500.0)]
    inverters = [Segment(0, HOUR, 700.0, 700.0), Segment(HOUR, 2 * HOUR, 650.0, 650.0)]
    site = compute_site_series({("net-consumption", "a"): net}, inverters=inverters)
    assert [find_value(site.load, time) for time in (5, HOUR)] == [0.0, 200.0]
    assert [find_value(site.production, time) for time in (5, HOUR - 5, HOUR + 5)] == [900.0, 700.0, 650.0]


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=1, max_size=9))
def test_what_is_below_zero_becomes_zero_and_the_rest_stays(ends):
    line = [Segment(index * 1000, (index + 1) * 1000, float(a), float(b)) for index, (a, b) in enumerate(ends)]
    kept = keep_positive(line)
    assert all(one.first >= 0 and one.last >= 0 for one in kept)
    assert sum(one.stop - one.start for one in kept) == 1000 * len(ends)
    for one in line:
        for time in range(one.start + 1, one.stop, 111):
            assert abs((find_value(kept, time) or 0.0) - max(one.interpolate(time), 0.0)) <= 0.1


@pytest.mark.parametrize(("production", "net", "load"), [(300.0, -900.0, None), (5000.0, -5040.0, 0.0)])
def test_a_load_below_nothing_is_none_where_meters_contradict_each_other_and_nothing_where_they_differ_a_little(
    production, net, load
):
    raw = RawSeries([make_flat("production", "a", production), make_flat("net-consumption", "a", net)], [], [], [])
    for kind in ("site_1m", "energy_15m"):
        row = make_first(kind, raw)
        assert row.get("load") == load
        assert row["exported" if kind == "energy_15m" else "production"] == approximate(
            -net / 4 if kind == "energy_15m" else production
        )
