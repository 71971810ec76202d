"""`/ivp/ensemble/...`: batteries and the system controller, or the empty answers of a house without them."""

from typing import Any

from simulator.gateway.device import Device
from simulator.gateway.payloads.ac_batteries import list_ac_units
from simulator.house.state import STORAGE

_UNIT_WH, _AC_UNIT_WH = 3360, 1240
_INSTALLED = 1_695_330_323
_FIRST_UNIT, _CONTROLLER = 492_320_000_101, "482326000901"


def list_units(device: Device) -> list[str]:
    """Serial numbers of its IQ Batteries."""
    battery = device.house_profile.battery
    if battery is None or list_ac_units(device) or device.faults.get("batteries-forgotten") is not None:
        return []
    count = max(1, round(battery.capacity_wh / _UNIT_WH))
    return [str(_FIRST_UNIT + index) for index in range(count)]


def _list_shown(device: Device, units: list[str], path: str) -> list[str]:
    return units if device.faults.get("battery-unlisted", path) is None else units[:-1]


def _compute_percent(device: Device) -> int:
    return round(100 * (device.read_state().state_of_charge or 0.0))


def describe_inventory(device: Device) -> list[dict[str, Any]]:
    """Batteries and controller; an empty list in a house without a battery."""
    units = _list_shown(device, list_units(device), "/ivp/ensemble/inventory")
    if not units:
        return []
    return [
        {
            "type": "ENCHARGE",
            "devices": [_describe_encharge(device, serial, index) for index, serial in enumerate(units)],
        },
        {"type": "ENPOWER", "devices": [_describe_enpower(device)]},
    ]


def _describe_common(device: Device, serial: str, part_number: str) -> dict[str, Any]:
    return {
        "part_num": part_number,
        "serial_num": serial,
        "installed": _INSTALLED,
        "device_status": ["envoy.global.ok", "prop.done"],
        "last_rpt_date": device.read_second() - 40,
        "created_date": _INSTALLED,
        "img_load_date": _INSTALLED,
        "img_pnum_running": "3.0.7545_rel/31.33",
        "communicating": serial == _CONTROLLER or device.faults.get("battery-silent") is None,
        "comm_level_sub_ghz": 0,
        "comm_level_2_4_ghz": 0,
    }


def _describe_encharge(device: Device, serial: str, index: int) -> dict[str, Any]:
    return _describe_common(device, serial, "836-01826-r76") | {
        "admin_state": 6,
        "admin_state_str": "ENCHG_STATE_READY",
        "bmu_fw_version": "3.8.63",
        "sleep_enabled": False,
        "percentFull": _compute_percent(device),
        "temperature": 24,
        "maxCellTemp": 25,
        "reported_enc_grid_state": "grid-tied",
        "led_status": 12,
        "dc_switch_off": False,
        "encharge_rev": 3,
        "encharge_capacity": _UNIT_WH,
        "phase": f"ph-{'abc'[index % device.house_profile.phase_count]}",
        "der_index": index + 1,
    }


def _find_grid_state(device: Device) -> tuple[str, str, str]:
    """The main relay, the controller's state, and the mode of the batteries."""
    if device.faults.get("generator-running") is not None:  # as captured on 8.2.127
        return "open", "ENPWR_STATE_OPER_GEN_CLOSE", "multimode-generator"
    if device.faults.get("grid-lost") is not None:
        return "open", "ENPWR_STATE_OPER_OPEN", "multimode-offgrid"
    return "closed", "ENPWR_STATE_OPER_CLOSED", "multimode-ongrid"


def _describe_enpower(device: Device) -> dict[str, Any]:
    mains, state, mode = _find_grid_state(device)
    return _describe_common(device, _CONTROLLER, "865-00378-r27") | {
        "admin_state": 24,
        "admin_state_str": state,
        "temperature": 79,  # Fahrenheit, unlike the batteries'
        "mains_admin_state": "closed",
        "mains_oper_state": mains,
        "Enpwr_grid_mode": "multimode-ongrid",
        "Enchg_grid_mode": mode,
        "Enpwr_relay_state_bm": 15868,
        "Enpwr_curr_state_id": 16,
    }


def describe_power(device: Device) -> dict[str, Any]:
    """Power of each battery in milliwatts, negative while charging. The key really ends in a colon."""
    units = list_units(device)
    phases = device.read_state().meters.get(STORAGE, ())
    share = round(1000 * sum(phase.active_power_w for phase in phases) / max(len(units), 1))
    return {
        "devices:": [
            {"serial_num": serial, "real_power_mw": share, "apparent_power_mva": share, "soc": _compute_percent(device)}
            for serial in (
                _list_shown(device, units, "/ivp/ensemble/power") if device.faults.get("battery-silent") is None else ()
            )
        ]
    }


def describe_secondary_control(device: Device) -> dict[str, Any]:
    """`/ivp/ensemble/secctrl`: state of charge and energy of all batteries together."""
    capacity, ac_capacity = len(list_units(device)) * _UNIT_WH, len(list_ac_units(device)) * _AC_UNIT_WH
    percent = _compute_percent(device)
    battery = device.house_profile.battery
    reserve = 0 if battery is None else round(battery.reserve * 100)
    biases: dict[str, Any] = {}
    for phase in ("", "_phaseb", "_phasec"):
        biases |= {f"freq_bias_hz{phase}": 0.0, f"voltage_bias_v{phase}": 0.0}
        biases |= {f"freq_bias_hz_q8{phase}": 0, f"voltage_bias_v_q5{phase}": 0}
    return (
        {"shutdown": False}
        | biases
        | {
            "configured_backup_soc": reserve,
            "adjusted_backup_soc": reserve,
            "agg_soc": 0 if ac_capacity else percent,
            "Max_energy": capacity + ac_capacity,
            "ENC_agg_soc": 0 if ac_capacity else percent,
            "ENC_agg_soh": 100 if capacity else 0,
            "ENC_agg_backup_energy": round(capacity * reserve / 100),
            "ENC_agg_avail_energy": round(capacity * percent / 100),
            "Enc_commissioned_capacity": capacity,
            "Enc_max_available_capacity": capacity,
            "ACB_agg_soc": percent if ac_capacity else 0,
            "ACB_agg_energy": round(ac_capacity * percent / 100),
        }
    )


def describe_relay(device: Device) -> dict[str, Any]:
    """`/ivp/ensemble/relay`: whether the house is on the grid."""
    mains, _, battery_mode = _find_grid_state(device)
    mode = battery_mode if list_units(device) else "grid-tied"
    return {
        "mains_admin_state": "closed",
        "mains_oper_state": mains,
        "der1_state": 1 if list_units(device) else 0,
        "der2_state": 0,
        "Enchg_grid_mode": mode,
        "Solar_grid_mode": mode if list_units(device) else "unknown",
    }


def describe_status(device: Device) -> dict[str, Any]:
    """`/ivp/ensemble/status`: inventory, control and relay in one."""
    serials = {
        serial: {
            "device_type": 13,
            "com_interface_str": "CAN",
            "device_id": serial,
            "admin_state": 6,
            "admin_state_str": "ENCHG_STATE_READY",
            "part_number": "836-01826-r76",
        }
        for serial in list_units(device)
    }
    return {
        "inventory": {"serial_nums": serials},
        "secctrl": describe_secondary_control(device),
        "relay": describe_relay(device),
    }
