"""What stores hold: the readings that scrapers send, and what the receiver computes from them (`receiver.rollups`).

The derived kinds stand beside those of `shared.fields.KINDS` in every store, but not in that dictionary: nobody can
send them. Their timestamp is the START of the window that they speak of (UTC milliseconds); `coverage` is the share of
the window, 0 to 1, in which something is known, and all values speak of that share alone.
"""

from collections.abc import Mapping
from types import MappingProxyType

from shared.fields import KINDS, Field, Interpolation, Kind

ENERGY_QUANTITIES = ("production", "load", "imported", "exported", "discharged", "charged")
"""What `receiver.energy.balance.SiteEnergy` knows of each window."""
ENERGY_KINDS = ("energy_15m", "energy_1h", "energy_1d", "energy_1w", "energy_1mo", "energy_1y", "energy_billing")
"""Windows of energy, from fine to coarse. From `energy_1h` on they follow the site's time zone."""


def _make_number(unit: str, meaning: str) -> Field:
    return Field(float, unit, Interpolation.LAST, meaning)


def _make_text(meaning: str) -> Field:
    return Field(str, "", Interpolation.LAST, meaning)


_COVERAGE = {"coverage": _make_number("", "Share of the window in which the power is known, 0 to 1.")}


def _make_mean_min_max(name: str, unit: str, what: str) -> dict[str, Field]:
    return {
        name: _make_number(unit, f"{what}: time-weighted mean over the known part of the window."),
        f"{name}_min": _make_number(unit, f"{what}: lowest value in the window."),
        f"{name}_max": _make_number(unit, f"{what}: highest value in the window."),
    }


_METER = _COVERAGE | {
    name: field
    for raw, described in KINDS["meter"].fields.items()
    if described.interpolation is Interpolation.LINEAR
    for name, field in _make_mean_min_max(raw, described.unit, raw.replace("_", " ").capitalize()).items()
}

_SITE = (
    {"coverage": _make_number("", "Share of the window in which the least known of its quantities is known, 0 to 1.")}
    | _make_mean_min_max("production", "W", "Generation")
    | _make_mean_min_max("load", "W", "What the house uses")
    | _make_mean_min_max("net", "W", "Power from the grid, + import, - export, netted over the phases")
    | _make_mean_min_max("battery", "W", "Battery power, + discharge, - charge")
    | {
        "imported": _make_number("W", "Mean power bought from the grid, netted as the site is billed; at least 0."),
        "exported": _make_number("W", "Mean power sold to the grid, netted as the site is billed; at least 0."),
    }
)

_MEANINGS = {
    "production": "Energy generated",
    "load": "Energy used by the house",
    "imported": "Energy bought from the grid, netted as the site is billed",
    "exported": "Energy sold to the grid, netted as the site is billed",
    "discharged": "Energy out of the battery",
    "charged": "Energy into the battery",
}


def _make_quantity(name: str) -> dict[str, Field]:
    return {
        name: _make_number("Wh", f"{_MEANINGS[name]} in this window for certain."),
        f"{name}_coverage": _make_number(
            "", f"Share of the window in which it is known when the {name} energy flowed."
        ),
        f"{name}_unallocated": _make_number(
            "Wh", f"Further {name} energy of gaps that end in this window and began before it; absent for none."
        ),
        f"{name}_taken_over": _make_number(
            "Wh", f"The part of `{name}` that was not measured but imported from another program; absent for none."
        ),
        f"{name}_taken_over_unallocated": _make_number(
            "Wh", f"Further {name} energy of an import whose window ends in this one and began before it."
        ),
        f"{name}_filled": _make_number(
            "Wh", f"The part of `{name}` that the linked system of the cloud has put here; absent for none."
        ),
        f"{name}_uncounted": _make_number(
            "Wh", f"The part of `{name}_filled` that no counter here has counted; absent for none."
        ),
    }


_SHARED = {
    "shared_production": "Production of the time in which the export is known, too",
    "shared_exported": "Export of the time in which the production is known, too",
    "shared_load": "Load of the time in which the import is known, too",
    "shared_imported": "Import of the time in which the load is known, too",
}
"""What shares are made of: two energies are compared only over the same time."""


def _make_shared(name: str) -> dict[str, Field]:
    return {
        name: _make_number("Wh", f"{_SHARED[name]}."),
        f"{name}_unallocated": _make_number("Wh", "The same of gaps that end in this window; absent for none."),
    }


