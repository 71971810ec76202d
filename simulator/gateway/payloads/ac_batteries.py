"""AC Batteries: the house's battery as many small ones, listed among the inverters, as captured on 8.3.5169."""

from typing import Any

from simulator.gateway.device import Device
from simulator.house.state import STORAGE
from simulator.units import JOULES_PER_WH

INTERVAL_S = 900
"""They report this often."""
_MOST_W = 270
_FIRST_UNIT, _FIRST_EID, _FIRST_CHANNEL = 121_917_000_101, 721_420_544, 1_795_162_385


def list_ac_units(device: Device) -> list[str]:
    """Serial numbers; none unless the fault makes the house's battery one of AC Batteries."""
    battery = device.house_profile.battery
    if battery is None or device.faults.get("ac-batteries") is None:
        return []
    return [str(_FIRST_UNIT + index) for index in range(-(-round(battery.max_power_w) // _MOST_W))]


def list_ac_entries(device: Device) -> list[dict[str, Any]]:
    """Their entries in the list of inverters: watts without a sign."""
    units = list_ac_units(device)
    if not units:
        return []
    given, taken = _count_joules(device, _find_report(device) - INTERVAL_S)
    given_now, taken_now = _count_joules(device, _find_report(device))
    watts = round(abs(given_now - given - taken_now + taken) / INTERVAL_S / len(units))
    date = device.compute_stamp(_find_report(device))
    return [
        {"serialNumber": serial, "lastReportDate": date, "devType": 11, "lastReportWatts": watts, "maxReportWatts": 271}
        for serial in units
    ]


def describe_ac_batteries(device: Device) -> dict[str, Any]:
    """Their entries in `device_data`."""
    units = list_ac_units(device)
    if not units:
        return {}
    moment, count = _find_report(device), len(units)
    given, taken = (round(joules / count) for joules in _count_joules(device, moment))
    given_before, taken_before = (round(joules / count) for joules in _count_joules(device, moment - INTERVAL_S))
    date, charge = device.compute_stamp(moment), round(100 * (device.read_state(moment).state_of_charge or 0.0))
    report = {
        "interval_type": 0,
        "endDate": date,
        "duration": INTERVAL_S,
        "joulesProduced": given - given_before,
        "joulesUsed": taken - taken_before,
        "channelTemp": 37,
        "maxCellTemp": 32,
        "SOC": charge,
        "SOH": 86,
    }
    lifetime = {"joulesProduced": given, "joulesUsed": taken}
    return {
        str(_FIRST_EID + 256 * index): {
            "devName": "acb",
            "sn": serial,
            "active": True,
            "modGone": False,
            "channels": [
                {"chanEid": _FIRST_CHANNEL + 256 * index, "created": date, "lastReading": report, "lifetime": lifetime}
            ],
        }
        for index, serial in enumerate(units)
    }


def _find_report(device: Device) -> int:
    """The moment of the last report."""
    return device.find_moment() // INTERVAL_S * INTERVAL_S


def _count_joules(device: Device, moment: int) -> tuple[float, float]:
    """What all of them together ever gave and took."""
    phases = device.read_counters(moment).meters[STORAGE]
    return (
        sum(phase.delivered_wh for phase in phases) * JOULES_PER_WH,
        sum(phase.received_wh for phase in phases) * JOULES_PER_WH,
    )
