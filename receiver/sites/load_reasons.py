"""Why it is not known what a house uses: the reason that its people can do something about. Pure."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from receiver.energy.site import (
    NET,
    OTHER_PRODUCTION,
    PRODUCTION,
    STORAGE,
    TOTAL,
    MeterPhase,
    SitePower,
    has_meter,
    select_phases,
)
from receiver.sites.storage import StorageNow

LoadUnknown: TypeAlias = Literal[
    "battery-power-unknown",
    "generator-runs",
    "total-meter-beside-battery",
    "phase-silent",
    "production-unknown",
    "meters-contradict",
]
"""Why it is not known what the house uses."""

REASONS_OF_HOUSE: frozenset[LoadUnknown] = frozenset({"battery-power-unknown", "generator-runs"})
"""What hides the load of a house of several gateways, whichever of them says so."""


def explain_load(
    power: SitePower,
    powers: Mapping[MeterPhase, float | None],
    storage: StorageNow,
    *,
    reported: float | None,
    is_fed: bool,
) -> LoadUnknown | None:
    """Why the load is unknown; None where it is known, or where no meter that measures the consumption speaks of now.

    Args:
        power: The site.
        powers: W by meter and phase; None for a phase that does not speak of now.
        storage: Batteries and grid.
        reported: W of all inverters by their reports; None if it is not known, or a meter sees production.
        is_fed: Whether a generator feeds the house, or may do so.
    """
    if is_fed:
        return "generator-runs"
    if storage.has_battery and power.battery is None:
        return "battery-power-unknown"
    grid = NET if has_meter(powers, NET) else TOTAL
    if power.load is not None or not has_meter(powers, grid) or all(one is None for one in powers.values()):
        return None
    if any(None in select_phases(powers, name).values() for name in (grid, PRODUCTION, OTHER_PRODUCTION, STORAGE)):
        return "phase-silent"
    if grid == TOTAL and (storage.has_battery or has_meter(powers, STORAGE)):
        return "total-meter-beside-battery"
    is_reported = reported is not None or has_meter(powers, PRODUCTION)
    return "meters-contradict" if is_reported else "production-unknown"
