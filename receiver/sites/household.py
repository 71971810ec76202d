"""The household at this moment, from the latest values that still speak of it. Pure.

The power of a site, the sums of live streams and the view in a terminal come from here: the same readings give the same
numbers everywhere.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from receiver.energy.plausible import PanelPower, find_panel_limit
from receiver.energy.site import (
    NET,
    PRODUCTION,
    STORAGE,
    MeterPhase,
    SitePower,
    choose_phases,
    compute_site_power,
    has_meter,
    select_phases,
)
from receiver.sites.corrections import correct_latest
from receiver.sites.load_reasons import LoadUnknown, explain_load
from receiver.sites.model import Site
from receiver.sites.storage import NO_STORAGE, StorageNow
from receiver.stores.base import Latest
from shared.agreement import COMPARED_FROM_W
from shared.fields import MAX_GAP_MS, REPORT_SPEAKS_MS
from shared.units import DAY_MS

METER_SPEAKS_MS = MAX_GAP_MS
"""A meter's value speaks of now for this long (milliseconds): a snapshot goes out every minute."""
METER_GONE_MS = DAY_MS
"""A meter that was not read for this long does not belong to the site any more (milliseconds)."""
TOTAL_SOURCES = ("pdm", "inverters", "api")
"""Of kind `production`, best first."""
_NOTHING_W = 15.0
"""A total of no more than this says that nothing is made: what inverters draw at night, and noise."""


class HouseholdNow(NamedTuple):
    """The household now.

    Attributes:
        site: Site quantities in W; what is not known of now is None.
        powers: W by meter and phase, with the corrections of the sites file. None: the phase belongs to the site, and
            does not speak of now.
        inverters: W of all inverters together whose reports speak of now; None if none does, or a meter sees them.
        timestamp: Of the newest reading that this rests on (UTC milliseconds); None if there is none.
        storage: Batteries and grid.
        load_unknown: Why the load is unknown; None where it is known, or nothing measures it now.
    """

    site: SitePower
    powers: Mapping[MeterPhase, float | None]
    inverters: float | None
    timestamp: int | None
    storage: StorageNow = NO_STORAGE
    load_unknown: LoadUnknown | None = None


def describe_household(
    meters: Sequence[Latest],
    inverters: Sequence[Latest],
    site: Site,
    now_ms: int,
    storage: StorageNow = NO_STORAGE,
    totals: Sequence[Latest] = (),
) -> HouseholdNow:
    """The household from its meters; from the inverters' reports where no meter sees what they make.

    Args:
        meters: Latest values of kind `meter`, as stored.
        inverters: Latest values of kind `inverter`.
        site: Roles and signs of meters; netting.
        now_ms: UTC milliseconds.
        storage: Batteries and grid: their power where no storage meter gives it.
        totals: Latest values of kind `production`, which stand in where the gateway lists no inverter.
    """
    here = [entry for entry in correct_latest(meters, site) if now_ms - entry.timestamp <= METER_GONE_MS]
    counts = choose_phases({(entry.tags["meter"], entry.tags["phase"]): entry.timestamp for entry in here})
    here = [entry for entry in here if (entry.tags["meter"], entry.tags["phase"]) in counts]
    used = [entry for entry in here if now_ms - entry.timestamp <= METER_SPEAKS_MS]
    powers = {
        (entry.tags["meter"], entry.tags["phase"]): _read_number(entry, "power")
        if now_ms - entry.timestamp <= METER_SPEAKS_MS
        else None
        for entry in here
    }
    if storage.power is not None and not has_meter(powers, STORAGE):
        powers[STORAGE, "total"] = storage.power
    if not any(entry.tags["meter"] == PRODUCTION for entry in used):  # it is not read any more: inverters stand in
        powers = {key: power for key, power in powers.items() if key[0] != PRODUCTION}
    reported = None
    if not has_meter(powers, PRODUCTION):
        reports = _choose_reports(inverters, totals, now_ms)
        watts = [_read_number(entry, "power") for entry in reports]
        known = [power for power in watts if power is not None]
        reported = sum(known) if known and len(known) == len(watts) else None  # a part is not the sum
        used = used or reports
    is_fed = storage.generator_runs or _is_fed_by_others(powers, storage)
    power = compute_site_power(
        powers,
        inverters=reported,
        most=_find_most(inverters, now_ms),
        netting=site.netting,
        has_battery=storage.has_battery,
        on_generator=is_fed,
        cut_off=storage.is_cut_off and storage.generator_runs,
    )
    if storage.is_cut_off and not storage.generator_runs:  # what the grid's meter shows is neither bought nor sold
        power = power._replace(net=None, imported=None, exported=None)
    newest = max((entry.timestamp for entry in used), default=None)
    reason = explain_load(power, powers, storage, reported=reported, is_fed=is_fed)
    return HouseholdNow(power, powers, reported, newest, storage, reason)


def _is_fed_by_others(powers: Mapping[MeterPhase, float | None], storage: StorageNow) -> bool:
    """Whether power comes in over a main relay that is known to be open: a generator that the gateway does not tell of.

    What is bought is then unknown rather than 0: the relay is asked once a minute, and may have closed since.
    """
    coming_in = sum(power for power in select_phases(powers, NET).values() if power is not None)
    return storage.is_cut_off and coming_in >= COMPARED_FROM_W


def _choose_reports(inverters: Sequence[Latest], totals: Sequence[Latest], now_ms: int) -> list[Latest]:
    """What speaks of now of what the roof makes: the inverters' reports, or the best of the gateway's own totals.

    At night no inverter reports, and the total says that nothing is made. One that says more then is of the day before.
    """
    reports = [entry for entry in inverters if now_ms - entry.timestamp <= REPORT_SPEAKS_MS]
    if reports:
        return reports
    by_source = {entry.tags["source"]: entry for entry in totals if now_ms - entry.timestamp <= REPORT_SPEAKS_MS}
    best = [by_source[source] for source in TOTAL_SOURCES if source in by_source][:1]
    return [entry for entry in best if not inverters or abs(_read_number(entry, "power") or 0.0) <= _NOTHING_W]


def _find_most(inverters: Sequence[Latest], now_ms: int) -> float | None:
    """What all inverters can make together (W): nothing while none of them reports. None: they are not listed."""
    if not inverters:
        return None
    if all(now_ms - entry.timestamp > REPORT_SPEAKS_MS for entry in inverters):
        return 0.0
    return sum(
        find_panel_limit([PanelPower(entry.timestamp, _read_number(entry, "power"), _read_number(entry, "max_power"))])
        for entry in inverters
    )


def _read_number(entry: Latest, name: str) -> float | None:
    value = entry.fields.get(name)
    return value if isinstance(value, float) else None
