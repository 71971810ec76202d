"""Energy of windows as rows of the store, and what it costs. Pure."""

from collections.abc import Iterable

from receiver.calendar.local import to_local
from receiver.energy.balance import (
    QUANTITIES,
    SHARED,
    SiteEnergy,
    build_site_energy,
    compute_site_energy,
)
from receiver.energy.energy import WindowEnergy
from receiver.energy.flows import UNKNOWN, WHOLE
from receiver.rollups.quarters import Quarter
from receiver.rollups.series import read_number
from receiver.sites.model import Site, Tariff
from receiver.stores.base import Point
from shared.readings import FieldValue, Reading

MONEY = ("cost", "feed_in", "savings")
SHARED_PAIRS = (("production", "exported"), ("load", "imported"))
"""The energies that `SHARED` compares, in its order."""


def make_quarter_energy_rows(quarters: Iterable[Quarter], site: Site) -> list[Reading]:
    """`energy_15m` of every quarter hour in which something is known."""
    rows = []
    for quarter in quarters:
        energy = compute_quarter_energy(quarter, site)
        if is_known(energy):
            rows.append(make_energy_row(energy, site))
    return rows


def make_energy_row(energy: SiteEnergy, site: Site) -> Reading:
    """The row of `energy_15m` of a quarter hour, with what it costs."""
    return Reading("energy_15m", {}, energy.start, make_energy_fields(energy) | _price_window(energy, site))


def reprice(stored: Iterable[Point], site: Site) -> list[Reading]:
    """Stored rows of `energy_15m` with the present prices of the site; this needs no readings.

    What was filled in has no price, as the energy of a gap has none.
    """
    return [
        Reading(
            "energy_15m",
            {},
            point.timestamp,
            {name: value for name, value in point.fields.items() if name not in MONEY}
            | _price_window(from_point(remove_fill(point)), site),
        )
        for point in stored
    ]


def compute_quarter_energy(quarter: Quarter, site: Site) -> SiteEnergy:
    """The energy of one quarter hour."""
    counters = (*quarter.counters.values(), *quarter.batteries)
    read = [points[0][0] for both in counters for points in both[:2] if points]
    # A window before it, back to the earliest reading, so that gaps which began there and end here are placed.
    before = min(quarter.start - 1, *read) if read else quarter.start - 1
    energy = compute_site_energy(
        quarter.powers,
        quarter.counters,
        (before, quarter.start, quarter.stop),
        netting=site.netting,
        inverters=quarter.inverters,
        most=quarter.most,
        gaps=quarter.gaps,
        batteries=quarter.batteries,
        battery_powers=quarter.battery_powers,
    )[1]
    if not quarter.was_cut_off:
        return energy
    nothing = UNKNOWN.energy  # of what was bought and sold
    quantities = [energy.production, energy.load, nothing, nothing, energy.discharged, energy.charged]
    return build_site_energy(energy.start, energy.stop, quantities, energy.resets, energy.unallocated_since)


def is_known(energy: SiteEnergy) -> bool:
    """Whether a window deserves a row."""
    quantities = (getattr(energy, name) for name in QUANTITIES)
    return energy.resets > 0 or any(
        known.wh is not None or known.unallocated_wh > 0 or known.taken_over_unallocated_wh is not None
        for known in quantities
    )


def make_energy_fields(energy: SiteEnergy) -> dict[str, FieldValue]:
    """A window as fields of `energy_*`, without the prices. What is unknown is absent."""
    fields: dict[str, FieldValue] = {"duration": (energy.stop - energy.start) / 1000, "resets": float(energy.resets)}
    for name in QUANTITIES:
        fields |= _make_quantity_fields(name, getattr(energy, name))
    for name in SHARED:
        quantity: WindowEnergy = getattr(energy, name)
        if quantity.wh is not None:
            fields[name] = quantity.wh
        if quantity.unallocated_wh > 0:
            fields[f"{name}_unallocated"] = quantity.unallocated_wh
    if energy.unallocated_since is not None:
        fields["unallocated_since"] = float(energy.unallocated_since)
    if energy.taken_over_since is not None:
        fields["taken_over_since"] = float(energy.taken_over_since)
    for name in ("self_consumption", "self_sufficiency"):
        share = getattr(energy, name)
        if share is not None:
            fields[name] = share
    return fields


