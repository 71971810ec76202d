"""`/ivp/meters/reports` and the two documents that give power alone."""

from typing import Any

from simulator.gateway.device import Device
from simulator.gateway.payloads.meters import estimate_other_energies, list_meter_names, sum_phases
from simulator.house.state import NET, PRODUCTION, TOTAL, PhaseEnergy, PhaseReading


def list_reports(device: Device) -> list[dict[str, Any]]:
    """Production, net and total consumption, each with its metered phases."""
    if not list_meter_names(device):
        return []
    moment = device.find_reading_moment()
    state, counters, stamp = device.read_state(moment), device.read_counters(moment), device.compute_stamp(moment)
    return [
        {
            "createdAt": stamp,
            "reportType": meter,
            "cumulative": _make_line(
                device, meter, sum_phases(state.meters[meter]), sum_energies(counters.meters[meter])
            ),
            "lines": [
                _make_line(device, meter, reading, energy)
                for reading, energy in zip(state.meters[meter], counters.meters[meter], strict=True)
            ],
        }
        for meter in (PRODUCTION, NET, TOTAL)
    ]


def list_consumption_reports(device: Device) -> list[dict[str, Any]]:
    """The two consumption entries, as an array."""
    return [report for report in list_reports(device) if report["reportType"] != PRODUCTION]


def find_production_report(device: Device) -> dict[str, Any]:
    """The production entry, as a single object."""
    return next(iter(list_reports(device)), {})


def sum_energies(energies: tuple[PhaseEnergy, ...]) -> PhaseEnergy:
    """The phases' energies added up, in each direction."""
    return PhaseEnergy(sum(energy.delivered_wh for energy in energies), sum(energy.received_wh for energy in energies))


def _make_line(device: Device, meter: str, reading: PhaseReading, energy: PhaseEnergy) -> dict[str, Any]:
    # From 8.3 on the net meter's two counters arrive netted into one; before they are separate.
    netted = meter == NET and device.profile.version >= (8, 3)
    apparent, lagging, leading = estimate_other_energies(energy)
    return {
        "currW": round(reading.active_power_w, 3),
        "actPower": round(reading.active_power_w, 3),
        "apprntPwr": round(reading.apparent_power_va, 3),
        "reactPwr": round(reading.reactive_power_var, 3),
        "whDlvdCum": round(energy.net_wh if netted else energy.delivered_wh, 3),
        "whRcvdCum": 0.0 if netted else round(energy.received_wh, 3),
        "varhLagCum": round(lagging, 3),
        "varhLeadCum": round(leading, 3),
        "vahCum": round(apparent, 3),
        "rmsVoltage": round(reading.voltage_v, 3),
        "rmsCurrent": round(reading.current_a, 3),
        "pwrFactor": round(reading.power_factor, 2),
        "freqHz": round(reading.frequency_hz, 2),
    }


def describe_grid_reading(device: Device) -> list[dict[str, Any]]:
    """`/ivp/meters/gridReading`: three phases of power, no time."""
    return _describe_power_only(device, NET, with_reactive=True)


def describe_pv_reading(device: Device) -> list[dict[str, Any]]:
    """`/ivp/meters/pvReading`: the same of the inverters, without reactive power."""
    return _describe_power_only(device, PRODUCTION, with_reactive=False)


def _describe_power_only(device: Device, meter: str, *, with_reactive: bool) -> list[dict[str, Any]]:
    phases = device.read_state().meters[meter]
    channels = []
    for index in range(3):
        reading = phases[index] if index < len(phases) else PhaseReading(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        channel: dict[str, Any] = {"phase": f"L{index + 1}", "activePower": round(reading.active_power_w, 3)}
        if with_reactive:
            channel["reactivePower"] = round(reading.reactive_power_var, 3)
        channels.append(
            channel
            | {
                "voltage": round(reading.voltage_v, 3),
                "current": round(reading.current_a, 3),
                "freq": round(reading.frequency_hz, 3),
            }
        )
    return [{"channels": channels}]
