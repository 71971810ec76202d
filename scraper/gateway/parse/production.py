"""Production of gateways without a production meter, from the best of three faulty endpoints. Pure.

Each source is a series of its own (tag `source`), because their counters differ:

| source | endpoint | weakness |
|---|---|---|
| `pdm` | `/ivp/pdm/energy`, section `pcu` | 8.2 and later only; zeros after a start; no time of its own |
| `inverters` | `/production.json`, section `inverters` | slow; before 8 the counter wraps at 1,193,046 Wh: then `api` |
| `api` | `/api/v1/production` | zeros or stalled numbers on metered hardware whose meters are off |

A source that is there but has nothing good to say now gives no reading, rather than a reading of another series.
"""

from collections.abc import Mapping, Sequence

from scraper.gateway.info import GatewayInfo
from scraper.gateway.parse.meters import ConfiguredMeter
from scraper.gateway.parse.values import Document, Notes, read_epoch_seconds, read_fields, read_number
from shared.fields import WRAP_WH
from shared.readings import Reading

FIRST_STALLED_VERSION = (8, 2, 4264)
"""From this firmware on `/api/v1/production` stalls on metered hardware without an enabled meter."""
FIRST_UNWRAPPED_VERSION = (8,)
"""From this firmware on the total of the inverters no longer starts again at 2^32 J."""

_INVERTERS = {"wNow": ("power", 1.0), "whLifetime": ("energy_lifetime", 1.0)}
_TOTALS = {
    "wattsNow": ("power", 1.0),
    "wattHoursLifetime": ("energy_lifetime", 1.0),
    "wattHoursToday": ("energy_today", 1.0),
}
_TOTALS_KEYS = frozenset({*_TOTALS, "wattHoursSevenDays"})
_INVERTERS_KEYS = frozenset({*_INVERTERS, "type", "activeCount", "readingTime"})
_NONE: frozenset[str] = frozenset()
_LAP = 0.99
"""Of 2^32 J: the two counters are read one after the other."""


def choose_production(
    info: GatewayInfo,
    meters: Sequence[ConfiguredMeter] | None,
    *,
    received_ms: int,
    energy: object = None,
    production: object = None,
    api: object = None,
    api_is_absent: bool = True,
    notes: Notes | None = None,
) -> Reading | None:
    """One reading of kind `production` with the tag `source`, or None while there is nothing good.

    Args:
        info: The gateway.
        meters: From `parse_meters`; None if unknown.
        received_ms: When the replies arrived (UTC, ms): the stamp of the two sources that carry no time. The source
            `inverters` has its own reading time, by the gateway's clock.
        energy: Reply of `/ivp/pdm/energy`; None if this gateway lacks it or it was not asked.
        production: Reply of `/production.json`, likewise.
        api: Reply of `/api/v1/production`, likewise.
        api_is_absent: Whether this gateway is known to lack it. While its total is only not known now, that of the
            inverters is not believed where it may have wrapped: of it the power alone is used.
        notes: Collects what was refused, missing or new.
    """
    notes = notes or Notes()
    totals = _read_object(_read_object(energy).get("production")).get("pcu")
    if isinstance(totals, Mapping):
        return _parse_totals("pdm", totals, received_ms, notes)
    section = _find_inverters_section(production)
    if section is not None and info.version >= FIRST_UNWRAPPED_VERSION:
        return _parse_inverters(section, notes)
    if section is not None and not _has_wrapped(section, api):
        reading = _parse_inverters(section, notes)
        is_unused = bool(info.metered) and isinstance(api, Mapping)  # then it gives zeros, whatever was produced
        return reading if api_is_absent or is_unused or _read_whole(api) else _leave_out_total(reading)
    if isinstance(api, Mapping) and not _is_stalled(info, meters):
        return _parse_totals("api", api, received_ms, notes)
    return None


def _has_wrapped(section: Document, api: object) -> bool:
    """Whether the section's counter has started again at 2^32 J, once or more, and the other one has not."""
    wrapped, whole = read_number(section.get("whLifetime")), _read_whole(api)
    if wrapped is None or whole is None:
        return False
    laps = (whole - wrapped) / WRAP_WH
    return laps >= _LAP and abs(laps - round(laps)) <= 1 - _LAP


def _leave_out_total(reading: Reading | None) -> Reading | None:
    if reading is None or "power" not in reading.fields:
        return None
    return Reading(reading.kind, reading.tags, reading.timestamp, {"power": reading.fields["power"]})


def _read_whole(api: object) -> float | None:
    return read_number(_read_object(api).get("wattHoursLifetime"))


def _is_stalled(info: GatewayInfo, meters: Sequence[ConfiguredMeter] | None) -> bool:
    unmetered = not any(meter.enabled for meter in meters or ())
    return bool(info.metered) and unmetered and info.version >= FIRST_STALLED_VERSION


def _parse_totals(source: str, totals: Document, received_ms: int, notes: Notes) -> Reading | None:
    notes.compare(source, totals, _TOTALS_KEYS, _NONE)
    if not any(read_number(totals.get(key)) for key in _TOTALS_KEYS - {"wattsNow"}):
        return None  # just started, or meters that are off: not a plant that never produced
    return _make_reading(source, received_ms, read_fields(totals, _TOTALS, source, notes))


def _find_inverters_section(production: object) -> Document | None:
    """The section by its type: the order of the sections is not fixed."""
    sections = _read_object(production).get("production")
    if not isinstance(sections, list):
        return None
    return next((part for part in sections if isinstance(part, Mapping) and part.get("type") == "inverters"), None)


def _parse_inverters(section: Document, notes: Notes) -> Reading | None:
    notes.compare("inverters", section, _INVERTERS_KEYS, _NONE)
    stamp = read_epoch_seconds(section.get("readingTime"))
    if stamp is None:
        notes.refuse("inverters.readingTime")
    # Without active devices, or without a time (at night), the numbers are leftovers.
    if not stamp or not read_number(section.get("activeCount")):
        return None
    return _make_reading("inverters", stamp * 1000, read_fields(section, _INVERTERS, "inverters", notes))


def _make_reading(source: str, timestamp: int, fields: dict[str, float]) -> Reading | None:
    return Reading("production", {"source": source}, timestamp, {**fields}) if fields else None


def _read_object(value: object) -> Document:
    return value if isinstance(value, Mapping) else {}
