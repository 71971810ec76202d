"""`/ivp/pdm/device_data`: everything about each device, for at most fifty of them."""

from typing import Any

from simulator.gateway.device import EXTRA_SERIALS, Device
from simulator.gateway.payloads.ac_batteries import describe_ac_batteries
from simulator.gateway.payloads.meters import CHANNEL_EIDS, METER_EIDS, list_meter_names
from simulator.house.state import InverterReport
from simulator.units import JOULES_PER_WH

_LIMIT = 50
_FIRST_EID = 553_648_384
_FIRST_CHANNEL = 1_627_390_225
_INSTALLED = 1_688_053_811
# The interval of the meters in this document; the inverters have another one.
_METER_INTERVAL_S = 900


def describe_device_data(device: Device) -> dict[str, Any]:
    """Two counters and one entry per device, keyed by its EID as text."""
    reports = device.list_reports()
    midnight, week = _compute_panel_energy(device)
    away = device.faults.get("mod-gone") is not None
    devices: dict[str, Any] = {}
    for index, report in enumerate(reports):
        eid = _FIRST_EID + 256 * index
        # An inverter that only a fault put there has the energy of the one it copies.
        panel = index % len(midnight)
        # Between two reports the gateway learns nothing new, so it cannot count on.
        today = max(0.0, report.lifetime_joules / JOULES_PER_WH - midnight[panel])
        devices[str(eid)] = _describe_inverter(report, _FIRST_CHANNEL + 256 * index, today, week[panel], away=away)
    removed = device.faults.get("removed-devices")
    for index in range(0 if removed is None else int(removed["count"])):
        eid = _FIRST_EID + 256 * (len(reports) + index)
        devices[str(eid)] = _describe_removed(f"{EXTRA_SERIALS + 7000 + index:012d}", eid)
    for number, meter in enumerate(list_meter_names(device), start=1):
        if meter in ("production", "net-consumption"):
            devices[str(METER_EIDS[meter])] = _describe_meter(device, meter, number)
    devices |= describe_ac_batteries(device)
    listed = dict(list(devices.items())[:_LIMIT])
    return {"deviceCount": len(devices), "deviceDataLimit": _LIMIT, **listed}


def _compute_panel_energy(device: Device) -> tuple[list[float], list[float]]:
    """Each panel's lifetime counter at midnight, and what it produced in the seven days before, Wh."""
    midnight = list(device.read_counters(device.find_midnight()).panels_wh)
    week_ago = device.read_counters(device.find_midnight(days_ago=7)).panels_wh
    return midnight, [late - early for late, early in zip(midnight, week_ago, strict=True)]


def _describe_inverter(
    report: InverterReport, channel: int, today: float, week: float, *, away: bool
) -> dict[str, Any]:
    return {
        "devName": "pcu",
        "sn": report.serial,
        "active": True,
        "modGone": away,
        "channels": [
            {
                "chanEid": channel,
                "created": report.report_date,
                "wattHours": {"today": round(today), "yesterday": round(week / 7), "week": round(week)},
                "watts": {"now": report.power_w, "nowUsed": 0, "max": report.max_power_w},
                "lastReading": {
                    "eid": channel,
                    "interval_type": 0,
                    "endDate": report.report_date,
                    "duration": report.interval_s,
                    "flags": 0,
                    "flags_hex": "0x0000000000000000",
                    "joulesProduced": report.joules_produced,
                    "acVoltageINmV": report.ac_voltage_mv,
                    "acFrequencyINmHz": report.ac_frequency_mhz,
                    "dcVoltageINmV": report.dc_voltage_mv,
                    "dcCurrentINmA": report.dc_current_ma,
                    "channelTemp": report.temperature_c,
                    "pwrConvErrSecs": 0,
                    "pwrConvMaxErrCycles": 0,
                    "joulesUsed": 0,
                    "leadingVArs": 0,
                    "laggingVArs": 38,
                    "acCurrentInmA": report.ac_current_ma,
                    "l1NAcVoltageInmV": 0,
                    "l2NAcVoltageInmV": 0,
                    "l3NAcVoltageInmV": 0,
                    "rssi": 110,
                    "issi": 68,
                },
                "lifetime": {
                    "createdTime": _INSTALLED,
                    "duration": report.report_date - _INSTALLED,
                    "joulesProduced": report.lifetime_joules,
                },
            }
        ],
    }


def _describe_removed(serial: str, eid: int) -> dict[str, Any]:
    return {
        "devName": "pcu",
        "sn": serial,
        "active": False,
        "modGone": True,
        "channels": [_make_empty_channel(eid + 1)],
    }


def _make_empty_channel(eid: int) -> dict[str, Any]:
    return {
        "chanEid": eid,
        "created": 0,
        "wattHours": {"today": 0, "yesterday": 0, "week": 0},
        "watts": {"now": 0, "nowUsed": 0, "max": 0},
        "lastReading": {},
        "lifetime": {},
    }


def _describe_meter(device: Device, meter: str, number: int) -> dict[str, Any]:
    moment = device.find_moment() // _METER_INTERVAL_S * _METER_INTERVAL_S
    phases = device.read_state(moment).meters[meter]
    energies = device.read_counters(moment).meters[meter]
    first = CHANNEL_EIDS[meter]
    channels = [_make_empty_channel(first + phase) for phase in range(3)]
    for phase, (reading, energy) in enumerate(zip(phases, energies, strict=True)):
        watts = round(reading.active_power_w)
        if watts < 0 and device.faults.get("unsigned-wrap") is not None:
            watts += 2**32
        cumulated = {
            "wh_dlvd_cum": round(energy.delivered_wh),
            "varh_lead_cum": 0,
            "varh_lag_cum": round(energy.delivered_wh * 0.2),
            "vah_cum": round(energy.delivered_wh * 1.03),
        }
        end = device.compute_stamp(moment)
        channels[phase] |= {
            "created": end,
            "watts": {"now": watts, "nowUsed": 0, "max": max(watts, 0)},
            "lastReading": {
                "eid": first + phase,
                "interval_type": 0,
                "endDate": end,
                "duration": _METER_INTERVAL_S,
                "curr_w": watts,
                **cumulated,
                "rms_mvolt": round(reading.voltage_v * 1000),
                "rms_mamp": round(reading.current_a * 1000),
                "freq_mhz": round(reading.frequency_hz * 1000),
                "wh_pos": round(energy.delivered_wh),
                "wh_neg": round(energy.received_wh),
            },
            "lifetime": {"createdTime": _INSTALLED, "duration": end - _INSTALLED, **cumulated},
        }
    # The meters say `modGone` for as long as they live.
    return {
        "devName": "eim",
        "sn": f"{device.serial}EIM{number}",
        "active": True,
        "modGone": True,
        "channels": channels,
    }
