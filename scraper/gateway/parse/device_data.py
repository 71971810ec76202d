"""`/ivp/pdm/device_data`: what else an inverter measures, and how it joins the plain list. Pure.

The plain list decides which inverters exist and what their power is; this endpoint only adds to it. Two rules keep
one value per field of one identity (inverter and report date):

- Power comes from the list wherever the list has the inverter, so that rounding differences cannot show.
- Fields are added only when both endpoints speak of the same report. If an inverter reported between the two
  requests, its listed report goes out alone and the newer one follows complete at the next poll. So ask for the list
  first and for this endpoint second: the other order would send the new report before its extra fields are known.
"""

from collections.abc import Mapping
from typing import NamedTuple

from scraper.errors import BadReplyError
from scraper.gateway.parse.inverters import InverterList, keep_newest
from scraper.gateway.parse.values import (
    JOULES_PER_WH,
    Document,
    Notes,
    get_part,
    read_epoch_seconds,
    read_fields,
    read_number,
)
from shared.keys import is_serial
from shared.readings import Reading

_WHERE = "device_data"
_DEFAULT_LIMIT = 50

_WATTS = {"now": ("power", 1.0), "max": ("max_power", 1.0)}
_LIFETIME = {"joulesProduced": ("energy_lifetime", JOULES_PER_WH)}
_TODAY = {"today": ("energy_today", 1.0)}
_SIGNAL = {"rssi": ("rssi", 1.0)}
_REPORT = {
    "duration": ("interval", 1.0),
    "acVoltageINmV": ("ac_voltage", 1000.0),
    "acFrequencyINmHz": ("frequency", 1000.0),
    "dcVoltageINmV": ("dc_voltage", 1000.0),
    "dcCurrentINmA": ("dc_current", 1000.0),
    "acCurrentInmA": ("ac_current", 1000.0),
    "channelTemp": ("temperature", 1.0),
}
_REPORT_KEYS = frozenset({*_REPORT, *_SIGNAL, "endDate"})
_REPORT_UNUSED = frozenset({
    "eid", "interval_type", "flags", "flags_hex", "joulesProduced", "joulesUsed", "pwrConvErrSecs",
    "pwrConvMaxErrCycles", "leadingVArs", "laggingVArs", "l1NAcVoltageInmV", "l2NAcVoltageInmV", "l3NAcVoltageInmV",
    "issi",
})  # fmt: skip


class DeviceData(NamedTuple):
    """What the richer endpoint says.

    Attributes:
        readings: Kind `inverter` with all fields, one per active inverter that has reported.
        truncated: The gateway has reached its limit of devices here, so some may be missing without a word.
    """

    readings: list[Reading]
    truncated: bool


def parse_device_data(data: object, notes: Notes | None = None) -> DeviceData:
    """Read the devices.

    Raises:
        BadReplyError: The reply is no object.
    """
    notes = notes or Notes()
    if not isinstance(data, Mapping):
        raise BadReplyError("the reply for device_data is not an object; trying again at the next poll")
    devices = [entry for entry in data.values() if isinstance(entry, Mapping)]
    count = read_number(data.get("deviceCount", len(devices)))
    limit = read_number(data.get("deviceDataLimit", _DEFAULT_LIMIT))
    readings: dict[str, Reading] = {}
    for device in devices:
        # Removed inverters stay in the reply, inactive and empty.
        if device.get("devName") == "pcu" and device.get("active") is not False:
            reading = _parse_inverter(device, notes)
            if reading is not None:
                keep_newest(readings, reading, _WHERE, notes)
    truncated = count is None or limit is None or max(count, len(devices)) >= limit
    return DeviceData(list(readings.values()), truncated)


def join_inverters(listed: InverterList | None, rich: DeviceData | None) -> list[Reading]:
    """One reading per inverter from both endpoints; see the module for the rules.

    Args:
        listed: The plain list; None only if this gateway does not have it at all (a list that failed once is an error
            of this poll, and the richer endpoint must not stand in for it).
        rich: The richer endpoint; None if absent or failed.
    """
    if listed is None:
        return list(rich.readings) if rich else []
    if rich is None or rich.truncated or not listed.ready:
        return list(listed.readings)
    additions = {reading.tags["inverter"]: reading for reading in rich.readings}
    joined = [_merge(reading, additions.pop(reading.tags["inverter"], None)) for reading in listed.readings]
    elsewhere = {*listed.ghosts, *listed.batteries}
    return joined + [reading for serial, reading in additions.items() if serial not in elsewhere]


def _merge(reading: Reading, rich: Reading | None) -> Reading:
    if rich is None or rich.timestamp != reading.timestamp:
        return reading
    return Reading(reading.kind, reading.tags, reading.timestamp, {**rich.fields, **reading.fields})


def _parse_inverter(device: Document, notes: Notes) -> Reading | None:
    serial, channel = device.get("sn"), _find_channel(device, notes)
    if not isinstance(serial, str) or not is_serial(serial):
        notes.refuse(f"{_WHERE}.sn")
        return None
    report = get_part(channel, "lastReading")
    if not report:  # discovered, but has not reported yet
        return None
    notes.compare(f"{_WHERE}.lastReading", report, _REPORT_KEYS, _REPORT_UNUSED)
    date = read_epoch_seconds(report.get("endDate"))
    if not date:
        if date is None:
            notes.refuse(f"{_WHERE}.endDate")
        return None
    fields = _read_inverter_fields(channel, report, notes)
    # The next two are not of the report but of the moment: once the inverter falls silent the gateway zeroes them
    # under the same report date, which would be a second value for the same identity.
    if device.get("modGone") is not True:
        fields |= read_fields(report, _SIGNAL, _WHERE, notes)
        fields |= read_fields(get_part(channel, "wattHours"), _TODAY, f"{_WHERE}.wattHours", notes)
    return Reading(kind="inverter", tags={"inverter": serial}, timestamp=date * 1000, fields={**fields})


def _read_inverter_fields(channel: Document, report: Document, notes: Notes) -> dict[str, float]:
    fields = read_fields(get_part(channel, "watts"), _WATTS, f"{_WHERE}.watts", notes)
    fields |= read_fields(get_part(channel, "lifetime"), _LIFETIME, f"{_WHERE}.lifetime", notes)
    fields |= read_fields(report, _REPORT, _WHERE, notes)
    if fields.get("interval", 1.0) <= 0:
        notes.refuse(f"{_WHERE}.duration")
        del fields["interval"]
    return fields


def _find_channel(device: Document, notes: Notes) -> Document:
    """The one channel of an inverter; no gateway has been seen to give an inverter more."""
    channels = device.get("channels")
    if not isinstance(channels, list) or not channels or not isinstance(channels[0], Mapping):
        notes.missing.add(f"{_WHERE}.channels")
        return {}
    if len(channels) > 1:
        notes.add_unknown(f"{_WHERE}.channels[1]")
    return channels[0]
