"""Replies of the API that describe a system: its address, its devices, its day."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from simulator.cloud.records import SystemRecords
from simulator.cloud.telemetry import RequestRefusedError, Telemetry

_SIZE = 10
_MOST = 100
_INVERTER = {"part_number": "800-00000-r02", "sku": "IQ7PLUS-72-2-INT", "model": "IQ7+", "product_name": "IQ7+"}


class Places:
    """Descriptions of one system.

    Args:
        records: what the cloud knows of it.
        telemetry: gives `meta`.
        serial: of its gateway.
        read_now: the cloud's time, epoch seconds.
    """

    def __init__(self, records: SystemRecords, telemetry: Telemetry, serial: str, read_now: Callable[[], int]) -> None:
        self._records = records
        self._telemetry = telemetry
        self._serial = serial
        self._read_now = read_now

    def make_system(self) -> dict[str, Any]:
        """The system itself."""
        meta = self._telemetry.make_meta()
        return {
            "system_id": self._records.system_id,
            "name": "Roof ",
            "public_name": "Residential System",
            "timezone": self._records.profile.time_zone,
            "address": {"city": "Nergens", "state": "UT", "country": "NL", "postal_code": "0000 AA"},
            "connection_type": "ethernet",
            "energy_lifetime": -1,
            "energy_today": -1,
            "system_size": -1,
            **meta,
            "attachment_type": None,
            "interconnect_date": None,
        }

    def list_systems(self, query: Mapping[str, str]) -> dict[str, Any]:
        """A page of the owner's systems."""
        page, size = (int(query[name]) if query.get(name, "").isdecimal() else 0 for name in ("page", "size"))
        found = [self.make_system()] if page <= 1 else []
        return {
            "total": 1,
            "current_page": max(1, page),
            "size": min(size or _SIZE, _MOST),
            "count": len(found),
            "items": "systems",
            "systems": found,
        }

    def find_system(self, serial: str) -> int | None:
        """The system of a gateway."""
        return self._records.system_id if serial == self._serial else None

    def make_devices(self) -> dict[str, Any]:
        """The active devices; lists that would be empty are left out."""
        report = self._records.find_report()
        common = {"last_report_at": report, "status": "normal", "active": True}
        devices: dict[str, list[dict[str, Any]]] = {
            "micros": [
                common
                | {"id": 900_001 + index, "name": f"Microinverter {panel.serial}", "serial_number": panel.serial}
                | _INVERTER
                for index, panel in enumerate(self._records.profile.panels)
            ]
        }
        if self._records.has_meters:
            devices["meters"] = [
                common
                | {"id": 900_100 + number, "name": name, "serial_number": f"{self._serial}EIM{number}"}
                | {"part_number": "800-00000-r09", "sku": None, "model": "Envoy S", "product_name": "IQ Gateway"}
                | {"state": "enabled", "config_type": config}
                for number, name, config in ((1, "production", "Production"), (2, "consumption", "Net"))
            ]
        devices["gateways"] = [
            common
            | {"id": 900_201, "name": f"IQ Gateway {self._serial}", "serial_number": self._serial}
            | {"part_number": "800-00000-r03", "sku": "ENV-S-WM-230", "model": "IQ Gateway"}
            | {"emu_sw_version": "D8.2.4225 (000000)", "cellular_modem": None, "product_name": "IQ Gateway"}
        ]
        total = sum(map(len, devices.values()))
        return {"system_id": self._records.system_id, "total_devices": total, "items": "devices", "devices": devices}

    def make_summary(self, query: Mapping[str, str]) -> dict[str, Any]:
        """A day; the lifetime is that of the days before."""
        now = self._read_now()
        today = self._records.find_midnight(now)
        day = self._read_day(query, today)
        newest = self._records.find_newest_energy()
        end = min(self._records.find_midnight(day, 1), now)
        rows = self._records.list_micro(day, end)
        is_today = day == today
        panels = self._records.profile.panels
        return {
            "system_id": self._records.system_id,
            "current_power": 12 * rows[-1].energy_wh if is_today and rows else 0,
            "energy_lifetime": round(sum(self._records.compute_lifetime_wh(day))),
            "energy_today": sum(one.energy_wh for one in rows),
            "last_interval_end_at": newest,
            "last_report_at": self._records.find_report(),
            "modules": len(panels) if is_today else 0,
            "operational_at": self._records.operational_at,
            "size_w": round(sum(panel.rated_w for panel in panels)) if is_today else 0,
            "nmi": None,
            "source": "microinverters",
            "status": "normal",
            "summary_date": dt.datetime.fromtimestamp(day, self._records.zone).date().isoformat(),
            "battery_charge_w": 0,
            "battery_discharge_w": 0,
            "battery_capacity_wh": 0,
        }

    def _read_day(self, query: Mapping[str, str], today: int) -> int:
        if "summary_date" not in query:
            return today
        try:
            day = dt.date.fromisoformat(query["summary_date"])
        except ValueError:
            raise RequestRefusedError("Failed to parse date") from None
        moment = int(dt.datetime.combine(day, dt.time(), self._records.zone).timestamp())
        if moment > today:
            raise RequestRefusedError("Requested date is in the future")
        return moment
