"""The field dictionary: every kind, its tags, and each field's type, unit, sign and interpolation.

It is the gate before every store (databases do not enforce one type per field reliably) and the source of
`docs/fields.md`, which a test compares with it.
"""

import math
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from shared.units import MINUTE_MS


class Interpolation(StrEnum):
    """What is known between two stored points of a field."""

    LINEAR = "linear"
    """Straight line between points at most `MAX_GAP_MS` apart, else unknown."""
    STEP = "step"
    """Constant backwards over the reading's own `interval`: the value is the mean of the time before it."""
    COUNTER = "counter"
    """A lifetime counter: only its increase means anything; a decrease is a reset."""
    LAST = "last"
    """A state that holds until the next reading says otherwise."""
    AMOUNT = "amount"
    """What came together in the reading's own window: it is added to others, and never interpolated."""


HEARTBEAT_MS = MINUTE_MS
"""A full snapshot of a meter series at least this often (milliseconds)."""
MAX_GAP_MS = 2 * HEARTBEAT_MS
"""Linear fields are unknown between points further apart than this (milliseconds)."""
REPORT_SPEAKS_MS = 30 * MINUTE_MS
"""An inverter's report speaks of now for this long: two intervals of the slowest inverters."""
STATE_HEARTBEAT_MS = 5 * MINUTE_MS
"""A state (`grid`, `generator`, `relay`, `tariff`) is sent on change, and at least this often (milliseconds)."""
BREATH_MS = 30_500
"""A pause of samples up to this (milliseconds) is none: gateways hold their events back for a while, and lose none."""
WRAP_WH = 2**32 / 3600
"""Where the inverter total of gateways without meters starts again at zero: 2^32 J, about 1,193,046 Wh."""
EIM_PHASE = "eim"
"""In place of `a`, `b`, `c`: a meter's sum as `/production.json` gives it, where the gateway refuses its meters."""
MAX_TEXT = 200
"""Characters of a text field, at most."""


LARGEST: Mapping[str, float] = MappingProxyType({
    "W": 1e7, "var": 1e7, "VA": 1e7, "Wh": 1e12, "V": 1e5, "A": 1e5, "Hz": 1e5, "C": 1e5, "%": 1e5,
    "s": 1e10, "ms": 9e12, "B": 1e15, "": 1e9,
})  # fmt: skip
"""By unit, how far from 0 a value may be: far beyond any house, so that what a device writes for "unknown" (65535 and
its like) costs no reading, and near enough that no arithmetic overflows."""


class Field(NamedTuple):
    """One field of one kind.

    Attributes:
        type: `float` or `str`, fixed permanently.
        unit: SI unit as written in the docs; "" for none.
        interpolation: What holds between two points.
        meaning: One sentence for people: what it is, and what its sign means.
        largest: No reading of a house is further from 0; the receiver refuses what is.
    """

    type: type[float] | type[str]
    unit: str
    interpolation: Interpolation
    meaning: str
    largest: float = math.inf


class Kind(NamedTuple):
    """One kind of reading (an InfluxDB measurement, a SQLite table)."""

    tags: tuple[str, ...]
    fields: Mapping[str, Field]


def _make_number(unit: str, interpolation: Interpolation, meaning: str, largest: float | None = None) -> Field:
    return Field(float, unit, interpolation, meaning, LARGEST[unit] if largest is None else largest)


def _make_text(meaning: str) -> Field:
    return Field(str, "", Interpolation.LAST, meaning)


_LINEAR, _STEP, _COUNTER, _LAST, _AMOUNT = Interpolation

_INVERTER = {
    "power": _make_number("W", _STEP, "Active power, mean over the reporting interval that ends at the timestamp."),
    "max_power": _make_number("W", _LAST, "Highest interval mean the gateway has ever seen. Not a rating."),
    "energy_lifetime": _make_number("Wh", _COUNTER, "Energy produced since the inverter was commissioned."),
    "energy_today": _make_number("Wh", _LAST, "The gateway's own count of today. For display only: it resets late."),
    "ac_voltage": _make_number("V", _STEP, "AC voltage at the inverter."),
    "dc_voltage": _make_number("V", _STEP, "DC voltage of the panel."),
    "ac_current": _make_number("A", _STEP, "AC current of the inverter."),
    "dc_current": _make_number("A", _STEP, "DC current of the panel."),
    "frequency": _make_number("Hz", _STEP, "AC frequency at the inverter."),
    "temperature": _make_number("C", _STEP, "Temperature inside the inverter."),
    "rssi": _make_number(
        "", _LAST, "Strength of the power-line signal as the gateway reports it; no unit is documented."
    ),
    "interval": _make_number("s", _LAST, "Length of the reporting interval that ends at the timestamp."),
}

