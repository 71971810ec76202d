"""Documents that a house without special equipment gives: inventory, home, tariff, relays, generator."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from simulator.gateway.device import Device
from simulator.gateway.payloads.ac_batteries import list_ac_units
from simulator.gateway.payloads.battery import list_units

_INSTALLED = "1688053811"
_CONTACTS = ("NC1", "NC2", "NO1", "NO2")


def describe_inventory(device: Device) -> list[dict[str, Any]]:
    """`/inventory.json`: every inverter; dates are texts here."""
    devices = [
        {
            "part_num": "800-01331-r02",
            "installed": _INSTALLED,
            "serial_num": report.serial,
            "device_status": ["envoy.global.ok"],
            "last_rpt_date": str(report.report_date),
            "admin_state": 2,
            "dev_type": 1,
            "created_date": _INSTALLED,
            "img_load_date": "0",
            "img_pnum_running": "521-00005-r06-v02.61.01",
            "ptpn": "549-00040-r01-v02.61.01",
            "chaneid": 1_627_390_225 + 256 * index,
            "device_control": [{"gficlearset": False}],
            "producing": report.power_w > 0,
            "communicating": device.faults.get("mod-gone") is None,
            "provisioned": True,
            "operating": report.power_w > 0,
        }
        for index, report in enumerate(device.list_reports())
    ]
    return [{"type": kind, "devices": devices if kind == "PCU" else []} for kind in ("PCU", "ACB", "NSRB", "ESUB")]


def describe_home(device: Device) -> dict[str, Any]:
    """`/home`: network and how well the inverters are heard."""
    local = dt.datetime.fromtimestamp(device.read_second(), ZoneInfo(device.house_profile.time_zone))
    count = len(device.list_reports())
    return {
        "software_build_epoch": 1_719_503_966,
        "timezone": device.house_profile.time_zone,
        "current_date": local.strftime("%m/%d/%Y"),
        "current_time": local.strftime("%H:%M"),
        "network": {
            "web_comm": True,
            "ever_reported_to_enlighten": True,
            "last_enlighten_report_time": device.read_second() - 120,
            "primary_interface": "eth0",
            "interfaces": [
                {
                    "type": "ethernet",
                    "interface": "eth0",
                    "mac": "00:1D:C0:00:00:01",
                    "dhcp": True,
                    "ip": "192.0.2.10",
                    "signal_strength": 1,
                    "signal_strength_max": 1,
                    "carrier": True,
                }
            ],
        },
        "tariff": "single_rate",
        "comm": {
            "num": count,
            "level": 5,
            "pcu": {"num": count, "level": 5},
            "acb": {"num": len(list_ac_units(device)), "level": 0},
            "nsrb": {"num": 0, "level": 0},
            "esub": {"num": 0, "level": 0},
            "encharge": [{"num": len(list_units(device)), "level": 0, "level_24g": 0, "level_subg": 0}],
        },
        "wireless_connection": [
            {"signal_strength": 0, "signal_strength_max": 0, "type": "BLE", "connected": True},
        ],
    }


def describe_tariff(device: Device) -> dict[str, Any]:
    """`/admin/lib/tariff`: one rate; storage settings from firmware 7 on."""
    tariff: dict[str, Any] = {"currency": {"code": "EUR"}}
    if device.profile.uses_tokens:
        battery = device.house_profile.battery
        storage = {
            "mode": "self-consumption",
            "operation_mode_sub_type": "",
            "reserved_soc": 0.0 if battery is None else round(battery.reserve * 100.0, 1),
            "very_low_soc": 5,
            "charge_from_grid": False,
            "date": _INSTALLED,
        }
        if device.profile.version >= (8, 2, 4200):
            storage["opt_schedules"] = False
        tariff |= {"logger": "mylogger", "date": _INSTALLED, "storage_settings": storage}
    tariff |= {"single_rate": {"rate": 0.31, "sell": 0.08}, "seasons": [], "seasons_sell": []}
    schedule = {"source": "Tariff", "date": "2023-06-29 15:50:12 UTC", "version": "00.00.02"}
    return {"tariff": tariff, "schedule": schedule}


def describe_dry_contacts(_device: Device) -> dict[str, Any]:
    """Four relays without wiring."""
    return {"dry_contacts": [{"id": contact, "status": "open"} for contact in _CONTACTS]}


def describe_dry_contact_settings(_device: Device) -> dict[str, Any]:
    """The settings of the four relays."""
    return {
        "dry_contacts": [
            {
                "id": contact,
                "type": "NONE",
                "grid_action": "none",
                "micro_grid_action": "none",
                "gen_action": "none",
                "override": "false",
                "load_name": "",
                "mode": "manual",
                "soc_low": 30.0,
                "soc_high": 70.0,
                "pv_serial_nb": [],
            }
            for contact in _CONTACTS
        ]
    }


def describe_generator(device: Device) -> dict[str, Any]:
    """No generator, unless one runs."""
    none = {
        "admin_state": "unknown",
        "oper_state": "open",
        "admin_mode": 0,
        "schedule": 0,
        "start_soc": 100,
        "stop_soc": -1,
        "exc_on": 0,
        "present": 0,
        "type": 1,
    }
    if device.faults.get("generator-running") is None:
        return none
    return none | {"admin_state": "close", "oper_state": "close", "admin_mode": 2, "schedule": 1, "present": 1}


def describe_generator_config(device: Device) -> dict[str, Any]:
    """`/ivp/ss/gen_config`: the installed generator; empty without one."""
    if device.faults.get("generator-running") is None:
        return {}
    return {
        "max_cont_gen_amps": 58.3,
        "min_gen_loading_perc": 5,
        "max_gen_efficiency_perc": 100,
        "name_plate_rating_wat": 14.0,
        "start_method": "Auto",
        "warm_up_mins": 0,
        "cool_down_mins": 0,
        "gen_type": "Standby",
        "model": "14 kW",
        "manufacturer": "Generac",
        "last_updated_by": "ITK",
        "generator_id": "",
        "charge_from_generator": True,
    }


def give_nothing(_device: Device) -> dict[str, Any]:
    """The reply of `/ivp/ss/gen_schedule` in a house without a generator."""
    return {}


def describe_pv_limit(_device: Device) -> dict[str, Any]:
    """No limit on the inverters."""
    return {"enable": False, "pv_limit_pct": 100}


def describe_export_limit(_device: Device) -> dict[str, Any]:
    """No limit on the export."""
    return {"PEL": False}
