"""The sites file of a simulated house is one that the receiver takes."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from receiver.sites.load import parse
from simulator.house.profiles import PROFILES as HOUSES
from simulator.profiles import PROFILES as GATEWAYS
from standalone.history import HouseSettings
from standalone.site import find_time_zone, make_sites_file

NOW = datetime(2026, 6, 15, 21, 40, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("profile", GATEWAYS.values(), ids=GATEWAYS)
def test_every_panel_has_a_name_and_an_array_and_the_receiver_takes_the_file(profile):
    (gateway, site), *others = parse(make_sites_file(HouseSettings(profile.name, 7, NOW, 0), NOW).encode()).items()
    assert not others
    assert gateway == profile.serial
    assert set(site.panels) == {panel.serial for panel in HOUSES[profile.house].panels}
    assert all(panel.name and panel.array for panel in site.panels.values())
    assert len({panel.name for panel in site.panels.values()}) == len(site.panels)
    assert site.tariffs
    assert site.tariffs[0].feed_in is not None


@pytest.mark.parametrize("offset_h", range(-14, 15))
def test_the_time_zone_shows_what_the_clocks_of_the_house_show(offset_h):
    """Also for a house that is far from its own zone, such as one where it is always late morning."""
    house = HouseSettings("firmware-8", 7, NOW, offset_h * 3600)
    at_home = datetime.fromtimestamp(NOW + offset_h * 3600, ZoneInfo("Europe/Berlin"))
    shown = datetime.fromtimestamp(NOW, ZoneInfo(find_time_zone(house, NOW)))
    assert (shown.hour, shown.minute) == (at_home.hour, at_home.minute)
