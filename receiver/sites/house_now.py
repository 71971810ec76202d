"""One gateway of a house now: what it measures, and its power beside that of the others. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from receiver.energy.house import HouseMember, MemberPower, has_own_supplies
from receiver.energy.site import NET, OTHER_PRODUCTION, PRODUCTION, STORAGE, TOTAL, SitePower, compute_site_power
from receiver.sites.corrections import correct_latest
from receiver.sites.household import METER_GONE_MS, HouseholdNow, describe_household
from receiver.sites.load_reasons import REASONS_OF_HOUSE, LoadUnknown
from receiver.sites.model import Site
from receiver.sites.storage import KINDS_OF_STORAGE, describe_storage
from receiver.stores.base import Latest

KINDS_OF_MEMBER = ("meter", "inverter", "production", "meter_energy", *KINDS_OF_STORAGE)
"""The kinds that say what a gateway measures, in the order of `describe_member`."""


class MemberNow(NamedTuple):
    """One gateway of a house now.

    Attributes:
        household: What it would say alone.
        part: What of it counts in the house.
    """

    household: HouseholdNow
    part: MemberPower


def describe_member(
    latest: Sequence[Sequence[Latest]], site: Site, now_ms: int, *, silent_since: int | None = None
) -> MemberNow:
    """A gateway now (UTC milliseconds).

    What it measures is judged by its newest readings, however old they are: a gateway that is silent has not lost its
    meters, and what they measure is missing in the sum.

    Args:
        latest: Latest values of the kinds in `KINDS_OF_MEMBER`.
        site: Roles and signs of meters; netting.
        now_ms: UTC milliseconds.
        silent_since: Since when the gateway is known to be silent (UTC milliseconds): what it said before that is not
            of now, however long its kind speaks otherwise.
    """
    newest = max((entry.timestamp for of_kind in latest for entry in of_kind), default=now_ms)
    member = _find_member(latest, site, min(newest, now_ms))
    heard = latest
    if silent_since is not None:
        heard = [[entry for entry in of_kind if entry.timestamp > silent_since] for of_kind in latest]
    now = _describe(heard, site, now_ms)
    production = {key: power for key, power in now.powers.items() if key[0] in (PRODUCTION, OTHER_PRODUCTION)}
    measured = compute_site_power(production, inverters=now.inverters).production
    return MemberNow(now, MemberPower(member, now.site, measured, now.load_unknown in REASONS_OF_HOUSE))


def explain_house_load(power: SitePower, members: Sequence[MemberNow]) -> LoadUnknown | None:
    """Why the load of a house is unknown: the first reason that one of its gateways has; None where it is known.

    Where one gateway measures what flows past the others, it contradicts itself alone, and the house does not.
    """
    if power.load is not None:
        return None
    is_judged = has_own_supplies([member.part.member for member in members])
    found = (member.household.load_unknown for member in members)
    return next((reason for reason in found if reason and (is_judged or reason != "meters-contradict")), None)


def _describe(latest: Sequence[Sequence[Latest]], site: Site, moment_ms: int) -> HouseholdNow:
    meters, inverters, totals, _, *rest = latest
    return describe_household(meters, inverters, site, moment_ms, describe_storage(rest, moment_ms), totals)


def _find_member(latest: Sequence[Sequence[Latest]], site: Site, moment_ms: int) -> HouseMember:
    """What the gateway measured at its newest reading."""
    _, inverters, totals, counters, *_ = latest
    then = _describe(latest, site, moment_ms)
    counted = [entry for entry in counters if moment_ms - entry.timestamp <= METER_GONE_MS]
    meters = {meter for meter, _ in then.powers} | {entry.tags["meter"] for entry in correct_latest(counted, site)}
    is_unheard = not any(latest)
    return HouseMember(
        makes=is_unheard or bool(meters & {PRODUCTION, OTHER_PRODUCTION} or inverters or totals),
        grid="net" if NET in meters else "total" if TOTAL in meters else None,
        has_battery=then.storage.has_battery or STORAGE in meters,
        is_late=PRODUCTION not in meters,
    )
