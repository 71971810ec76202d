"""One event of `/stream/meter`, about one a second: the hot path of the scraper. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from scraper.errors import BadReplyError
from scraper.gateway.parse.computed_consumption import mend_computed
from scraper.gateway.parse.json_reply import load
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
        phase_count = _find_phase_count(name, meters)
        if name not in _SECTIONS:
            notes.add_unknown(f"{_WHERE}.{name}")
        if phase_count is None:
            continue
        if isinstance(section, Mapping):
            readings += _parse_section(name, section, phase_count, _find_seen(name, meters), notes)
        else:
            notes.refuse(f"{_WHERE}.{name}")
    return mend_computed(readings, meters)


def _find_phase_count(section: str, meters: Sequence[ConfiguredMeter] | None) -> int | None:
    """How many phases of a section to use; 0: those that are live; None: nothing of it.

    Either consumption meter makes both consumption sections real: the gateway computes the other one.
    """
    if meters is None:
        return 0 if section in _SECTIONS else None
    return next((meter.phase_count for meter in _select_meters(section, meters)), None)


def _find_seen(section: str, meters: Sequence[ConfiguredMeter] | None) -> frozenset[str]:
    """The phases of a section that had a power before."""
    return next((meter.seen for meter in _select_meters(section, meters or ())), frozenset())


def _select_meters(section: str, meters: Sequence[ConfiguredMeter]) -> Iterator[ConfiguredMeter]:
    names = _CONSUMPTION if section in _CONSUMPTION else (section,)
    return (meter for meter in meters if meter.enabled and meter.measurement in names)


def _parse_section(
    name: str, section: Mapping[str, object], phase_count: int, seen: frozenset[str], notes: Notes
) -> list[MeterValues]:
    readings = []
    for index, (phase, key) in _PHASE_KEYS:
        raw = section.get(key)
        if isinstance(raw, Mapping):
            notes.compare(_WHERE, raw, _EXPECTED, _NONE)
            values = read_fields(raw, _VALUES, _WHERE, notes)
            if is_metered(values, index, phase_count, seen):
                values = drop_nonsense(values, _WHERE, notes)
                if has_dropped_out(values, {}):
                    values = keep_frequency(values)
                readings.append(MeterValues(name, phase, None, values, {}))
        elif key in section:
            notes.refuse(f"{_WHERE}.{key}")
    return add_missing(readings, phase_count) if len(readings) < phase_count else readings
