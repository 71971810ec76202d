"""`/production.json`, `/production`, `/api/v1/production` and `/ivp/pdm/energy`: power and energy of the whole."""

from typing import Any

from simulator.gateway.device import Device
from simulator.gateway.payloads.meters import estimate_other_energies, is_enabled, list_meter_names, sum_phases
from simulator.gateway.payloads.reports import sum_energies
from simulator.house.state import NET, PRODUCTION, TOTAL, HouseState, LifetimeCounters, PhaseEnergy, PhaseReading

_ACB = {"type": "acb", "activeCount": 0, "readingTime": 0, "wNow": 0, "whNow": 0, "state": "idle"}
_ZEROS = {"wattHoursToday": 0, "wattHoursSevenDays": 0, "wattHoursLifetime": 0, "wattsNow": 0}
_CONFUSED_SINCE = (8, 3, 5433)
# A metered gateway without transformers always says this in `/api/v1/production` from 8.2.4264 on.
_STALLED = {"wattHoursToday": 0, "wattHoursSevenDays": 12, "wattHoursLifetime": 1583, "wattsNow": 0}


def describe_production(device: Device, *, details: bool) -> dict[str, Any]:
    """The sections production, consumption (metered only) and storage.

    Args:
        device: whose.
        details: also give the lines of the phases, where the firmware has them.
    """
    document: dict[str, Any] = {"production": [_describe_inverters(device)]}
    if list_meter_names(device):
        now, lines = _Snapshot(device), details and device.profile.version >= (7,)
        confused = device.profile.version >= _CONFUSED_SINCE or device.faults.get("net-confusion") is not None
        used, net = (_describe_eim(now, meter, with_lines=lines) for meter in (TOTAL, NET))
        if confused:
            _confuse(used, net)
        document["production"].append(_describe_eim(now, PRODUCTION, with_lines=lines))
        document["consumption"] = [used, net]
    return document | {"storage": [_ACB]}


def describe_v1_production(device: Device) -> dict[str, int]:
    """Four numbers: from the production meter where there is one, else from the inverters."""
    if device.faults.get("booting") is not None:
        return dict(_ZEROS)
    if device.profile.metered and not is_enabled(device, PRODUCTION):
        if device.profile.version >= (8, 2, 4264):
            return dict(_STALLED)
        return {
            "wattHoursToday": 0,
            "wattHoursSevenDays": 0,
            "wattHoursLifetime": 0,
            "wattsNow": _sum_inverter_watts(device),
        }
    return _describe_metered(device, PRODUCTION) if device.profile.metered else _describe_from_inverters(device)


def describe_energy(device: Device) -> dict[str, Any]:
    """`/ivp/pdm/energy`: the same four numbers by source."""
    metered = bool(list_meter_names(device))
    return {
        "production": {
            "pcu": _describe_from_inverters(device),
            "rgm": _ZEROS,
            "eim": _describe_metered(device, PRODUCTION) if metered else _ZEROS,
        },
        "consumption": {"eim": _describe_metered(device, TOTAL) if metered else _ZEROS},
    }


class _Snapshot:
    """The values that every section of one document is made from."""

    def __init__(self, device: Device) -> None:
        moment = device.find_reading_moment()
        self.device = device
        self.stamp: int = device.compute_stamp(moment)
        self.state: HouseState = device.read_state(moment)
        self.now: LifetimeCounters = device.read_counters(moment)
        self.midnight: LifetimeCounters = device.read_counters(device.find_midnight())
        self.week_ago: LifetimeCounters = device.read_counters(device.find_midnight(days_ago=7))


def _describe_inverters(device: Device) -> dict[str, Any]:
    reports = device.list_reports()
    wrap = device.faults.get("total-wrap")
    total_wh = device.sum_inverter_lifetime_wh()
    return {
        "type": "inverters",
        "activeCount": len(reports),
        "readingTime": max((report.report_date for report in reports), default=0),
        "wNow": _sum_inverter_watts(device),
        "whLifetime": round(total_wh if wrap is None else total_wh % float(wrap["at"])),
    }


