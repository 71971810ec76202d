"""Inverters report one after the other, say what they produced, and fall silent in the dark."""

from dataclasses import replace
from itertools import pairwise

import pytest

from simulator.house import DEFAULT_START, PROFILES, SPLIT_PHASE, THREE_PHASE, House, InverterReport

DAY = DEFAULT_START + 86_400.0
HOUSES = {name: House(profile, 5) for name, profile in PROFILES.items()}
every_house = pytest.mark.parametrize("house", HOUSES.values(), ids=HOUSES)
every_interval = pytest.mark.parametrize("interval_s", [300, 900])


def find_noon(house):
    return DAY + 43_200.0 - house.profile.longitude_deg * 240.0


@every_house
@every_interval
def test_every_inverter_has_reported_within_the_last_interval(house, interval_s):
    t = find_noon(house)
    reports = house.list_reports(t, interval_s)
    assert [report.serial for report in reports] == [panel.serial for panel in house.profile.panels]
    for report in reports:
        assert t - 1.1 * interval_s < report.report_date <= t
        assert report.interval_s == pytest.approx(interval_s, rel=0.05)


@every_interval
def test_dates_are_spread_over_the_interval(interval_s):
    dates = sorted(
        report.report_date
        for report in HOUSES["three-phase"].list_reports(find_noon(HOUSES["three-phase"]), interval_s)
    )
    assert dates[-1] - dates[0] > 0.85 * interval_s
    assert max(b - a for a, b in pairwise(dates)) < 0.15 * interval_s


@every_house
def test_a_report_tells_the_energy_of_its_interval(house):
    for index, report in enumerate(house.list_reports(find_noon(house), 300)):
        start = report.report_date - report.interval_s
        produced = house.compute_interval_energy_wh(index, start, report.report_date) * 3600.0
        assert report.joules_produced == pytest.approx(produced, abs=1.0)
        assert report.power_w == round(report.joules_produced / report.interval_s)
        assert report.power_w <= report.max_power_w
        lifetime = house.compute_counters(report.report_date).panels_wh[index] * 3600.0
        assert report.lifetime_joules == pytest.approx(lifetime, abs=1.0)


@every_interval
def test_a_day_of_reports_adds_up_to_the_day(interval_s):
    """Interval after interval without gap or overlap: lifetime rises by the joules of each report."""
    house = HOUSES["single-phase"]
    seen = {}
    for t in range(int(DAY), int(DAY) + 86_400, 60):
        for report in house.list_reports(t, interval_s):
            seen[report.serial, report.report_date] = report
    for index, panel in enumerate(house.profile.panels):
        mine = [report for (serial, _), report in sorted(seen.items()) if serial == panel.serial]
        assert len(mine) > 16 * 3600 / interval_s * 0.8
        for before, after in pairwise(mine):
            rise = after.lifetime_joules - before.lifetime_joules
            # The dust between dusk and sleep, and a joule of rounding, is all that a night may add.
            assert rise == pytest.approx(after.joules_produced, abs=2.0 if after.interval_s > 1 else 50.0) or (
                after.report_date - before.report_date > 3600 and rise - after.joules_produced < 3000
            )
        day_wh = sum(report.joules_produced for report in mine) / 3600.0
        assert day_wh == pytest.approx(house.compute_interval_energy_wh(index, DAY, DAY + 86_400.0), rel=0.01)


@every_house
@every_interval
def test_at_night_reports_freeze_at_dusk(house, interval_s):
    """Dates stay what they were hour after hour, with the last, small value."""
    midnight = find_noon(house) + 43_200.0
    reports = house.list_reports(midnight, interval_s)
    assert reports == house.list_reports(midnight + 3600.0, interval_s)
    for report in reports:
        assert report.report_date < midnight - 3600.0
        assert 0 <= report.power_w < 0.5 * report.max_power_w


def test_the_first_interval_after_dawn_is_partial():
    house = HOUSES["three-phase"]
    first: dict[str, InverterReport] = {}
    for t in range(int(DAY), int(DAY) + 8 * 3600, 60):
        for report in house.list_reports(t, 900):
            if report.report_date > DAY:
                first.setdefault(report.serial, report)
    lengths = [report.interval_s for report in first.values()]
    assert len(lengths) == 24
    # Between a second and a whole interval, depending on where in the round the light came.
    assert all(1 <= length < 930 for length in lengths)
    assert min(lengths) < 150
    assert 300 < sum(lengths) / 24 < 600


def test_the_inverter_s_electrical_values_fit_its_power():
    house = HOUSES["three-phase"]
    for index, report in enumerate(house.list_reports(find_noon(house), 300)):
        now_w = house.compute_panel_power(report.report_date)[index]
        assert report.ac_voltage_mv * report.ac_current_ma / 1e6 == pytest.approx(now_w, rel=0.01, abs=1.0)
        assert report.dc_voltage_mv * report.dc_current_ma / 1e6 == pytest.approx(now_w / 0.965, rel=0.01, abs=1.0)
        assert 25_000 < report.dc_voltage_mv < 40_000
        assert abs(report.ac_frequency_mhz - 50_000) < 70
        assert 0 < report.temperature_c < 80


def test_a_split_phase_inverter_sits_across_both_legs():
    report = HOUSES["split-phase"].list_reports(find_noon(HOUSES["split-phase"]), 300)[0]
    assert report.ac_voltage_mv == pytest.approx(2 * SPLIT_PHASE.nominal_voltage_v * 1000, rel=0.05)


def test_the_weak_panel_shows():
    """Its day is the worst of its roof's open panels."""
    house = HOUSES["three-phase"]
    day_wh = [house.compute_interval_energy_wh(index, DAY, DAY + 86_400.0) for index in range(14)]
    open_panels = [wh for index, wh in enumerate(day_wh) if house.profile.panels[index].shade is None]
    assert min(open_panels) == day_wh[8] < 0.85 * sorted(open_panels)[len(open_panels) // 2]


def test_an_inverter_in_polar_night_is_not_in_the_list():
    december = 1_797_811_200.0
    polar = House(replace(THREE_PHASE, latitude_deg=78.0, longitude_deg=15.0), 3, start=december)
    assert polar.list_reports(december + 3600.0, 900) == []