_ENERGY = (
    {name: field for quantity in ENERGY_QUANTITIES for name, field in _make_quantity(quantity).items()}
    | {name: field for quantity in _SHARED for name, field in _make_shared(quantity).items()}
    | {
        "unallocated_since": _make_number(
            "ms", "Where the earliest of those gaps began, milliseconds since 1970; absent for none."
        ),
        "taken_over_since": _make_number(
            "ms", "Where the window of that import began, milliseconds since 1970; absent for none."
        ),
        "duration": _make_number("s", "Length of the whole window: days of 23 and 25 hours exist."),
        "resets": _make_number("", "Steps in which a lifetime counter fell or jumped; they gave no energy."),
        "self_consumption": _make_number("", "Share of the production that was used at home, 0 to 1."),
        "self_sufficiency": _make_number("", "Share of the load that was not bought, 0 to 1."),
        "cost": _make_number("", "Price of the imported energy by the site's tariffs, in their currency."),
        "feed_in": _make_number("", "Payment for the exported energy by the site's tariffs."),
        "savings": _make_number(
            "", "What the energy produced and used at home would have cost, by the site's tariffs."
        ),
    }
)
_ENERGY_15M = _ENERGY | {
    field: described
    for name in ENERGY_QUANTITIES
    for field, described in {
        f"{name}_measured": _make_number("Wh", f"The part of `{name}` that was measured, where the rest was filled."),
        f"{name}_placed": _make_number(
            "Wh", f"The {name} energy of gaps that end here, which stands in the quarter hours of the gap."
        ),
    }.items()
}
_ENERGY_1D = _ENERGY | {
    "base_load": _make_number("W", "Lowest mean load of a fully known quarter hour before six in the morning."),
    "week": _make_text("ISO week of the day, e.g. 2026-W47."),
    "weekday": _make_text("Day of the week as it sorts, 1 Mon to 7 Sun."),
    "time_zone": _make_text("IANA name of the site's time zone, in whose calendar the day is."),
    "currency": _make_text("Currency of the site's tariffs (ISO 4217); absent where the sites file names none."),
    "label": _make_text("Name and serial of the gateway, e.g. Home (122300001234); the serial alone without a name."),
}
_ENERGY_1MO = _ENERGY | {"year": _make_text("Year, e.g. 2026."), "month": _make_text("Month, 01 to 12.")}

_PANEL_15M = _COVERAGE | {
    "power": _make_number("W", "Mean active power of the inverter."),
    "energy": _make_number("Wh", "Energy of the known part of the window, by its lifetime counter where it has one."),
    "peers": _make_number(
        "W", "Median of the mean powers of the other panels of its array (without arrays: of the site)."
    ),
    "dead": _make_number("", "1 where it gives nothing in daylight while its peers produce, else 0."),
}
_PANEL_1D = _COVERAGE | {
    "energy": _make_number("Wh", "Energy produced that day."),
    "peak": _make_number("W", "Highest power of the day."),
    "peers": _make_number(
        "Wh", "Median of the energies of its peers (without arrays: those with the same shape of day)."
    ),
    "ratio": _make_number("", "Its energy by that of its peers; 1 is as good as they are."),
    "clipping_minutes": _make_number("min", "Minutes at the inverter's limit, where the panel could have given more."),
    "reports": _make_number("", "Readings of that day."),
    "last_report": _make_number("ms", "Timestamp of the day's last reading, milliseconds since 1970."),
}
_DELIVERY = {
    "lag": _make_number("s", "How old the newest reading of the last batch was when it arrived."),
    "readings": _make_number("", "Readings stored in this minute."),
    "rejected": _make_number("", "Readings refused in this minute."),
}


def _make_kind(tags: tuple[str, ...], fields: dict[str, Field]) -> Kind:
    return Kind(tags, MappingProxyType(fields))


_PANEL_TAGS = ("inverter", "panel", "array")
_ENERGY_FIELDS = {"energy_15m": _ENERGY_15M, "energy_1d": _ENERGY_1D, "energy_1mo": _ENERGY_1MO}

DERIVED: Mapping[str, Kind] = MappingProxyType({
    "meter_1m": _make_kind(KINDS["meter"].tags, _METER),
    "meter_1h": _make_kind(KINDS["meter"].tags, _METER),
    "site_1m": _make_kind((), _SITE),
    "site_1h": _make_kind((), _SITE),
    **{name: _make_kind((), _ENERGY_FIELDS.get(name, _ENERGY)) for name in ENERGY_KINDS},
    "panel_15m": _make_kind(_PANEL_TAGS, _PANEL_15M),
    "panel_1d": _make_kind(_PANEL_TAGS, _PANEL_1D),
    "delivery": _make_kind((), _DELIVERY),
})  # fmt: skip
"""What the receiver computes. Tags `panel` (its name, else its serial) and `array` (else "-") are the sites file's."""

STORED: Mapping[str, Kind] = MappingProxyType({**KINDS, **DERIVED})
"""Every kind that a store holds."""
THINNED: Mapping[str, str] = MappingProxyType({"storage": "power"})
"""Kinds with a field that comes as often as those of `meter`: where a store can tell them apart, readings of that field
alone are kept as long as those of `meter`. What lies between them, once a minute, stays."""
HOURS_OF: Mapping[str, str] = MappingProxyType({"meter_1m": "meter_1h", "site_1m": "site_1h"})
"""Kinds of minutes, which a store may keep for a time of their own, to the hours with the same fields, which stay."""
KEPT_WITHOUT_LIMIT: Mapping[str, int | None] = MappingProxyType(dict.fromkeys(STORED))
"""A retention for stores: every kind is kept without limit."""
