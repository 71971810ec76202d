"""A sites file for a simulated house: the data that its owner would enter."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import yaml

from simulator.house.profile import HouseProfile
from simulator.house.profiles import PROFILES as HOUSES
from simulator.profiles import find_profile
from standalone.history import HouseSettings

_MOST_EAST = 14
"""No time zone is further ahead of UTC (hours)."""
_BILLING_DAY = 15
_COLUMNS = 6
"""Panels side by side on the simulated roofs."""


def make_sites_file(house: HouseSettings, now_s: float) -> str:
    """The sites file (YAML) of one simulated gateway: names, arrays, time zone, tariffs, billing day."""
    profile = find_profile(house.profile)
    house_profile = HOUSES[profile.house]
    site = {
        "name": f"Simulated house ({house_profile.name})",
        "time_zone": find_time_zone(house, now_s),
        "location": {"latitude": house_profile.latitude_deg, "longitude": house_profile.longitude_deg},
        "panels": _describe_panels(house_profile),
        "tariffs": [{"valid_from": "2020-01-01", "rates": {"6-22": 0.34, "22-6": 0.21}, "feed_in": 0.08}],
        "currency": "EUR",
        "billing_day": _BILLING_DAY,
    }
    return yaml.safe_dump({profile.serial: site}, sort_keys=False)


def find_time_zone(house: HouseSettings, now_s: float) -> str:
    """The zone whose clocks show what those of the house show now, so that its days begin at its midnight.

    A simulated house may live hours away from its real zone: the demo's, where it is always late morning.
    """
    house_profile = HOUSES[find_profile(house.profile).house]
    there = datetime.fromtimestamp(now_s + house.offset_s, ZoneInfo(house_profile.time_zone))
    ahead = (there.hour - datetime.fromtimestamp(now_s, UTC).hour) % 24
    if ahead > _MOST_EAST:
        ahead -= 24
    return f"Etc/GMT{-ahead:+d}" if ahead else "UTC"  # these names count westwards


def _describe_panels(house: HouseProfile) -> dict[str, dict[str, object]]:
    """Arrays are the panels that look the same way, named by where that is."""
    arrays: dict[str, int] = {}
    panels: dict[str, dict[str, object]] = {}
    for panel in house.panels:
        array = _name_direction(panel.azimuth_deg)
        index = arrays.get(array, 0)
        arrays[array] = index + 1
        row, column = divmod(index, _COLUMNS)
        panels[panel.serial] = {
            "name": f"{array} {index + 1}",
            "array": array,
            "row": row + 1,
            "column": column + 1,
            "azimuth": panel.azimuth_deg,
            "tilt": panel.tilt_deg,
            "rated_watts": panel.rated_w,
        }
    return panels


def _name_direction(azimuth_deg: float) -> str:
    return ("North", "East", "South", "West")[round(azimuth_deg / 90) % 4]
