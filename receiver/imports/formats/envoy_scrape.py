"""What envoy-scrape stored in its InfluxDB: reports of inverters. Pure.

Its measurement `inverterPower` has the tags `envoySerial`, `serial` and `type`, the integers `power` and `maxPower`,
and the time of the inverter's own report: our `inverter`, one to one. An export of InfluxDB writes each field into a
line of its own, so a line may hold one of the two.
"""

from collections.abc import Mapping

from receiver.imports.formats.points import NS_PER_MS, SourcePoint
from receiver.imports.formats.summary import ImportedRow, Skipped
from shared import wire
from shared.fields import KINDS
from shared.keys import is_serial
from shared.readings import Reading
from shared.units import SECOND_MS

MEASUREMENT = "inverterPower"
FIELDS: Mapping[str, str] = {"power": "power", "maxPower": "max_power"}
"""Its names, and ours."""
INVERTER_TYPE = "1"
"""Its `type` of an inverter, which is the gateway's `devType`."""
_KIND = KINDS["inverter"]


def read_point(point: SourcePoint, *, gateway: str, now_ms: int) -> ImportedRow:
    """One point as a reading.

    Args:
        point: As it was stored.
        gateway: Serial of the gateway whose readings are wanted.
        now_ms: Wall time, milliseconds since 1970.
    """
    if point.measurement != MEASUREMENT:
        return Skipped(f"another measurement than {MEASUREMENT}")
    if point.tags.get("envoySerial") != gateway:
        return Skipped(f"of another gateway than {gateway}")
    if point.tags.get("type", INVERTER_TYPE) != INVERTER_TYPE:
        return Skipped("of a device that is no inverter")
    if point.time is None:
        return Skipped("no time")
    fields = {FIELDS[name]: value for name, value in point.fields.items() if name in FIELDS}
    return make_report(point.tags.get("serial", ""), point.time // NS_PER_MS, fields, now_ms=now_ms)


def make_report(serial: str, timestamp: int, fields: Mapping[str, object], *, now_ms: int) -> ImportedRow:
    """The report of an inverter, if it is one.

    Args:
        serial: Of the inverter.
        timestamp: When it reported, milliseconds since 1970.
        fields: Our names, with what was said for them.
        now_ms: Wall time, milliseconds since 1970.
    """
    if not is_serial(serial):
        return Skipped("no serial number of an inverter")
    if timestamp % SECOND_MS:
        return Skipped("a time that is no whole second, which reports of inverters have")
    if not wire.EARLIEST_MS <= timestamp <= now_ms + wire.FUTURE_MS:
        return Skipped("a time before 2000 or in the future")
    kept: dict[str, float | str] = {}
    for name, value in fields.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _KIND.fields[name].largest:
            return Skipped("a power that is none")
        kept[name] = float(value)
    if not kept:
        return Skipped("no power")
    return Reading("inverter", {"inverter": serial}, timestamp, kept)