def _make_quantity_fields(name: str, quantity: WindowEnergy) -> dict[str, FieldValue]:
    fields: dict[str, FieldValue] = {}
    if quantity.wh is not None:
        fields |= {name: quantity.wh, f"{name}_coverage": quantity.coverage}
    if quantity.unallocated_wh > 0:
        fields[f"{name}_unallocated"] = quantity.unallocated_wh
    if quantity.taken_over_wh is not None:
        fields[f"{name}_taken_over"] = quantity.taken_over_wh
    if quantity.taken_over_unallocated_wh is not None:
        fields[f"{name}_taken_over_unallocated"] = quantity.taken_over_unallocated_wh
    if quantity.filled_wh is not None:
        fields[f"{name}_filled"] = quantity.filled_wh
    if quantity.uncounted_wh is not None:
        fields[f"{name}_uncounted"] = quantity.uncounted_wh
    return fields


def remove_fill(point: Point) -> Point:
    """A row of `energy_15m` as it was computed, without what the linked system of the cloud has filled in."""
    fields = dict(point.fields)
    for name in QUANTITIES:
        measured, placed = fields.pop(f"{name}_measured", None), fields.pop(f"{name}_placed", None)
        if placed is not None:
            fields[f"{name}_unallocated"] = placed
        fields.pop(f"{name}_uncounted", None)
        if fields.pop(f"{name}_filled", None) is None:
            continue
        if measured is not None:
            fields[name] = measured
        else:
            del fields[name], fields[f"{name}_coverage"]
    return Point(point.timestamp, fields)


def from_point(point: Point) -> SiteEnergy:
    """A stored window of `energy_*` as it was computed."""
    start, fields = point
    since, taken_over_since = read_number(fields, "unallocated_since"), read_number(fields, "taken_over_since")
    energy = build_site_energy(
        start,
        start + round((read_number(fields, "duration") or 0.0) * 1000),
        [_read_quantity(fields, name) for name in QUANTITIES],
        round(read_number(fields, "resets") or 0.0),
        None if since is None else round(since),
        _read_shared(fields),
    )
    return energy if taken_over_since is None else energy._replace(taken_over_since=round(taken_over_since))


def _read_shared(fields: dict[str, FieldValue]) -> list[WindowEnergy]:
    """What can be compared. Rows whose readings had expired before it was stored have it where all of it is known."""
    found = [_read_quantity(fields, name) for name in SHARED]
    for index, pair in ((0, SHARED_PAIRS[0]), (2, SHARED_PAIRS[1])):
        known = [_read_quantity(fields, name) for name in pair]
        waiting = [energy.taken_over_unallocated_wh for energy in known]
        if None not in waiting:  # of one import, so of the same time
            found[index : index + 2] = [
                energy._replace(taken_over_unallocated_wh=wh)
                for energy, wh in zip(found[index : index + 2], waiting, strict=True)
            ]
        if found[index].wh is None and all(energy.coverage >= WHOLE for energy in known):
            found[index : index + 2] = [
                shared._replace(wh=energy.wh) for shared, energy in zip(found[index : index + 2], known, strict=True)
            ]
    return found


def _read_quantity(fields: dict[str, FieldValue], name: str) -> WindowEnergy:
    return WindowEnergy(
        read_number(fields, name),
        read_number(fields, f"{name}_coverage") or 0.0,
        read_number(fields, f"{name}_unallocated") or 0.0,
        read_number(fields, f"{name}_taken_over"),
        read_number(fields, f"{name}_taken_over_unallocated"),
        read_number(fields, f"{name}_filled"),
        read_number(fields, f"{name}_uncounted"),
    )


def _price_window(energy: SiteEnergy, site: Site) -> dict[str, FieldValue]:
    """By the rates of the local hour and the tariff in force on that local day; nothing where there is none."""
    local = to_local(energy.start, site.zone)
    tariffs = [tariff for tariff in site.tariffs if tariff.valid_from <= local.date()]
    return _price(energy, tariffs[-1], local.hour) if tariffs else {}


def _price(energy: SiteEnergy, tariff: Tariff, hour: int) -> dict[str, FieldValue]:
    bought, sold = energy.imported.wh, energy.exported.wh
    money: dict[str, FieldValue] = {}
    if bought is not None:
        money["cost"] = bought / 1000 * tariff.rates[hour]
    if sold is not None and tariff.feed_in is not None:
        money["feed_in"] = sold / 1000 * tariff.feed_in
    made, given = energy.shared_production.wh, energy.shared_exported.wh
    if made is not None and given is not None:
        money["savings"] = max(made - given, 0.0) / 1000 * tariff.rates[hour]
    return money
