"""AC Batteries, which the gateway lists among the inverters: `/api/v1/production/inverters` and device_data. Pure.

The list says that they exist. Its watts have no sign, so their power is taken from device_data alone: the energy given
less the energy taken in the last interval. It is a mean over minutes, and so no power of this moment.
"""

from collections.abc import Mapping

from scraper.gateway.parse.inverters import parse_inverters
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
from shared.readings import FieldValue
from shared.units import SECOND_MS

_WHERE = "device_data.acb"
_REPORT = {
    "SOC": ("state_of_charge", 1.0),
    "channelTemp": ("temperature", 1.0),
    "maxCellTemp": ("cell_temperature", 1.0),
}
_LIFETIME = {"joulesProduced": ("discharged", JOULES_PER_WH), "joulesUsed": ("charged", JOULES_PER_WH)}


def parse_ac_batteries(listed: object, rich: object, notes: Notes | None = None) -> dict[str, dict[str, FieldValue]]:
    """Fields of kind `battery` by serial number.

    Args:
        listed: Reply of the inverter list.
        rich: Reply of device_data; None if this firmware has none.
        notes: Collects what was refused.

    Raises:
        BadReplyError: The list is no list.
    """
    notes = notes or Notes()
    found: dict[str, dict[str, FieldValue]] = {
        serial: {"type": "ac-battery"} for serial in parse_inverters(listed, notes).batteries
    }
    for device in rich.values() if isinstance(rich, Mapping) else ():
        if isinstance(device, Mapping) and device.get("devName") == "acb" and device.get("active") is not False:
            serial = device.get("sn")
            if isinstance(serial, str) and is_serial(serial):
                found.setdefault(serial, {"type": "ac-battery"}).update(_read_device(device, notes))
            else:
                notes.refuse(f"{_WHERE}.sn")
    return found


def _read_device(device: Document, notes: Notes) -> dict[str, FieldValue]:
    channels = device.get("channels")
    channel = channels[0] if isinstance(channels, list) and channels and isinstance(channels[0], Mapping) else {}
    fields: dict[str, FieldValue] = {"communicating": float(device.get("modGone") is not True)}
    fields |= _read_report(get_part(channel, "lastReading"), notes)
    fields |= read_fields(get_part(channel, "lifetime"), _LIFETIME, f"{_WHERE}.lifetime", notes)
    return fields


def _read_report(report: Document, notes: Notes) -> dict[str, FieldValue]:
    fields: dict[str, FieldValue] = {**read_fields(report, _REPORT, _WHERE, notes)}
    given, taken, seconds = (read_number(report.get(key)) for key in ("joulesProduced", "joulesUsed", "duration"))
    if given is not None and taken is not None and seconds is not None and seconds > 0:
        fields["mean_power"] = (given - taken) / seconds
    date = read_epoch_seconds(report.get("endDate"))
    if date:
        fields["last_report"] = float(date * SECOND_MS)
    return fields
