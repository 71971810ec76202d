"""A house that cannot be wired is refused; the ready-made ones differ as gateways do."""

from dataclasses import replace

import pytest

from simulator.house import BATTERY, PROFILES, SINGLE_PHASE, SPLIT_PHASE, THREE_PHASE


def test_there_is_a_house_for_every_wiring():
    assert {profile.phase_count for profile in PROFILES.values()} == {1, 2, 3}
    assert [name for name, profile in PROFILES.items() if profile.battery] == ["battery"]
    assert len(THREE_PHASE.panels) == 24


def test_every_inverter_of_every_house_has_its_own_serial_of_12_digits():
    serials = [panel.serial for profile in PROFILES.values() for panel in profile.panels]
    assert len(set(serials)) == len(serials)
    assert all(len(serial) == 12 and serial.isdecimal() for serial in serials)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_panel_feeds_all_that_it_makes(profile):
    for panel in profile.panels:
        assert sum(profile.compute_shares(panel)) == pytest.approx(1.0)


def test_inverters_of_a_split_phase_house_feed_both_legs_alike():
    assert SPLIT_PHASE.compute_shares(SPLIT_PHASE.panels[0]) == (0.5, 0.5)


def test_a_house_without_panels_is_refused():
    with pytest.raises(ValueError, match="no panel"):
        replace(SINGLE_PHASE, panels=())


def test_two_inverters_with_one_serial_are_refused():
    with pytest.raises(ValueError, match="one serial"):
        replace(SINGLE_PHASE, panels=SINGLE_PHASE.panels[:1] * 2)


@pytest.mark.parametrize("serial", ["", "12345678901", "1234567890123", "12345678901x"])
def test_a_serial_that_is_not_12_digits_is_refused(serial):
    with pytest.raises(ValueError, match="12 digits"):
        replace(BATTERY, panels=(replace(BATTERY.panels[0], serial=serial),))


def test_a_panel_on_a_phase_that_the_house_lacks_is_refused():
    with pytest.raises(ValueError, match="phase 2 is not in a single-phase house"):
        replace(SINGLE_PHASE, panels=(replace(SINGLE_PHASE.panels[0], phase=2),))
