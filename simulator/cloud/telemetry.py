"""Replies of the API that hold energy: intervals, days, registers, in the shapes of Enphase."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from simulator.cloud.records import METER_S, MICRO_S, MeterInterval, SystemRecords
from simulator.faults import Faults
from simulator.house.state import NET, PRODUCTION, STORAGE, TOTAL, PhaseEnergy
from simulator.units import DAY_S

_SPANS = {"5mins": MICRO_S, "15mins": METER_S, "day": DAY_S, "week": 7 * DAY_S}
_LONGEST_S = 7 * DAY_S
OLDEST_S = 2 * 365 * DAY_S


class RequestRefusedError(Exception):
    """A 422; the message is the document's `details`."""


class Telemetry:
    """Energy replies of one system.

    Args:
        records: what the cloud knows.
        faults: those whose names begin with `api-`.
        serial: of the gateway.
        read_now: the cloud's time, epoch seconds.
    """

    def __init__(self, records: SystemRecords, faults: Faults, serial: str, read_now: Callable[[], int]) -> None:
        self._records = records
        self._faults = faults
        self._serial = serial
        self._read_now = read_now

    def make_meta(self, *, of_meters: bool = False) -> dict[str, Any]:
        """`meta`, as most replies have it."""
        return {
            "status": "normal",
            "last_report_at": self._records.find_report(),
            "last_energy_at": self._records.find_newest_energy(of_meters=of_meters),
            "operational_at": self._records.operational_at,
        }

    def make_production_micro(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Five minutes of all inverters together."""
        start, end, document = self._begin(query, len(self._records.profile.panels))
        rows = [
            {"end_at": at, "devices_reporting": devices, "powr": 12 * wh, "enwh": wh}
            for at, devices, wh in self._records.list_micro(start, end)
        ]
        return document | {"intervals": self._pack_rows(rows), "meta": self.make_meta()}

    def make_meter(self, query: Mapping[str, str], meter: str, name: str, *, with_meta: bool = True) -> dict[str, Any]:
        """Quarter hours of one meter (`wh_del`, `enwh`), delivered on all phases together."""
        start, end, document = self._begin(query, int(self._records.has_meters))
        rows = [
            {"end_at": one.end, "devices_reporting": 1, name: _sum_delivered(one)}
            for one in self._list(meter, start, end)
        ]
        meta = {"meta": self.make_meta(of_meters=True)} if with_meta else {}
        return document | {"intervals": self._pack_rows(rows)} | meta

    def make_grid(self, query: Mapping[str, str], *, imported: bool) -> dict[str, Any]:
        """Import or export: a list in a list, and no count of devices, as the API has it."""
        start, end, document = self._begin(query, 0)
        name = "wh_imported" if imported else "wh_exported"
        rows = []
        for one in self._list(NET, start, end):
            net = sum(phase.net_wh for phase in one.phases)
            rows.append({"end_at": one.end, name: round(max(0.0, net if imported else -net))})
        return document | {"intervals": [rows], "meta": self.make_meta(of_meters=True)}

    def make_consumption(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Quarter hours of the consumption meter."""
        return self.make_meter(query, TOTAL, "enwh")

    def make_battery(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Charge, discharge and level; nothing without a battery."""
        has_battery = self._records.profile.battery is not None
        start, end, document = self._begin(query, int(has_battery))
        levels = dict(self._records.list_levels(start, end))
        rows = []
        for one in self._records.list_meter(STORAGE, start, end) if has_battery else ():
            charge = round(sum(phase.received_wh for phase in one.phases))
            row: dict[str, Any] = {"end_at": one.end}
            row |= {
                name: {"enwh": wh, "devices_reporting": 1}
                for name, wh in (("charge", charge), ("discharge", _sum_delivered(one)))
            }
            rows.append(row | {"soc": {"percent": round(100 * levels[one.end]), "devices_reporting": 1}})
        last = f"{rows[-1]['soc']['percent']}%" if rows else None
        return document | {"intervals": rows, "last_reported_aggregate_soc": last}

    def make_rgm_stats(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Quarter hours of the production meter with its channels; `end_at` must not lie in the future."""
        now = self._read_now()
        start = self._read_start(query) // METER_S * METER_S
        late = self._faults.get("api-422-future")
        if "end_at" in query and _read_number(query, "end_at") > now - (0 if late is None else int(late["by"])):
            raise RequestRefusedError("Requested date is in the future")
        end = min(_read_number(query, "end_at") if "end_at" in query else now, start + _LONGEST_S, now)
        self._check_range(start, end)
        rows = self._list(PRODUCTION, start, end)
        document = {
            "system_id": self._records.system_id,
            "total_devices": int(self._records.has_meters),
            "meta": self.make_meta(of_meters=True),
            "intervals": [{"end_at": one.end, "devices_reporting": 1, "wh_del": _sum_delivered(one)} for one in rows],
            "meter_intervals": [],
        }
        if rows:
            meter = {"meter_serial_number": f"{self._serial}EIM1", "envoy_serial_number": self._serial}
            document["meter_intervals"] = [meter | {"intervals": self._list_channels(rows)}]
        return document

    def make_energy_lifetime(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Wh of each local day; the last ones are 0 until they are reported."""
        first = self._read_day(query, "start_date", self._records.operational_at)
        last = self._read_day(query, "end_date", self._records.find_midnight(self._read_now(), -1))
        if first >= self._records.find_midnight(self._read_now()):
            raise RequestRefusedError("Requested date range is invalid for this system")
        micro, meter, day = [], [], max(first, self._records.operational_at)
        begun = day
        while day <= last:
            end = self._records.find_midnight(day, 1)
            micro.append(sum(one.energy_wh for one in self._records.list_micro(day, end)))
            meter.append(sum(map(_sum_delivered, self._list(PRODUCTION, day, end))))
            day = end
        document: dict[str, Any] = {"system_id": self._records.system_id, "start_date": self._name_day(begun)}
        if self._records.has_meters:
            document |= {"meter_start_date": self._name_day(self._records.operational_at)}
        document["production"] = meter if self._records.has_meters else micro
        if query.get("production") == "all":
            document |= {"micro_production": micro, "meter_production": meter}
        return document | {"meta": self.make_meta()}

    def _list(self, meter: str, start: int, end: int) -> list[MeterInterval]:
        return self._records.list_meter(meter, start, end) if self._records.has_meters else []

    def _list_channels(self, rows: list[MeterInterval]) -> list[dict[str, Any]]:
        silent = self._faults.get("api-null-channel")
        powers = {one.end: self._records.compute_power_w(PRODUCTION, one.end) for one in rows}
        found = []
        for channel in (1, 2, 3):
            for one in rows:
                is_null = channel > len(one.phases) or (silent is not None and int(silent["channel"]) == channel)
                energy = None if is_null else float(_round_delivered(one.phases[channel - 1]))
                power = None if is_null else powers[one.end][channel - 1]
                found.append({"channel": channel, "wh_del": energy, "curr_w": power, "end_at": one.end})
        return found

    def _begin(self, query: Mapping[str, str], devices: int) -> tuple[int, int, dict[str, Any]]:
        """Start and end of what is asked, and the members that all telemetry replies have."""
        granularity, now = query.get("granularity", "day"), self._read_now()
        if granularity not in _SPANS:
            raise RequestRefusedError("Granularity should be one of 5mins, 15mins, day, week")
        document: dict[str, Any] = {"system_id": self._records.system_id, "granularity": granularity}
        document["total_devices"] = devices
        if "start_date" in query:
            start = self._read_day(query, "start_date", 0)
            end = min(now, start + _SPANS[granularity])
            document |= {"start_date": query["start_date"], "end_date": self._name_day(end - 1)}
        else:
            start = self._read_start(query)
            end = min(now, start + _SPANS[granularity])
            if granularity == "week" and self._faults.get("api-week-is-day") is not None:
                end = min(now, self._records.find_midnight(start, 1))
            document |= {"start_at": start, "end_at": end}
        self._check_range(start, end)
        return start, end, document | {"items": "intervals"}

    def _read_start(self, query: Mapping[str, str]) -> int:
        if "start_at" not in query:
            return self._records.find_midnight(self._read_now())
        return max(_read_number(query, "start_at"), self._records.operational_at)

    def _check_range(self, start: int, end: int) -> None:
        now = self._read_now()
        if start > now or start < now - OLDEST_S or end < start:
            first, last = self._records.operational_at + MICRO_S, self._records.find_newest_energy()
            raise RequestRefusedError(
                "Invalid request because of 'Requested date range is invalid for this system. "
                f"{{:start_at=>{start}, :end_at=>{end}, :first_interval=>{first}, :last_interval=>{last}}}'"
            )

    def _read_day(self, query: Mapping[str, str], name: str, otherwise: int) -> int:
        if name not in query:
            return otherwise
        try:
            day = dt.date.fromisoformat(query[name])
        except ValueError:
            raise RequestRefusedError(f"Failed to parse date {query[name]}") from None
        return int(dt.datetime.combine(day, dt.time(), self._records.zone).timestamp())

    def _name_day(self, moment: int) -> str:
        return dt.datetime.fromtimestamp(moment, self._records.zone).date().isoformat()

    def _pack_rows(self, rows: list[dict[str, Any]]) -> list[Any]:
        return [rows] if self._faults.get("api-nested") is not None else rows


def _read_number(query: Mapping[str, str], name: str) -> int:
    if not query[name].isdecimal():
        raise RequestRefusedError(f"Failed to parse date {query[name]}")
    return int(query[name])


def _round_delivered(energy: PhaseEnergy) -> int:
    return round(energy.delivered_wh)


def _sum_delivered(interval: MeterInterval) -> int:
    return round(sum(phase.delivered_wh for phase in interval.phases)) + interval.extra_wh
