"""`/ivp/meters` and what hangs below it, and the events of `/stream/meter`."""

import math
from typing import Any

from simulator.gateway.device import Device
from simulator.gateway.payloads.meter_faults import (
    OTHER_PRODUCTION,
    add_counters,
    bend_meters,
    find_lost_phase,
    is_zero,
    zero_document,
)
from simulator.house.state import NET, PRODUCTION, STORAGE, TOTAL, PhaseEnergy, PhaseReading

METER_EIDS = {PRODUCTION: 704_643_328, NET: 704_643_584, STORAGE: 704_643_840, OTHER_PRODUCTION: 704_645_120}
CHANNEL_EIDS = {
    PRODUCTION: 1_778_385_169,
    NET: 1_778_385_425,
    STORAGE: 1_778_385_681,
    OTHER_PRODUCTION: 1_778_386_961,
}
READINGS_PATH = "/ivp/meters/readings"
STREAM_PATH = "/stream/meter"
_NAMES = frozenset({"eid", "timestamp"})
_NEVER_ZERO = _NAMES | {"freq", "f"}
# Since 8.3.5025 the readings have one more entry, all zeros, that the list of meters does not know.
_UNKNOWN_EID, _UNKNOWN_CHANNEL, _UNKNOWN_SINCE = 1_023_410_688, 2_097_152_513, (8, 3, 5025)
# From here on even the power factors of the phases are added up.
_SUMMED_FACTORS_SINCE = (8, 3, 1598)
_PHASES_SHOWN = 3
_NOTHING = PhaseReading(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
_NO_ENERGY = PhaseEnergy(0.0, 0.0)


def list_meter_names(device: Device) -> list[str]:
    """The meters that the hardware lists, in its order."""
    if not device.profile.metered:
        return []
    is_unmetered = any(device.faults.get(name) is not None for name in ("no-storage-meter", "ac-batteries"))
    has_storage = device.house_profile.battery is not None and not is_unmetered
    names = [PRODUCTION, NET] + ([STORAGE] if has_storage else [])
    return names + ([OTHER_PRODUCTION] if device.faults.get("other-production") is not None else [])


def is_enabled(device: Device, meter: str) -> bool:
    """Whether a transformer really measures there."""
    house = device.house_profile
    has_production_ct = house.has_production_ct and device.faults.get("production-ct-off") is None
    installed = {PRODUCTION: has_production_ct, NET: house.has_consumption_ct}
    return device.profile.cts_enabled and installed.get(meter, True)


def list_meters(device: Device) -> list[dict[str, Any]]:
    """The configuration of every meter."""
    # European single-phase houses have hardware for three phases of which one is metered.
    mode = "split" if device.house_profile.phases == "split" else "three"
    return [
        {
            "eid": METER_EIDS[meter],
            "state": "enabled" if is_enabled(device, meter) else "disabled",
            "measurementType": meter,
            "phaseMode": mode,
            "phaseCount": device.house_profile.phase_count,
            "meteringStatus": "normal",
            "statusFlags": [],
        }
        for meter in list_meter_names(device)
    ]


def list_readings(device: Device) -> list[dict[str, Any]]:
    """Power and lifetime counters of every meter: always three channels, and a parent that adds them up."""
    moment = device.find_reading_moment()
    stamp = device.compute_stamp(moment)
    shown = bend_meters(device.read_state(moment).meters, device.faults)
    counted = add_counters(device.read_counters(moment).meters, device.faults)
    lost, empty = find_lost_phase(device.faults, READINGS_PATH), device.faults.take("phase-null", READINGS_PATH)
    entries = []
    for meter in list_meter_names(device):
        phases, energies = shown[meter], counted[meter]
        channels = [
            _make_reading(CHANNEL_EIDS[meter] + index, stamp, reading, energy)
            for index, (reading, energy) in enumerate(zip(phases, energies, strict=True))
        ]
        channels += [_make_ghost(CHANNEL_EIDS[meter] + index, stamp) for index in range(len(phases), _PHASES_SHOWN)]
        total_energy = PhaseEnergy(sum(e.delivered_wh for e in energies), sum(e.received_wh for e in energies))
        parent = sum_phases(phases)
        if device.profile.version >= _SUMMED_FACTORS_SINCE:
            parent = parent._replace(power_factor=sum(phase.power_factor for phase in phases))
        entry = _make_reading(METER_EIDS[meter], stamp, parent, total_energy)
        if lost is not None and lost[0] == meter:
            channels[lost[1]] = zero_document(channels[lost[1]], _NEVER_ZERO)
            rest = [channel for index, channel in enumerate(channels[: len(phases)]) if index != lost[1]]
            entry |= {"activePower": round(sum(channel["activePower"] for channel in rest), 3)}
        if is_zero(device.faults, READINGS_PATH, meter):
            channels = [zero_document(channel, _NAMES) for channel in channels]
        if empty is not None and empty["meter"] == meter:
            channels[int(empty["phase"])][str(empty["field"])] = None
        entries.append(entry | {"channels": channels})
    if entries and device.profile.version >= _UNKNOWN_SINCE:
        zero = _make_reading(_UNKNOWN_EID, stamp - 30, _NOTHING, _NO_ENERGY)
        zeros = [
            _make_reading(_UNKNOWN_CHANNEL + index, stamp - 30, _NOTHING, _NO_ENERGY) for index in range(_PHASES_SHOWN)
        ]
        entries.append(zero | {"channels": zeros})
    return entries


def sum_phases(phases: tuple[PhaseReading, ...]) -> PhaseReading:
    """The aggregate as the device makes it: everything is added, voltages too; only power factor is not."""
    active = sum(phase.active_power_w for phase in phases)
    apparent = sum(phase.apparent_power_va for phase in phases)
    return PhaseReading(
        active_power_w=active,
        reactive_power_var=sum(phase.reactive_power_var for phase in phases),
        apparent_power_va=apparent,
        voltage_v=sum(phase.voltage_v for phase in phases),
        current_a=sum(phase.current_a for phase in phases),
        power_factor=active / apparent if apparent else 0.0,
        frequency_hz=phases[0].frequency_hz,
    )


def _make_reading(eid: int, stamp: int, reading: PhaseReading, energy: PhaseEnergy) -> dict[str, Any]:
    apparent, lagging, leading = estimate_other_energies(energy)
    return {
        "eid": eid,
        "timestamp": stamp,
        "actEnergyDlvd": round(energy.delivered_wh, 3),
        "actEnergyRcvd": round(energy.received_wh, 3),
        "apparentEnergy": round(apparent, 3),
        "reactEnergyLagg": round(lagging, 3),
        "reactEnergyLead": round(leading, 3),
        "instantaneousDemand": round(reading.active_power_w, 3),
        "activePower": round(reading.active_power_w, 3),
        "apparentPower": round(reading.apparent_power_va, 3),
        "reactivePower": round(reading.reactive_power_var, 3),
        "pwrFactor": round(reading.power_factor, 3),
        "voltage": round(reading.voltage_v, 3),
        "current": round(reading.current_a, 3),
        "freq": round(reading.frequency_hz, 3),
    }


def estimate_other_energies(energy: PhaseEnergy) -> tuple[float, float, float]:
    """Apparent, lagging and leading energy (VAh, VArh, VArh).

    The house keeps no such counters and no client reads them: plausible shares of the active ones.
    """
    moved = energy.delivered_wh + energy.received_wh
    return moved * 1.09, moved * 0.18, moved * 0.01


def _make_ghost(eid: int, stamp: int) -> dict[str, Any]:
    """An unused channel: a few volts and milliwatts that wander, as every real device shows."""
    volts = 2.0 + math.sin(stamp / 37.0 + eid)
    ghost = PhaseReading(-0.02 * volts, 0.0, 0.2 * volts, volts, 0.1, 0.0, 50.0)
    return _make_reading(eid, stamp, ghost, PhaseEnergy(0.0, 1054.214))


def make_stream_event(device: Device) -> dict[str, Any]:
    """One event of the stream; unused phases are all zero."""
    shown = bend_meters(device.read_state().meters, device.faults)
    lost = find_lost_phase(device.faults, STREAM_PATH)
    event = {}
    for meter in (PRODUCTION, NET, TOTAL):
        phases = shown[meter]
        padded = [*phases, *([_NOTHING] * (_PHASES_SHOWN - len(phases)))]
        event[meter] = {
            f"ph-{letter}": {
                "p": round(phase.active_power_w, 3),
                "q": round(phase.reactive_power_var, 3),
                "s": round(phase.apparent_power_va, 3),
                "v": round(phase.voltage_v, 3),
                "i": round(phase.current_a, 3),
                "pf": round(phase.power_factor, 2),
                "f": round(phase.frequency_hz, 2),
            }
            for letter, phase in zip("abc", padded, strict=True)
        }
    if lost is not None and lost[0] in event:
        key = f"ph-{'abc'[lost[1]]}"
        event[lost[0]][key] = zero_document(event[lost[0]][key], _NEVER_ZERO)
        event[TOTAL][key]["p"] = event[NET][key]["p"] + event[PRODUCTION][key]["p"]
    for meter in (name for name in event if is_zero(device.faults, STREAM_PATH, name)):
        event[meter] = {key: zero_document(phase, _NAMES) for key, phase in event[meter].items()}
    if device.faults.get("stream-sections") is not None:
        used = [f"ph-{letter}" for letter in "abc"[: device.house_profile.phase_count]]
        return {PRODUCTION: {phase: event[PRODUCTION][phase] for phase in used}}
    return event
