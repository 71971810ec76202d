"""The battery keeps its limits, follows the sun, and what goes in comes out less its losses."""

from dataclasses import replace
from itertools import pairwise

import pytest

from simulator.house import BATTERY, NET, STORAGE, Battery, House

WEEK_START = 1_781_481_600.0 + 3 * 86_400.0
HOUSE = House(BATTERY, 7)
RATINGS = Battery(capacity_wh=10_080.0, max_power_w=3840.0)
SUNDAY_FIVE = 1_781_983_800.0
"""2026-06-21, 05:00 in Adelaide: a calibration has ended."""
SLOTS = [WEEK_START + 300.0 * slot for slot in range(7 * 288)]


def read_level(t):
    share = HOUSE.compute_state(t).state_of_charge
    assert share is not None
    return share


@pytest.fixture(scope="module")
def states():
    return [HOUSE.compute_state(t) for t in SLOTS]


def test_the_level_stays_between_reserve_and_full(states):
    levels = [state.state_of_charge for state in states]
    assert min(levels) >= 0.1
    assert max(levels) == pytest.approx(1.0)
    assert min(levels) < 0.3


def test_power_stays_within_the_rating(states):
    powers = [sum(phase.active_power_w for phase in state.meters[STORAGE]) for state in states]
    assert max(powers) > 500.0
    assert min(powers) < -2000.0
    # Standby and the meter's noise come on top of what the cells do.
    assert all(abs(power) < RATINGS.max_power_w + 40.0 for power in powers)


def test_it_charges_from_surplus_and_discharges_into_the_load(states):
    """Outside its weekly calibration a charging battery never imports, and a discharging one never exports."""
    for state in states:
        battery = sum(phase.active_power_w for phase in state.meters[STORAGE])
        grid = sum(phase.active_power_w for phase in state.meters[NET])
        local_hour = (state.t + 9.5 * 3600.0) / 3600.0
        sunday = int(local_hour // 24 + 4) % 7 == 0
        if sunday and local_hour % 24 < 5.0:
            continue
        # A controller that looks every 10 s may lag behind a kettle; and noise is noise.
        if battery < -100.0:
            assert grid < 2600.0
        if battery > 100.0:
            assert grid > -2600.0


def test_every_sunday_morning_it_is_full():
    assert BATTERY.battery == RATINGS
    assert HOUSE.compute_state(SUNDAY_FIVE - 60.0).state_of_charge == pytest.approx(1.0, abs=1e-6)
    assert HOUSE.compute_state(SUNDAY_FIVE).state_of_charge == 1.0
    assert read_level(SUNDAY_FIVE - 4 * 3600.0) < 1.0


def test_the_level_never_jumps():
    """Over a week, the calibration and the change of week included, five minutes move it by their power at most."""
    levels = [read_level(t) for t in SLOTS]
    most = RATINGS.max_power_w / RATINGS.efficiency * 300.0 / 3600.0 / RATINGS.capacity_wh
    assert max(abs(b - a) for a, b in pairwise(levels)) <= most + 1e-9


def test_energy_out_is_energy_in_less_losses():
    """From full to full: what came out is efficiency squared of what went in, less standby."""
    start, stop = SUNDAY_FIVE - 7 * 86_400.0, SUNDAY_FIVE
    phases = HOUSE.compute_truth_wh(start, stop)[STORAGE]
    out_wh = sum(energy.delivered_wh for energy in phases)
    in_wh = sum(energy.received_wh for energy in phases)
    standby_wh = 8.0 * 7 * 24
    # Standby takes from what is delivered and adds to what is received.
    assert out_wh == pytest.approx((in_wh - standby_wh) * 0.95**2, abs=standby_wh + 0.01 * in_wh)
    assert out_wh < in_wh


def test_a_large_battery_still_gets_full_in_its_calibration():
    big = House(replace(BATTERY, battery=Battery(capacity_wh=40_000.0, max_power_w=5000.0)), 7)
    assert big.compute_state(SUNDAY_FIVE - 60.0).state_of_charge == pytest.approx(1.0, abs=1e-6)