def _sum_inverter_watts(device: Device) -> int:
    return sum(report.power_w for report in device.list_reports())


def _describe_eim(now: _Snapshot, meter: str, *, with_lines: bool) -> dict[str, Any]:
    """One metered section."""
    ct = NET if meter == TOTAL else meter
    section = {
        "type": "eim",
        "activeCount": 1 if is_enabled(now.device, ct) else 0,
        "measurementType": meter,
        "readingTime": now.stamp,
        **_describe_values(
            meter,
            sum_phases(now.state.meters[meter]),
            *(sum_energies(counters.meters[meter]) for counters in (now.now, now.midnight, now.week_ago)),
        ),
    }
    if with_lines:
        section["lines"] = [
            _describe_values(
                meter,
                reading,
                *(counters.meters[meter][phase] for counters in (now.now, now.midnight, now.week_ago)),
            )
            for phase, reading in enumerate(now.state.meters[meter])
        ]
        if now.device.profile.version >= _CONFUSED_SINCE:  # it also shows the unused phases
            zeros = dict.fromkeys(section["lines"][0], 0.0)
            section["lines"] += [zeros] * (3 - len(section["lines"]))
    return section


def _confuse(used: dict[str, Any], net: dict[str, Any]) -> None:
    """Write the net meter's power and balance over the total's, phases too: what 8.3.5433 does."""
    for section, source in (
        (used, net),
        *zip(used.get("lines", ()), net.get("lines", ()), strict=True),
    ):
        section["wNow"], section["whLifetime"] = source["wNow"], source["whLifetime"]


def _describe_values(
    meter: str, reading: PhaseReading, now: PhaseEnergy, midnight: PhaseEnergy, week_ago: PhaseEnergy
) -> dict[str, Any]:
    apparent, lagging, leading = estimate_other_energies(now)
    # The net meter's lifetime is a signed balance; its other two numbers are always 0.
    lifetime = now.net_wh if meter == NET else now.delivered_wh
    today: Any = 0 if meter == NET else round(now.delivered_wh - midnight.delivered_wh, 3)
    week: Any = 0 if meter == NET else round(midnight.delivered_wh - week_ago.delivered_wh, 3)
    return {
        "wNow": round(reading.active_power_w, 3),
        "whLifetime": round(lifetime, 3),
        "varhLeadLifetime": round(leading, 3),
        "varhLagLifetime": round(lagging, 3),
        "vahLifetime": round(apparent, 3),
        "rmsCurrent": round(reading.current_a, 3),
        "rmsVoltage": round(reading.voltage_v, 3),
        "reactPwr": round(reading.reactive_power_var, 3),
        "apprntPwr": round(reading.apparent_power_va, 3),
        "pwrFactor": round(reading.power_factor, 2),
        "whToday": today,
        "whLastSevenDays": week,
        "vahToday": 0 if meter == NET else round(today * 1.09, 3),
        "varhLeadToday": 0 if meter == NET else round(today * 0.01, 3),
        "varhLagToday": 0 if meter == NET else round(today * 0.18, 3),
    }


def _describe_metered(device: Device, meter: str) -> dict[str, int]:
    values = _Snapshot(device)
    now, midnight, week_ago = (sum_energies(c.meters[meter]) for c in (values.now, values.midnight, values.week_ago))
    return {
        "wattHoursToday": round(now.delivered_wh - midnight.delivered_wh),
        "wattHoursSevenDays": round(midnight.delivered_wh - week_ago.delivered_wh),
        "wattHoursLifetime": round(now.delivered_wh),
        "wattsNow": round(sum_phases(values.state.meters[meter]).active_power_w),
    }


def _describe_from_inverters(device: Device) -> dict[str, int]:
    now, midnight, week_ago = (
        sum(device.read_counters(moment).panels_wh)
        for moment in (device.find_moment(), device.find_midnight(), device.find_midnight(days_ago=7))
    )
    return {
        "wattHoursToday": round(now - midnight),
        "wattHoursSevenDays": round(midnight - week_ago),
        "wattHoursLifetime": round(device.sum_inverter_lifetime_wh()),
        "wattsNow": _sum_inverter_watts(device),
    }