_METER = {
    "power": _make_number("W", _LINEAR, "Active power. production: + generation. net-consumption: + import, - export. "
                     "total-consumption: + load. storage: + discharge, - charge."),
    "reactive_power": _make_number("var", _LINEAR, "Reactive power, signed as the gateway reports it."),
    "apparent_power": _make_number("VA", _LINEAR, "Apparent power."),
    "voltage": _make_number("V", _LINEAR, "RMS voltage of the phase, line to neutral."),
    "current": _make_number("A", _LINEAR, "RMS current of the phase."),
    "power_factor": _make_number("", _LINEAR, "Power factor, -1 to 1.", 1e5),
    "frequency": _make_number("Hz", _LINEAR, "Grid frequency."),
    "measured": _make_number("", _LAST, "1 if the answer had the power of the phase, else 0."),
}  # fmt: skip

_METER_ENERGY = {
    "delivered": _make_number(
        "Wh", _COUNTER, "Lifetime energy in the direction of positive power (for net-consumption: import)."
    ),
    "received": _make_number(
        "Wh", _COUNTER, "Lifetime energy in the direction of negative power (for net-consumption: export)."
    ),
}

_PRODUCTION = {
    "power": _make_number("W", _LAST, "Active power of all inverters together as the gateway sums it."),
    "energy_lifetime": _make_number("Wh", _COUNTER, "Energy produced since commissioning."),
    "energy_today": _make_number("Wh", _LAST, "The gateway's own count of today. For display only: it resets late."),
}

_BATTERY = {
    "power": _make_number("W", _LINEAR, "Power of the battery now, + discharge, - charge."),
    "mean_power": _make_number("W", _LAST, "Mean of an AC Battery's last report, + discharge, - charge: minutes old."),
    "state_of_charge": _make_number("%", _LINEAR, "How full it is."),
    "energy_available": _make_number("Wh", _LINEAR, "Capacity times state of charge, as the gateway reckons it."),
    "capacity": _make_number("Wh", _LAST, "What it holds when it is full."),
    "temperature": _make_number("C", _LINEAR, "Temperature of the battery."),
    "cell_temperature": _make_number("C", _LINEAR, "Temperature of its warmest cell."),
    "discharged": _make_number("Wh", _COUNTER, "Energy given since it was made (AC Batteries)."),
    "charged": _make_number("Wh", _COUNTER, "Energy taken since it was made (AC Batteries)."),
    "communicating": _make_number("", _LAST, "1 while it talks to the gateway, else 0."),
    "last_report": _make_number("ms", _LAST, "Its last report by the gateway's clock, milliseconds since 1970."),
    "status": _make_text("State in the gateway's words, e.g. ENCHG_STATE_READY."),
    "type": _make_text("encharge (IQ Battery) or ac-battery."),
}

_STORAGE = {
    "power": _make_number("W", _LINEAR, "Power of all batteries together, + discharge, - charge; "
                     "absent unless every one is known."),
    "state_of_charge": _make_number("%", _LINEAR, "How full the batteries are together."),
    "energy_available": _make_number("Wh", _LINEAR, "Energy in them."),
    "capacity": _make_number("Wh", _LAST, "What they hold when they are full."),
    "reserve": _make_number("%", _LAST, "State of charge that is kept for an outage, as it is in force."),
    "health": _make_number("%", _LAST, "State of health of the IQ Batteries."),
    "batteries": _make_number("", _LAST, "Batteries that the gateway lists."),
    "measured": _make_number("", _LAST, "Batteries whose power is known now; below `batteries`, no power is."),
}  # fmt: skip

_GRID = {
    "relay": _make_text("Main relay between house and grid: closed or open."),
    "mode": _make_text(
        "connected, islanded (cut off from the grid) or generator (cut off, a generator feeds the house)."
    ),
    "connected": _make_number("", _LAST, "1 while the main relay is closed, else 0."),
    "voltage_a": _make_number("V", _LAST, "Voltage of phase a at the grid."),
    "voltage_b": _make_number("V", _LAST, "Voltage of phase b at the grid."),
    "voltage_c": _make_number("V", _LAST, "Voltage of phase c at the grid."),
}

_GENERATOR = {
    "running": _make_number("", _LAST, "1 while the generator's relay is closed, so that it feeds the house, else 0."),
    "known": _make_number("", _LAST, "1 if the gateway knows whether it runs, else 0."),
    "start_state_of_charge": _make_number("%", _LAST, "It is started when the batteries fall to this."),
    "stop_state_of_charge": _make_number("%", _LAST, "It is stopped when the batteries have risen to this."),
}

_RELAY = {"state": _make_text("open or closed.")}

_TARIFF = {
    "mode": _make_text("How the batteries are used: self-consumption, economy, savings-mode or backup."),
    "reserve": _make_number("%", _LAST, "State of charge that the owner wants kept for an outage."),
    "very_low": _make_number("%", _LAST, "State of charge below which the batteries shut down."),
    "charge_from_grid": _make_number("", _LAST, "1 if the grid may charge the batteries, else 0."),
    "optimised": _make_number("", _LAST, "1 if the manufacturer's cloud plans the use, else 0."),
}

