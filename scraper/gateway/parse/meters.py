"""`/ivp/meters`: which current transformers the gateway has. Pure."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from scraper.gateway.parse.values import Document, Notes, list_objects, read_number

_WHERE = "meters"
_EXPECTED = frozenset({"eid", "state", "measurementType", "phaseMode", "phaseCount"})
_OPTIONAL = frozenset({"meteringStatus", "statusFlags"})  # the flags are missing on M4.2.33
_MEASUREMENT = re.compile(r"[a-z][a-z0-9-]{0,31}")
_MOST_PHASES = 3


class ConfiguredMeter(NamedTuple):
    """One meter as configured.

    Attributes:
        eid: Joins this list with the readings; differs between installations, so it is never a constant.
        measurement: `production`, `net-consumption`, `total-consumption`, `storage`, ...
        enabled: A meter that is not enabled reports plausible noise: never use it.
        phase_count: Phases that are really metered, 1 to 3; 0 if not stated (then a phase counts when it is live).
        phase_mode: What the hardware could do: `single`, `split` or `three`; "" if not stated.
        status_flags: What the gateway finds wrong, e.g. `negative-production`; for people.
        seen: Phases that had a power within a day, as `MeterList` knows: with all at 0 they are silent, not unused.
    """

    eid: int
    measurement: str
    enabled: bool
    phase_count: int
    phase_mode: str
    status_flags: tuple[str, ...]
    seen: frozenset[str] = frozenset()


def parse_meters(data: object, notes: Notes | None = None) -> list[ConfiguredMeter]:
    """Read the list; empty on gateways without meters, which answer [], {} or an object with an error.

    Raises:
        BadReplyError: The reply is neither a list nor an object.
    """
    notes = notes or Notes()
    if isinstance(data, Mapping):
        return []
    meters: list[ConfiguredMeter] = []
    for entry in list_objects(data, _WHERE, notes):
        notes.compare(_WHERE, entry, _EXPECTED, _OPTIONAL)
        meter = _parse_meter(entry, notes)
        if meter is None:
            continue
        # The measurement names the series, so two meters of one would be two values for one identity.
        if any(meter.eid == other.eid or meter.measurement == other.measurement for other in meters):
            notes.refuse(f"{_WHERE}.measurementType")
            continue
        meters.append(meter)
    return meters


def _parse_meter(entry: Document, notes: Notes) -> ConfiguredMeter | None:
    eid, measurement, mode = read_number(entry.get("eid")), entry.get("measurementType"), entry.get("phaseMode")
    if eid is None:
        notes.refuse(f"{_WHERE}.eid")
        return None
    if not isinstance(measurement, str) or not _MEASUREMENT.fullmatch(measurement):
        notes.refuse(f"{_WHERE}.measurementType")
        return None
    flags = entry.get("statusFlags")
    return ConfiguredMeter(
        eid=int(eid),
        measurement=measurement,
        enabled=entry.get("state") == "enabled",
        phase_count=_read_phase_count(entry, notes),
        phase_mode=mode if isinstance(mode, str) else "",
        status_flags=tuple(flag for flag in flags if isinstance(flag, str)) if isinstance(flags, list) else (),
    )


def _read_phase_count(entry: Document, notes: Notes) -> int:
    count = read_number(entry.get("phaseCount"))
    if count in range(1, _MOST_PHASES + 1):
        return int(count or 0)
    if "phaseCount" in entry:
        notes.refuse(f"{_WHERE}.phaseCount")
    return 0
