"""`/api/v1/production/inverters`: the last report of every inverter."""

from typing import Any

from simulator.gateway.device import EXTRA_SERIALS, Device
from simulator.gateway.payloads.ac_batteries import list_ac_entries


def list_inverters(device: Device) -> list[dict[str, Any]]:
    """One entry per inverter, ghosts at the end."""
    if device.faults.get("booting") is not None:
        return []
    entries = [
        _make_entry(report.serial, report.report_date, report.power_w, report.max_power_w)
        for report in device.list_reports()
    ]
    if device.faults.get("unsigned-watts") is not None:
        entries[0]["lastReportWatts"] = 2**32 - 4
    if device.faults.get("serial-twice") is not None:
        entries.append(entries[0] | {"lastReportDate": entries[0]["lastReportDate"] - 900, "lastReportWatts": 1})
    entries += list_ac_entries(device)
    ghosts = device.faults.get("ghosts")
    if ghosts is not None:
        entries += [
            _make_entry(f"{EXTRA_SERIALS + 5000 + index:012d}", 0, 0, 0) for index in range(int(ghosts["count"]))
        ]
    return entries


def _make_entry(serial: str, date: int, watts: int, maximum: int) -> dict[str, Any]:
    return {
        "serialNumber": serial,
        "lastReportDate": date,
        "devType": 1,
        "lastReportWatts": watts,
        "maxReportWatts": maximum,
    }
