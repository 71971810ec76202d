"""`/api/v1/production/inverters`: one reading per inverter, complete at any number of inverters. Pure."""

from typing import NamedTuple

from scraper.gateway.parse.values import Document, Notes, list_objects, read_epoch_seconds, read_fields, read_number
from shared.keys import is_serial
from shared.readings import Reading

_WHERE = "inverters"
_EXPECTED = frozenset({"serialNumber", "lastReportDate", "lastReportWatts", "maxReportWatts"})
_OPTIONAL = frozenset({"devType"})  # missing on 3.x and on M4.2.33
_FIELDS = {"lastReportWatts": ("power", 1.0), "maxReportWatts": ("max_power", 1.0)}
_INVERTER, _BATTERY, _RELAY = 1, 11, 12
_LONGEST_KIND = 4
"""Digits of a type that is given as text."""


class InverterList(NamedTuple):
    """What the gateway lists.

    Attributes:
        readings: Kind `inverter`, one per serial; timestamp is the inverter's own report date by the gateway's clock.
        ghosts: Serials that never reported (moved or replaced inverters).
        batteries: Serials of microinverters inside AC batteries; their power is that of a battery, not of the sun.
        ready: False if the list was empty, as it is for some minutes after a start: not data.
    """

    readings: list[Reading]
    ghosts: list[str]
    batteries: list[str]
    ready: bool


def parse_inverters(data: object, notes: Notes | None = None) -> InverterList:
    """Read the list.

    Raises:
        BadReplyError: The reply is no list.
    """
    notes = notes or Notes()
    readings: dict[str, Reading] = {}
    ghosts: list[str] = []
    batteries: list[str] = []
    for entry in list_objects(data, _WHERE, notes):
        notes.compare(_WHERE, entry, _EXPECTED, _OPTIONAL)
        identity = _parse_identity(entry, notes)
        if identity is None:
            continue
        serial, date = identity
        kind = _read_kind(entry, notes)
        if kind == _BATTERY:
            batteries.append(serial)
        elif date == 0:
            ghosts.append(serial)
        elif kind != _RELAY:
            if kind != _INVERTER:  # a new type of inverter is better kept than lost
                notes.add_unknown(f"{_WHERE}.devType={kind}")
            reading = _make_reading(serial, date, entry, notes)
            if kind is None:  # it may be a battery: its power is unknown, and so is the sum of all
                reading.fields.pop("power", None)
            keep_newest(readings, reading, _WHERE, notes)
    return InverterList(list(readings.values()), ghosts, batteries, ready=data != [])


def _read_kind(entry: Document, notes: Notes) -> float | None:
    """The type of a device; a number that is given as text is one, too. None: it cannot be read."""
    raw = entry.get("devType")
    if raw is None:
        return _INVERTER
    if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) <= _LONGEST_KIND:
        notes.odd.add(f"{_WHERE}.devType is text")
        return float(raw)
    return read_number(raw)


def _parse_identity(entry: Document, notes: Notes) -> tuple[str, int] | None:
    serial, date = entry.get("serialNumber"), read_epoch_seconds(entry.get("lastReportDate"))
    if not isinstance(serial, str) or not is_serial(serial):
        notes.refuse(f"{_WHERE}.serialNumber")
        return None
    if date is None:
        notes.refuse(f"{_WHERE}.lastReportDate")
        return None
    return serial, date


def _make_reading(serial: str, date: int, entry: Document, notes: Notes) -> Reading:
    fields = read_fields(entry, _FIELDS, _WHERE, notes)
    return Reading(kind="inverter", tags={"inverter": serial}, timestamp=date * 1000, fields={**fields})


def keep_newest(readings: dict[str, Reading], reading: Reading, where: str, notes: Notes) -> None:
    """One reading per serial: an entry that stands twice must not become two values of one identity."""
    serial = reading.tags["inverter"]
    known = readings.get(serial)
    if known is not None:
        notes.odd.add(f"{where} lists a serial twice")
    if reading.fields and (known is None or known.timestamp < reading.timestamp):
        readings[serial] = reading