_GATEWAY = {
    "firmware": _make_text("Firmware as the gateway states it, e.g. D8.2.4286."),
    "role": _make_text("Rights of the login: owner or installer (token), envoy or installer (digest)."),
    "token_expires_in": _make_number("s", _LAST, "Time until the gateway token expires; absent without a token."),
    "poll_seconds": _make_number("s", _LAST, "How long the last complete poll of the gateway took."),
    "stream_connected": _make_number("", _LAST, "1 while the meter stream delivers, else 0."),
    "login_blocked": _make_number("", _LAST, "1 while logins are stopped and a person is needed, else 0."),
    "certificate_changed": _make_number(
        "", _LAST, "1 while the gateway shows a certificate that is not the pinned one."
    ),
    "outbox_rows": _make_number("", _LAST, "Readings waiting in the scraper's outbox."),
    "outbox_bytes": _make_number("B", _LAST, "Size of the scraper's outbox on disk."),
    "disk_free": _make_number("B", _LAST, "Free on the disk of the scraper's outbox."),
    "disk_size": _make_number("B", _LAST, "Size of the disk of the scraper's outbox."),
    "dead_letters": _make_number("", _LAST, "Readings the receiver refused, kept at the scraper."),
    "lost_rows": _make_number("", _LAST, "Readings lost since the scraper's state was made (quota, disk, damage)."),
    "clock_offset": _make_number("s", _LAST, "Gateway clock minus scraper clock."),
    "inverters_known": _make_number("", _LAST, "Inverters that the gateway lists."),
    "version": _make_text("Version of the scraper."),
    "time_zone": _make_text("IANA name of the site's time zone, as the gateway says; absent until it has said one."),
}

_IMPORTED_ENERGY = {
    "production": _make_number("Wh", _AMOUNT, "Energy generated in the window."),
    "load": _make_number("Wh", _AMOUNT, "Energy used by the house."),
    "imported": _make_number("Wh", _AMOUNT, "Energy bought from the grid."),
    "exported": _make_number("Wh", _AMOUNT, "Energy sold to the grid."),
    "discharged": _make_number("Wh", _AMOUNT, "Energy out of the battery."),
    "charged": _make_number("Wh", _AMOUNT, "Energy into the battery."),
    "duration": _make_number("s", _LAST, "Length of the window, which begins at the timestamp."),
}

_INTERVAL = {
    "energy": _make_number("Wh", _AMOUNT, "Energy of the interval that ends at the timestamp."),
    "interval": _make_number("s", _LAST, "Length of the interval: 300 or 900, or a day."),
    "power": _make_number("W", _STEP, "Mean power over the interval: its energy by its length."),
    "power_end": _make_number(
        "W", _LAST, "Power near the end of the interval, which is not its mean; of `total`, the sum of the phases."
    ),
    "devices": _make_number("", _LAST, "Devices whose share is in the energy."),
    "devices_total": _make_number("", _LAST, "Devices that the system has."),
}

_DATUM = {
    "instantaneous": _make_number(
        "", _LAST, "A value of SolarNetwork's type i, in the unit that its name means.", 1e12
    ),
    "accumulating": _make_number("", _COUNTER, "A value of type a: only its increase means anything.", 1e12),
    "text": _make_text("A value of type s, t or m."),
}

_EVENT = {
    "end": _make_number("ms", _LAST, "End of what happened, milliseconds since 1970; absent while it lasts."),
    "rows": _make_number("", _LAST, "Readings concerned, where that is known."),
    "reason": _make_text("Why, in a few words."),
}

KINDS: Mapping[str, Kind] = MappingProxyType({
    "inverter": Kind(("inverter",), MappingProxyType(_INVERTER)),
    "meter": Kind(("meter", "phase"), MappingProxyType(_METER)),
    "meter_energy": Kind(("meter", "phase"), MappingProxyType(_METER_ENERGY)),
    "production": Kind(("source",), MappingProxyType(_PRODUCTION)),
    "battery": Kind(("battery",), MappingProxyType(_BATTERY)),
    "storage": Kind((), MappingProxyType(_STORAGE)),
    "grid": Kind((), MappingProxyType(_GRID)),
    "generator": Kind((), MappingProxyType(_GENERATOR)),
    "relay": Kind(("relay",), MappingProxyType(_RELAY)),
    "tariff": Kind((), MappingProxyType(_TARIFF)),
    "gateway": Kind((), MappingProxyType(_GATEWAY)),
    "interval": Kind(("source", "phase", "revision"), MappingProxyType(_INTERVAL)),
    "datum": Kind(("source_id", "property"), MappingProxyType(_DATUM)),
    "event": Kind(("type",), MappingProxyType(_EVENT)),
    "imported_energy": Kind(("source",), MappingProxyType(_IMPORTED_ENERGY)),
})  # fmt: skip
"""Every kind this version knows. The `gateway` tag is implied everywhere."""

EventType: TypeAlias = Literal[
    "gap",
    "loss",
    "counter_reset",
    "clock_step",
    "restamp",
    "start",
    "schema",
    "certificate",
    "outage",
    "quota",
    "grant",
    "fill",
]
"""Values of the `type` tag of an `event`."""
