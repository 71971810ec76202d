"""Panels that face the same way are found by the shape of their day: on simulated roofs, and where nothing is to be told."""

from statistics import median

import pytest

from receiver.energy.shapes import group_by_shape
from simulator.house.profile import HouseProfile
from simulator.house.profiles import BATTERY, SINGLE_PHASE, SPLIT_PHASE, THREE_PHASE
from simulator.house.roof import Roof
from simulator.house.weather import Weather

_QUARTER_S = 900
_MIDSUMMER = 1_782_000_000 // 86_400 * 86_400
"""UTC midnight of 21 June 2026."""
_WEAK = 8
"""Which panel of those houses is worn: it gives 70 % of what it should."""


def make_days(profile: HouseProfile, midnight: int) -> dict[str, dict[int, float]]:
    """Power of each panel by quarter hour, from midnight (UTC seconds) on."""
    roof = Roof(profile, 1, Weather(profile, 1))
    starts = range(midnight, midnight + 86_400, _QUARTER_S)
    return {
        panel.serial: {start: roof.compute_energy_ws(index, start, start + _QUARTER_S) / _QUARTER_S for start in starts}
        for index, panel in enumerate(profile.panels)
    }


def compute_ratios(days: dict[str, dict[int, float]]) -> dict[str, float]:
    """Each panel's energy by the median of the others of its group."""
    groups = group_by_shape(days)
    energies = {serial: sum(day.values()) for serial, day in days.items()}
    return {
        serial: energies[serial]
        / median(energies[other] for other in groups if other != serial and groups[other] == groups[serial])
        for serial in groups
    }


@pytest.mark.parametrize(
    ("profile", "offset_h"), [(THREE_PHASE, 0), (SPLIT_PHASE, 7), (SINGLE_PHASE, 0), (BATTERY, -10)]
)
def test_no_sound_panel_is_weak_for_facing_another_way_and_the_worn_one_is(
    profile: HouseProfile, offset_h: int
) -> None:
    ratios = compute_ratios(make_days(profile, _MIDSUMMER + offset_h * 3600))
    assert len(ratios) == len(profile.panels)
    sound = [panel.serial for panel in profile.panels if panel.shade is None and panel.health == 1.0]
    assert all(0.9 < ratios[serial] < 1.1 for serial in sound)
    assert 0.65 < ratios[profile.panels[_WEAK].serial] < 0.75


def test_two_roofs_are_two_groups() -> None:
    groups = group_by_shape(make_days(THREE_PHASE, _MIDSUMMER))
    south = {groups[panel.serial] for panel in THREE_PHASE.panels if panel.azimuth_deg == 190.0}
    west = {groups[panel.serial] for panel in THREE_PHASE.panels if panel.azimuth_deg == 280.0}
    assert len(south) == len(west) == 1
    assert south != west


def make_bell(centre: float, height: float) -> dict[int, float]:
    """Power around an hour of the day."""
    return {quarter: max(0.0, height * (1 - ((quarter / 4 - centre) / 5) ** 2)) for quarter in range(96)}


def test_a_panel_with_a_shape_of_its_own_is_compared_with_the_nearest_group() -> None:
    days = {f"east {number}": make_bell(9.5, 300.0) for number in range(3)}
    days |= {f"west {number}": make_bell(15.0, 300.0) for number in range(3)}
    days["shaded"] = {
        quarter: power if quarter < 60 else power / 5 for quarter, power in make_bell(15.0, 300.0).items()
    }
    groups = group_by_shape(days)
    assert groups["shaded"] == groups["west 0"] != groups["east 0"]
    assert compute_ratios(days)["shaded"] < 0.7


def test_a_few_panels_are_one_group_and_gaps_do_not_matter() -> None:
    whole = make_bell(12.0, 300.0)
    some = {quarter: power for quarter, power in whole.items() if quarter not in range(40, 50)}
    assert set(group_by_shape({"1": whole, "2": make_bell(12.0, 200.0)}).values()) == {0}
    assert set(group_by_shape({"1": whole, "2": some, "3": whole, "4": whole}).values()) == {0}


def test_without_light_enough_nobody_says_who_the_peers_are() -> None:
    dawn = {quarter: power for quarter, power in make_bell(12.0, 300.0).items() if quarter < 34}
    assert group_by_shape({"1": dawn, "2": {}, "3": {1: 5.0}}) == {}
