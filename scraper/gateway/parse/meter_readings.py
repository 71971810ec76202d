"""`/ivp/meters/readings`: power and lifetime counters per meter and phase. Pure."""

from collections.abc import Mapping, Sequence

from scraper.gateway.parse.meters import ConfiguredMeter
from scraper.gateway.parse.phases import (
    PHASES,
    MeterValues,
    add_missing,
    drop_nonsense,
    has_dropped_out,
    is_metered,
    keep_frequency,
)
from scraper.gateway.parse.values import Document, Notes, list_objects, read_epoch_seconds, read_fields, read_number

__all__ = ["MeterValues", "parse_readings"]

_WHERE = "readings"
_VALUES = {
    "activePower": ("power", 1.0),
    "reactivePower": ("reactive_power", 1.0),
    "apparentPower": ("apparent_power", 1.0),
    "voltage": ("voltage", 1.0),
    "current": ("current", 1.0),
    "pwrFactor": ("power_factor", 1.0),
    "freq": ("frequency", 1.0),
}
_COUNTERS = {"actEnergyDlvd": ("delivered", 1.0), "actEnergyRcvd": ("received", 1.0)}
_EXPECTED = frozenset({*_VALUES, *_COUNTERS, "eid", "timestamp"})
_OPTIONAL = frozenset({"channels", "apparentEnergy", "reactEnergyLagg", "reactEnergyLead", "instantaneousDemand"})


def parse_readings(data: object, meters: Sequence[ConfiguredMeter], notes: Notes | None = None) -> list[MeterValues]:
    """Read every metered phase of every enabled meter.

    Entries join the configuration by eid: order and length of the two lists differ, recent firmware adds a meter that
    the configuration does not know, and a disabled meter shows noise. An object (an error) means no meters.

    Args:
        data: The reply.
        meters: From `parse_meters` of the same gateway.
        notes: Collects what was refused, missing or new.

    Raises:
        BadReplyError: The reply is neither a list nor an object.
    """
    notes = notes or Notes()
    if isinstance(data, Mapping):
        return []
    waiting = {meter.eid: meter for meter in meters if meter.enabled}
    readings: list[MeterValues] = []
    for entry in list_objects(data, _WHERE, notes):
        eid = read_number(entry.get("eid"))
        if eid is None:
            notes.refuse(f"{_WHERE}.eid")
        meter = waiting.pop(int(eid), None) if eid is not None else None  # popped: an entry may not count twice
        if meter is not None:
            readings += _parse_phases(meter, entry, notes)
    return readings


def _parse_phases(meter: ConfiguredMeter, entry: Document, notes: Notes) -> list[MeterValues]:
    notes.compare(_WHERE, entry, _EXPECTED, _OPTIONAL)
    readings = []
    for index, channel in enumerate(_list_channels(meter, entry, notes)):
        stamp = _read_stamp(channel, entry, notes)
        if not stamp:  # 0: no reading yet
            continue
        values = read_fields(channel, _VALUES, _WHERE, notes)
        if is_metered(values, index, meter.phase_count, meter.seen):
            values = drop_nonsense(values, _WHERE, notes)
            counters = read_fields(channel, _COUNTERS, _WHERE, notes)
            if has_dropped_out(values, counters):
                values, counters = keep_frequency(values), {}
            readings.append(MeterValues(meter.measurement, PHASES[index], stamp, values, counters))
    return add_missing(readings, meter.phase_count) if len(readings) < meter.phase_count else readings


def _read_stamp(channel: Document, entry: Document, notes: Notes) -> int | None:
    """The time of a channel, epoch seconds; that of its meter where its own is missing or no date."""
    for document in (channel, entry):
        if "timestamp" in document:
            stamp = read_epoch_seconds(document["timestamp"])
            if stamp is not None:
                return stamp
            notes.refuse(f"{_WHERE}.timestamp")
    return None


def _list_channels(meter: ConfiguredMeter, entry: Document, notes: Notes) -> list[Document]:
    """Per-phase objects, at most three.

    The parent sums voltages and power factors over the phases, so it stands in only where there is but one phase.
    """
    channels = entry.get("channels")
    if isinstance(channels, list) and channels:
        used = channels[: meter.phase_count or len(PHASES)]
        for channel in used:
            if isinstance(channel, Mapping):
                notes.compare(f"{_WHERE}.channels", channel, _EXPECTED, _OPTIONAL)
            else:
                notes.refuse(f"{_WHERE}.channels")
        return [channel if isinstance(channel, Mapping) else {"timestamp": 0} for channel in used]
    return [entry] if meter.phase_count == 1 else []
