"""One event of `/stream/meter`, about one a second: the hot path of the scraper. Pure."""

from collections.abc import Mapping, Sequence

from scraper.errors import BadReplyError
from scraper.gateway.parse.json_reply import load
from scraper.gateway.parse.meters import ConfiguredMeter
from scraper.gateway.parse.phases import PHASES, MeterValues, is_metered, without_nonsense
from scraper.gateway.parse.values import Notes, read_fields

__all__ = ["MeterValues", "parse_event"]

_WHERE = "stream"
_VALUES = {
    "p": ("power", 1.0),
    "q": ("reactive_power", 1.0),
    "s": ("apparent_power", 1.0),
    "v": ("voltage", 1.0),
    "i": ("current", 1.0),
    "pf": ("power_factor", 1.0),
    "f": ("frequency", 1.0),
}
_EXPECTED = frozenset(_VALUES)
_NONE: frozenset[str] = frozenset()
_PHASE_KEYS = tuple(enumerate((phase, f"ph-{phase}") for phase in PHASES))
_CONSUMPTION = frozenset({"net-consumption", "total-consumption"})
_SECTIONS = frozenset({"production", "storage", "backfeed", "load", "evse", "pv3p"}) | _CONSUMPTION
_NO_DATA = (b":", b"event:", b"id:", b"retry:")
_DECIMALS = 3
"""Decimals of the device's own numbers, kept in what is computed from them."""


def parse_event(line: bytes, meters: Sequence[ConfiguredMeter] | None, notes: Notes | None = None) -> list[MeterValues]:
    """Read one line of the stream: `data: {...}`, or the JSON alone.

    Args:
        line: One whole line. Blank lines, comments and other fields of server-sent events give nothing.
        meters: From `parse_meters`; None if unknown. Sections of meters that are not enabled are noise.
        notes: Collects what was refused, missing or new.

    Returns:
        One entry per live phase, without time stamp (the event has none) and without counters.

    Raises:
        BadReplyError: The line is not one whole event; nothing of it was used.
    """
    text = line.strip()
    if text.startswith(b"data:"):
        text = text[len(b"data:") :]
    elif not text or text.startswith(_NO_DATA):
        return []
    event = load(text)
    if not isinstance(event, Mapping):
        raise BadReplyError("an event of the meter stream is not an object; it was left out")
    notes = notes or Notes()
    readings = []
    for name, section in event.items():
        phase_count = _phase_count(name, meters)
        if name not in _SECTIONS:
            notes.add_unknown(f"{_WHERE}.{name}")
        if phase_count is None:
            continue
        if isinstance(section, Mapping):
            readings += _section(name, section, phase_count, notes)
        else:
            notes.refuse(f"{_WHERE}.{name}")
    return _with_true_total(readings)


def _phase_count(section: str, meters: Sequence[ConfiguredMeter] | None) -> int | None:
    """How many phases of a section to use; 0: those that are live; None: nothing of it.

    Either consumption meter makes both consumption sections real: the gateway computes the other one.
    """
    if meters is None:
        return 0 if section in _SECTIONS else None
    names = _CONSUMPTION if section in _CONSUMPTION else (section,)
    return next((meter.phase_count for meter in meters if meter.enabled and meter.measurement in names), None)


def _section(name: str, section: Mapping[str, object], phase_count: int, notes: Notes) -> list[MeterValues]:
    readings = []
    for index, (phase, key) in _PHASE_KEYS:
        raw = section.get(key)
        if isinstance(raw, Mapping):
            notes.compare(_WHERE, raw, _EXPECTED, _NONE)
            values = read_fields(raw, _VALUES, _WHERE, notes)
            if is_metered(values, index, phase_count):
                readings.append(MeterValues(name, phase, None, without_nonsense(values, _WHERE, notes), {}))
        elif key in section:
            notes.refuse(f"{_WHERE}.{key}")
    return readings


def _with_true_total(readings: list[MeterValues]) -> list[MeterValues]:
    """Compute the house load where the gateway repeats the net consumption in its place (seen on 8.3.5433).

    The load is always the net consumption plus the production, so equality while the sun shines gives it away.
    """
    known = {(reading.meter, reading.phase): reading.values for reading in readings}
    return [
        reading._replace(values=_true_total(reading.values, known, reading.phase))
        if reading.meter == "total-consumption"
        else reading
        for reading in readings
    ]


def _true_total(
    total: dict[str, float], known: Mapping[tuple[str, str], dict[str, float]], phase: str
) -> dict[str, float]:
    net, production = known.get(("net-consumption", phase), {}), known.get(("production", phase), {})
    if "power" not in net or net["power"] != total.get("power") or not production.get("power"):
        return total
    # Apparent power and power factor cannot be computed from the parts: absent, rather than the net's.
    values: dict[str, float] = {name: total[name] for name in ("voltage", "frequency") if name in total}
    for name, sign in (("power", 1), ("reactive_power", -1), ("current", 1)):
        if name in net and name in production:
            values[name] = round(net[name] + sign * production[name], _DECIMALS) + 0.0
    return values
