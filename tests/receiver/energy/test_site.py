"""Site quantities: signs, netting, storage, and what is unknown."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from receiver.energy.balance import compute_site_energy
from receiver.energy.energy import WindowEnergy
from receiver.energy.interpolation import Segment, find_value, make_linear_segments
from receiver.energy.meter_flows import MeterCounters
from receiver.energy.site import compute_site_power, compute_site_series
from shared.agreement import is_contradiction
from tests.receiver.energy.reference import approximate

HOUR = 3_600_000
MINUTE = 60_000
BOUNDARIES = (0, HOUR)

THREE_PHASES = {
    ("production", "a"): 1000.0, ("production", "b"): 1000.0, ("production", "c"): 1000.0,
    ("net-consumption", "a"): -800.0, ("net-consumption", "b"): 500.0, ("net-consumption", "c"): -200.0,
}  # fmt: skip


def _make_flat(powers):
    return {key: [Segment(0, HOUR, power, power)] for key, power in powers.items()}


def _make_counters(powers):
    """Lifetime counters that such constant powers move, read every minute."""
    times = range(0, HOUR + 1, MINUTE)
    return {
        key: MeterCounters(
            [(t, 7e6 + max(power, 0.0) * t / HOUR) for t in times],
            [(t, 1e4 + max(-power, 0.0) * t / HOUR) for t in times],
        )
        for key, power in powers.items()
    }


def test_load_is_production_plus_net_and_phases_are_netted_by_default():
    site = compute_site_power(THREE_PHASES)
    assert (site.production, site.net, site.load) == (3000.0, -500.0, 2500.0)
    assert (site.imported, site.exported) == (0.0, 500.0)


def test_countries_that_bill_each_phase_see_import_and_export_at_once():
    site = compute_site_power(THREE_PHASES, netting="phases")
    assert (site.imported, site.exported, site.load) == (500.0, 1000.0, 2500.0)


def test_load_with_a_battery_never_uses_the_total_meter():
    """A real site: 8.9 kW on the total meter while the house draws 1.8 kW and the battery charges with 7.1 kW."""
    powers = {
        ("production", "a"): 9000.0,
        ("net-consumption", "a"): -100.0,
        ("total-consumption", "a"): 8900.0,
        ("storage", "a"): -7100.0,
    }
    assert compute_site_power(powers).load == 1800.0
    assert find_value(compute_site_series(_make_flat(powers)).load, 5) == 1800.0
    del powers["net-consumption", "a"]
    assert compute_site_power(powers).load is None
    assert find_value(compute_site_series(_make_flat(powers)).load, 5) is None


def test_without_a_net_meter_the_total_one_gives_load_and_net():
    powers = {("production", "a"): 900.0, ("total-consumption", "a"): 400.0}
    site = compute_site_power(powers)
    assert (site.load, site.net, site.imported, site.exported) == (400.0, -500.0, 0.0, 500.0)
    series = compute_site_series(_make_flat(powers))
    assert (find_value(series.load, 5), find_value(series.net, 5)) == (400.0, -500.0)


def test_inverters_stand_in_where_no_production_meter_is_enabled():
    net = {("net-consumption", "a"): 300.0}
    assert compute_site_power(net, inverters=700.0).load == 1000.0
    assert (
        find_value(compute_site_series(_make_flat(net), inverters=[Segment(0, HOUR, 700.0, 700.0)]).load, 5) == 1000.0
    )


def test_what_the_meters_cannot_say_is_unknown_not_zero():
    assert compute_site_power({}) == (None,) * 6
    only_net = compute_site_power({("net-consumption", "a"): 300.0})
    assert (only_net.load, only_net.production, only_net.imported) == (None, None, 300.0)
    only_production = compute_site_power({("production", "a"): 300.0})
    assert (only_production.load, only_production.imported, only_production.exported) == (None, None, None)
    assert not any(compute_site_series({}))


def test_a_part_is_never_the_sum():
    for gone in THREE_PHASES:
        meter = gone[0]
        site = compute_site_power({**THREE_PHASES, gone: None})
        assert site.load is None
        assert (site.production is None) is (meter == "production")
        assert (site.net is None) is (meter == "net-consumption")
        assert (site.imported is None) is (meter == "net-consumption")
    split = {
        ("production", "a"): 3000.0,
        ("net-consumption", "a"): 0.0,
        ("storage", "a"): None,
        ("storage", "b"): -653.5,
    }
    site = compute_site_power(split)
    assert (site.battery, site.load) == (None, None)


def test_production_of_others_counts_as_production():
    powers = {
        ("production", "a"): 2400.0,
        ("pv3p", "a"): 1200.0,
        ("pv3p", "b"): 800.0,
        ("net-consumption", "a"): -3000.0,
    }
    site = compute_site_power(powers)
    assert (site.production, site.load) == (4400.0, 1400.0)
    assert find_value(compute_site_series(_make_flat(powers)).load, 5) == 1400.0
    (hour,) = compute_site_energy(_make_flat(powers), _make_counters(powers), BOUNDARIES)
    assert (hour.production.wh, hour.exported.wh, hour.load.wh) == (
        approximate(4400.0),
        approximate(3000.0),
        approximate(1400.0),
    )
    del powers["production", "a"]
    assert compute_site_power(powers, inverters=2000.0).production == 4000.0
    assert compute_site_power(powers).production is None


def test_meters_of_single_circuits_are_no_part_of_the_site():
    powers = {("production", "a"): 900.0, ("net-consumption", "a"): 100.0}
    more = {(meter, "a"): 700.0 for meter in ("backfeed", "load", "evse")}
    assert compute_site_power({**powers, **more}) == compute_site_power(powers)
    assert compute_site_series(_make_flat({**powers, **more})) == compute_site_series(_make_flat(powers))
    (hour,), (plain,) = (
        compute_site_energy(_make_flat(p), _make_counters(p), BOUNDARIES) for p in ({**powers, **more}, powers)
    )
    assert hour == plain


def test_old_reports_never_make_a_load_below_nothing():
    """Clouds went away after the last reports: what is sold now is more than what they say was made."""
    net = {("net-consumption", "a"): -900.0}
    site = compute_site_power(net, inverters=500.0)
    assert (site.production, site.load, site.exported) == (900.0, 0.0, 900.0)
    charging = {**net, ("storage", "a"): -300.0}
    assert compute_site_power(charging, inverters=500.0).production == 1200.0


def test_meters_that_contradict_each_other_leave_the_load_unknown():
    assert compute_site_power({("production", "a"): 300.0, ("net-consumption", "a"): -900.0}).load is None
    assert compute_site_power({("production", "a"): 5000.0, ("net-consumption", "a"): -5040.0}).load == 0.0
    assert compute_site_power({("total-consumption", "a"): -900.0}).load is None


def test_load_is_unknown_while_one_phase_is():
    powers = _make_flat(THREE_PHASES)
    powers["net-consumption", "b"] = [Segment(0, HOUR // 2, 500.0, 500.0)]
    load = compute_site_series(powers).load
    assert find_value(load, HOUR // 4) == 2500.0
    assert find_value(load, 3 * HOUR // 4) is None


def test_netted_energy_is_integrated_because_the_counters_are_not_netted():
    (hour,) = compute_site_energy(_make_flat(THREE_PHASES), _make_counters(THREE_PHASES), BOUNDARIES)
    assert (hour.imported, hour.exported) == (WindowEnergy(0.0, 1.0), WindowEnergy(500.0, 1.0))
    assert hour.load == WindowEnergy(approximate(2500.0), 1.0)
    assert hour.production == WindowEnergy(approximate(3000.0), 1.0)


def test_energy_per_phase_comes_from_the_counters():
    (hour,) = compute_site_energy({}, _make_counters(THREE_PHASES), BOUNDARIES, netting="phases")
    assert (hour.imported, hour.exported) == (
        WindowEnergy(approximate(500.0), 1.0),
        WindowEnergy(approximate(1000.0), 1.0),
    )
    assert hour.load.wh == approximate(2500.0)


def _remove_a_half(points):
    return [point for point in points if not 30 * MINUTE < point[0] < HOUR]


def test_a_single_phase_counts_import_and_export_by_its_counters_even_through_an_outage():
    """Power is known for half of the hour; the counters know all of the energy."""
    powers = {("production", "a"): 1000.0, ("net-consumption", "a"): -400.0}
    half = {key: [Segment(0, HOUR // 2, power, power)] for key, power in powers.items()}
    counters = {
        key: MeterCounters(_remove_a_half(both.delivered), _remove_a_half(both.received))
        for key, both in _make_counters(powers).items()
    }
    (hour,) = compute_site_energy(half, counters, BOUNDARIES)
    assert hour.exported == WindowEnergy(approximate(400.0), 0.5)
    assert hour.imported == WindowEnergy(0.0, 1.0)
    assert hour.load == WindowEnergy(approximate(600.0), 0.5)


def test_the_load_is_of_the_time_that_all_its_parts_know():
    """2,000 W made all the hour by reports, 1,960 W sold, of which the meters told half: 40 W were used, not 1,020."""
    inverters = [Segment(0, HOUR, 2000.0, 2000.0)]
    net = {("net-consumption", "a"): [Segment(0, HOUR // 2, -1960.0, -1960.0)]}
    counters = {
        key: MeterCounters(_remove_a_half(both.delivered), _remove_a_half(both.received))
        for key, both in _make_counters({("net-consumption", "a"): -1960.0}).items()
    }
    for counted in (counters, {}):
        (hour,) = compute_site_energy(net, counted, BOUNDARIES, inverters=inverters)
        assert hour.load == WindowEnergy(approximate(20.0), 0.5)
        assert hour.production == WindowEnergy(approximate(2000.0), 1.0)


def test_battery_energy_and_ratios():
    powers = {("production", "a"): 4000.0, ("net-consumption", "a"): -1000.0, ("storage", "a"): -2000.0}
    (hour,) = compute_site_energy(_make_flat(powers), _make_counters(powers), BOUNDARIES)
    assert (hour.charged.wh, hour.discharged.wh, hour.load.wh) == (
        approximate(2000.0),
        0.0,
        approximate(1000.0),
    )
    assert hour.self_consumption == approximate(0.75)
    assert hour.self_sufficiency == approximate(1.0)


def test_ratios_are_undefined_at_night_and_without_meters():
    (night,) = compute_site_energy(
        {}, _make_counters({("production", "a"): 0.0, ("net-consumption", "a"): 0.0}), BOUNDARIES
    )
    assert (night.self_consumption, night.self_sufficiency) == (None, None)
    (nothing,) = compute_site_energy({}, {}, BOUNDARIES)
    assert nothing[:10] == (0, HOUR, *[WindowEnergy(None, 0.0)] * 6, 0, None)


def test_a_meter_without_counters_is_integrated():
    (hour,) = compute_site_energy(_make_flat(THREE_PHASES), {}, BOUNDARIES, netting="phases")
    assert (hour.production.wh, hour.imported.wh, hour.exported.wh) == (
        approximate(3000.0),
        approximate(500.0),
        approximate(1000.0),
    )


def test_a_counter_reset_is_marked_and_gives_no_energy():
    key = ("production", "a")
    points = [(0, 5e6), (MINUTE, 5e6 + 10), (2 * MINUTE, 4.0), (3 * MINUTE, 14.0)]
    (window,) = compute_site_energy({}, {key: MeterCounters(points, [])}, (0, 3 * MINUTE))
    assert (window.resets, window.production.wh) == (1, approximate(20.0))


minutes = st.lists(st.tuples(*[st.integers(-9000, 9000).map(float)] * 4), min_size=2, max_size=60)


@given(minutes)
def test_import_less_export_is_net_and_the_balance_closes_in_every_window(rows):
    """Over random three-phase days: import - export = net energy, and load = production + import - export.

    But of meters that contradict each other no load is made.
    """
    powers = {
        key: make_linear_segments([(index * MINUTE, row[column]) for index, row in enumerate(rows)])
        for column, key in enumerate([("production", "a"), *(("net-consumption", phase) for phase in "abc")])
    }
    stop = (len(rows) - 1) * MINUTE
    (window,) = compute_site_energy(powers, {}, (0, stop))
    assert window.imported.wh is not None
    assert window.exported.wh is not None
    net = sum((sum(a[1:]) + sum(b[1:])) / 2 for a, b in pairwise(rows)) * MINUTE / HOUR
    assert window.imported.wh - window.exported.wh == approximate(net)
    production = sum((a[0] + b[0]) / 2 for a, b in pairwise(rows)) * MINUTE / HOUR
    if is_contradiction([production * HOUR / stop, net * HOUR / stop]):
        assert window.load.wh is None
    else:
        assert window.load.wh == approximate(max(production + net, 0.0))
    assert window.imported.coverage == 1.0


def test_energy_billed_by_phase_is_unknown_where_only_the_sum_is_known():
    powers = _make_flat({("production", "eim"): 900.0, ("net-consumption", "eim"): 100.0})
    assert compute_site_series(powers).net_phases == []
    (by_phase,) = compute_site_energy(powers, {}, BOUNDARIES, netting="phases")
    (summed,) = compute_site_energy(powers, {}, BOUNDARIES)
    assert (by_phase.imported.wh, by_phase.exported.wh, by_phase.load.wh) == (None, None, 1000.0)
    assert (summed.imported.wh, summed.exported.wh, summed.load.wh) == (100.0, 0.0, 1000.0)
